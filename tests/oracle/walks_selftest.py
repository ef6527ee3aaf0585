#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""walks.py finds what is wrong: right answers pass, and each wrong one does not."""
import copy
import json
import os
import sys
import tempfile

import walks
from compare import Differences

BASE = 0x100000000000
HVA = 0x7f0000000000
# A guest of one slot: GPA 0x5000 at HPA 0x9000, and the table chain 0x1000..0x4000.
LAYOUT = {"gva_base": hex(BASE), "guest_levels": 4, "cr3": "0x1000",
          "slots": [{"id": 0, "base_gpa": "0x0", "size": 0x8000, "hva": hex(HVA), "registered": True},
                    {"id": 1, "base_gpa": "0x10000", "size": 0x1000, "hva": hex(HVA + 0x5000),
                     "registered": True}],
          "guest_tables": [{"gpa": hex(0x1000 * n), "runs": [{"index": index, "count": 1,
                                                             "entry": hex(entry), "step": "0x0"}]}
                           for n, index, entry in ((1, 32, 0x2023), (2, 0, 0x3023), (3, 0, 0x4023),
                                                   (4, 5, 0x5063))]}
PAGEMAP = {0x1000 * n: 0x6000 + 0x1000 * n for n in range(1, 5)} | {0x5000: 0x9000, 0x10000: 0x9000}
TREE = {"roots": [{"hpa": "0xa000", "entries": [
    {"level": 2, "gpa": "0x0", "size": 1 << 21, "type": "table", "hpa": "0xb000",
     "table_hpa": "0xa000", "index": 0},
    {"level": 1, "gpa": "0x5000", "size": 4096, "type": "leaf", "hpa": "0x9000",
     "table_hpa": "0xb000", "index": 5},
    {"level": 1, "gpa": "0x10000", "size": 4096, "type": "leaf", "hpa": "0x9000",
     "table_hpa": "0xb000", "index": 16}]}]}


def level(nr, index, entry):
    gpa = 0x1000 * (5 - nr)
    return {"level": nr, "index": index, "table_gpa": hex(gpa), "entry": hex(entry),
            "table_hva": hex(HVA + gpa), "table_hpa": hex(PAGEMAP[gpa])}


def chain(kind, address, gpa, slot):
    return {"from": {"kind": kind, "address": hex(address)}, "gva": None, "guest": None,
            "gpa": hex(gpa), "memslot": {"id": slot}, "hva": hex(HVA + 0x5000 + gpa % 4096),
            "roots": [{"hpa": hex(0x9000 + gpa % 4096)}], "verdict": "coherent"}


def gva_answer():
    doc = chain("gva", BASE + 0x5010, 0x5010, 0)
    doc["gva"] = hex(BASE + 0x5010)
    doc["guest"] = {"cr3": "0x1000", "end": "mapped", "page_size": 4096, "supervisor_perm": "rwx",
                    "user_perm": "---",
                    "levels": [level(4, 32, 0x2023), level(3, 0, 0x3023), level(2, 0, 0x4023),
                               level(1, 5, 0x5063)]}
    return doc


def hva_answer():
    doc = chain("hva", HVA + 0x5010, 0x5010, 0)
    doc["aliases"] = [chain("hva", HVA + 0x5010, 0x10010, 1)]
    return doc


def hpa_answers():
    mapped = chain("hpa", 0x9010, 0x5010, 0)
    mapped["aliases"] = [chain("hpa", 0x9010, 0x10010, 1)]
    mapped["tables"] = []
    mapped["maps"] = [{"root_hpa": "0xa000", "address": hex(address), "level": 1,
                       "table_hpa": "0xb000", "index": index}
                      for address, index in ((0x5010, 5), (0x10010, 16))]
    table = {"from": {"address": "0xb000"}, "maps": [], "gpa": None,
             "tables": [{"kind": "table", "root_hpa": "0xa000",
                         "parent": {"table_hpa": "0xa000", "index": 0}}]}
    nobody = {"from": {"address": "0x1000"}, "maps": [], "tables": [], "gpa": None}
    return [mapped, table, nobody]


def judged(check, name, documents, saved=None):
    """Number of differences, or 'cannot'."""
    with tempfile.TemporaryDirectory() as directory:
        files = {"layout": json.dumps(LAYOUT), "tree": json.dumps(TREE),
                 "pagemap": "".join(f"{g:#x} {h:#x}\n" for g, h in PAGEMAP.items())}
        for kind in ("gva", "hva", "hpa"):
            docs = documents if kind == name else []
            files[kind] = "\n".join(map(json.dumps, docs))
            files[kind + ".saved"] = "\n".join(map(json.dumps, saved if saved and docs else docs))
        for file, text in files.items():
            with open(os.path.join(directory, file), "w", encoding="utf-8") as f:
                f.write(text)
        diff = Differences()
        try:
            check(diff, walks.Case(directory, False))
        except walks.CannotCompare:
            return "cannot"
        return diff.count


def edits(value, path=()):
    """Paths of all that can be changed in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, (dict, list)):
            yield from edits(item, path + (key,))
        elif item is not None and path != ("from",):  # the question, not the answer
            yield path + (key,)


def changed(document, path):
    document = copy.deepcopy(document)
    at = document
    for key in path[:-1]:
        at = at[key]
    value = at[path[-1]]
    if isinstance(value, int):
        at[path[-1]] = value + 1
    elif value.startswith("0x"):
        at[path[-1]] = hex(int(value, 0) + 0x1000)
    else:
        at[path[-1]] = "other"
    return document


def main():
    failures = tried = 0
    sets = ((walks.check_gvas, "gva", [gva_answer()]), (walks.check_hvas, "hva", [hva_answer()]),
            (walks.check_hpas, "hpa", hpa_answers()))
    for check, name, right in sets:
        if judged(check, name, right) != 0:
            print(f"{name}: right answers are not accepted")
            failures += 1
        if judged(walks.check_saved, name, right) != 0:
            print(f"{name}: equal answers are not accepted")
            failures += 1
        for nr, document in enumerate(right):
            for path in edits(document):
                wrong = right[:nr] + [changed(document, path)] + right[nr + 1:]
                tried += 1
                if judged(check, name, wrong) == 0:
                    print(f"{name} {nr}: a wrong {'.'.join(map(str, path))} goes unnoticed")
                    failures += 1
        wrong = [changed(right[0], ("gpa",))] + right[1:]
        if judged(walks.check_saved, name, right, wrong) == 0:
            print(f"{name}: a file that says something else goes unnoticed")
            failures += 1
    if judged(walks.check_hpas, "hpa", hpa_answers()[:1]) != "cannot":
        print("hpa: no table and no page of nobody is enough")
        failures += 1
    print(f"{tried} wrong answers, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
