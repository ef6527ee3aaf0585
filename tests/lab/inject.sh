#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every allocation of the agent's life, failed once each by the debug kernel's fault injection:
# loading, taking a layout, finding a VM, opening and reading each of its files, acting, unloading.
# Each time the caller is told -ENOMEM, or all is done without, and then it works; what such a failure
# leaks is found at the end of the run.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

fault=/sys/kernel/debug
[ -e $fault/failslab ] || {
	not_ok "fault-injection: this kernel has none"
	finish
}
# Only who writes to his fail-nth has anything failed; that counts what may wait and large pages.
for attribute in failslab fail_page_alloc; do
	echo 0 >$fault/$attribute/verbose
	echo N >$fault/$attribute/ignore-gfp-wait
	echo Y >$fault/$attribute/task-filter
done
echo N >$fault/fail_page_alloc/ignore-gfp-highmem
echo 0 >$fault/fail_page_alloc/min-order

# walked NAME OPERATION PATH [REST]: one result, with the figures.
walked() {
	walked_name=$1
	shift
	if failnth "$@" >"$WORK/walked" 2>&1; then
		ok "$walked_name: $(tail -n 1 "$WORK/walked" | sed 's/.*: \([0-9]* alloc\)/\1/')"
	else
		not_ok "$walked_name: $(tail -n 1 "$WORK/walked")"
		sed 's/^/    /' "$WORK/walked" | head -20
	fi
}

# Without DWARF: loading would have thousands of allocations for the file's own pages.
strip --strip-debug -o "$WORK/spt_agent.ko" "$SPT_AGENT"
check unloads spt agent unload
walked load insmod "$WORK/spt_agent.ko" armed=1 armed=wrong
walked unload rmmod "$WORK/spt_agent.ko" armed=1
check loads spt agent load
spt layout --blob "$WORK/layout" || not_ok "no layout to write"
walked layout write "$DEBUGFS/layout" "$WORK/layout"
for file in status masks layout journal; do
	walked "open-$file" open "$DEBUGFS/$file"
	walked "read-$file" read "$DEBUGFS/$file"
done

pages_start || finish
walked layout-beside-a-vm write "$DEBUGFS/layout" "$WORK/layout"
walked list list "$DEBUGFS"
for file in image vm vcpus memslots roots tables ranges; do
	walked "open-$file" open "$DEBUGFS/$VM/$file"
	walked "read-$file" read "$DEBUGFS/$VM/$file"
done
pages_stop

# A VM that nobody has seen is found by who walks to it: its directory is made in the walk.
walked find find "$DEBUGFS"
# Actions, each again and again; the lines that follow one make it something to do each time.
check unloads-before-armed spt agent unload
check loads-armed spt agent load --armed
walked layout-armed write "$DEBUGFS/layout" "$WORK/layout"
# What workers do for an action is done once in a VM's life, most of it: each time to a new one. With
# shadow paging KVM tracks writes anyway, and no fault is forced.
case $LAB_MMU in
*shadow) ;;
*)
	walked first-track fresh "$DEBUGFS" 'track gpa=0x100000'
	walked first-fault fresh "$DEBUGFS" 'fault gpa=0x100000 access=w'
	;;
esac
pages_start --irqchip || finish
control=$DEBUGFS/$VM/control
walked open-control open "$control"
acted() { # NAME LINE [BEFORE]...
	acted_name=$1
	shift
	walked "act-$acted_name" act "$control" "$@"
}
track='track gpa=0x10002000'
acted zap 'zap gpa=0x10000000+0x10000'
acted age 'age gpa=0x10000000+0x10000'
acted dirty 'dirty gpa=0x10000000+0x10000'
acted protect 'protect gpa=0x10008000 perm=r'
acted remap 'remap gpa=0x10001000'
acted remap-huge 'remap gpa=0x20000000'
acted track "$track" 'undo id=all'
acted undo-track 'undo id=all' "$track"
# While the guest writes there: the first write ends it.
pages_do 'run 0x10000000+64K w' >/dev/null || not_ok run
acted track-listen "$track listen=1 count=1 timeout=20"
acted trap 'trap gpa=0x10003000 access=w count=1 timeout=20'
pages_do pause >/dev/null || not_ok pause

undone=$track
case $LAB_MMU in
*shadow) ;;
*)
	# What only a forced fault maps each time anew.
	small=0x10300000 huge=0x20000000 other=0x20200000
	acted fault "fault gpa=$small access=w vcpu=0" "zap gpa=$small"
	acted faults "fault gpa=$small access=w vcpu=0 count=3" "zap gpa=$small"
	acted protect-exec "protect gpa=$small perm=rw" "fault gpa=$small access=w"
	acted split "split gpa=$huge" 'undo id=all' "zap gpa=$huge" "fault gpa=$huge access=w"
	acted undo-split 'undo id=all' "fault gpa=$huge access=w" "split gpa=$huge"
	acted collapse "collapse gpa=$other" "zap gpa=$other+0x200000" "track gpa=$other" \
		"fault gpa=$other access=r" 'undo id=all'
	undone="split gpa=$huge"
	;;
esac
pages_do 'fill 0x10000000+64K 3' 'verify 0x10000000+64K 3' >/dev/null || not_ok guest-memory
check unloads-armed spt agent unload

# What unloading takes back it takes back without memory, too: the slots' counts are as before.
slots() {
	sed 's/ generation=[^ ]*//' "$DEBUGFS/$VM/memslots"
}
check loads-for-the-slots spt agent load
slots >"$WORK/slots"
check unloads-for-the-slots spt agent unload
walked unload-takes-back unarm "$WORK/spt_agent.ko" "$DEBUGFS/layout" "$WORK/layout" "$control" \
	'fault gpa=0x20000000 access=w' "$undone"
check loads-after spt agent load
same_slots() {
	slots | diff "$WORK/slots" -
}
check taken-back same_slots
pages_stop
finish
