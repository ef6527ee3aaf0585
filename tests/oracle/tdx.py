#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Judges, outside of the machine, what spt said inside of it about a 'pages --tdx' guest.

DIR holds what a test in L1 gathered while the guest was paused:
  layout, pagemap, stats, tree, vcpus, roots    as for verify.py
  walks      one JSON document of 'walk gpa' after the other
  record     what softtdx says of the VM: external_root, shared_bit, counters
  entries    'LEVEL GPA ENTRY', what KVM told softtdx of the private half
LAB_RAM names the file with L1's physical memory. Four sources have to agree: the memory,
walked from the VMCB's nested CR3 and from the external root; spt's direct, mirror and external
trees; softtdx's record of what KVM told it; and what the guest wrote into its pages.

Prints 'ok NAME: ...' or 'not ok NAME: ...' lines; exit status 1 if one is not ok.
"""
import argparse
import os
import struct
import sys

from compare import (AD_BITS, CannotCompare, Differences, compare_counts, compare_entry,
                     compare_layout, compare_pagemap, compare_place, find_root, leaves,
                     load_pairs, lookup, number, PAGE_SIZE)
from verify import (ADDRESS_BITS, Case, MMIO_VERDICTS, find_root_svm, json_documents, result,
                    walk_root)

AD = AD_BITS["npt"]
SOFTWARE = 0x7ff << 52 | 7 << 9		# bits that KVM keeps in an entry for itself
LINK = 7				# of an external table's entry: present, writable, user


class Private(Case):
    """One DIR of a VM with private memory, and both of its trees as memory has them."""

    def __init__(self, directory):
        super().__init__(directory, "tdx")
        words = (line.split(": ") for line in self.text("record").splitlines())
        self.record = {name: number(value) for name, value in words}
        self.mask = 1 << self.record["shared_bit"]
        self.levels = self.record["levels"]
        self.root = find_root_svm(self)
        self.hardware = walk_root(self, self.root)
        self.external = walk_root(self, self.record["external_root"])
        mirrors = [r for r in self.json("roots")["roots"] if r["kind"] == "mirror"]
        if len(mirrors) != 1:
            raise CannotCompare(f"spt shows {len(mirrors)} mirror roots")
        self.mirror = walk_root(self, number(mirrors[0]["hpa"]))
        self.oracle = self.hardware

    def half(self, shared):
        return [e for e in self.hardware["entries"] if bool(number(e["gpa"]) & self.mask) == shared]


def keyed(entries, mask=0):
    return {(e["level"], number(e["gpa"]) & ~mask): e for e in entries}


def compare_keys(diff, ours, theirs, who, whom):
    for key in sorted(ours.keys() | theirs.keys(), reverse=True):
        diff.checked += 1
        if key not in ours or key not in theirs:
            diff.add(f"only {who if key in ours else whom} has level {key[0]} gpa {key[1]:#x}")


def check_hardware_root(diff, case):
    vcpu = case.json("vcpus")["vcpus"][0]
    diff.checked = 1
    diff.expect("vCPU 0", "root_hpa", number(vcpu["root_hpa"]), case.root & ADDRESS_BITS)
    diff.expect("vCPU 0", "hw_root", number(vcpu["hw_root"]), case.root)


def compare_spt(diff, case, root, theirs):
    """A root of spt's tree against entries of memory, whatever spt shows of the shared bit."""
    ours = keyed(root["entries"], case.mask)
    theirs = keyed(theirs, case.mask)
    compare_keys(diff, ours, theirs, "spt", "memory")
    for key in ours.keys() & theirs.keys():
        there = dict(theirs[key], gpa=ours[key]["gpa"])
        compare_entry(diff, ours[key], there, 0)
        compare_place(diff, ours[key], there)
    if len(ours) != len(root["entries"]):
        diff.add(f"spt lists {len(root['entries']) - len(ours)} entries twice")


def private_top(case, entry):
    return entry["level"] == case.levels and \
        entry["index"] << (12 + 9 * (case.levels - 1)) < case.mask


def check_shared(diff, case):
    root = find_root(case.json("tree"), case.root & ADDRESS_BITS)
    # What the processor is lent of the private half is not KVM's, and no part of this tree.
    shown = [e for e in root["entries"] if not private_top(case, e)]
    compare_spt(diff, case, dict(root, entries=shown), case.half(shared=True))


def check_mirror(diff, case):
    root = find_root(case.json("tree"), number(case.mirror["root"]))
    compare_spt(diff, case, root, case.mirror["entries"])


def check_external_tree(diff, case):
    """spt's external tables: of each top entry one tree, for KVM names them from there on."""
    ours = [root for root in case.json("tree")["roots"] if root["kind"] == "external"]
    tops = {number(e["hpa"]) for e in case.external["entries"] if e["level"] == case.levels}
    diff.expect("the external roots", "HPAs", sorted(number(root["hpa"]) for root in ours),
                sorted(tops))
    entries = [entry for root in ours for entry in root["entries"]]
    compare_spt(diff, case, {"entries": entries},
                [e for e in case.external["entries"] if e["level"] < case.levels])


def check_external(diff, case):
    """The external tables are what KVM told softtdx, entry for entry, and nothing else."""
    told = {}
    for line in case.text("entries").splitlines():
        level, gpa, entry = (number(word) for word in line.split())
        told[level, gpa] = entry
    there = keyed(case.external["entries"])
    compare_keys(diff, told, there, "the record", "memory")
    for key in told.keys() & there.keys():
        diff.expect(f"level {key[0]} gpa {key[1]:#x}", "entry", number(there[key]["entry"]) & ~AD,
                    told[key] & ~AD)
    linked = case.record["tables_linked"] - case.record["tables_freed"]
    diff.expect("record", "tables", linked, sum(e["type"] == "table" for e in there.values()))
    leaf = case.record["leaves_set"] - case.record["leaves_cleared"]
    diff.expect("record", "leaves", leaf, sum(e["type"] == "leaf" for e in there.values()))
    diff.expect("record", "lost", case.record["lost"], 0)
    diff.expect("record", "unrecorded", case.record["unrecorded"], 0)


def check_mirrored(diff, case):
    """Mirror and external tables have the same entries: each leaf the same page and rights."""
    mirror, external = keyed(case.mirror["entries"]), keyed(case.external["entries"])
    compare_keys(diff, mirror, external, "the mirror", "the external tree")
    for key in mirror.keys() & external.keys():
        one, other = mirror[key], external[key]
        what = f"level {key[0]} gpa {key[1]:#x}"
        diff.expect(what, "type", one["type"], other["type"])
        diff.expect(what, "index", one["index"], other["index"])
        if one["type"] == "leaf":
            diff.expect(what, "entry", number(one["entry"]) & ~SOFTWARE & ~AD & ~(1 << 11),
                        number(other["entry"]) & ~AD)
        elif one["hpa"] == other["hpa"]:
            diff.add(f"{what}: the mirror's table is the external one")
        else:
            diff.expect(what, "link", number(other["entry"]) & ~ADDRESS_BITS & ~AD, LINK)


def check_hardware(diff, case):
    """What the processor walks below the shared bit are the external tables themselves."""
    hardware, external = keyed(case.half(shared=False)), keyed(case.external["entries"])
    compare_keys(diff, hardware, external, "the processor", "the external tree")
    for key in hardware.keys() & external.keys():
        what = f"level {key[0]} gpa {key[1]:#x}"
        diff.expect(what, "entry", number(hardware[key]["entry"]) & ~AD,
                    number(external[key]["entry"]) & ~AD)
        if key[0] < case.levels:
            diff.expect(what, "table", hardware[key]["table_hpa"], external[key]["table_hpa"])


def check_apart(diff, case):
    """No page is in both halves, and no page of the private half is the VMM's."""
    private = {hpa for _, _, hpa, _ in leaves(case.external)}
    pairs = load_pairs(case.path("pagemap"))
    mapped = set(pairs.values())
    for _, size, hpa, entry in leaves({"entries": case.half(shared=True)}):
        for at in range(hpa, hpa + size, 4096):
            diff.checked += 1
            if at in private:
                diff.add(f"{entry['entry']} of gpa {entry['gpa']} is in the private half, too")
    for hpa in private:
        diff.checked += 1
        if hpa in mapped:
            diff.add(f"the private page {hpa:#x} is mapped by the VMM")


def check_walks(diff, case):
    """'walk gpa' of either half: what each root has there, and which half is meant."""
    trees = {"direct": case.half(shared=True), "mirror": case.mirror["entries"],
             "external": case.external["entries"]}
    tables = {kind: {(e["level"], number(e["gpa"]) & ~case.mask): e for e in entries
                     if e["type"] == "leaf"} for kind, entries in trees.items()}
    for walk in json_documents(case.text("walks")):
        gpa = number(walk["from"]["address"]) & ~case.mask
        what = f"walk gpa {walk['from']['address']}"
        there = {kind: lookup(table, gpa) for kind, table in tables.items()}
        diff.checked += 1
        for root in walk["roots"]:
            entry = there[root["kind"]]
            wanted = entry and number(entry["hpa"]) + gpa % PAGE_SIZE[entry["level"]]
            diff.expect(f"{what}: {root['kind']} root", "hpa", number(root["hpa"]), wanted)
        diff.expect(what, "roots", sorted(root["kind"] for root in walk["roots"]), sorted(there))
        if not walk["memslot"]:
            if walk["verdict"] not in MMIO_VERDICTS:
                diff.add(f"{what}: verdict {walk['verdict']} where there is no slot")
            continue
        mapped = "coherent" if there["direct"] else "unmapped"
        diff.expect(what, "verdict", walk["verdict"], "private" if walk["private"] else mapped)
        # Private are the attributes; the mirror has nothing where they say otherwise.
        if there["mirror"] and not walk["private"] or there["direct"] and walk["private"]:
            diff.add(f"{what}: private is {walk['private']}, but the other half is mapped")


def check_counts(diff, case):
    """KVM counts the leaves of both trees, the mirror for the private one."""
    total = {name: case.mirror[name] + sum(e["type"] == "leaf" and e["level"] == level
                                           for e in case.half(shared=True))
             for level, name in ((1, "pages_4k"), (2, "pages_2m"), (3, "pages_1g"))}
    compare_counts(diff, total, case.text("stats"))


def check_pagemap(diff, case):
    compare_pagemap(diff, {"entries": case.half(shared=True)}, load_pairs(case.path("pagemap")))


def check_layout(diff, case):
    layout = dict(case.layout, slots=[dict(s, base_gpa=hex(number(s["base_gpa"]) | half))
                                      for s in case.layout["slots"] for half in (0, case.mask)])
    compare_layout(diff, case.hardware, layout)


def check_content(diff, case):
    """Each page that the guest wrote holds what it wrote: its own address at its start."""
    with open(os.environ["LAB_RAM"], "rb") as ram:
        pages = {gpa + at: hpa + at for gpa, size, hpa, _ in leaves(case.hardware)
                 for at in range(0, size, 4096)}
        for touch in case.layout["touched"]:
            # One value for the whole access: the address of its first page.
            for n in range(touch["count"] if touch["access"] == "w" else 0):
                gpa = number(touch["gpa"]) + n * touch["stride"]
                diff.checked += 1
                if gpa not in pages:
                    diff.add(f"gpa {gpa:#x}: not mapped")
                    continue
                ram.seek(pages[gpa])
                diff.expect(f"gpa {gpa:#x}", "content", struct.unpack("<Q", ram.read(8))[0],
                            number(touch["gpa"]))


CHECKS = (  # name, only with --promises, function
    ("hardware-root", False, check_hardware_root),
    ("shared-tree", False, check_shared),
    ("mirror-tree", False, check_mirror),
    ("external-tree", False, check_external_tree),
    ("external-is-record", False, check_external),
    ("mirror-is-external", False, check_mirrored),
    ("processor-walks-external", False, check_hardware),
    ("halves-apart", False, check_apart),
    ("walks", False, check_walks),
    ("counts", False, check_counts),
    ("pagemap", False, check_pagemap),
    ("layout", True, check_layout),
    ("content", True, check_content),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--name", default="", help="put before the name of each result")
    parser.add_argument("--promises", action="store_true",
                        help="the guest is as its layout promises: nothing was changed since READY")
    args = parser.parse_args()
    prefix = f"{args.name}-" if args.name else ""
    try:
        case = Private(args.directory)
    except (OSError, ValueError, KeyError, TypeError, CannotCompare) as error:
        print(f"not ok {prefix}oracle: {type(error).__name__}: {error}")
        return 1
    good = True
    for name, promises, function in CHECKS:
        if args.promises or not promises:
            good &= result(prefix + name, function, case)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
