#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compares what spt says with what others say: the oracle's reading of physical
memory, KVM's counters, the host's pagemap, the guest's documented layout.

Prints every difference; exit status 0 none, 1 some, 2 the comparison could not
be made. An empty comparison is an error: it would prove nothing.
"""
import argparse
import json
import sys

SIZE_4K = 4096
PAGE_SIZE = {1: 4096, 2: 2 << 20, 3: 1 << 30}
MOST_SHOWN = 20

# KVM's own pages in a guest on Intel processors: three for the task state, one
# for the identity map, one for the local APIC. The VMM has no slot for them.
KVM_OWN = ((0xfffbc000, 0xfffc0000), (0xfee00000, 0xfee01000))

# Accessed and dirty: the processor sets them in a running guest at any time.
AD_BITS = {"npt": 1 << 5 | 1 << 6, "host": 1 << 5 | 1 << 6, "pae": 1 << 5 | 1 << 6,
           "ept": 1 << 8 | 1 << 9}

# How the oracle calls what spt calls.
ORACLE_TYPE = {"table": "table", "leaf": "leaf", "mmio": "other", "frozen": "other",
               "nonpresent": "other"}


class Differences:
    def __init__(self):
        self.count = 0
        self.checked = 0

    def add(self, text):
        self.count += 1
        if self.count <= MOST_SHOWN:
            print(text)
        elif self.count == MOST_SHOWN + 1:
            print("...")

    def expect(self, what, name, found, wanted):
        if found != wanted:
            self.add(f"{what}: {name} is {show(found)}, expected {show(wanted)}")


def show(value):
    return f"{value:#x}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def number(text):
    return None if text is None else int(text, 0)


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def cannot(text):
    print(f"compare: {text}", file=sys.stderr)
    sys.exit(2)


def oracle_entries(oracle):
    """{(table_hpa, index): entry}; a table that two paths reach is there once."""
    return {(number(e["table_hpa"]), e["index"]): e for e in oracle["entries"]}


def find_root(tree, hpa):
    for root in tree["roots"]:
        if number(root["hpa"]) == hpa:
            return root
    known = ", ".join(root["hpa"] for root in tree["roots"]) or "none"
    cannot(f"spt shows no root {hpa:#x} (it has {known})")


def compare_entry(diff, ours, theirs, ignore, by_path):
    what = f"level {ours['level']} gpa {ours['gpa']} table {ours['table_hpa']}[{ours['index']}]"
    diff.expect(what, "level", ours["level"], theirs["level"])
    if by_path:
        diff.expect(what, "gpa", number(ours["gpa"]), number(theirs["gpa"]))
    diff.expect(what, "entry", number(ours["spte"]) & ~ignore, number(theirs["entry"]) & ~ignore)
    diff.expect(what, f"type ({ours['type']})", ORACLE_TYPE.get(ours["type"]), theirs["type"])
    if theirs["type"] == "other":
        return
    diff.expect(what, "hpa", number(ours["hpa"]), number(theirs["hpa"]))
    # KVM reports no permissions of its own for links: the hardware's are all it has.
    diff.expect(what, "perm", ours["perm"][:3], theirs["perm"])


def compare_tree(args, diff):
    oracle = load(args.oracle)
    root = find_root(load(args.tree), number(oracle["root"]))
    ignore = AD_BITS[oracle["format"]] if args.running else 0
    theirs = oracle_entries(oracle)
    ours = {}
    for entry in root["entries"]:
        ours.setdefault((number(entry["table_hpa"]), entry["index"]), entry)
    for key, entry in ours.items():
        diff.checked += 1
        if key in theirs:
            compare_entry(diff, entry, theirs[key], ignore, args.by_path)
        else:
            diff.add(f"only spt has level {entry['level']} gpa {entry['gpa']} "
                     f"table {entry['table_hpa']}[{entry['index']}] = {entry['spte']}")
    for key, entry in theirs.items():
        if key not in ours:
            diff.checked += 1
            diff.add(f"only memory has level {entry['level']} gpa {entry['gpa']} "
                     f"table {entry['table_hpa']}[{entry['index']}] = {entry['entry']} "
                     f"({entry['type']})")


def compare_counts(args, diff):
    """Words NAME=NUMBER, as 'pages --send SOCK stats' answers them."""
    oracle = load(args.oracle)
    for word in " ".join(args.counts).split():
        name, equals, value = word.partition("=")
        if equals and name in oracle:
            diff.checked += 1
            diff.expect("KVM's counter", name, int(value), oracle[name])


def leaves(oracle):
    for entry in oracle["entries"]:
        if entry["type"] == "leaf":
            yield number(entry["gpa"]), PAGE_SIZE[entry["level"]], number(entry["hpa"]), entry


def kvm_own(gpa):
    return any(first <= gpa < end for first, end in KVM_OWN)


def compare_pagemap(args, diff):
    pairs = {}
    with open(args.pairs, encoding="ascii") as f:
        for line in f:
            gpa, hpa = line.split()
            pairs[int(gpa, 0)] = int(hpa, 0)
    for gpa, size, hpa, entry in leaves(load(args.oracle)):
        gpa -= args.gva_base
        if kvm_own(gpa):
            continue
        for at in range(0, size, SIZE_4K):
            diff.checked += 1
            wanted = pairs.get(gpa + at)
            if wanted is None:
                diff.add(f"{entry['entry']} maps {gpa + at:#x}, the host has no page there")
                break
            if wanted != hpa + at:
                diff.add(f"{gpa + at:#x} is mapped to {hpa + at:#x}, the host says {wanted:#x}")
                break


def lookup(table, gpa):
    for level, size in sorted(PAGE_SIZE.items()):
        found = table.get((level, gpa & ~(size - 1)))
        if found:
            return found
    return None


def compare_layout(args, diff):
    """Each access of the layout must have left the mapping that it promises."""
    layout = load(args.layout)
    base = number(layout["gva_base"]) if args.shadow else 0
    prefix = "shadow_" if args.shadow else ""
    by_address = {(e["level"], number(e["gpa"])): e for e in load(args.oracle)["entries"]
                  if e["type"] != "table"}
    for touch in layout["touched"]:
        for n in range(touch["count"]):
            diff.checked += 1
            gpa = number(touch["gpa"]) + n * touch["stride"]
            what = f"slot {touch['slot']} gpa {gpa:#x}"
            entry = lookup(by_address, base + gpa)
            if touch["type"] == "mmio":
                if entry and entry["type"] == "leaf":
                    diff.add(f"{what}: MMIO, but mapped by {entry['entry']}")
                continue
            if not entry or entry["type"] != "leaf":
                diff.add(f"{what}: touched, but not mapped")
                continue
            diff.expect(what, "page size", PAGE_SIZE[entry["level"]], touch[prefix + "page_size"])
            diff.expect(what, "perm", entry["perm"], touch[prefix + "perm"])
    inside = [(number(s["base_gpa"]), number(s["base_gpa"]) + s["size"]) for s in layout["slots"]
              if s["registered"]]
    for (level, address), entry in by_address.items():
        gpa = address - base
        if entry["type"] == "leaf" and not kvm_own(gpa):
            diff.checked += 1
            if not any(first <= gpa and gpa + PAGE_SIZE[level] <= end for first, end in inside):
                diff.add(f"{entry['entry']} maps {gpa:#x}, where the layout has no slot")


def guest_entries(layout):
    """{(gpa of the guest table, index): guest entry}"""
    entries = {}
    for table in layout["guest_tables"]:
        for run in table["runs"]:
            for n in range(run["count"]):
                value = number(run["entry"]) + n * number(run["step"])
                entries[number(table["gpa"]), run["index"] + n] = value & (1 << 64) - 1
    return entries


COMMANDS = {
    "tree": (compare_tree, ("oracle", "tree"),
             "spt tree --json, entry for entry, against the oracle's walk of the same root"),
    "counts": (compare_counts, ("oracle",), "KVM's pages_4k, pages_2m and pages_1g"),
    "pagemap": (compare_pagemap, ("oracle", "pairs"), "'GPA HPA' lines from the host's pagemap"),
    "layout": (compare_layout, ("oracle", "layout"), "the mappings that the guest's layout promises"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    sub = parser.add_subparsers(dest="command", required=True)
    for name, (_, files, text) in COMMANDS.items():
        one = sub.add_parser(name, help=text, description=text)
        for file in files:
            one.add_argument(file)
        if name == "tree":
            one.add_argument("--running", action="store_true",
                             help="the guest runs: accessed and dirty bits may differ")
            one.add_argument("--by-path", action=argparse.BooleanOptionalAction, default=True,
                             help="compare each entry's address too")
        if name == "counts":
            one.add_argument("counts", nargs="+", metavar="NAME=NUMBER")
        if name == "pagemap":
            one.add_argument("--gva-base", type=number, default=0,
                             help="what to subtract from the oracle's addresses (shadow root)")
        if name == "layout":
            one.add_argument("--shadow", action="store_true", help="the oracle walked a shadow root")
    args = parser.parse_args()
    diff = Differences()
    try:
        COMMANDS[args.command][0](args, diff)
    except (OSError, ValueError, KeyError, TypeError) as error:
        cannot(f"{args.command}: {type(error).__name__}: {error}")
    if not diff.checked:
        cannot(f"{args.command}: there was nothing to compare")
    print(f"{args.command}: {diff.checked} compared, {diff.count} differ")
    return 1 if diff.count else 0


if __name__ == "__main__":
    sys.exit(main())
