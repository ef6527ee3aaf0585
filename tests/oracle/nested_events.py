#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Are a guest's faults told from those of its own guest (L2), one for one?

nested_events.py EVENTS TRACE CODE FIRST COUNT WRITE FAULTS: EVENTS is 'spt --json events' of a
recording; TRACE is the kernel's own text of the same time, the VM standing still at both ends. There
a vCPU is in L2 from each kvm_nested_vmenter (kvm_nested_vmrun before 6.3) to the next
kvm_nested_vmexit_inject, which spt does not go by. CODE is the page that L2's instructions are in,
COUNT pages from FIRST on were written by the one at WRITE after they had been taken away from L2,
and FAULTS is by how much KVM's own count of faults grew.
"""
import json
import re
import sys

PAGE = 1 << 12
PFERR_WRITE = 1 << 1
PFERR_RSVD = 1 << 3
# Fewer of each kind than that prove little.
ENOUGH = 10
LINE = re.compile(r"^ *.+-(\d+) +\[\d+\] +\S+ +[\d.]+: (\w+): (.*)$")
WORD = {
    "kvm_page_fault": r"rip (?:0x)?([0-9a-f]+) address (?:0x)?([0-9a-f]+) error_code (?:0x)?([0-9a-f]+)",
    "kvm_mmu_set_spte": r"gfn ([0-9a-f]+) spte ([0-9a-f]+)",
    "kvm_nested_vmexit_inject": r"reason: (\S+) ext_inf1: (?:0x)?([0-9a-f]+) ext_inf2: (?:0x)?([0-9a-f]+)",
}


def hexes(name, text):
    """The numbers that the row above finds, the first as it is where it is a word."""
    found = re.search(WORD[name], text)
    if not found:
        sys.exit(f"not understood: {name}: {text}")
    return [int(word, 16) if re.fullmatch("[0-9a-f]+", word) else word for word in found.groups()]


def of_kernel(path):
    """Faults (RIP, address, error, whether L2's), reflected addresses, what was set for L2."""
    faults, reflected, entries, inside = [], [], [], {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            found = LINE.match(line)
            if not found:
                continue
            thread, name, text = found.groups()
            if name in ("kvm_nested_vmenter", "kvm_nested_vmrun"):
                inside[thread] = True
            elif name == "kvm_page_fault":
                faults.append((*hexes(name, text), inside.get(thread, False)))
            elif name == "kvm_mmu_set_spte" and inside.get(thread):
                gfn, spte = hexes(name, text)
                entries.append((gfn * PAGE, spte))
            elif name == "kvm_nested_vmexit_inject":
                reason, _, address = hexes(name, text)
                inside[thread] = False
                if reason == "npf":
                    reflected.append(address)
    return faults, reflected, entries


def number(event, key):
    return int(event[key], 16)


def of_spt(path):
    """The same of a recording, and its events."""
    with open(path, encoding="utf-8") as f:
        events = json.load(f)
    if events["trace"]["lost"]:
        sys.exit(f"{events['trace']['lost']} events lost")
    events = events["events"]
    faults = [
        (number(e, "rip"), number(e, "address"), number(e, "error_code"), e["l2"])
        for e in events
        if e["kind"] == "fault"
    ]
    reflected = [number(e, "address") for e in events if e["kind"] == "reflect"]
    entries = [
        (number(e, "address"), number(e, "new_spte"))
        for e in events
        if e["kind"] == "set" and e["l2"]
    ]
    return faults, reflected, entries, events


def differ(what, found, wanted):
    """Says the first difference of two lists; true if there is one."""
    if found == wanted:
        print(f"{len(found)} {what}, all equal")
        return False
    at = next(
        (i for i, pair in enumerate(zip(found, wanted)) if pair[0] != pair[1]),
        min(len(found), len(wanted)),
    )
    print(f"{what}: {len(found)}, not {len(wanted)}; number {at}:")
    print(f"  found  {found[at:at + 2]}")
    print(f"  wanted {wanted[at:at + 2]}")
    return True


def marks(events, code):
    """What each event says of itself must hold together; the number that does not."""
    wrong = 0
    for e in events:
        if e["kind"] == "fault":
            of_l2 = number(e, "rip") // PAGE == code // PAGE
            good = e["l2"] == of_l2 == (e["space"] == "l2-gpa") == (e["slot"] is None)
        elif e["kind"] == "reflect":
            good = e["l2"] and e["space"] == "l2-gpa" and e["of_fault"]
        elif e["kind"] == "set":
            good = e["l2"] and e["space"] == "gpa" and e["slot"] is not None
        elif e["kind"] == "spte":
            good = e["space"] == "gpa"
        else:
            continue
        if not good:
            wrong += 1
            print("marked wrongly:", json.dumps(e))
    return wrong


def touched(events, first, count, write):
    """Each page was given to the hypervisor once, and then mapped: what KVM did not say of it."""
    wrong = 0
    for address in range(first, first + count * PAGE, PAGE):
        of_page = [
            e
            for e in events
            if e["l2"]
            and e["kind"] in ("fault", "reflect")
            and number(e, "address") // PAGE == address // PAGE
        ]
        faults = [e for e in of_page if e["kind"] == "fault" and number(e, "rip") == write]
        if (
            len(faults) != 2
            or [e["kind"] for e in of_page[:3]] != ["fault", "reflect", "fault"]
            or not all(number(e, "error_code") & PFERR_WRITE for e in faults)
        ):
            wrong += 1
            print(f"page 0x{address:x}:", [(e["kind"], e["rip"], e["what"]) for e in of_page])
    return wrong


def main(events_file, trace_file, *numbers):
    code, first, count, write, counted = [int(n, 0) for n in numbers]
    faults, reflected, entries, events = of_spt(events_file)
    want_faults, want_reflected, want_entries = of_kernel(trace_file)
    bad = differ("faults", faults, want_faults)
    bad |= differ("faults given to the hypervisor", reflected, want_reflected)
    bad |= differ("entries set for L2", entries, want_entries)
    bad |= marks(events, code) > 0
    bad |= touched(events, first, count, write) > 0
    mine = sum(1 for f in faults if not f[2] & PFERR_RSVD)
    of_l2 = sum(1 for f in faults if f[3])
    print(f"{of_l2} faults of L2, {len(faults) - of_l2} of the guest; KVM counted {counted}, not MMIO {mine}")
    bad |= mine != counted
    bad |= min(of_l2, len(faults) - of_l2, len(reflected), len(entries)) < ENOUGH
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
