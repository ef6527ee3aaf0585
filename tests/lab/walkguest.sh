#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# walk gva in a real guest: a Linux, which knows by itself where its kernel and its processes are in
# its physical memory. And at the end of the way stand the bytes that the guest sees.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

# gpa_of GVA [OPTION...]: where spt says that it is; hpa_of: the same on the host.
gpa_of() {
	spt walk gva "$@" >"$WORK/walk" 2>&1
	sed -n 's/^GVA .* -> GPA \(0x[0-9a-f]*\) of .*/\1/p' "$WORK/walk"
}

hpa_of() {
	gpa_of "$@" >/dev/null
	sed -n 's/^    HPA    \(0x[0-9a-f]*\) .*/\1/p' "$WORK/walk" | head -1
}

same_number() { # A B
	[ -n "$1" ] && [ -n "$2" ] && [ $(($1)) -eq $(($2)) ] && return
	echo "'$1' is not '$2'"
	cat "$WORK/walk"
	return 1
}

# The kernel's sections: their symbols by address, /proc/iomem by place. It is L1's kernel, at the
# same addresses: reading all symbols in the guest would take a minute.
grep -E ' (_text|__start_rodata|_sdata|__bss_start|linux_banner)$' /proc/kallsyms >"$WORK/symbols"
check same-kernel sh -c "lab-guest 'uname -r; grep -m1 -w _text /proc/kallsyms' >'$WORK/guest' &&
	{ uname -r; grep -w _text '$WORK/symbols'; } | diff '$WORK/guest' -"
lab-guest 'cat /proc/iomem' >"$WORK/iomem"
symbol() {
	awk -v name="$1" '$3 == name { print "0x" $1 }' "$WORK/symbols"
}
section() {
	sed -n "s/^ *\([0-9a-f]*\)-.* : $1\$/0x\1/p" "$WORK/iomem" | head -1
}
for pair in '_text code' '__start_rodata rodata' '_sdata data' '__bss_start bss'; do
	gva=$(symbol "${pair% *}")
	check "kernel-${pair#* }" same_number "$(gpa_of "$gva")" "$(section "Kernel ${pair#* }")"
done

# What stands there is the guest's own version, byte by byte, in the host's memory.
banner=$(hpa_of "$(symbol linux_banner)")
lab-guest 'cat /proc/version' >"$WORK/version"
# shellcheck disable=SC2016 # the host's variable
lab-outside sh -c 'dd if="$LAB_RAM" bs=1 skip=$(($1)) count="$2" 2>/dev/null' dd "$banner" \
	"$(wc -c <"$WORK/version")" >"$WORK/bytes"
check kernel-bytes cmp "$WORK/bytes" "$WORK/version"

# A process that never sleeps, so that the vCPU's CR3 is its own nearly always: its stack, and its
# program, which others share.
lab-guest "sh -c 'while :; do :; done' >/dev/null 2>&1 & echo \$! >/tmp/spinner" >/dev/null
# shellcheck disable=SC2016 # from here on: expanded in the guest
frame='set -- $(dd if=/proc/$pid/pagemap bs=8 skip=$((at / 4096)) count=1 2>/dev/null | od -An -tx8); printf "0x%x\n" $(((0x$1 & ((1 << 55) - 1)) * 4096))'
place() { # BASIC-REGEXP, FIELD and what is to be done to its value, $at
	# shellcheck disable=SC2016
	lab-guest 'pid=$(cat /tmp/spinner); at=0x$(grep '"'$1'"' /proc/$pid/maps | head -1 |' \
		"cut -d' ' -f1 | cut -d- -f$2); $3" 'printf "0x%x\n" $at; '"$frame"
}
walks_to() { # GVA GPA
	found=$(gpa_of "$1")
	[ -n "$found" ] && [ $((found)) -eq $(($2)) ]
}
in_process() { # NAME and 'GVA GPA'
	# shellcheck disable=SC2086 # two words
	set -- "$1" $2
	if [ "$#" -ne 3 ] || [ $(($3)) -eq 0 ]; then
		not_ok "$1: the guest says '$*'"
	elif eventually walks_to "$2" "$3"; then
		ok "$1"
	else
		not_ok "$1: GVA $2 is at $3 for the guest: $(cat "$WORK/walk")"
	fi
}
# shellcheck disable=SC2016
in_process process-stack "$(place '\[stack\]' 2 'at=$((at - 4096)); ' | tr '\n' ' ')"
in_process process-program "$(place 'r-xp.*busybox' 1 '' | tr '\n' ' ')"

# The CR3 that led there leads there also when it is named, and from a file.
cr3=$(sed -n 's/.*CR3 \(0x[0-9a-f]*\).*/\1/p' "$WORK/walk")
program=$(sed -n 's/^GVA \(0x[0-9a-f]*\) -> GPA \(0x[0-9a-f]*\) .*/\1 \2/p' "$WORK/walk")
check by-cr3 same_number "$(gpa_of "${program% *}" --cr3 "$cr3")" "${program#* }"
check save spt save --with guest-tables,host --zstd "$WORK/linux.spt"
for pair in '_text code' '__bss_start bss'; do
	check "saved-${pair#* }" same_number "$(gpa_of "$(symbol "${pair% *}")" -i "$WORK/linux.spt")" \
		"$(section "Kernel ${pair#* }")"
done

# Its own page is mapped from nowhere else than there, and the way back leads to it.
back() {
	spt walk hpa "$banner" >"$WORK/back" || return 1
	cat "$WORK/back"
	grep -q "^HPA $(printf '0x%x' "$banner") -> GPA $(gpa_of "$(symbol linux_banner)") " "$WORK/back"
}
check way-back back
# shellcheck disable=SC2016
lab-guest 'kill $(cat /tmp/spinner)' >/dev/null
finish
