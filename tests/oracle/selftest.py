#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of the oracle and of the comparisons, on memory made by hand: selftest.py ORACLE"""
import copy
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

from compare import (CannotCompare, Differences, compare_counts, compare_layout, compare_pagemap,
                     compare_ranges, compare_tree)

ORACLE = sys.argv.pop(1) if len(sys.argv) > 1 else "oracle"
MEMORY = 64 << 20
NX = 1 << 63


class Memory:
    """Physical memory with tables in it: {hpa of a table: {index: entry}}."""

    def __init__(self, tables, words=()):
        self.file = tempfile.NamedTemporaryFile(suffix=".ram")
        self.file.truncate(MEMORY)
        for table, entries in tables.items():
            for index, entry in entries.items():
                self.put(table + index * 8, entry)
        for address, value in words:
            self.put(address, value)
        self.file.flush()

    def put(self, address, value):
        self.file.seek(address)
        self.file.write(struct.pack("<Q", value))

    def oracle(self, *words, status=0):
        done = subprocess.run([ORACLE, "--ram", self.file.name, *words], capture_output=True,
                              text=True, check=False)
        if done.returncode != status:
            raise AssertionError(f"oracle {words}: status {done.returncode}: {done.stderr}")
        return json.loads(done.stdout) if status == 0 else done.stderr

    def walk(self, root, fmt, *words):
        return self.oracle("--root", hex(root), "--format", fmt, *words)


def brief(oracle):
    return [(e["level"], int(e["gpa"], 0), e["type"], e["hpa"] and int(e["hpa"], 0), e["perm"])
            for e in oracle["entries"]]


NPT = {
    0x10000: {0: 0x11007, 2: 0x12003},	# the second link is no user's: not readable
    0x11000: {0: 0x13007, 3: 0x40000000 | 0x87},
    0x12000: {},
    0x13000: {1: 0x400000 | 0x87, 2: 0x14007, 4: NX | 0x600000 | 0x85},
    0x14000: {0: 0x700007, 5: NX | 0x701005, 6: 0x800 , 7: 1 << 51 | 0x702007, 8: NX},
}


class Npt(unittest.TestCase):
    def test_walk(self):
        found = brief(Memory(NPT).walk(0x10000, "npt", "--empty", hex(NX)))
        self.assertEqual(found, [
            (4, 0, "table", 0x11000, "rwx"),
            (3, 0, "table", 0x13000, "rwx"),
            (2, 0x200000, "leaf", 0x400000, "rwx"),
            (2, 0x400000, "table", 0x14000, "rwx"),
            (1, 0x400000, "leaf", 0x700000, "rwx"),
            (1, 0x405000, "leaf", 0x701000, "r--"),
            (1, 0x406000, "other", None, "---"),
            (1, 0x407000, "other", None, "---"),
            (2, 0x800000, "leaf", 0x600000, "r--"),
            (3, 0xc0000000, "leaf", 0x40000000, "rwx"),
            (4, 2 << 39, "table", 0x12000, "-wx"),
        ])

    def test_totals(self):
        found = Memory(NPT).walk(0x10000, "npt", "--empty", hex(NX))
        self.assertEqual((found["pages_4k"], found["pages_2m"], found["pages_1g"]), (2, 2, 1))

    def test_nx_alone_is_an_entry_unless_it_means_empty(self):
        entries = brief(Memory(NPT).walk(0x10000, "npt"))
        self.assertIn((1, 0x408000, "other", None, "---"), entries)

    def test_large_page_out_of_place_is_reserved(self):
        tables = {0x10000: {0: 0x11007}, 0x11000: {0: 0x12007}, 0x12000: {0: 0x201000 << 1 | 0x87}}
        self.assertEqual(brief(Memory(tables).walk(0x10000, "npt"))[-1][2], "other")

    def test_address_beyond_the_processor_is_reserved(self):
        tables = {0x10000: {0: 1 << 40 | 7}}
        self.assertEqual(brief(Memory(tables).walk(0x10000, "npt"))[0][2], "other")
        error = Memory(tables).oracle("--root", "0x10000", "--format", "npt", "--maxphyaddr", "48",
                                      status=2)
        self.assertIn("no memory", error)

    def test_five_levels(self):
        tables = {0x9000: {1: 0x10007}, **NPT}
        found = brief(Memory(tables).walk(0x9000, "npt", "--levels", "5", "--empty", hex(NX)))
        self.assertEqual(found[3], (2, (1 << 48) + 0x200000, "leaf", 0x400000, "rwx"))

    def test_shared_table_is_counted_once(self):
        tables = {0x10000: {0: 0x11007, 1: 0x11007}, 0x11000: {0: 0x12007}, 0x12000: {0: 0x400087}}
        found = Memory(tables).walk(0x10000, "npt")
        self.assertEqual((len(found["entries"]), found["pages_2m"]), (6, 1))


class Host(unittest.TestCase):
    def test_supervisor_pages_are_readable_and_addresses_have_a_sign(self):
        tables = {0x10000: {511: 0x11003}, 0x11000: {511: 0x12003}, 0x12000: {511: NX | 0x400081}}
        found = brief(Memory(tables).walk(0x10000, "host"))
        self.assertEqual(found[-1], (2, 0xffffffffffe00000, "leaf", 0x400000, "r--"))

    def test_pae(self):
        tables = {0x10000: {4: 0x11021, 7: 0x12001, 5: 0x13003, 6: 0x13041}, 0x11000: {1: 0x14003},
                  0x12000: {0: 0x400083}, 0x14000: {3: 0x700003}}
        found = brief(Memory(tables).walk(0x10020, "pae"))
        self.assertEqual(found, [
            (3, 0, "table", 0x11000, "rwx"),
            (2, 0x200000, "table", 0x14000, "rwx"),
            (1, 0x203000, "leaf", 0x700000, "rwx"),
            (3, 0x40000000, "other", None, "---"),
            (3, 0x80000000, "other", None, "---"),
            (3, 0xc0000000, "table", 0x12000, "rwx"),
            (2, 0xc0000000, "leaf", 0x400000, "rwx"),
        ])


class Ept(unittest.TestCase):
    def test_walk(self):
        tables = {
            0x10000: {0: 0x11007, 1: 0x11007 | 0x80},
            0x11000: {0: 0x12007, 1: 0x40000000 | 0xb7},
            0x12000: {0: 0x13107, 1: 0x400000 | 0xb5, 2: 0x401000 | 0xb7, 3: 0x400000 | 0x97},
            0x13000: {0: 0x700037, 1: 0x700031, 2: 0x700036, 3: 0x700035, 4: 0x700034, 5: NX | 0x40},
        }
        found = brief(Memory(tables).walk(0x1001e, "ept"))
        self.assertEqual(found, [
            (4, 0, "table", 0x11000, "rwx"),
            (3, 0, "table", 0x12000, "rwx"),
            (2, 0, "table", 0x13000, "rwx"),
            (1, 0, "leaf", 0x700000, "rwx"),
            (1, 0x1000, "leaf", 0x700000, "r--"),
            (1, 0x2000, "other", None, "---"),	# write and execute, no read: misconfigured
            (1, 0x3000, "leaf", 0x700000, "r-x"),
            (1, 0x4000, "leaf", 0x700000, "--x"),
            (1, 0x5000, "other", None, "---"),
            (2, 0x200000, "leaf", 0x400000, "r-x"),
            (2, 0x400000, "other", None, "---"),	# out of place
            (2, 0x600000, "other", None, "---"),	# memory type 2
            (3, 0x40000000, "leaf", 0x40000000, "rwx"),
            (4, 1 << 39, "other", None, "---"),		# large at level 4
        ])


class Control(unittest.TestCase):
    RIP = 0x100000001045

    def vmcb(self, **changed):
        words = {0x010: 1, 0x058: 2, 0x090: 1, 0x0b0: 0x10000, 0x468: 0x535000007700, 0x4d0: 0x1d00,
                 0x558: 0x80010033, 0x578: self.RIP}
        words.update({int(k[1:], 16): v for k, v in changed.items()})
        return Memory({}, [(0x30000 + at, value) for at, value in words.items()])

    def test_vmcb(self):
        found = self.vmcb().oracle("--find-vmcb", "0x100000001000-0x100000001fff")["vmcbs"]
        self.assertEqual([(v["vmcb"], v["ncr3"], v["gdt_base"], v["np_enable"]) for v in found],
                         [("0x30000", "0x10000", "0x535000007700", True)])

    def test_no_vmcb(self):
        for changed in ({"x010": 0}, {"x058": 0}, {"x4d0": 0xd00}, {"x578": 0x1045}):
            found = self.vmcb(**changed).oracle("--find-vmcb", "0x100000001000-0x100000001fff")
            self.assertEqual(found["vmcbs"], [], changed)

    def test_vmcs(self):
        memory = Memory({}, [(0x30004, 0x535000007700), (0x30100, self.RIP), (0x3020c, 0x1005e),
                             (0x30300, 0x12000)])
        found = memory.oracle("--find-vmcs", "0x100000001000-0x100000001fff,0x535000007700")["vmcss"]
        self.assertEqual([(p["page"], p["eptps"]) for p in found], [("0x30000", ["0x1005e"])])
        self.assertIn("0x12000", found[0]["cr3s"])


def as_tree(oracle):
    kinds = {"other": "mmio"}
    return {"roots": [{"hpa": oracle["root"], "entries": [
        {**e, "spte": e["entry"], "type": kinds.get(e["type"], e["type"])}
        for e in oracle["entries"]]}]}


class Compare(unittest.TestCase):
    """A comparison that cannot fail proves nothing: each must see each kind of difference."""

    def setUp(self):
        self.oracle = Memory(NPT).walk(0x10000, "npt", "--empty", hex(NX))
        self.tree = as_tree(self.oracle)
        self.entries = self.tree["roots"][0]["entries"]

    def differences(self, function, *args, **options):
        diff = Differences()
        function(diff, *args, **options)
        self.assertGreater(diff.checked, 0)
        return diff.count

    def test_equal_trees(self):
        self.assertEqual(self.differences(compare_tree, self.oracle, self.tree), 0)

    def test_every_changed_key_is_seen(self):
        changes = {"spte": "0x1", "hpa": "0x5000", "perm": "---", "type": "frozen", "index": 9,
                   "table_hpa": "0x77000", "level": 3}
        for key, value in changes.items():
            tree = copy.deepcopy(self.tree)
            tree["roots"][0]["entries"][4][key] = value
            self.assertGreater(self.differences(compare_tree, self.oracle, tree), 0, key)

    def test_missing_and_extra_and_unordered_entries(self):
        for change in (lambda e: e.pop(3), lambda e: e.append({**e[4], "gpa": "0x123000"}),
                       lambda e: e.append(e[4]), lambda e: e.reverse()):
            tree = copy.deepcopy(self.tree)
            change(tree["roots"][0]["entries"])
            self.assertGreater(self.differences(compare_tree, self.oracle, tree), 0)

    def test_accessed_and_dirty_differ_only_when_running(self):
        self.entries[4]["spte"] = hex(int(self.entries[4]["entry"], 0) | 0x60)
        self.assertEqual(self.differences(compare_tree, self.oracle, self.tree), 1)
        self.assertEqual(self.differences(compare_tree, self.oracle, self.tree, running=True), 0)

    def test_no_such_root(self):
        self.tree["roots"][0]["hpa"] = "0x1000"
        with self.assertRaises(CannotCompare):
            self.differences(compare_tree, self.oracle, self.tree)

    def test_counts(self):
        self.assertEqual(self.differences(compare_counts, self.oracle, "ok pages_4k=2 pages_2m=2"), 0)
        self.assertEqual(self.differences(compare_counts, self.oracle, "ok pages_4k=3 pages_2m=2"), 1)

    def small(self):
        tables = {0x10000: {0: 0x11007}, 0x11000: {0: 0x12007}, 0x12000: {0: 0x13007},
                  0x13000: {1: 0x700007, 2: NX | 0x701005}}
        return Memory(tables).walk(0x10000, "npt")

    def test_pagemap(self):
        good = {0x1000: 0x700000, 0x2000: 0x701000}
        self.assertEqual(self.differences(compare_pagemap, self.small(), good), 0)
        for bad in ({0x1000: 0x700000}, {**good, 0x2000: 0x702000}):
            self.assertEqual(self.differences(compare_pagemap, self.small(), bad), 1)

    def test_ranges(self):
        one = {"root": "0x10000", "gpa": "0x1000", "size": 4096, "hpa": "0x700000",
               "page_size": 4096, "perm": "rwx", "type": "leaf", "pages": 1}
        two = {**one, "gpa": "0x2000", "hpa": "0x701000", "perm": "r--"}
        self.assertEqual(self.differences(compare_ranges, self.small(), {"ranges": [one, two]}), 0)
        for bad in ([one], [one, {**two, "perm": "rwx"}], [one, {**two, "hpa": "0x700000"}],
                    [one, two, {**two, "gpa": "0x5000"}], [one, {**two, "size": 8192, "pages": 2}]):
            self.assertGreater(self.differences(compare_ranges, self.small(), {"ranges": bad}), 0)

    def test_layout(self):
        touch = {"slot": 1, "gpa": "0x1000", "count": 1, "stride": 4096, "type": "leaf",
                 "page_size": 4096, "perm": "rwx"}
        hole = {"slot": 2, "gpa": "0x9000", "count": 1, "stride": 4096, "type": "mmio"}
        slot = {"base_gpa": "0x0", "size": 0x3000, "registered": True}
        layout = {"gva_base": "0x0", "touched": [touch, hole], "slots": [slot]}
        self.assertEqual(self.differences(compare_layout, self.small(), layout), 0)
        for bad in ({"touched": [{**touch, "perm": "r-x"}]}, {"touched": [{**touch, "gpa": "0x5000"}]},
                    {"touched": [{**touch, "page_size": 2 << 20}]},
                    {"touched": [{**hole, "gpa": "0x1000"}]}, {"slots": [{**slot, "size": 0x2000}]},
                    {"slots": [{**slot, "registered": False}]}):
            self.assertGreater(self.differences(compare_layout, self.small(), {**layout, **bad}), 0)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    unittest.main()
