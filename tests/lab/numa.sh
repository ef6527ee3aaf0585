#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest whose memory is on two NUMA nodes: what spt says of each page is what the kernel says of it,
# by move_pages() page by page and by numa_maps; of the live VM, and of what is saved.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
spt=$(readlink -f "$(command -v spt)")
screen=${spt%/cli/spt}/tests/screen/screen
# Of slot 1: a node each, then by turns.
FIRST=0x10000000 SECOND=0x10010000 TURNS=0x10020000
HUGE=0x20000000

check two-nodes grep -qx 0-1 /sys/devices/system/node/online
# Nobody else is to move pages; what making room for huge ones moves is touched again below.
echo 0 >/proc/sys/kernel/numa_balancing
echo 0 >/proc/sys/vm/compaction_proactiveness
pages_start || finish

check bind-huge pages_do "bind $HUGE+2M 1"
check bind-huge-0 pages_do "bind 0x20200000+2M 0"
check bind-first pages_do "bind $FIRST+64K 0"
check bind-second pages_do "bind $SECOND+64K 1"
bind_by_turns() {
	i=0
	while [ "$i" -lt 16 ]; do
		pages_do "bind $(printf '0x%x' $((TURNS + i * 4096))) $((i % 2))" || return 1
		i=$((i + 1))
	done
}
check bind-by-turns bind_by_turns
check touched sh -c "pages --send '$WORK/pages.sock' 'touch $FIRST+256K w' 'touch $HUGE+4M w' | grep -c '^ok' | grep -qx 2"

# The kernel's own answer, a digit a page ('?': its zero page, of which it says nothing); as it was
# asked for, where it was.
kernel_says() { # GPA+LEN
	pages --send "$WORK/pages.sock" "nodes $1" | sed -n 's/^ok //p'
}
repeat() { # TEXT COUNT
	awk -v text="$1" -v n="$2" 'BEGIN { while (n--) printf "%s", text; print "" }'
}
as_bound() {
	kernel_says "$FIRST+192K"
	[ "$(kernel_says "$FIRST+192K")" = "$(repeat 0 16)$(repeat 1 16)$(repeat 01 8)" ] &&
		[ "$(kernel_says "$HUGE+2M")" = "$(repeat 1 512)" ] &&
		[ "$(kernel_says 0x20200000+2M)" = "$(repeat 0 512)" ]
}
check as-bound as_bound

# ranges_say ARGUMENT...: GPA, pages and node of each range that is mapped, in 2M at most.
ranges_say() {
	spt "$@" ranges -rn --split-by level,perm,slot,node -o gpa,size,type,slot,node 2>/dev/null |
		awk '$3 == "leaf" && $4 != "-"'
}
# The address of a page of a shadow root is virtual.
gva=0
case $LAB_MMU in *shadow) gva=$((0x100000000000)) ;; esac

# Every page that is mapped; the pieces are no longer than one answer.
page_by_page() { # FILE: what ranges_say said
	pages=0 wrong=0
	while read -r gpa size type slot node; do
		gpa=$((gpa - gva)) size=$((size))
		while [ "$size" -gt 0 ]; do
			some=$((size < 2097152 ? size : 2097152))
			found=$(kernel_says "$(printf '0x%x' "$gpa")+$some")
			if [ "$(echo "$found" | tr '?' "$node")" != "$(repeat "$node" $((some / 4096)))" ]; then
				wrong=$((wrong + 1))
				echo "$gpa+$some of slot $slot ($type): node $node; the kernel: $found"
			fi
			pages=$((pages + some / 4096 - $(echo "$found" | tr -cd '?' | wc -c)))
			gpa=$((gpa + some)) size=$((size - some))
		done
	done <"$1"
	echo "$pages pages, $wrong ranges wrong"
	[ "$wrong" -eq 0 ] && [ "$pages" -gt 1500 ]
}
in_bytes() { # of raw sizes
	awk '{ n = $2; u = substr(n, length(n)); f = u == "K" ? 1024 : u == "M" ? 1048576 : u == "G" ? 1073741824 : 1
		sub(/[KMG]$/, "", n); $2 = n * f; print }'
}
ranges_say -V "$VM" | in_bytes >"$WORK/live"
check ranges page_by_page "$WORK/live"
sed 's/^/# /' "$WORK/check.out"
both_nodes() {
	awk '{ seen[$5] = 1 } END { exit !(seen[0] && seen[1]) }' "$WORK/live"
}
check ranges-of-both both_nodes

# numa_maps has a line for each mapping, and how many of its pages are on which node.
numa_maps() {
	hva=$(spt -V "$VM" memslots "$FIRST" -rn -o hva)
	[ -n "$hva" ] || return 1
	for at in "0 N0=16" "65536 N1=16"; do
		line=$(grep "^$(printf '%08x' $((hva + ${at% *}))) " "/proc/$PAGES_PID/numa_maps")
		echo "$line"
		case "$line " in *" ${at#* } "*) ;; *) return 1 ;; esac
	done
}
check numa-maps numa_maps

# Sums: by spt's own reading of frames, and by counting the kernel's digits above.
stats_say() { # ARGUMENT...
	spt "$@" stats -rn --only nodes 2>/dev/null | in_bytes | awk '{ print $1, $2 }'
}
sums() { # FILE ARGUMENT...
	file=$1
	shift
	stats_say "$@" >"$WORK/stats"
	awk '{ sum[$5] += $2 } END { for (n in sum) printf "%s %d\n", n, sum[n] }' "$file" | sort >"$WORK/sums"
	sort "$WORK/stats" | diff "$WORK/sums" -
}
check stats sums "$WORK/live" -V "$VM"

walk_says() { # ARGUMENT...: nodes of 32 pages from SECOND + 32K on, by the host's and by KVM's tables
	i=0
	while [ "$i" -lt 32 ]; do
		spt "$@" --json walk --node gpa "$(printf '0x%x' $((SECOND + 32768 + i * 4096 + 8)))" >"$WORK/walk" || return 1
		tr -d ' \n' <"$WORK/walk" | sed 's/.*"page_size":4096,"node":\([0-9a-z]*\).*"host":.*"page_size":4096,"node":\([0-9a-z]*\).*/\1\2/'
		echo
		i=$((i + 1))
	done | awk 'NF { printf "%s", $0 } END { print "" }'
}
walked() {
	found=$(walk_says "$@")
	wanted=$(kernel_says "$(printf '0x%x' $((SECOND + 32768)))+128K" | sed 's/./&&/g')
	echo "$found"
	echo "$wanted"
	[ -n "$found" ] && [ "$found" = "$wanted" ]
}
check walk walked -V "$VM"
walk_in_words() {
	spt -V "$VM" walk --node gpa "$SECOND" | grep -c 'HPA .* in a 4K page, NUMA node 1$' | grep -qx 2
}
check walk-in-words walk_in_words

# The map, where letters stand for colours: a row of 64 pages, as the kernel has them.
if [ $gva = 0 ]; then
	row=$(kernel_says "$FIRST+256K" | sed 's/-/[^01]/g')
	cat >"$WORK/keys" <<EOF
patience 120
env TERM=vt100
start $spt -V $VM tui
wait /live/
keys "/$FIRST" Enter "++++++++++++" "ccccc"
wait /NUMA node/
wait /$(printf '0x%013x' $((FIRST))) $row/
keys "q"
expect exit 0
EOF
	check map "$screen" "$WORK" "$WORK/keys"
fi

# A file keeps it.
check save spt -V "$VM" save --with host "$WORK/numa.spt"
ranges_say -i "$WORK/numa.spt" | in_bytes >"$WORK/saved"
if [ $gva = 0 ]; then
	check saved-ranges cmp "$WORK/live" "$WORK/saved"
	check saved-stats sums "$WORK/live" -i "$WORK/numa.spt"
fi
check saved-walk walked -i "$WORK/numa.spt"

# It goes to the other node, and is followed.
check move pages_do "bind $FIRST+64K 1"
check moved-touched pages_do "touch $FIRST+64K w"
moved() {
	ranges_say -V "$VM" | in_bytes >"$WORK/moved"
	page_by_page "$WORK/moved" && ! cmp -s "$WORK/live" "$WORK/moved"
}
check moved-ranges moved
finish
