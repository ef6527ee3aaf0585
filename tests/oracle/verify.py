#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Judges, outside of the machine, what spt said inside of it about a 'pages' guest.

DIR holds what a test in L1 gathered while the guest was paused:
  layout    the guest's layout (pages: layout FILE)
  pagemap   'GPA HPA' lines (pages: pagemap-file FILE)
  stats     KVM's counters (pages: stats)
  tree, ranges, memslots, vcpus, roots, tables    spt's JSON
  walks     one JSON document of 'walk gpa' after the other
What is not there is not judged. LAB_RAM names the file with L1's physical memory.

Prints 'ok NAME: ...' or 'not ok NAME: ...' lines; exit status 1 if one is not ok.
"""
import argparse
import json
import os
import subprocess
import sys

from compare import (CannotCompare, Differences, compare_counts, compare_layout, compare_memslots,
                     compare_pagemap, compare_ranges, compare_tree, guest_entries, leaves, load,
                     load_pairs, lookup, number)

EMPTY_TDP_ENTRY = 1 << 63
ADDRESS_BITS = 0x000ffffffffff000
PTE_PS = 1 << 7
PTE_NX = 1 << 63
# The low bits of an EPTP: memory type, levels less one, accessed/dirty.
EPTP_LEVELS_SHIFT = 3
CODE_BYTES = 0x1000
# Of 32-bit guests; their four top entries have no permissions.
PAE_LEVELS = 3
# The lab's machine has all memory at 0 if it is less than this, else the first 1 GiB of it, the
# rest at 4 GiB (scripts/lab.d/qemu.sh).
Q35_ALL_LOW = 0xb0000000
Q35_LOW = 0x40000000

MODES = {  # format of the hardware's tables, levels, Intel
    "npt": ("npt", 4, False),
    "npt5": ("npt", 5, False),
    "svm-shadow": ("host", 4, False),
    "tdx": ("npt", 4, False),
    "ept": ("ept", 4, True),
    "ept-list": ("ept", 4, True),
    "vmx-shadow": ("host", 4, True),
}

# What 'walk gpa' must conclude of a page, by the layout.
MMIO_VERDICTS = ("mmio", "no-slot")


class Case:
    """What one DIR holds."""

    def __init__(self, directory, mode):
        self.directory = directory
        self.format, self.levels, self.intel = MODES[mode]
        self.shadow = self.format == "host"
        self.layout = load(self.path("layout"))
        self.guest_levels = self.layout["guest_levels"]
        if self.shadow and self.guest_levels == PAE_LEVELS:
            self.format, self.levels = "pae", PAE_LEVELS
        self.gva_base = number(self.layout["gva_base"]) if self.shadow else 0
        self.root = None
        self.oracle = None

    def path(self, name):
        return os.path.join(self.directory, name)

    def has(self, *names):
        return all(os.path.exists(self.path(name)) for name in names)

    def json(self, name):
        return load(self.path(name))

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()


def run_oracle(*words):
    ram = os.environ["LAB_RAM"]
    low = os.path.getsize(ram)
    command = ["oracle", "--ram", ram, "--low", str(low if low < Q35_ALL_LOW else Q35_LOW), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        raise CannotCompare(f"{' '.join(command)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def walk_root(case, root):
    return run_oracle("--root", hex(root), "--format", case.format, "--levels", str(case.levels),
                      "--maxphyaddr", str(case.layout["maxphyaddr"]),
                      "--empty", hex(EMPTY_TDP_ENTRY))


def code_range(layout):
    start = number(layout["gva_base"]) + number(layout["code_gpa"])
    return f"{start:#x}-{start + CODE_BYTES - 1:#x}"


def find_root_svm(case):
    found = run_oracle("--find-vmcb", code_range(case.layout))["vmcbs"]
    mine = [v for v in found if v["gdt_base"] == case.layout["gdt_base"]]
    if len(mine) != 1:
        raise CannotCompare(f"{len(mine)} VMCBs in memory belong to vCPU 0")
    if mine[0]["np_enable"] == case.shadow:
        raise CannotCompare(f"the VMCB has np_enable {mine[0]['np_enable']}")
    return number(mine[0]["cr3" if case.shadow else "ncr3"])


def maps_code(case, root):
    """Whether a root, taken as a CR3, maps the guest's code to where the host has it."""
    code = number(case.layout["code_gpa"])
    wanted = load_pairs(case.path("pagemap"))[code]
    try:
        oracle = walk_root(case, root)
    except CannotCompare:
        return False
    return any(address <= case.gva_base + code < address + size and
               hpa + case.gva_base + code - address == wanted
               for address, size, hpa, _ in leaves(oracle))


def find_root_vmx(case):
    found = run_oracle("--find-vmcs", f"{code_range(case.layout)},{case.layout['gdt_base']}")["vmcss"]
    if case.shadow:
        cr3s = {number(text) for page in found for text in page["cr3s"]}
        roots = [cr3 for cr3 in cr3s if maps_code(case, cr3)]
    else:
        roots = sorted({number(text) for page in found for text in page["eptps"]})
    if len(roots) != 1:
        raise CannotCompare(f"{len(roots)} values in memory may be vCPU 0's root: "
                            + ", ".join(map(hex, roots)))
    if not case.shadow:
        case.levels = (roots[0] >> EPTP_LEVELS_SHIFT & 7) + 1
    return roots[0]


def check_hardware_root(diff, case):
    """The root that spt names is the one that the processor has."""
    vcpu = case.json("vcpus")["vcpus"][0]
    diff.checked = 1
    diff.expect("vCPU 0", "root_hpa", number(vcpu["root_hpa"]), case.root & ADDRESS_BITS)
    if not case.shadow:
        diff.expect("vCPU 0", "hw_root", number(vcpu["hw_root"]), case.root)


def check_tree(diff, case):
    compare_tree(diff, case.oracle, case.json("tree"))


def check_ranges(diff, case):
    compare_ranges(diff, case.oracle, case.json("ranges"))


def check_counts(diff, case):
    compare_counts(diff, case.oracle, case.text("stats"))


def check_pagemap(diff, case):
    compare_pagemap(diff, case.oracle, load_pairs(case.path("pagemap")), case.gva_base)


def check_memslots(diff, case):
    compare_memslots(diff, case.layout, case.json("memslots"))


def check_layout(diff, case):
    compare_layout(diff, case.oracle, case.layout, case.shadow)


def json_documents(text):
    decoder = json.JSONDecoder()
    at = 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        document, at = decoder.raw_decode(text, at)
        yield document


def find_slot(layout, gpa):
    for slot in layout["slots"]:
        base = number(slot["base_gpa"])
        if slot["registered"] and base <= gpa < base + slot["size"]:
            return slot
    return None


def check_walk(diff, case, walk, entry, host):
    gpa = number(walk["from"]["address"])
    what = f"walk gpa {gpa:#x}"
    slot = find_slot(case.layout, gpa)
    diff.expect(what, "gpa", number(walk["gpa"]), gpa)
    diff.expect(what, "memslot", walk["memslot"] and walk["memslot"]["id"], slot and slot["id"])
    if not slot:
        if walk["verdict"] not in MMIO_VERDICTS:
            diff.add(f"{what}: verdict {walk['verdict']} where there is no slot")
        return
    diff.expect(what, "hva", number(walk["hva"]),
                number(slot["hva"]) + gpa - number(slot["base_gpa"]))
    diff.expect(what, "host's hpa", walk["host"] and number(walk["host"]["hpa"]),
                host and host + gpa % 4096)
    mapped = entry is not None and entry["type"] == "leaf"
    diff.expect(what, "verdict", walk["verdict"], "coherent" if mapped else "unmapped")
    if not mapped:
        return
    found = [root for root in walk["roots"] if root["levels"] and root["hpa"]]
    if not found:
        diff.add(f"{what}: no root maps it, memory has {entry['entry']}")
        return
    for root in found:
        last = root["levels"][-1]
        diff.expect(what, "hpa", number(root["hpa"]), host and host + gpa % 4096)
        diff.expect(what, "spte", number(last["spte"]), number(entry["entry"]))
        diff.expect(what, "perm", last["perm"][:3], entry["perm"])


def check_walks(diff, case):
    table = {(e["level"], number(e["gpa"])): e for e in case.oracle["entries"]
             if e["type"] != "table"}
    pairs = load_pairs(case.path("pagemap"))
    for walk in json_documents(case.text("walks")):
        gpa = number(walk["from"]["address"])
        diff.checked += 1
        check_walk(diff, case, walk, lookup(table, case.gva_base + gpa), pairs.get(gpa & ~0xfff))


def expected_access(role, entry):
    """role.access that the guest's own permissions give: all of it above the root's entries,
    below them writable and supervisor, and no execute where a large page says so."""
    # Kernels whose access has four bits count read (1) too, and execute moved up to 8.
    wide = "is_mirror" in role
    read, write, user, execute = (1, 2, 4, 8) if wide else (0, 2, 4, 1)
    if entry is None:
        return read | write | user | execute
    return read | write | (0 if entry & PTE_PS and entry & PTE_NX else execute)


def check_shadow_table(diff, what, table, level, guest_table, entry):
    """One shadow table against the guest entry that led to it (None: the root)."""
    role = table["role"]
    large = entry is not None and bool(entry & PTE_PS)
    diff.expect(what, "role.level", role["level"], level)
    diff.expect(what, "role.direct", role["direct"], int(large))
    diff.expect(what, "gfn as address", number(table["gpa"]), guest_table)
    diff.expect(what, "role.access", role["access"],
                expected_access(role, entry))
    for name, wanted in (("efer_nx", 1), ("cr0_wp", 1), ("invalid", 0), ("smm", 0),
                         ("guest_mode", 0), ("quadrant", 0), ("has_4_byte_gpte", 0)):
        if name in role:
            diff.expect(what, f"role.{name}", role[name], wanted)


def shadow_tables(case, tree):
    """(shadow table, level, gva) of each table below the root, and the root itself, which under
    PAE is a page of KVM's and no shadow table."""
    root = case.root & ADDRESS_BITS
    if case.levels != PAE_LEVELS:
        yield root, case.levels, 0
    for entry in tree["entries"]:
        if entry["type"] == "table":
            yield number(entry["hpa"]), entry["level"] - 1, number(entry["gpa"])


def guest_walk(case, entries, gva, stop):
    """GPA of the guest's table of level 'stop' for gva, and the entry that led there."""
    table, value = number(case.layout["cr3"]), None
    for level in range(case.guest_levels, stop, -1):
        value = entries.get((table, gva >> (12 + 9 * (level - 1)) & 511))
        if value is None:
            return None, None
        if level > 1 and level < case.guest_levels and value & PTE_PS:
            size = 1 << (12 + 9 * (level - 1))
            return (value & ADDRESS_BITS & ~(size - 1)) + gva % size, value
        table = value & ADDRESS_BITS
    return table, value


def check_shadow(diff, case):
    """The shadow pages' gfn, role and place follow from the guest's own page tables."""
    tables = {number(t["hpa"]): t for t in case.json("tables")["tables"]}
    entries = guest_entries(case.layout)
    tree = next(r for r in case.json("tree")["roots"]
                if number(r["hpa"]) == case.root & ADDRESS_BITS)
    for hpa, level, gva in shadow_tables(case, tree):
        what = f"shadow table {hpa:#x}, level {level}, gva {gva:#x}"
        guest_table, entry = guest_walk(case, entries, gva, level)
        if case.levels == level + 1 == PAE_LEVELS:
            entry = None
        diff.checked += 1
        if hpa not in tables:
            diff.add(f"{what}: not among spt's tables")
        elif guest_table is None:
            diff.add(f"{what}: the guest has no table there")
        else:
            check_shadow_table(diff, what, tables[hpa], level, guest_table, entry)
    check_shadow_leaves(diff, case, entries)


def check_shadow_leaves(diff, case, entries):
    pairs = load_pairs(case.path("pagemap"))
    for gva, size, hpa, entry in leaves(case.oracle):
        gpa, guest = guest_walk(case, entries, gva, 0)
        diff.checked += 1
        if gpa is None:
            diff.add(f"leaf {entry['entry']} at gva {gva:#x}: the guest maps nothing there")
            continue
        diff.expect(f"leaf at gva {gva:#x}, guest {gpa:#x}", "hpa", hpa, pairs.get(gpa))
        if guest & PTE_NX and entry["perm"][2] != "-":
            diff.add(f"leaf at gva {gva:#x}: executable, the guest says it is not")


CHECKS = (  # name, files, modes, function
    ("hardware-root", ("vcpus",), "all", check_hardware_root),
    ("tree", ("tree",), "all", check_tree),
    ("ranges", ("ranges",), "all", check_ranges),
    ("counts", ("stats",), "all", check_counts),
    ("pagemap", ("pagemap",), "all", check_pagemap),
    ("memslots", ("memslots",), "all", check_memslots),
    ("layout", (), "promises", check_layout),
    ("walks", ("walks", "pagemap"), "all", check_walks),
    ("shadow-pages", ("tables", "tree", "pagemap"), "shadow", check_shadow),
)


def result(name, function, case):
    diff = Differences()
    try:
        function(diff, case)
        if not diff.checked:
            raise CannotCompare("there was nothing to compare")
    except (OSError, ValueError, KeyError, TypeError, CannotCompare) as error:
        print(f"not ok {name}: {type(error).__name__}: {error}")
        return False
    if diff.count:
        print(f"not ok {name}: {diff.count} differences in {diff.checked} comparisons:")
        for text in diff.texts:
            print(f"    {text}")
        return False
    print(f"ok {name}: {diff.checked} compared")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--mmu", choices=MODES, required=True)
    parser.add_argument("--name", default="", help="put before the name of each result")
    parser.add_argument("--promises", action="store_true",
                        help="the guest is as its layout promises: nothing was changed since READY")
    args = parser.parse_args()
    prefix = f"{args.name}-" if args.name else ""
    try:
        case = Case(args.directory, args.mmu)
        case.root = find_root_vmx(case) if case.intel else find_root_svm(case)
        case.oracle = walk_root(case, case.root)
    except (OSError, ValueError, KeyError, TypeError, CannotCompare) as error:
        print(f"not ok {prefix}oracle: {type(error).__name__}: {error}")
        return 1
    good = True
    for name, files, when, function in CHECKS:
        if when == "promises" and not args.promises or when == "shadow" and not case.shadow:
            continue
        if case.has(*files):
            good &= result(prefix + name, function, case)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
