#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# VMs with private memory come and go: no warning, and no page of memory is missing afterwards. VMS:
# how many.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/verify_tdx.sh
. "$(dirname "$0")/verify_tdx.sh"

vms=${VMS:-50}
# Of all that a VM has, its eight and more tables, one page would show; half of that is more than
# what comes and goes by itself.
least=$((vms / 2))

gone() {
	[ "$(total vms_destroyed)" = "$(total vms_converted)" ]
}

# one [WHAT]: a VM with both halves in use, and its end; what goes wrong at its end.
one() {
	pages_start --tdx || return 1
	[ $# -eq 0 ] || echo "$1" >"$SOFTTDX/$VM/inject"
	pages_do 'convert 0x10000000+16K shared' 'touch 0x8010000000+16K w' 'punch 0x10010000+16K' \
		'prefault 0x10280000+64K' >"$WORK/one" || return 1
	if [ $(($(total vms_converted) % 2)) -eq 0 ]; then
		pages_stop
	else
		pages_stop KILL
	fi
	eventually gone
}

many() { # COUNT [WHAT]
	count=$1
	shift
	while [ "$count" -gt 0 ]; do
		one "$@" || return 1
		count=$((count - 1))
	done
}

# reclaim: what the kernel keeps for later use alone is given back.
reclaim() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	for cache in /sys/kernel/slab/*/shrink; do
		echo 1 >"$cache"
	done 2>/dev/null
}

# Pages that are free, in the zones and on each CPU, or of a use that the kernel counts: slabs,
# files, programs, their page tables. Caches grow and shrink, the sum does not. KVM's tables and
# guest memory of guest_memfd are in none of these, or come back into 'free'.
known_pages() {
	reclaim
	{
		awk '$1 == "nr_free_pages" || $1 == "count:" { print $2 }' /proc/zoneinfo
		sed -n 's/^nr_\(slab_[a-z]*\|anon_pages\|file_pages\|page_table_pages\) //p' /proc/vmstat
	} | awk '{ sum += $1 } END { print sum }'
}

# objects FILE: 'CACHE ACTIVE-OBJECTS' of each slab cache. Addresses of vmalloc() are kept in a pool
# when they are free; VmallocUsed has those in use.
objects() {
	reclaim
	awk 'NR > 2 && $1 != "vmap_area" { print $1, $2 }' /proc/slabinfo >"$1"
	awk '$1 == "VmallocUsed:" { print "vmalloc-pages", $2 / 4 }' /proc/meminfo >>"$1"
}

# grown BEFORE AFTER COUNT: caches with so many objects more.
grown() {
	awk -v count="$3" 'NR == FNR { before[$1] = $2; next }
		$2 - before[$1] >= count { print $1, before[$1], $2 }' "$1" "$2"
}

settle
check warm-up many 5
tainted=$(cat /proc/sys/kernel/tainted)
before=$(known_pages)
objects "$WORK/objects.before"
check "$vms-come-and-go" many "$vms"
missing=$((before - $(known_pages)))
objects "$WORK/objects.after"
echo "# $missing pages missing after $vms VMs"
check "no-page-missing-after-$vms" [ $missing -lt $least ]
grown "$WORK/objects.before" "$WORK/objects.after" "$vms" >"$WORK/grown"
check "no-object-left-after-$vms" sh -c "cat '$WORK/grown'; [ ! -s '$WORK/grown' ]"
check no-warning [ "$(cat /proc/sys/kernel/tainted)" = "$tainted" ]
no_pages() {
	[ "$(total pages)" = 0 ] && [ "$(total tables_linked)" = "$(total tables_freed)" ] &&
		[ "$(total leaves_set)" = "$(total leaves_cleared)" ]
}
check all-taken-down no_pages

# That missing pages would be seen: each of some VMs loses its tables. And objects that stay.
before=$(known_pages)
kept=$(total tables_freed)
check some-that-lose many $((vms / 2)) 'keep 1000'
kept=$(($(total tables_freed) - kept)) missing=$((before - $(known_pages)))
echo "# $missing pages missing, $kept tables kept"
check many-tables [ $kept -ge $((2 * vms)) ]
check as-many-are-missing [ "$missing" -ge $((kept / 2)) ]
mkdir "$WORK/stay"
seq $((2 * vms)) | sed "s,^,$WORK/stay/," | xargs mkdir
objects "$WORK/objects.last"
check objects-would-show [ -n "$(grown "$WORK/objects.after" "$WORK/objects.last" "$vms")" ]
finish
