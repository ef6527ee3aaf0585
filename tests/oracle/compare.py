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
MASK_64 = (1 << 64) - 1

# KVM's own pages in a guest on Intel processors: one for the identity map, three
# for the task state, one for the local APIC. The VMM has no slot for them.
KVM_OWN = ((0xfffbc000, 0xfffc0000), (0xfee00000, 0xfee01000))

# Accessed and dirty: the processor sets them in a running guest at any time.
AD_BITS = {"npt": 1 << 5 | 1 << 6, "host": 1 << 5 | 1 << 6, "pae": 1 << 5 | 1 << 6,
           "ept": 1 << 8 | 1 << 9}

# How the oracle calls what spt calls.
ORACLE_TYPE = {"table": "table", "leaf": "leaf", "mmio": "other", "frozen": "other",
               "nonpresent": "other"}


class CannotCompare(Exception):
    pass


class Differences:
    """Counts what was compared and what differs; keeps the first texts."""

    def __init__(self):
        self.count = 0
        self.checked = 0
        self.texts = []

    def add(self, text):
        self.count += 1
        if self.count <= MOST_SHOWN:
            self.texts.append(text)

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


def load_pairs(path):
    with open(path, encoding="ascii") as f:
        return {int(gpa, 0): int(hpa, 0) for gpa, hpa in map(str.split, f)}


def kvm_own(gpa):
    return any(first <= gpa < end for first, end in KVM_OWN)


def leaves(oracle):
    """(address, size, hpa, entry) of each."""
    for entry in oracle["entries"]:
        if entry["type"] == "leaf":
            yield number(entry["gpa"]), PAGE_SIZE[entry["level"]], number(entry["hpa"]), entry


def find_root(tree, hpa):
    for root in tree["roots"]:
        if number(root["hpa"]) == hpa:
            return root
    known = ", ".join(root["hpa"] for root in tree["roots"]) or "none"
    raise CannotCompare(f"spt shows no root {hpa:#x} (it has {known})")


def compare_entry(diff, ours, theirs, ignore):
    what = f"level {ours['level']} gpa {ours['gpa']} table {ours['table_hpa']}[{ours['index']}]"
    diff.expect(what, "level", ours["level"], theirs["level"])
    diff.expect(what, "gpa", number(ours["gpa"]), number(theirs["gpa"]))
    diff.expect(what, "entry", number(ours["spte"]) & ~ignore, number(theirs["entry"]) & ~ignore)
    diff.expect(what, f"type ({ours['type']})", ORACLE_TYPE.get(ours["type"]), theirs["type"])
    if theirs["type"] == "other":
        return
    diff.expect(what, "hpa", number(ours["hpa"]), number(theirs["hpa"]))
    diff.expect(what, "perm", ours["perm"][:3], theirs["perm"])


def compare_tree(diff, oracle, tree, running=False):
    """spt tree --json against the oracle's walk of the same root, entry for entry."""
    root = find_root(tree, number(oracle["root"]))
    ignore = AD_BITS[oracle["format"]] if running else 0
    # Pre-order on both sides, and a path occurs once: the order must be equal too.
    theirs = {(number(e["gpa"]), e["level"]): e for e in oracle["entries"]}
    ours = {(number(e["gpa"]), e["level"]): e for e in root["entries"]}
    for key, entry in ours.items():
        diff.checked += 1
        if key in theirs:
            compare_entry(diff, entry, theirs[key], ignore)
            if (entry["table_hpa"], entry["index"]) != (theirs[key]["table_hpa"],
                                                        theirs[key]["index"]):
                compare_place(diff, entry, theirs[key])
        else:
            diff.add(f"only spt has level {entry['level']} gpa {entry['gpa']} "
                     f"table {entry['table_hpa']}[{entry['index']}] = {entry['spte']}")
    for key, entry in theirs.items():
        if key not in ours:
            diff.checked += 1
            diff.add(f"only memory has level {entry['level']} gpa {entry['gpa']} "
                     f"table {entry['table_hpa']}[{entry['index']}] = {entry['entry']} "
                     f"({entry['type']})")
    if not diff.count and list(ours) != list(theirs):
        diff.add("the entries are the same, but their order is not pre-order")
    if len(ours) != len(root["entries"]):
        diff.add(f"spt lists {len(root['entries']) - len(ours)} entries twice")


def compare_place(diff, ours, theirs):
    what = f"level {ours['level']} gpa {ours['gpa']}"
    diff.expect(what, "table_hpa", number(ours["table_hpa"]), number(theirs["table_hpa"]))
    diff.expect(what, "index", ours["index"], theirs["index"])


def compare_counts(diff, oracle, words):
    """Words NAME=NUMBER, as 'pages --send SOCK stats' answers them."""
    for word in words.split():
        name, equals, value = word.partition("=")
        if equals and name in oracle:
            diff.checked += 1
            if int(value) != oracle[name]:
                diff.add(f"KVM counts {name} {value}, memory has {oracle[name]}")


def compare_pagemap(diff, oracle, pairs, gva_base=0):
    """Each 4K of each leaf against {gpa: hpa} from the host's pagemap."""
    for address, size, hpa, entry in leaves(oracle):
        gpa = address - gva_base
        if kvm_own(gpa):
            continue
        for at in range(0, size, SIZE_4K):
            diff.checked += 1
            wanted = pairs.get(gpa + at)
            if wanted != hpa + at:
                diff.add(f"{entry['entry']} maps {gpa + at:#x} to {hpa + at:#x}, the host has "
                         + (f"{wanted:#x}" if wanted is not None else "no page there"))
                break


def lookup(table, gpa):
    for level, size in sorted(PAGE_SIZE.items()):
        found = table.get((level, gpa & ~(size - 1)))
        if found:
            return found
    return None


def compare_touch(diff, touch, gpa, entry, prefix):
    what = f"slot {touch['slot']} gpa {gpa:#x}"
    diff.checked += 1
    if touch["type"] == "mmio":
        if entry and entry["type"] == "leaf":
            diff.add(f"{what}: MMIO, but mapped by {entry['entry']}")
    elif not entry or entry["type"] != "leaf":
        diff.add(f"{what}: touched, but not mapped")
    else:
        diff.expect(what, "page size", PAGE_SIZE[entry["level"]], touch[prefix + "page_size"])
        diff.expect(what, "perm", entry["perm"], touch[prefix + "perm"])


def compare_layout(diff, oracle, layout, shadow=False):
    """Each access of the layout must have left the mapping that it promises."""
    base = number(layout["gva_base"]) if shadow else 0
    table = {(e["level"], number(e["gpa"])): e for e in oracle["entries"] if e["type"] != "table"}
    for touch in layout["touched"]:
        for n in range(touch["count"]):
            gpa = number(touch["gpa"]) + n * touch["stride"]
            compare_touch(diff, touch, gpa, lookup(table, base + gpa), "shadow_" if shadow else "")
    compare_inside(diff, oracle, layout, base)


def compare_inside(diff, oracle, layout, base):
    """No leaf outside of the slots that are registered."""
    inside = [(number(s["base_gpa"]), number(s["base_gpa"]) + s["size"]) for s in layout["slots"]
              if s["registered"]]
    for address, size, _, entry in leaves(oracle):
        gpa = address - base
        if kvm_own(gpa):
            continue
        diff.checked += 1
        if not any(first <= gpa and gpa + size <= end for first, end in inside):
            diff.add(f"{entry['entry']} maps {gpa:#x}, where the layout has no slot")


def compare_ranges(diff, oracle, ranges):
    """spt ranges --json covers each leaf once, with its page size, permissions and HPA."""
    root = number(oracle["root"])
    ours = {}
    for one in ranges["ranges"]:
        if number(one["root"]) != root or one["type"] != "leaf":
            continue
        gpa, hpa = number(one["gpa"]), number(one["hpa"])
        if one["pages"] * one["page_size"] != one["size"]:
            diff.add(f"range {one['gpa']}: {one['pages']} pages of {one['page_size']} are not "
                     f"{one['size']} bytes")
        for at in range(0, one["size"], one["page_size"]):
            ours[gpa + at] = (one["page_size"], hpa + at, one["perm"][:3])
    for gpa, size, hpa, entry in leaves(oracle):
        diff.checked += 1
        found = ours.pop(gpa, None)
        if found != (size, hpa, entry["perm"]):
            diff.add(f"leaf {gpa:#x} is {size} bytes at {hpa:#x} {entry['perm']}, ranges say {found}")
    for gpa, found in ours.items():
        diff.add(f"ranges have {gpa:#x} {found}, memory has no such leaf")


def compare_memslots(diff, layout, memslots):
    ours = {slot["id"]: slot for slot in memslots["memslots"] if slot["as_id"] == 0}
    names = set()
    for slot in layout["slots"]:
        names.add(slot["id"])
        what = f"slot {slot['id']} ({slot['name']})"
        found = ours.get(slot["id"])
        diff.checked += 1
        if not slot["registered"]:
            if found:
                diff.add(f"{what}: spt shows it, but it is not registered")
            continue
        if not found:
            diff.add(f"{what}: spt does not show it")
            continue
        diff.expect(what, "base_gpa", number(found["base_gpa"]), number(slot["base_gpa"]))
        diff.expect(what, "size", number(str(found["size"])), slot["size"])
        diff.expect(what, "hva", number(found["hva"]), number(slot["hva"]))
        diff.expect(what, "flags", sorted(found["flags"]), sorted(slot["flags"]))
        diff.expect(what, "dirty_log", bool(found["dirty_log"]), "log-dirty" in slot["flags"])
    for slot in ours.values():
        if slot["id"] not in names and not kvm_own(number(slot["base_gpa"])):
            diff.add(f"spt shows slot {slot['id']} at {slot['base_gpa']}, the guest has none")


def guest_entries(layout):
    """{(gpa of the guest table, index): guest entry}"""
    entries = {}
    for table in layout["guest_tables"]:
        for run in table["runs"]:
            for n in range(run["count"]):
                value = number(run["entry"]) + n * number(run["step"])
                entries[number(table["gpa"]), run["index"] + n] = value & MASK_64
    return entries


COMMANDS = {
    "tree": (compare_tree, (load, load), ("oracle", "tree")),
    "counts": (compare_counts, (load, str), ("oracle", "words")),
    "pagemap": (compare_pagemap, (load, load_pairs), ("oracle", "pairs")),
    "layout": (compare_layout, (load, load), ("oracle", "layout")),
    "ranges": (compare_ranges, (load, load), ("oracle", "ranges")),
    "memslots": (compare_memslots, (load, load), ("layout", "memslots")),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    sub = parser.add_subparsers(dest="command", required=True)
    for name, (function, _, arguments) in COMMANDS.items():
        one = sub.add_parser(name, help=function.__doc__, description=function.__doc__)
        for argument in arguments:
            one.add_argument(argument)
        if name == "tree":
            one.add_argument("--running", action="store_true",
                             help="the guest runs: accessed and dirty bits may differ")
        if name == "pagemap":
            one.add_argument("--gva-base", type=number, default=0,
                             help="what to subtract from the oracle's addresses (shadow root)")
        if name == "layout":
            one.add_argument("--shadow", action="store_true", help="the oracle walked a shadow root")
    args = vars(parser.parse_args())
    function, loaders, arguments = COMMANDS[args.pop("command")]
    diff = Differences()
    try:
        function(diff, *(get(args.pop(name)) for get, name in zip(loaders, arguments)), **args)
        if not diff.checked:
            raise CannotCompare("there was nothing to compare")
    except (OSError, ValueError, KeyError, TypeError, CannotCompare) as error:
        print(f"compare: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    for text in diff.texts:
        print(text)
    print(f"{diff.checked} compared, {diff.count} differ")
    return 1 if diff.count else 0


if __name__ == "__main__":
    sys.exit(main())
