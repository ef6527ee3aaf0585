#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Bad input and bad circumstances: one clear line and the documented exit status, and the agent and
# the tool work afterwards as before.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

# Runs a command with nothing but root's own files changed: without DIR's content.
without() { # DIR COMMAND...
	dir=$1
	shift
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -m sh -c 'dir=$1; shift; mkdir -p /tmp/empty && mount --bind /tmp/empty "$dir" && exec "$@"' \
		without "$dir" "$@"
}

# busybox's setpriv changes no user; where there is nothing else, nobody is not known, either.
as_nobody() {
	if [ -x /usr/bin/setpriv ]; then
		/usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"
	else
		[ -e /etc/passwd ] || { mkdir -p /etc && echo nobody:x:65534:65534::/: >/etc/passwd; }
		program=$(command -v "$1")
		shift
		start-stop-daemon -S -q -c 65534:65534 -x "$program" -- "$@"
	fi
}

# flip FILE OFFSET BITS COPY: a copy with some bits of one byte inverted.
flip() {
	cp "$1" "$4"
	byte=$(dd if="$1" bs=1 skip="$2" count=1 2>/dev/null | od -An -tu1 | tr -d ' ')
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\$(printf %o $((byte ^ $3)))" | dd of="$4" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

pages_start || finish

# Arguments
refused unknown-command 2 'unknown command' spt frobnicate
refused unknown-option 2 'option' spt vms --frobnicate
refused missing-address 2 'walk' spt walk gpa
refused bad-address 2 '0x12zz' spt walk gpa 0x12zz
refused address-overflow 2 'does not fit' spt walk gpa 0x1ffffffffffffffff
refused address-out-of-range 2 'beyond' spt walk gpa 0xffffffffffff0000
refused range-overflow 2 'range|address' spt tree 0xfffffffffffff000+0x2000
refused no-such-vm 2 'no VM|99999' spt -V 99999-9 vm
refused bad-column 2 'column' spt vms -o frobnicate
refused unknown-format 2 'format' spt decode spte 0x1 --format vax
no_json_error() {
	spt --json -V 99999-9 vm >"$WORK/json" 2>"$WORK/err" && return 1
	grep -q '"error"' "$WORK/json" && grep -q '"message"' "$WORK/json" && [ "$(wc -l <"$WORK/err")" -eq 1 ]
}
check json-error no_json_error

# Images
spt save "$WORK/good.spt" >/dev/null || not_ok save
size=$(wc -c <"$WORK/good.spt")
check good-image spt -i "$WORK/good.spt" vm
for keep in 0 7 8 100 $((size / 2)) $((size - 8)) $((size - 1)); do
	head -c "$keep" "$WORK/good.spt" >"$WORK/cut.spt"
	refused "image-cut-at-$keep" 2 'cut.spt' spt -i "$WORK/cut.spt" tree
done
for at in 0 9 300 $((size / 3)) $((size / 2)) $((size - 20)); do
	flip "$WORK/good.spt" "$at" 16 "$WORK/flip.spt"
	refused "image-flipped-at-$at" 2 'flip.spt' spt -i "$WORK/flip.spt" tree
done
refused image-missing 2 'No such file' spt -i "$WORK/none.spt" vm
refused image-is-a-directory 2 . spt -i "$WORK" vm
refused save-to-nowhere 2 'No such file|directory' spt save "$WORK/none/x.spt"
check no-half-file sh -c "! ls $WORK/none* 2>/dev/null | grep ."

# Circumstances
refused not-root 2 'root' as_nobody spt vms
refused debugfs-not-mounted 2 'mount -t debugfs' without /sys/kernel/debug spt vms
id=$VM
pages_stop KILL
refused vm-gone 2 "no VM '$id'" spt -V "$id" walk gpa 0x1000
refused no-vm 2 'no VM' spt vm

# A VM that vanishes while its image is open: the image is still whole.
pages_start || finish
vanish() {
	exec 7<"$DEBUGFS/$VM/image"
	dd bs=4096 count=1 of="$WORK/vanish.spt" <&7 2>/dev/null
	pages_stop KILL
	cat >>"$WORK/vanish.spt" <&7
	exec 7<&-
	spt -i "$WORK/vanish.spt" vm >/dev/null
}
check vm-vanishes-mid-read vanish

# Layouts
spt agent unload || not_ok unload
refused agent-not-loaded 2 'agent load' spt vms
refused nothing-to-unload 2 'not loaded' spt agent unload
refused no-btf-no-dwarf 2 'dbg|debug' without /sys/kernel/btf spt agent load
layout_none() {
	grep -q '^layout: none' "$DEBUGFS/status"
}
insmod "$LAB_AGENT" || not_ok insmod
check starts-without-layout layout_none
refused no-layout-yet 2 'layout' spt vms
garbage() {
	head -c "$1" "$2" >"$WORK/blob"
	if cat "$WORK/blob" >"$DEBUGFS/layout" 2>/dev/null; then
		echo "$1 bytes of $2 were accepted"
		return 1
	fi
	layout_none
}
check layout-zeros garbage 3000 /dev/zero
check layout-random garbage 5000 /dev/urandom
check layout-short garbage 8 /dev/urandom
check layout-huge garbage 10000000 /dev/zero

# A good blob, then one changed byte at a time: each place is refused with the reason.
if spt layout --blob "$WORK/good.blob" 2>"$WORK/err"; then
	blob_size=$(wc -c <"$WORK/good.blob")
	flipped() {
		flip "$WORK/good.blob" "$1" 1 "$WORK/flipped.blob"
		garbage "$blob_size" "$WORK/flipped.blob"
	}
	for at in 0 8 12 16 24 40 70 100 200 1000 2000 $((blob_size - 1)); do
		check "layout-flipped-at-$at" flipped "$at"
	done
	check layout-cut garbage $((blob_size - 8)) "$WORK/good.blob"
	check layout-good sh -c "cat $WORK/good.blob >$DEBUGFS/layout"
else
	not_ok "layout-blob: $(cat "$WORK/err")"
fi
spt agent unload
check load-again spt agent load
pages_start || finish
check works-afterwards spt walk gpa 0x1000
finish
