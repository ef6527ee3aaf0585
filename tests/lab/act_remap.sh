#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# remap moves the host's page: another frame, the same content, no write lost, nothing leaked; and
# it is refused for pages that must not move.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/act_control.sh
. "$(dirname "$0")/act_control.sh"

arm_agent
pages_start --extra --vcpus 1 || finish

hpa_of() { # GPA
	pages_do "pagemap $1" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# remaps NAME GPA SIZE: one page of that size moved, by the word of the kernel's own pagemap.
remaps() {
	before=$(hpa_of "$2")
	done_by "$1" "remap gpa=$2"
	after=$(hpa_of "$2")
	check "$1-moved" test "$before" != "$after" -a $((before)) = $(($(value old-hpa))) \
		-a $((after)) = $(($(value new-hpa)))
	check "$1-size" test "$(value page-size)" = "$3"
}

pages_do 'fill 0x10000000+64K 3' 'fill 0x20000000+2M 4' 'fill 0x40000000 5' >/dev/null
control 'remap gpa=0x10002000 dry-run=1'
check dry-run test "$(value result)" = 'done' -a -z "$(value new-hpa)"
remaps small 0x10002000 4096
case $LAB_MMU in
*shadow) ;;
*) check entry-has-it test $(($(word after) & 0xffffffffff000)) = $((after)) ;;
esac
check content pages_do 'verify 0x10000000+64K 3'
if [ "$(stat_of pages_2m)" -ge 1 ]; then
	before_splits=$(vmstat_of thp_split_page)
	check splits-are-counted test -n "$before_splits"
	remaps huge 0x20000000 2097152
	check content-of-huge pages_do 'verify 0x20000000+2M 4'
	check huge-was-not-split test "$(vmstat_of thp_split_page)" = "$before_splits"
	done_by huge-many 'remap gpa=0x20003000 count=10'
	check content-of-huge-many pages_do 'verify 0x20000000+2M 4'
fi
remaps readonly-slot 0x40000000 4096
remaps alias 0x50000000 4096
check alias-is-the-same test "$(hpa_of 0x50000000)" = "$(hpa_of 0x58000000)"

# While the guest adds to its pages: every addition counts.
pages_do 'poke 0x10100000 0' 'run 0x10100000 w' >/dev/null
done_by running 'remap gpa=0x10100000 count=100'
rounds=$(pages_do pause | sed 's/.*rounds0=//')
check no-write-lost test "$rounds" -gt 0 -a \
	$(($(pages_do 'peek 0x10100000' | cut -d' ' -f2))) = "$rounds"
check all-steps test "$(grep -c '^step: ' "$WORK/control")" = 100
check nothing-isolated test "$(vmstat_of nr_isolated_anon)" = 0

# Refusals, each for its reason; the page stays where it is.
turned_down no-slot refused no-slot 'remap gpa=0x70000000'
turned_down no-page refused host 'remap gpa=0x78300000'
turned_down zero-page refused zero-page 'remap gpa=0x10200000'
[ -z "$(hpa_of 0x30005000)" ] || turned_down hugetlb refused hugetlb 'remap gpa=0x30005000'
if [ -e /dev/mem ]; then
	turned_down pfnmap refused pfnmap 'remap gpa=0x4c0f0000'
else
	skip "pfnmap: this kernel has no /dev/mem"
fi
if pages_do 'touch 0x54000000 w' >/dev/null; then
	turned_down gmem refused private 'remap gpa=0x54000000'
fi
if pages_do 'pin 0x10003000' >"$WORK/pin"; then
	before=$(hpa_of 0x10003000)
	turned_down pinned refused pinned 'remap gpa=0x10003000'
	check pinned-stays test "$(hpa_of 0x10003000)" = "$before"
	pages_do unpin >/dev/null
	# io_uring lets go of it a little later.
	check unpinned eventually control 'remap gpa=0x10003000'
elif grep -q 'Function not implemented' "$WORK/pin"; then
	skip "pin: this kernel has no io_uring"
else
	not_ok "pin: $(cat "$WORK/pin")"
fi
# A plain reference, as whoever has it may take: nobody sees it before the page does not move.
check spliced pages_do 'splice 0x10004000'
before=$(hpa_of 0x10004000)
turned_down referenced failed pinned 'remap gpa=0x10004000'
check referenced-by-somebody grep -q 'page did not move: somebody holds it' "$WORK/control"
check referenced-stays test "$(hpa_of 0x10004000)" = "$before"
check referenced-not-isolated test "$(vmstat_of nr_isolated_anon)" = 0
pages_do unsplice >/dev/null
done_by unreferenced 'remap gpa=0x10004000'
check unreferenced-moved test "$(hpa_of 0x10004000)" != "$before"
ksm_shares() {
	[ "$(cat /sys/kernel/mm/ksm/pages_shared)" -gt 0 ]
}
pages_do 'write 0x10020000+8K 7' 'madvise 0x10020000+8K mergeable' >/dev/null
echo 1 >/sys/kernel/mm/ksm/run
check ksm-merges eventually ksm_shares
turned_down ksm refused ksm 'remap gpa=0x10020000'
pages_do 'madvise 0x10020000+8K unmergeable' >/dev/null
echo 0 >/sys/kernel/mm/ksm/run
turned_down bad-line refused bad-line 'remap gpa=0x10002000 count=0'
turned_down no-vcpu refused no-vcpu 'remap gpa=0x10002000 vcpu=77'

# The VMM dies in the middle.
pages_do 'run 0x10100000 w' >/dev/null
control 'remap gpa=0x10100000 count=10000' &
acting=$!
moves() {
	grep -q 'action=remap' "$DEBUGFS/journal"
}
eventually moves
pages_stop KILL
wait $acting
check killed-in-the-middle grep -Eq '^result: (done|failed|refused)' "$WORK/control"
check nothing-isolated-after test "$(vmstat_of nr_isolated_anon)" = 0
gone() {
	[ ! -e "$DEBUGFS/$VM" ]
}
check vm-gone eventually gone
finish
