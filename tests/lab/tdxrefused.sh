#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Where KVM has no mirrored page tables the software TDX module does not load, and says why; where
# it loads, it takes no VM but a fresh one.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

module=/lab/modules/softtdx.ko

not_loaded() { # PATTERN
	! insmod "$module" && [ ! -d /sys/module/softtdx ] || return 1
	dmesg | grep 'softtdx: ' | tail -n 1 | tee "$WORK/why"
	grep -q "$1" "$WORK/why"
}

# KVM's own VMs go on as before while the module is there, and it goes when it is not needed.
converts_none() {
	insmod "$module" || return 1
	pages --tdx --socket none </dev/null 2>"$WORK/other.err" >"$WORK/other.out" &
	other=$!
	eventually grep -q READY "$WORK/other.out" || { cat "$WORK/other.err"; return 1; }
	# It is in use.
	! rmmod softtdx || return 1
	kill "$other"
	wait "$other"
	eventually rmmod softtdx
}

case $LAB_MMU-$LAB_KERNEL in
*-6.*) check no-mirror-in-this-kernel not_loaded 'no mirror page tables' ;;
*shadow-*) check no-tdp-mmu not_loaded 'without its TDP MMU' ;;
*)
	pages_start || finish
	check loads-and-goes converts_none
	check other-guest-goes-on pages_do 'touch 0x10000000+1M w'
	;;
esac
# Without the module there is no such guest.
refused no-module 2 'virtual machine.*No such' pages --tdx --socket none
finish
