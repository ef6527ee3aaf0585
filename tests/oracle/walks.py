#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Judges what 'walk gva', 'walk hva' and 'walk hpa' said about a paused 'pages' guest.

DIR holds what a test in L1 gathered:
  layout    the guest's layout, its own page tables among it (pages: layout FILE)
  pagemap   'GPA HPA' lines (pages: pagemap-file FILE)
  tree      spt's tree as JSON: the full scan that 'walk hpa' must agree with
  gva, hva, hpa      JSON documents of walks of the live guest, one after the other
  gva.saved, ...     the same of a saved image

Prints 'ok NAME: ...' or 'not ok NAME: ...' lines; exit status 1 if one is not ok.
"""
import argparse
import os
import sys

from compare import CannotCompare, guest_entries, load, load_pairs, number
from verify import find_slot, json_documents, result

ADDRESS_BITS = 0x000ffffffffff000
PRESENT, WRITE, PS, NX = 1, 1 << 1, 1 << 7, 1 << 63
CANONICAL_BITS = 47
PAE_LEVELS, PAE_BITS = 3, 32
MMIO_VERDICTS = ("mmio", "no-slot")
# What a saved image must say like the live VM.
SAME_OFFLINE = ("guest", "gva", "gpa", "memslot", "hva", "roots", "verdict", "maps", "tables")


class Case:
    def __init__(self, directory, shadow):
        self.directory = directory
        self.shadow = shadow
        self.layout = load(self.path("layout"))
        self.gva_base = number(self.layout["gva_base"])
        self.levels = self.layout["guest_levels"]
        self.guest = guest_entries(self.layout)
        self.pagemap = load_pairs(self.path("pagemap"))
        self.roots = load(self.path("tree"))["roots"]

    def path(self, name):
        return os.path.join(self.directory, name)

    def documents(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return list(json_documents(f.read()))

    def leaves_at(self, gpa):
        """Leaves of the full scan that translate this GPA."""
        address = gpa + self.gva_base if self.shadow else gpa
        for root in self.roots:
            for e in root["entries"]:
                start = number(e["gpa"])
                if e["type"] == "leaf" and start <= address < start + e["size"]:
                    yield root, e, number(e["hpa"]) + address - start


def guest_walk(case, gva):
    """[(level, table, index, entry)], and GPA and page size or None, None."""
    table, steps = number(case.layout["cr3"]), []
    if case.levels == PAE_LEVELS:
        if gva >> PAE_BITS:
            return steps, None, None
    elif gva >> CANONICAL_BITS not in (0, (1 << (64 - CANONICAL_BITS)) - 1):
        return steps, None, None
    for level in range(case.levels, 0, -1):
        index = gva >> (12 + 9 * (level - 1)) & 511
        value = case.guest.get((table, index), 0)
        steps.append((level, table, index, value))
        if not value & PRESENT:
            return steps, None, None
        if level == 1 or level < case.levels and value & PS:
            size = 1 << (12 + 9 * (level - 1))
            return steps, (value & ADDRESS_BITS & ~(size - 1)) + gva % size, size
        table = value & ADDRESS_BITS
    raise CannotCompare("a walk without an end")


def guest_perm(case, steps):
    top = PAE_LEVELS if case.levels == PAE_LEVELS else None  # whose entries have no permissions
    writable = all(value & WRITE for level, _, _, value in steps if level != top)
    return "r" + ("w" if writable else "-") + ("-" if any(v & NX for _, _, _, v in steps) else "x")


def check_guest(diff, case, what, doc, steps):
    levels = doc["guest"]["levels"]
    diff.expect(what, "number of guest levels", len(levels), len(steps))
    for found, (level, table, index, value) in zip(levels, steps):
        at = f"{what}, guest level {level}"
        diff.expect(at, "level", found["level"], level)
        diff.expect(at, "table_gpa", number(found["table_gpa"]), table)
        diff.expect(at, "index", found["index"], index)
        diff.expect(at, "entry", number(found["entry"]), value)
        diff.expect(at, "table_hva", number(found["table_hva"]),
                    number(case.layout["slots"][0]["hva"]) + table)
        if found["table_hpa"] is not None:
            diff.expect(at, "table_hpa", number(found["table_hpa"]), case.pagemap.get(table))


def check_gva(diff, case, doc):
    gva = number(doc["from"]["address"])
    what = f"walk gva {gva:#x}"
    steps, gpa, size = guest_walk(case, gva)
    diff.expect(what, "gva", number(doc["gva"]), gva)
    diff.expect(what, "cr3", doc["guest"]["cr3"], case.layout["cr3"])
    check_guest(diff, case, what, doc, steps)
    diff.expect(what, "gpa", number(doc["gpa"]), gpa)
    if gpa is None:
        diff.expect(what, "verdict", doc["verdict"], "unmapped")
        diff.expect(what, "end", doc["guest"]["end"],
                    "not-present" if steps else "non-canonical")
        return
    diff.expect(what, "end", doc["guest"]["end"], "mapped")
    diff.expect(what, "guest's page", doc["guest"]["page_size"], size)
    diff.expect(what, "supervisor_perm", doc["guest"]["supervisor_perm"], guest_perm(case, steps))
    diff.expect(what, "user_perm", doc["guest"]["user_perm"], "---")
    check_gpa(diff, case, what, doc, gpa)


def check_gpa(diff, case, what, doc, gpa):
    """The rest of the chain: slot, HVA, HPA by every root, verdict."""
    slot = find_slot(case.layout, gpa)
    diff.expect(what, "memslot", doc["memslot"] and doc["memslot"]["id"], slot and slot["id"])
    if not slot:
        if doc["verdict"] not in MMIO_VERDICTS:
            diff.add(f"{what}: verdict {doc['verdict']} where there is no slot")
        return
    diff.expect(what, "hva", number(doc["hva"]), number(slot["hva"]) + gpa - number(slot["base_gpa"]))
    wanted = {hpa for _, _, hpa in case.leaves_at(gpa)}
    found = {number(root["hpa"]) for root in doc["roots"] if root["hpa"]}
    diff.expect(what, "HPAs", sorted(map(hex, found)), sorted(map(hex, wanted)))
    page = case.pagemap.get(gpa & ~0xfff)
    for hpa in found:
        diff.expect(what, "hpa by the host", hpa, page and page + gpa % 4096)
    diff.expect(what, "verdict", doc["verdict"], "coherent" if wanted else "unmapped")


def check_gvas(diff, case):
    placed = set()
    for doc in case.documents("gva"):
        diff.checked += 1
        check_gva(diff, case, doc)
        placed |= {level["level"] for level in doc["guest"]["levels"] if level["table_hpa"]}
    # Under shadow paging a table that the guest does not write needs no mapping of its own.
    if not case.shadow:
        diff.expect("guest's tables", "levels of which one is mapped", sorted(placed),
                    list(range(1, case.levels + 1)))


def walked_gpas(doc):
    return [doc] + doc.get("aliases", [])


def check_hvas(diff, case):
    most = 0
    for doc in case.documents("hva"):
        hva = number(doc["from"]["address"])
        what = f"walk hva {hva:#x}"
        wanted = sorted(number(s["base_gpa"]) + hva - number(s["hva"])
                        for s in case.layout["slots"]
                        if s["registered"] and number(s["hva"]) <= hva < number(s["hva"]) + s["size"])
        found = sorted(number(d["gpa"]) for d in walked_gpas(doc) if d["gpa"])
        diff.checked += 1
        diff.expect(what, "GPAs", [*map(hex, found)], [*map(hex, wanted)])
        most = max(most, len(found))
        if not wanted:
            diff.expect(what, "verdict", doc["verdict"], "no-slot")
        for d in walked_gpas(doc):
            diff.expect(what, "the question", d["from"], doc["from"])
            if d["gpa"]:
                check_gpa(diff, case, f"{what}, GPA {d['gpa']}", d, number(d["gpa"]))
    diff.expect("walk hva", "most GPAs of one HVA", most, 2)


def scan(case, hpa):
    """What the full scan says of a host page: its leaves, and the tables that it is."""
    maps, tables = set(), set()
    for root in case.roots:
        own = number(root["hpa"])
        if own == hpa & ~0xfff:
            tables.add((own, None, None))
        for e in root["entries"]:
            target = number(e["hpa"]) if e["hpa"] else None
            if e["type"] == "leaf" and target <= hpa < target + e["size"]:
                maps.add((own, number(e["gpa"]) + hpa - target, e["level"], number(e["table_hpa"]),
                          e["index"]))
            elif e["type"] == "table" and target == hpa & ~0xfff:
                tables.add((own, number(e["table_hpa"]), e["index"]))
    return maps, tables


def check_hpas(diff, case):
    tables_seen = maps_most = nothing = 0
    for doc in case.documents("hpa"):
        hpa = number(doc["from"]["address"])
        what = f"walk hpa {hpa:#x}"
        maps, tables = scan(case, hpa)
        found = {(number(m["root_hpa"]), number(m["address"]), m["level"], number(m["table_hpa"]),
                  m["index"]) for m in doc["maps"]}
        named = {(number(t["root_hpa"]), *((number(t["parent"]["table_hpa"]), t["parent"]["index"])
                                           if t["parent"] else (None, None)))
                 for t in doc["tables"] if t["kind"] == "table"}
        diff.checked += 1
        diff.expect(what, "entries that map it", sorted(found), sorted(maps))
        diff.expect(what, "tables that it is", named, tables)
        tables_seen += bool(tables)
        maps_most = max(maps_most, len(maps))
        nothing += not maps and not tables
        if not maps:
            diff.expect(what, "gpa", doc["gpa"], None)
            continue
        gpas = sorted({address - case.gva_base if case.shadow else address
                       for _, address, _, _, _ in maps})
        diff.expect(what, "GPAs", [number(d["gpa"]) for d in walked_gpas(doc)], gpas[:64])
        for d in walked_gpas(doc):
            diff.expect(what, "the question", d["from"], doc["from"])
            check_gpa(diff, case, f"{what}, GPA {d['gpa']}", d, number(d["gpa"]))
    if not tables_seen or maps_most < 2 or not nothing:
        raise CannotCompare(f"{tables_seen} tables, at most {maps_most} mappings of a page, "
                            f"{nothing} pages of nobody: one of each kind is needed")


def check_saved(diff, case):
    for name in ("gva", "hva", "hpa"):
        live, saved = case.documents(name), case.documents(name + ".saved")
        diff.expect(name, "number of answers", len(saved), len(live))
        for a, b in zip(live, saved):
            what = f"walk {name} {a['from']['address']}"
            diff.checked += 1
            for key in SAME_OFFLINE:
                if a.get(key) != b.get(key):
                    diff.add(f"{what}: {key} is {b.get(key)} in the file, {a.get(key)} live")
            pairs = zip(a.get("aliases", []), b.get("aliases", []))
            for c, d in pairs:
                if any(c.get(key) != d.get(key) for key in SAME_OFFLINE):
                    diff.add(f"{what}: alias {c['gpa']} differs")


CHECKS = (("gva", check_gvas), ("hva", check_hvas), ("hpa", check_hpas), ("saved", check_saved))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--shadow", action="store_true", help="KVM shadows the guest's tables")
    args = parser.parse_args()
    try:
        case = Case(args.directory, args.shadow)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"not ok gathered: {type(error).__name__}: {error}")
        return 1
    good = True
    for name, function in CHECKS:
        good &= result(name, function, case)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
