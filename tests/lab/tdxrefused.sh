#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Where KVM has no mirrored page tables the software TDX module does not load, and says why; where
# it loads, it takes no VM but a fresh one. Outside the lab it loads by force only.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

module=/lab/modules/softtdx.ko

not_loaded() { # PATTERN [PARAMETER]
	! insmod "$module" ${2+"$2"} && [ ! -d /sys/module/softtdx ] || return 1
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

# lab_word FROM TO: the last letter of the word by which the kernel's command line tells the lab is
# changed, by the host in L1's memory: the kernel's own pointer there leads to its line.
lab_word() {
	symbol=$(awk '$3 == "saved_command_line" { print "0x" substr($1, 9) }' /proc/kallsyms)
	# shellcheck disable=SC2016 # expanded on the host
	lab-outside sh -c 'pointer=$(od -An -tx8 -N8 -j $(($1 & 0x7fffffff)) "$LAB_RAM" |
			tr -d " " | cut -c 7-)
		line=$((0x$pointer & 0x7fffffffff))
		at=$(dd if="$LAB_RAM" iflag=skip_bytes,count_bytes skip=$line count=2048 2>/dev/null |
			tr "\0" "\n" | head -n 1 | grep -bo " spt.lab=$2" | cut -d: -f1)
		[ -n "$at" ] || { echo "no such word at $line"; exit 1; }
		printf %s "$3" | dd of="$LAB_RAM" bs=1 conv=notrunc seek=$((line + at + 9)) 2>/dev/null' \
		lab_word "$symbol" "$1" "$2" || return 1
	grep -q "spt.lab=$2" /proc/cmdline
}

forced() {
	insmod "$module" force=1 || return 1
	cat /sys/module/softtdx/parameters/force
	eventually rmmod softtdx
}

# outside THEN...: where nothing says that this is the lab; and with force THEN happens.
outside() {
	check lab-hidden lab_word 1 0
	check outside-refused not_loaded 'no lab: the kernel.s command line has no spt.lab=1'
	check outside-not-forced not_loaded 'no lab' force=0
	check outside-forced "$@"
	check lab-again lab_word 0 1
}

case $LAB_MMU-$LAB_KERNEL in
*-6.*) check no-mirror-in-this-kernel not_loaded 'no mirror page tables' ;;
*shadow-*)
	check no-tdp-mmu not_loaded 'without its TDP MMU'
	outside not_loaded 'without its TDP MMU' force=1
	;;
*)
	pages_start || finish
	outside forced
	check loads-and-goes converts_none
	check other-guest-goes-on pages_do 'touch 0x10000000+1M w'
	;;
esac
# Without the module there is no such guest.
refused no-module 2 'virtual machine.*No such' pages --tdx --socket none
finish
