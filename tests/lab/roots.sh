#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A VM whose vCPU never ran has no root, and spt says so; after the first entry it has one, and spt
# names the EPTP or nCR3 that the hardware got.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"

pages_start --no-run || finish

json_is() { # COMMAND PATTERN
	spt -V "$VM" --json "$1" >"$WORK/json" || return 1
	cat "$WORK/json"
	tr -d ' \n' <"$WORK/json" | grep -Eq "$2"
}

no_entry() {
	spt -V "$VM" --json tree >"$WORK/json"
	cat "$WORK/json"
	! grep -q '"spte"' "$WORK/json"
}

check never-ran-no-root-in-use json_is vcpus '"root_hpa":null'
check never-ran-said-in-words sh -c "spt -V '$VM' vcpus | grep -q 'not loaded'"
# A VMCB that was never used holds a 0.
check never-ran-no-hardware-root json_is vcpus '"hw_root":(null|"0x0")'
check never-ran-no-vcpu-has-a-root sh -c "! spt -V '$VM' --json roots | tr -d ' \n' | grep -q '\"vcpus\":\[[0-9]'"
check never-ran-no-entry no_entry
check never-ran-slots-are-there json_is memslots '"base_gpa":"0x0*10000000"'
walk_unmapped() {
	spt -V "$VM" --json walk gpa 0x10000000 >"$WORK/json"
	[ $? -eq 1 ] || return 1
	cat "$WORK/json"
	grep -q '"unmapped"' "$WORK/json"
}
check never-ran-walk-says-unmapped walk_unmapped

settle
change first-entry setup
check ran-a-root-is-in-use json_is vcpus '"root_hpa":"0x[0-9a-f]+"'
verify ran --promises

# All of it is dropped when a slot goes (on kernels and modes that zap all then) and comes back.
change root-again 'delete-slot 11' 'add-slot 11' 'touch 0x10000000+1M w'
verify again
pages_stop

# Two vCPUs, of which one never ran.
if [ "${LAB_SMP:-1}" -gt 1 ]; then
	pages_start --vcpus 2 || finish
	check one-of-two-is-loaded sh -c "[ \$(spt -V '$VM' vcpus | grep -c 'not loaded') -eq 1 ]"
	change both-run 'touch 0x10000000 w @1'
	check both-are-loaded sh -c "! spt -V '$VM' vcpus | grep -q 'not loaded'"
fi
finish
