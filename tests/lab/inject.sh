#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every allocation of the agent's life, failed once each by the debug kernel's fault injection:
# loading, taking a layout, finding a VM, opening and reading each of its files, unloading. Each
# time the caller is told -ENOMEM, or all is done without, and then it works; what such a failure
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
walked load insmod "$WORK/spt_agent.ko"
walked unload rmmod "$WORK/spt_agent.ko"
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
# Actions on a page and on many; what each line does is done again each time.
check unloads-before-armed spt agent unload
check loads-armed spt agent load --armed
pages_start --irqchip || finish
walked open-control open "$DEBUGFS/$VM/control"
for line in 'fault gpa=0x10300000 access=w vcpu=0' 'zap gpa=0x10000000+0x10000' \
	'fault gpa=0x10300000 access=w vcpu=0 count=3' 'age gpa=0x10000000+0x10000' \
	'dirty gpa=0x10000000+0x10000' 'protect gpa=0x10300000 perm=r'; do
	walked "act-${line%% *}" act "$DEBUGFS/$VM/control" "$line"
done
pages_stop
check unloads-after spt agent unload
check loads-after spt agent load
finish
