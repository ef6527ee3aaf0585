#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does a nested root lead where its two halves lead together?

nested.py TREE MAP: TREE is 'spt --json tree' of the outer guest, MAP has a line 'INNER OUTER' for
each page of the inner guest: its address there, and in the outer guest's memory.
"""
import json
import sys

PAGE = 1 << 12
# Fewer pages that could be compared than that prove little.
ENOUGH = 500


def leaves(root):
    """Address of each mapped 4K page to its HPA."""
    pages = {}
    for entry in root["entries"]:
        if entry["type"] != "leaf":
            continue
        start, hpa = int(entry["gpa"], 16), int(entry["hpa"], 16)
        for offset in range(0, entry["size"], PAGE):
            pages[start + offset] = hpa + offset
    return pages


def main(tree_file, map_file):
    with open(tree_file, encoding="utf-8") as f:
        roots = json.load(f)["roots"]
    with open(map_file, encoding="utf-8") as f:
        pairs = [[int(word, 16) for word in line.split()] for line in f if line.startswith("0x")]
    nested, direct = {}, {}
    for root in roots:
        if root["kind"] == "nested":
            nested.update(leaves(root))
        elif root["kind"] == "direct":
            direct.update(leaves(root))
    compared = wrong = 0
    for inner, outer in pairs:
        if inner not in nested or outer not in direct:
            continue
        compared += 1
        if nested[inner] != direct[outer]:
            wrong += 1
            print(f"{inner:#x}: the nested root leads to {nested[inner]:#x}, "
                  f"{outer:#x} behind it to {direct[outer]:#x}")
    # What the nested root maps besides must be known to the inner VMM, too.
    known = {inner for inner, _ in pairs}
    strange = [page for page in nested if page not in known]
    for page in strange[:5]:
        print(f"{page:#x}: mapped by the nested root, and not by the inner VMM")
    print(f"{compared} of {len(pairs)} pages compared, {wrong} wrong, {len(strange)} unknown")
    return 1 if wrong or strange or compared < ENOUGH else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
