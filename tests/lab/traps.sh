#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A Linux guest that checks its memory all the time lives through a thousand traps on its kernel's
# code, each of which names its instruction. TRAPS: how many.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/acts.sh
. "$(dirname "$0")/acts.sh"
# shellcheck source=tests/lab/checksums.sh
. "$(dirname "$0")/checksums.sh"

# On the debug kernel everything takes some ten times as long.
[ "$LAB_KERNEL" != debug ] || : "${TRAPS:=100}"
traps=${TRAPS:-1000}

watch_linux

# Where its kernel was seen running; without KASLR its code is where it was linked to be.
kernel_runs() {
	rip=$(spt -V "$VM" vcpus -rn -o rip | head -n 1)
	case $rip in
	0xffffffff8*) ;;
	*) return 1 ;;
	esac
}
check kernel-runs eventually kernel_runs
page=$(printf '0x%x' $(((rip - 0xffffffff80000000) & ~0xfff)))

uptime_ms() {
	sed 's/\([0-9]*\)\.\([0-9]*\) .*/\1\20/' /proc/uptime
}

thousand() {
	begun=$(uptime_ms)
	spt --unsafe -V "$VM" --json trap "$page" x --count "$traps" --timeout 300 \
		>"$WORK/traps" 2>"$WORK/traps.err" </dev/null
	status=$?
	spent=$(($(uptime_ms) - begun))
	tail -c 400 "$WORK/traps" "$WORK/traps.err"
	return "$status"
}
check "trap-$traps" thousand
# A hit a line.
tr -d '\n' <"$WORK/traps" | sed 's/{ *"seq"/\n&/g' | grep '^{ *"seq"' >"$WORK/hits"
hits=$(wc -l <"$WORK/hits")
check trap-hits test "$hits" -ge "$traps"
echo "# $hits traps of $page in $spent ms of L1: $((hits * 1000 / (spent + 1))) a second"
grep -o '"rip": *"[^"]*"' "$WORK/hits" | sort | uniq -c | sort -rn | head -5 | sed 's/^/# /'
# Each in the page's place in the kernel's text, with what is there.
named_well() {
	head -n 2 "$WORK/hits"
	named=$(grep -c "\"rip\": *\"0xffffffff8.*\"text\": *\"[a-z]" "$WORK/hits")
	there=$(printf '0x%x' $((page + 0xffffffff80000000)))
	here=$(grep -c "\"rip\": *\"${there%000}" "$WORK/hits")
	echo "$named of $hits have RIP and instruction, $here are in the page"
	[ "$named" -eq "$hits" ] && [ "$here" -ge $((hits * 9 / 10)) ]
}
check trap-names-its-instruction named_well
check checksums-go-on checksums_go_on
echo "# rounds of checksums: $(rounds)"

linux_unharmed
check unload spt agent unload
finish
