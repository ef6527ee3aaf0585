#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Actions on memory that is a file's: of tmpfs, whose pages move, and of a file system on persistent
# memory (DAX), whose pages are the device's and do not.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/act_control.sh
. "$(dirname "$0")/act_control.sh"

FILE=0x5c000000	# 4M of the file
case $LAB_MMU in
*shadow) shadow=1 ;;
*) shadow= ;;
esac

hpa_of() { # GPA
	pages_do "pagemap $1" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# What every action but remap does with it.
acted_upon() { # NAME
	check "$1-content" pages_do "fill $FILE+64K 31" "verify $FILE+64K 31"
	done_by "$1-zap" "zap gpa=$FILE+0x10000"
	[ $shadow ] || done_by "$1-fault" "fault gpa=$FILE access=w"
	check "$1-comes-back" pages_do "verify $FILE+64K 31" "touch $FILE+64K x" "touch $FILE+64K w"
	done_by "$1-protect" "protect gpa=$FILE perm=r"
	check "$1-written" pages_do "touch $FILE+64K w" "verify $((FILE + 0x1000))+60K 31"
	done_by "$1-age" "age gpa=$FILE+0x10000"
	done_by "$1-dirty" "dirty gpa=$FILE+0x10000"
	done_by "$1-track" "track gpa=$FILE"
	check "$1-tracked" pages_do "touch $FILE+64K w"
	done_by "$1-untrack" 'undo id=all'
	check "$1-counted" test "$(value count)" = 1
	listen "trap gpa=$FILE count=1 timeout=60"
	pages_do "touch $FILE w" >/dev/null
	check "$1-trap" heard
	check "$1-slots" same_slots
	verify "$1"
}

settle
arm_agent

# --- tmpfs ---
mkdir -p /run/tmp-file && mount -t tmpfs -o size=16M none /run/tmp-file
dd if=/dev/zero of=/run/tmp-file/memory bs=1M count=4 2>/dev/null
pages_start --file /run/tmp-file/memory || finish
pages_do "touch $FILE+64K w" >/dev/null
keep_slots
acted_upon tmpfs
pages_do "fill $FILE+64K 32" >/dev/null
before=$(hpa_of "$FILE")
done_by tmpfs-remap "remap gpa=$FILE"
check tmpfs-moved test "$before" != "$(hpa_of "$FILE")" -a $(($(hpa_of "$FILE"))) = $(($(value new-hpa)))
check tmpfs-content pages_do "verify $FILE+64K 32"
pages_stop
umount /run/tmp-file

# --- DAX ---
# A piece of L1's memory that its command line set aside is a device of persistent memory.
dax_mount() {
	modprobe nd_e820 && modprobe nd_pmem && eventually test -b /dev/pmem0 || return 1
	# What ext4 asks for by name; 7.3 has it built in.
	modprobe crypto-crc32c
	mkfs.ext4 -q -b 4096 -O ^has_journal /dev/pmem0 && modprobe ext4 && mkdir -p /run/dax &&
		mount -t ext4 -o dax=always /dev/pmem0 /run/dax || return 1
	dd if=/dev/zero of=/run/dax/memory bs=1M count=4 && grep /run/dax /proc/mounts
}
if ! grep -q memmap= /proc/cmdline; then
	skip "dax: L1 has no persistent memory (scripts/lab run --pmem)"
	finish
fi
check dax-mounted dax_mount
grep -q ' /run/dax ' /proc/mounts || { dmesg | tail -5; finish; }
pages_start --file /run/dax/memory || finish
pages_do "touch $FILE+64K w" >/dev/null
is_device_memory() {
	grep -i 'persistent memory' /proc/iomem
	start=$(sed -n 's/^\([0-9a-f]*\)-.*[Pp]ersistent.*/\1/p' /proc/iomem | head -1)
	echo "$(hpa_of "$FILE") in what begins at $start"
	[ $(($(hpa_of "$FILE"))) -ge $((0x$start)) ]
}
check dax-is-device-memory is_device_memory
keep_slots
acted_upon dax
before=$(hpa_of "$FILE")
turned_down dax-remap refused dax "remap gpa=$FILE"
turned_down dax-remap-dry refused dax "remap gpa=$FILE dry-run=1"
check dax-stays test "$before" = "$(hpa_of "$FILE")"
pages_stop
check dax-unmounted umount /run/dax
finish
