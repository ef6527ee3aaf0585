#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest that has a guest: KVM shadows the nested page tables of the one for the other. What spt
# shows of them must lead where the two halves of the way lead together: the inner VMM's pagemap to
# the outer guest's physical memory, and KVM's ordinary tables from there.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/acts.sh
. "$(dirname "$0")/acts.sh"

in_guest() {
	lab-guest "$@"
}

# shellcheck disable=SC2016 # expanded in the guest
check inner-kvm in_guest 'for m in $(cat /lib/load); do insmod $m; done; test -c /dev/kvm'
check inner-guest in_guest 'mount -t debugfs none /sys/kernel/debug; pages --background --socket /tmp/pages.sock'
in_guest "pages --send /tmp/pages.sock 'touch 0x10000000+1M w' 'pagemap-file /tmp/map' >/tmp/answer; cat /tmp/map" >"$WORK/map"

spt --json roots >"$WORK/roots" || not_ok roots
spt --json tree >"$WORK/tree" || not_ok tree
# Both halves and the whole, judged: tree, and pairs of the inner guest's and the outer's addresses.
judge_nested() {
	nested.py "$WORK/tree" "$WORK/map"
}
check ways-agree judge_nested
sed 's/^/# /' "$WORK/check.out"
root_said() {
	cat "$WORK/roots"
	tr -d ' \n' <"$WORK/roots" | tr '}' '\n' | grep '"kind":"nested"' | grep -Eq '"guest_mode":(1|true)'
}
check nested-root-said root_said

# From one of its pages back: the ordinary root and the nested one both lead to it.
walk_both() {
	outer=$(awk '$1 == "0x10000000" { print $2 }' "$WORK/map")
	spt --json walk gpa "$outer" >"$WORK/walk" || return 1
	cat "$WORK/walk"
	tr -d ' \n' <"$WORK/walk" | grep -q '"kind":"direct".*"kind":"nested"' &&
		tr -d ' \n' <"$WORK/walk" | grep -q '"verdict":"coherent"'
}
check walk-shows-both-roots walk_both

# From the host's page back: by both roots, and to the same page of the outer guest.
back_by_both() {
	hpa=$(spt walk gpa "$outer" | sed -n 's/^    HPA    \(0x[0-9a-f]*\) .*/\1/p' | head -1)
	spt --json walk hpa "$hpa" >"$WORK/back" || return 1
	cat "$WORK/back"
	for kind in direct nested; do
		tr -d ' \n' <"$WORK/back" | sed 's/"tables":.*//' | tr '{' '\n' |
			grep "\"kind\":\"$kind\"" | grep -q "\"gpa\":\"$(printf '0x%x' "$outer")\"" || return 1
	done
}
check way-back-by-both back_by_both

# While it runs, the vCPU's registers are its own: an address of it goes through its tables and the
# nested ones to where the inner VMM has the page; from a file, too. Its layout gives its addresses a
# fixed base.
check inner-guest-runs in_guest "pages --send /tmp/pages.sock 'run 0x10000000+1M w'"
inner_walked() { # OPTION ARGUMENT: of the live VM or a file
	spt "$1" "$2" --json walk gva 0x100010000123 >"$WORK/gva" 2>&1 || return 1
	cat "$WORK/gva"
	tr -d ' \n' <"$WORK/gva" >"$WORK/gva.line"
	grep -q '"l2":true,"nested":{"format":"NPT"' "$WORK/gva.line" &&
		grep -q '"l2_gpa":"0x10000123"' "$WORK/gva.line" &&
		grep -q "\"gpa\":\"$(printf '0x%x' $((outer + 0x123)))\"" "$WORK/gva.line" &&
		grep -q '"verdict":"coherent"' "$WORK/gva.line"
}
id=$(spt vms -r -n -o id)
check inner-gva eventually inner_walked -V "$id"
inner_saved() {
	spt save --with guest-tables,host "$WORK/inner.spt" && inner_walked -i "$WORK/inner.spt"
}
check inner-gva-saved eventually inner_saved
# Its code, where it is: at its addresses, live and from a file.
inner_code() { # OPTION ARGUMENT
	spt "$1" "$2" disasm rip >"$WORK/code" 2>&1 || return 1
	cat "$WORK/code"
	grep -q '0x0*1000000010[0-9a-f][0-9a-f]' "$WORK/code"
}
check inner-code eventually inner_code -V "$id"
inner_code_saved() {
	spt save --with code "$WORK/code.spt" && inner_code -i "$WORK/code.spt"
}
check inner-code-saved eventually inner_code_saved
# What its own tables have nothing for is its affair, not the outer guest's tables'.
inner_unmapped() {
	spt walk gva 0x1000 >"$WORK/gva"
	[ $? -eq 1 ] && grep -q '(L2) on vCPU 0.*CR3 0x10000$' "$WORK/gva"
}
check inner-gva-unmapped eventually inner_unmapped
# Nor is a fault forced on it: its faults are of addresses of the inner hypervisor's.
check armed arm
fault_refused() {
	spt --unsafe --json fault 0x100000 >"$WORK/fault" 2>&1
	[ $? -eq 1 ] && tr -d ' \n' <"$WORK/fault" | grep -q '"reason":{"code":"nested"'
}
check inner-fault-refused eventually fault_refused
check inner-guest-pauses in_guest "pages --send /tmp/pages.sock pause"

# It goes, and so do its tables.
check inner-guest-ends in_guest 'pages --send /tmp/pages.sock quit'
finish
