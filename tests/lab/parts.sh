#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The parts of an image that are asked for by name: the host's mapping of the slots is what
# /proc/PID/pagemap says, page by page; the reverse maps name the shadow MMU's leaves, all of them and
# nothing else.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"

# image REQUEST...: one image of it into $WORK/image.
image() {
	{ echo "$@" >&3 && cat <&3 >"$WORK/image"; } 3<>"$DEBUGFS/$VM/image"
}

# Of the file $1 the lines with a GPA in [$2, $3).
within() {
	while read -r gpa rest; do
		[ $((gpa)) -ge $(($2)) ] && [ $((gpa)) -lt $(($3)) ] && echo "$gpa $rest"
	done <"$1"
	return 0
}

# pages_agree FIRST END: the host runs of that range against pagemap. Each address only once: the
# guest's file has the slots of the VMM, KVM's own and those of SMM are beside them.
pages_agree() {
	pages_do "pagemap-file $WORK/pagemap.all" >/dev/null || return 1
	image "gpa=$1+$(($2 - $1)) parts=memslots,host_runs" || return 1
	mapped pages "$WORK/image" | sort -u >"$WORK/ours.all"
	if [ "$1" = 0 ]; then
		grep -v '^0x\(fffb\|fee0\)[0-9a-f]\{4\} ' "$WORK/ours.all" >"$WORK/ours"
		sort -u "$WORK/pagemap.all" >"$WORK/theirs"
	else
		cp "$WORK/ours.all" "$WORK/ours"
		within "$WORK/pagemap.all" "$1" "$2" | sort -u >"$WORK/theirs"
	fi
	echo "$(wc -l <"$WORK/ours") pages, pagemap has $(wc -l <"$WORK/theirs")"
	[ -s "$WORK/theirs" ] && cmp "$WORK/ours" "$WORK/theirs"
}

# rmaps_agree: the reverse maps of the paused guest against its leaves.
rmaps_agree() {
	image parts=memslots,tables,rmaps || return 1
	mapped rmaps "$WORK/image" | sort >"$WORK/rmaps"
	mapped leaves "$WORK/image" | sort >"$WORK/leaves"
	echo "$(wc -l <"$WORK/rmaps") rmaps, $(wc -l <"$WORK/leaves") leaves"
	cmp "$WORK/rmaps" "$WORK/leaves"
}

rmaps_exist() {
	case $LAB_MMU in
	*shadow | *list) [ -s "$WORK/rmaps" ] ;;
	*) [ ! -s "$WORK/rmaps" ] ;;
	esac
}

# What forbids huge pages and whose writes are tracked, against what the slots and the guest's tables
# that are shadowed call for.
lpage_agrees() {
	image parts=memslots,lpage,tables || return 1
	mapped lpage "$WORK/image" | sort >"$WORK/lpage"
	mapped forbidden "$WORK/image" | sort >"$WORK/forbidden"
	echo "$(wc -l <"$WORK/lpage") counts, expected $(wc -l <"$WORK/forbidden")"
	[ -s "$WORK/lpage" ] && diff "$WORK/lpage" "$WORK/forbidden"
}

tracked_exist() {
	case $LAB_MMU in
	*shadow) grep -q '^0 [0-9]* 1 ' "$WORK/lpage" ;;
	*) ! grep -q '^[01] [0-9]* 1 ' "$WORK/lpage" ;;
	esac
}

# Executed pages of a huge mapping are small where the processor is said to have the erratum: KVM's
# own count of tables made for it, and those that say so of themselves.
nx_splits() {
	said=$(spt -V "$VM" --json vm | tr -d ' \n' | sed 's/.*"nx_lpage_splits":\([0-9]*\).*/\1/')
	counted=$(cat "/sys/kernel/debug/kvm/$VM/nx_lpage_splits")
	spt -V "$VM" --json tables | tr -d ' \n' | sed 's/{"hpa"/\n&/g' >"$WORK/tables"
	linked=$(grep -c '"nx-linked"' "$WORK/tables")
	echo "vm says $said, KVM $counted, tables linked $linked"
	grep nx-linked "$WORK/tables" | grep -v nx-disallowed
	[ "$counted" -eq "$1" ] && [ "$said" -eq "$1" ] && [ "$linked" -eq "$1" ]
}

# has_run PATTERN: a run whose line (GPA pages HPA level flags) matches is there.
has_run() {
	image parts=host_runs || return 1
	mapped runs "$WORK/image" >"$WORK/runs"
	grep -E "$1" "$WORK/runs" || { cat "$WORK/runs"; return 1; }
}

settle
pages_start || finish
check host-runs-are-pagemap pages_agree 0 0x1000000000
check host-runs-of-a-range pages_agree 0x10003000 0x10205000
# A run cannot be longer than one of the host's zero pages: as many runs as pages, so that the agent's
# records end before, with and behind the last.
runs_of_any_number() {
	pages_do 'touch 0x10200000+2M r' >/dev/null || return 1
	for n in 1 126 127 128 129 253 254 255 256 381 382 512; do
		image "gpa=0x10200000+$((n * 4096)) parts=memslots,host_runs" || return 1
		found=$(mapped runs "$WORK/image" | wc -l)
		[ "$found" -eq "$n" ] || { echo "$found runs for $n zero pages"; return 1; }
	done
}
check runs-of-any-number runs_of_any_number
check rmaps-are-leaves rmaps_agree
check rmaps-where-there-are-any rmaps_exist
check lpage-counts lpage_agrees
check write-tracked-where-shadowed tracked_exist

# Neighbours in one 2M page are one run; writable, dirty, on a node, the zero page.
check one-run-for-a-huge-page has_run '^0x20000000 (512|1024|1536) 0x[0-9a-f]+ 2 0x103$'
check zero-page has_run '^0x10200000 1 0x[0-9a-f]+ 1 0x120$'
change protect 'mprotect 0x10000000+16K none' 'mprotect 0x10004000+16K r'
check protnone has_run '^0x10000000 [1-4] 0x[0-9a-f]+ 1 0x10a?$'
change unprotect 'mprotect 0x10000000+32K rw'

change change 'madvise 0x10000000+64K dontneed' 'madvise 0x20000000+4K dontneed' \
	'unmap 0x60000000+64K' 'touch 0x10008000+4K w' 'touch 0x50008000+8K w'
check host-runs-after-changes pages_agree 0 0x1000000000
check rmaps-after-changes rmaps_agree
check lpage-counts-after-changes lpage_agrees

# Narrowed, the reverse maps are those of the range.
narrowed() {
	image gpa=0x50000000+0x100000 parts=memslots,rmaps || return 1
	mapped rmaps "$WORK/image" >"$WORK/narrow"
	awk '$1 >= "0x50000" && $1 < "0x50100" && length($1) == 7' "$WORK/rmaps" >"$WORK/expected"
	cat "$WORK/narrow"
	sort "$WORK/narrow" | cmp - "$WORK/expected"
}
check rmaps-of-a-range narrowed

# System management mode has slots and tables of its own; here both lead to the same memory.
smm_pages() {
	spt -V "$VM" --json roots | tr -d ' \n' | sed 's/{"hpa"/\n&/g' | grep '"as_id":1,' >"$WORK/roots"
	cat "$WORK/roots"
	[ -s "$WORK/roots" ] || return 1
	image parts=tables,rmaps || return 1
	mapped rmaps "$WORK/image" | sort >"$WORK/rmaps"
	mapped leaves "$WORK/image" | sort >"$WORK/leaves"
	cmp "$WORK/rmaps" "$WORK/leaves"
}
# Two roots and the host: one page. Without the TDP MMU KVM drops its roots when slots come, and
# only the one that is in use has come back.
ways=3
[ "$LAB_MMU" != ept-list ] || ways=2
smm_walk() {
	spt -V "$VM" --json walk gpa 0x50003000 | tr -d ' \n' |
		grep -o '"hpa":"0x[0-9a-f]*","page_size"' >"$WORK/hpas"
	cat "$WORK/hpas"
	[ "$(wc -l <"$WORK/hpas")" -ge "$ways" ] && [ "$(sort -u "$WORK/hpas" | wc -l)" -eq 1 ]
}
smm_slots() {
	spt -V "$VM" --json memslots | tr -d ' \n' | sed 's/{"id"/\n&/g' | grep -c '"as_id":1,.*"base_gpa":"0x[0-9a-f]*50000000"'
}
change smm 'smm on' 'touch 0x50000000+64K w'
check smm-slots smm_slots
check smm-tables smm_pages
case $LAB_MMU in
npt | ept*) check smm-walk smm_walk ;;
esac
change smm-off 'smm off' 'touch 0x50000000+64K w'

case $LAB_MMU in
npt | ept*)
	check no-nx-splits nx_splits 0
	echo force >/sys/module/kvm/parameters/nx_huge_pages
	change execute 'touch 0x20200000+4K w' 'touch 0x20201000+4K x'
	check nx-splits nx_splits 1
	echo off >/sys/module/kvm/parameters/nx_huge_pages
	;;
esac
finish
