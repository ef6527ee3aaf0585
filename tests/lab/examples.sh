#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The example scripts on a live VM that has what each of them looks for, because the breaker made it
# so, and on the same VM when it is mended. The scripts are read from the host's root: QEMU only.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/breaker.sh
. "$(dirname "$0")/breaker.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"

scripts=$LAB_TOP/scripts/examples
[ -d /sys/kernel/tracing/instances ] || mount -t tracefs tracefs /sys/kernel/tracing

# says STATUS PATTERN SCRIPT ARG...: what the script exits with, and a line that it prints.
says() {
	says_wanted=$1 says_pattern=$2 script=$3
	shift 3
	"$scripts/$script" "$@" -V "$VM" >"$WORK/said" 2>&1
	status=$?
	[ "$status" -eq "$says_wanted" ] && grep -Eq -e "$says_pattern" "$WORK/said" && return
	echo "status $status, not $says_wanted, or no /$says_pattern/:"
	cat "$WORK/said"
	return 1
}

mend() {
	[ ! -s "$WORK/trouble" ] || { cat "$WORK/trouble"; return 1; }
	echo 1 >"$breaker/restore"
}

examples_npt() {
	pages_start || finish
	check breaker-loads load_breaker
	check dirty-log-sound says 0 'log-dirty' dirty-log 8
	entry 0x60008000 1
	poke_entry '|' 2 # writable, and its bit in the log is clear
	check dirty-log says 1 'w-dirty-log.* 0x0*60008000' dirty-log 8
	check dirty-log-mended mend
	check dirty-log-again says 0 'log-dirty' dirty-log 8
	check dirty-log-no-log says 1 'is not logged' dirty-log 1

	check stuck-sound says 0 '^coherent' stuck-violation 0x10001000
	check stuck-no-event says 0 'Two seconds' stuck-violation 0x10001000
	poke_kvm KVM_INVALIDATE_IN_PROGRESS 8 + 1
	check stuck says 1 'invalidate-stuck' stuck-violation 0x10001000
	check stuck-mended mend
	check stuck-again says 0 '^coherent' stuck-violation 0x10001000

	check small says 1 '4K' not-huge 0x60000000
	check small-cause says 1 'dirty-log' not-huge 0x60000000
	check huge says 0 '2M page' not-huge 0x20000000
}

examples_tdx() {
	pages_start --tdx || finish
	check breaker-loads load_breaker
	for gpa in 0x10001000 0x8010001000 0x8020200000; do
		check "sound-$gpa" says 0 'attrs-root' td-conversion $gpa
	done
	# The page is the guest's own by its attribute, and the shared root still maps it: the
	# conversion's zap was lost.
	entry_in direct 0x2000 1
	leaf=$spte
	at=$((16 * 8))
	poke_entry '=' "$leaf"
	poke_kvm KVM_STAT_PAGES_4K 8 + 1
	check lost-zap says 1 'attrs-root .* 0x0*10000' td-conversion 0x10000
	check lost-zap-mended mend
	check lost-zap-again says 0 'attrs-root' td-conversion 0x10000
	# The mirror has another page than guest_memfd.
	entry_in mirror 0x10001000 1
	mirror_table=$table private_hpa=$hpa
	poke_entry ^ $((private_hpa ^ mirror_table))
	entry_in external 0x10001000 1
	poke_entry ^ $((private_hpa ^ mirror_table))
	check other-page says 1 'mirror-gmem .* 0x0*10001000' td-conversion 0x10001000
	check other-page-mended mend
	check other-page-again says 0 '^private' td-conversion 0x10001000
}

settle
case $LAB_MMU in
tdx) examples_tdx ;;
*) examples_npt ;;
esac
check breaker-unloads rmmod breaker
finish
