#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# From any address: guest-virtual ones by the guest's own tables, whose every entry is documented;
# the VMM's, with their aliases; the host's, which a full scan of the tree must confirm. Then the
# same from a saved image.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

OUT=/lab/out/walk	# on the host: $LAB_RUN/l1/out/walk
mkdir -p "$OUT"

# A zero page is no page of the host's own ageing; nothing is to be moved or merged meanwhile.
echo 0 >/sys/kernel/mm/ksm/run
# The guest's options, one word or none.
# shellcheck disable=SC2086
pages_start ${LAB_PAGES-} || finish

# QEMU's processor marks entries of a PAE guest's highest table as accessed, by a bit that must be 0
# there; no other processor does. `walk` says that it is; then they are as they should be.
pdptes_unmarked() {
	for entry in 0x10000 0x10008 0x10010 0x10018; do
		value=$(pages_do "peek $entry" | sed 's/^ok *//')
		[ $((value & 0x20)) -ne 0 ] || continue
		gva=$(((entry - 0x10000) / 8 << 30))
		spt -V "$VM" walk gva $gva | grep -q 'level 3 entry has reserved bits 0x20 set' ||
			not_ok "pdpte-marked-said: $entry"
		pages_do "poke $entry $((value & ~0x20))" >/dev/null
	done
}
case $LAB_MMU-${LAB_PAGES-} in
npt*--pae) pdptes_unmarked ;;
esac
pages --send "$WORK/pages.sock" "layout $OUT/layout" "pagemap-file $OUT/pagemap" >/dev/null
spt -V "$VM" --json tree >"$OUT/tree"

# 'name base size hva' of every slot that the guest has.
slots() {
	tr '{' '\n' <"$OUT/layout" | grep '"registered":true' |
		sed -n 's/.*"base_gpa":"\([^"]*\)","size":\([0-9]*\),"hva":"\([^"]*\)".*/\1 \2 \3/p'
}

gva_base=$(sed 's/.*"gva_base":"\([^"]*\)".*/\1/' "$OUT/layout")

# All over each slot, by sixteen steps that are no multiple of a page, and its last byte; the hole;
# where the guest maps nothing at one level or another; no address at all.
gvas() {
	slots | while read -r base size _; do
		step=$(((size / 16 & ~0xfff) + 0x123))
		[ "$step" -lt "$size" ] || step=0x1010
		at=0
		while [ $((at)) -lt "$size" ]; do
			printf 'walk gva 0x%x\n' $((gva_base + base + at))
			at=$((at + step))
		done
		printf 'walk gva 0x%x\n' $((gva_base + base + size - 1))
	done
	for at in 0x70000000 0x70008000 0x7ffff000 0x41000000 0x7000000000; do
		printf 'walk gva 0x%x\n' $((gva_base + at))
	done
	printf 'walk gva %s\n' 0 0x7fffffffffff 0x800000000000 0xffff7fffffffffff 0xffffffffffffffff
}

hvas() {
	slots | while read -r _ size hva; do
		printf 'walk hva 0x%x\n' $((hva)) $((hva + 0x5123)) $((hva + size - 1))
	done
	echo walk hva 0x1000
}

# Pages of the guest, one in so many; pages that are mapped several times; every table; nobody's.
hpas() {
	awk 'NR % 97 == 1 { print "walk hpa " $2 }' "$OUT/pagemap"
	for gpa in 0x10200000 0x50001000 0x20001000; do
		awk -v gpa="$gpa" '$1 == gpa { print "walk hpa " $2 }' "$OUT/pagemap"
	done
	spt -V "$VM" tables -r -n -o hpa | head -30 | sed 's/^/walk hpa /'
	spt -V "$VM" roots -r -n -o hpa | sed 's/^/walk hpa /'
	echo walk hpa 0x1000
}

for kind in gva hva hpa; do
	${kind}s >"$WORK/$kind"
	spt -V "$VM" --json -f "$WORK/$kind" >"$OUT/$kind" 2>"$WORK/$kind.err"
	status=$?
	[ $status -le 1 ] || not_ok "$kind-walked: status $status: $(head -5 "$WORK/$kind.err")"
done

# A file that has all that is asked for says the same.
check save-with-all spt -V "$VM" save --with guest-tables,host "$WORK/all.spt"
for kind in gva hva hpa; do
	spt -i "$WORK/all.spt" --json -f "$WORK/$kind" >"$OUT/$kind.saved" 2>"$WORK/$kind.err"
	[ $? -le 1 ] || not_ok "$kind-saved: $(head -5 "$WORK/$kind.err")"
done

case $LAB_MMU in
*shadow*) shadow=--shadow ;;
*) shadow= ;;
esac
# shellcheck disable=SC2016,SC2034,SC2086 # FAILED is lib.sh's; LAB_RUN is the host's; no option is no word
lab-outside sh -c 'walks.py "$LAB_RUN/l1/out/walk" "$@"' walks $shadow >"$WORK/verdict" 2>&1 || FAILED=1
grep -q '^ok ' "$WORK/verdict" || not_ok "judged: $(cat "$WORK/verdict")"
cat "$WORK/verdict"

# What the answer is, the exit status says, too; what cannot be answered has a remedy.
exits() { # STATUS COMMAND...
	want=$1
	shift
	"$@"
	status=$?
	[ "$status" -eq "$want" ] || { echo "exit status $status, not $want"; return 1; }
}
mapped=$(awk '$1 == "0x10000000" { print $2 }' "$OUT/pagemap")
root=$(spt -V "$VM" roots -r -n -o hpa | head -1)
check gva-mapped exits 0 spt -V "$VM" walk gva $((gva_base + 0x10000000)) --explain
check gva-unmapped exits 1 spt -V "$VM" walk gva 0 --explain
check hva-none exits 1 spt -V "$VM" walk hva 0x1000
check hpa-mapped exits 0 spt -V "$VM" walk hpa "$mapped"
check hpa-table exits 0 spt -V "$VM" walk hpa "$root"
check hpa-none exits 1 spt -V "$VM" walk hpa 0x1000
refused gva-no-vcpu 2 "no vCPU 9.*'vcpus'" spt -V "$VM" walk gva 0x1000 --vcpu 9
check save-plain spt -V "$VM" save "$WORK/plain.spt"
refused gva-not-saved 2 'save --with guest-tables' spt -i "$WORK/plain.spt" walk gva 0x1000

# Where SMM alone has memory and the other modes find a device, both are as they should be: live,
# and in a file.
verdict_is() { # VERDICT GPA
	for from in "-V $VM" "-i $WORK/smm.spt"; do
		# shellcheck disable=SC2086 # two words
		spt $from walk gpa "$2" >"$WORK/smm"
		grep -q "^$1: " "$WORK/smm" || { echo "$from:"; cat "$WORK/smm"; return 1; }
	done
}
pages_do 'touch 0x70009000 r' 'smm on' 'touch 0x70008000 w' >/dev/null
check smm-saved spt -V "$VM" save --with host "$WORK/smm.spt"
check memory-of-smm-alone verdict_is coherent 0x70008000
check device-but-in-smm verdict_is mmio 0x70009000
pages_do 'smm off' >/dev/null

# Another CR3: a page of the guest that is no table, and one that is nowhere.
check cr3-nowhere sh -c "spt -V '$VM' walk gva 0 --cr3 0x7fff0000; test \$? -eq 1"
grep -q 'no memslot has this address' "$WORK/check.out" || not_ok "cr3-nowhere-said: $(cat "$WORK/check.out")"

# A table that the VMM has no page for is not faulted in to be read.
pages_do 'madvise 0x700000 dontneed' >/dev/null
spt -V "$VM" walk gva 0 --cr3 0x700000 >"$WORK/absent"
check absent-said grep -q 'the VMM has no page there now' "$WORK/absent"
check absent-left-absent sh -c "pages --send '$WORK/pages.sock' 'pagemap 0x700000' | grep -q none"
finish
