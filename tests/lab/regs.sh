#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A vCPU's registers against KVM_GET_REGS and KVM_GET_SREGS, where it stands against the guest's own
# code, and its memory against what the guest and the VMM have there. Live, and from a saved image.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

# The guest's options, one word or none.
# shellcheck disable=SC2086
pages_start ${LAB_PAGES-} || finish

# One command to the guest; its answer without the 'ok'.
guest() {
	pages --send "$WORK/pages.sock" "$1" | sed 's/^ok *//'
}

# 'name value' of the pairs NAME=VALUE that the guest gives.
wanted() {
	guest regs | tr ' ' '\n' | sed 's/=/ /'
}

# FILE NAME: that register in the JSON of `regs`.
of_json() {
	tr ',{' '\n' <"$1" | sed -n "s/^\"$2\":\"\(0x[0-9a-f]*\)\"}*$/\1/p" | head -n 1
}

same_registers() {
	wanted >"$WORK/wanted"
	[ -s "$WORK/wanted" ] || { echo "the guest gave nothing"; return 1; }
	while read -r name value; do
		found=$(of_json "$1" "$name")
		[ "$found" = "$value" ] || { echo "$name is $found, KVM says $value"; return 1; }
	done <"$WORK/wanted"
}

source_is() {
	grep -q "\"source\":\"$1\"" "$2"
}

spt -V "$VM" -J regs >"$WORK/paused" || not_ok regs
check outside source_is outside "$WORK/paused"
check equal-to-kvm same_registers "$WORK/paused"
check fresh-is-the-same sh -c "spt -V '$VM' -J regs --fresh | sed 's/\"age_ns\":[0-9]*//' >'$WORK/fresh' &&
	sed 's/\"age_ns\":[0-9]*//' '$WORK/paused' | cmp - '$WORK/fresh'"
# CS as the guest was given it.
segment_is() {
	spt -V "$VM" regs | grep -q "$1"
}
bits=$(case ${LAB_PAGES-} in *pae*) echo 32 ;; *) echo 64 ;; esac)
check cs segment_is "^  cs    0x0008  base 0x0000000000000000  limit 0xffffffff .*, $bits-bit, dpl 0"

# The guest's code: the instruction behind the one that RIP is at is known by its address.
code=$(guest code)
address_of() {
	echo "$code" | tr ' ' '\n' | sed -n "s/^$1=//p"
}
instruction_at() {
	spt -V "$VM" disasm gva "$1" --count 1 -rn -o instruction | sed 's/\\x20/ /g'
}
check disasm-read test "$(instruction_at "$(address_of read)")" = \
	"mov $([ "$bits" = 64 ] && echo 'rax, qword' || echo 'eax, dword') ptr [$([ "$bits" = 64 ] && echo rdi || echo edi)]"
check disasm-write test "$(instruction_at "$(address_of write)")" = \
	"mov $([ "$bits" = 64 ] && echo 'qword ptr [rdi], rsi' || echo 'dword ptr [edi], esi')"
rip_is() {
	rip=$(of_json "$1" rip)
	spt -V "$VM" -J disasm rip --count 1 | grep -q "\"address\":\"$rip\""
}
check disasm-rip rip_is "$WORK/paused"

# Memory: what the guest wrote, over the edge of a page, by both kinds of address.
guest 'write 0x10000ff8 0x1122334455667788' >/dev/null
guest 'write 0x10001000 0x99aabbccddeeff00' >/dev/null
hex_of() {
	spt -V "$VM" -J read "$1" "$2" "$3" | tr ',}' '\n' | sed -n 's/.*"hex":"\([0-9a-f]*\)".*/\1/p' |
		tr -d '\n'
}
known=887766554433221100ffeeddccbbaa99
if [ "$bits" = 64 ]; then
	check read-gpa test "$(hex_of gpa 0x10000ff8 16)" = $known
	check read-gva test "$(hex_of gva $((0x100000000000 + 0x10000ff8)) 16)" = $known
fi
# The VMM's word is a number, memory has its lowest byte first.
reversed() {
	sed 's/0x\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)/\8\7\6\5\4\3\2\1/'
}
check peek test "$(guest 'peek 0x10180000' | reversed)" = "$(hex_of gpa 0x10180000 8)"
refused_read() {
	spt -V "$VM" -J read "$1" "$2" 16 >"$WORK/refused"
	[ $? -eq 1 ] && grep -q "\"read\":\"$3\"" "$WORK/refused"
}
check read-mmio refused_read gpa 0x70000000 no-slot
check read-absent refused_read gpa 0x10300000 absent
check read-not-mapped refused_read gva 0x7000000000 not-mapped

# What runs: interrupted, it stands in its loop.
guest "run 0x10000000+64K w" >/dev/null
first=$(($(address_of run-write) - 16))
in_loop() {
	spt -V "$VM" -J regs --fresh >"$WORK/running" || return 1
	! grep -q '"source":"last-exit"' "$WORK/running" || return 1
	rip=$(of_json "$WORK/running" rip)
	if [ $((rip)) -lt "$first" ] || [ $((rip)) -ge $((first + 64)) ]; then
		echo "RIP $rip is not in the loop at $first"
		return 1
	fi
}
for i in 1 2 3 4 5 6 7 8; do
	check "running-$i" in_loop
done
check running-disasm spt -V "$VM" disasm rip --fresh --count 3
# With two CPUs the guest is in KVM_RUN while another one reads.
interrupted() {
	n=0
	until spt -V "$VM" -J regs --fresh | grep -q '"source":"interrupted"'; do
		n=$((n + 1))
		[ "$n" -lt 200 ] || return 1
	done
}
[ "${LAB_SMP:-1}" = 1 ] || check interrupted interrupted
before=$(guest 'peek 0x10000000')
counts_on() {
	[ "$(guest 'peek 0x10000000')" != "$before" ]
}
check goes-on eventually counts_on
guest pause >/dev/null

# An image says the same, and has of the guest's memory what was asked for and no more.
check save spt -V "$VM" save "$WORK/plain.spt"
check save-code spt -V "$VM" save "$WORK/code.spt" --with code
spt -V "$VM" regs >"$WORK/live"
check offline-regs sh -c "spt -i '$WORK/code.spt' regs | cmp - '$WORK/live'"
spt -V "$VM" disasm rip >"$WORK/live"
check offline-disasm sh -c "spt -i '$WORK/code.spt' disasm rip | cmp - '$WORK/live'"
not_in_image() {
	spt -i "$WORK/plain.spt" -J disasm rip >"$WORK/none"
	[ $? -ge 1 ] && ! grep -q '"instruction":' "$WORK/none"
}
check plain-has-no-code not_in_image
check code-has-no-more sh -c "! spt -i '$WORK/code.spt' read gpa 0x10000000 16"
finish
