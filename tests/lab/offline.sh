#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A saved image says what the live VM says, word for word, while the guest is paused.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

pages_start || finish
pages_do pause >/dev/null

# A plain read is a whole image; saving makes the same one, compressed or not.
cat "$DEBUGFS/$VM/image" >"$WORK/cat.spt"
check save spt -V "$VM" save "$WORK/save.spt"
check save-compressed spt -V "$VM" save --zstd "$WORK/save.spt.zst"

same() { # FILE COMMAND...
	same_image=$1
	shift
	spt -V "$VM" "$@" >"$WORK/live" 2>"$WORK/live.err"
	live=$?
	spt -i "$same_image" "$@" >"$WORK/saved" 2>"$WORK/saved.err"
	saved=$?
	[ "$live" -eq "$saved" ] || { echo "exit status $live live, $saved saved"; return 1; }
	[ -s "$WORK/live" ] || { echo "nothing was printed"; return 1; }
	diff "$WORK/live" "$WORK/saved" && diff "$WORK/live.err" "$WORK/saved.err"
}

# One process a file and format: what differs is shown with the command that it follows.
commands='vcpus; memslots; roots; tables; tree; ranges; tree 1M; stats --only tables,entries,leaves,slots
ranges --split-by level,perm,hpa,slot,type,nx,dirty'
for file in cat.spt save.spt save.spt.zst; do
	for format in --json --raw; do
		check "$file$format" same "$WORK/$file" $format -c "$commands"
	done
done

# What is counted in the tables is what KVM counts when it makes and drops entries.
counted() { # PAGE_SIZE
	spt -V "$VM" stats --only leaves -rn | awk -v size="$1" '$1 == size { n += $3 } END { print n + 0 }'
}
kvm_counts() {
	spt -V "$VM" vm | awk '$1 == "mapped" { print $2, $5, $8 }'
}
counters_agree() {
	echo "tables: $(counted 4K) $(counted 2M) $(counted 1G), KVM: $(kvm_counts)"
	[ "$(counted 4K) $(counted 2M) $(counted 1G)" = "$(kvm_counts)" ]
}
# Shadow pages that no root leads to any more are in KVM's numbers, and of no use to the guest.
if spt -V "$VM" vm | grep -q ' TDP MMU, '; then
	check leaves-are-as-many-as-kvm-counts counters_agree
fi

# One walk with the host's part: an image of just that page.
narrow() {
	exec 7<>"$DEBUGFS/$VM/image"
	echo "gpa=$1+0x1000 parts=vm,vcpus,memslots,attrs,roots,tables,host" >&7
	cat <&7 >"$WORK/page.spt"
	exec 7<&-
}
for gpa in 0x1000 0x10000000 0x20001000 0x40000000 0x50000000 0x70000000; do
	narrow "$gpa"
	check "walk-$gpa" same "$WORK/page.spt" -c "walk gpa $gpa; walk gpa $gpa --json"
done

# With what the host maps of every slot, a whole image is compared with the host as a live VM is.
check save-with spt -V "$VM" save --with host,guest-tables "$WORK/with.spt.zst"
verdicts() { # OPTION...
	for gpa in 0x1000 0x10000000 0x10200000 0x10180000 0x20001000 0x20600000 0x40000000 0x58001000 \
		0x70000000 0x7fff0000; do
		# A line of its own says the verdict; the page that the host has is above it.
		spt "$@" walk gpa $gpa | sed -n '/^  host/,$ { /HPA/p; /^[a-z-]*: /p; }'
	done
}
verdicts -V "$VM" >"$WORK/live"
verdicts -i "$WORK/with.spt.zst" >"$WORK/saved"
check saved-verdicts diff "$WORK/live" "$WORK/saved"
check saved-verdicts-are-verdicts [ "$(grep -c '^coherent: ' "$WORK/saved")" -ge 5 ]

# The same image twice is the same image, but for its times: nothing is invented.
spt -i "$WORK/cat.spt" --json tree >"$WORK/tree.1"
spt -V "$VM" --json tree >"$WORK/tree.2"
check paused-trees-are-equal cmp "$WORK/tree.1" "$WORK/tree.2"
finish
