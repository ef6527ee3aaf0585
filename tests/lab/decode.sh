#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The formats that spt has built in are those of the kernels they are named after: entries and roles
# of a live guest mean the same by the masks in force and by the format's name.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

status_of() {
	sed -n "s/^$1: //p" "$DEBUGFS/status"
}

mask_of() {
	sed -n "s/^$1: //p" "$DEBUGFS/masks"
}

# 6.12.95+deb12-amd64 is 6.12
kernel=$(uname -r | sed -E 's/^([0-9]+\.[0-9]+).*/\1/')
format=$(status_of mmu)-$kernel

# Where KVM protects MMIO entries from L1TF: one more than the highest bit of the mask.
l1tf() {
	mask=$(($(mask_of shadow_nonpresent_or_rsvd_mask))) bits=0
	while [ "$mask" -ne 0 ]; do
		mask=$((mask / 2)) bits=$((bits + 1))
	done
	[ "$bits" -eq 0 ] || echo "--l1tf $bits"
}

# What a decoding says, but for where it comes from, the hardware's view and the fields: those
# depend on the CPU's address bits, and a built-in format's CPU is another one.
essence() {
	tr -d '\n' | sed -E 's/"(format":"[^"]*"|torn":false|hardware":[{][^}]*[}]),//g; s/"fields":.*//'
	echo
}

# same KIND VALUE [OPTION...]: by the VM and by the name.
same() {
	spt decode "$@" --json >"$WORK/vm.json" || return 1
	# shellcheck disable=SC2046 # two words or none
	spt decode "$@" --format "$format" $(l1tf) --json >"$WORK/name.json" || return 1
	essence <"$WORK/vm.json" >"$WORK/vm"
	essence <"$WORK/name.json" >"$WORK/name"
	[ -s "$WORK/vm" ] && cmp -s "$WORK/vm" "$WORK/name" && return 0
	cat "$WORK/vm" "$WORK/name"
	return 1
}

pages_start || finish
spt tree --raw --no-headings --output level,type,spte,flags >"$WORK/tree" || not_ok tree

# One entry of each level, type and set of flags.
awk '!seen[$1 $2 $4]++ { print $1, $2, $3 }' "$WORK/tree" | head -n 24 >"$WORK/sample"
for type in table leaf mmio; do
	check "sample-has-$type" grep -q " $type " "$WORK/sample"
done
while read -r level type spte; do
	check "$type-level-$level-$spte" same spte "$spte" --level "$level"
done <"$WORK/sample"

for role in $(spt roots --raw --no-headings --output role_word | sort -u); do
	[ "$role" = n/a ] || check "role-$role" same role "$role"
done
pages_stop
finish
