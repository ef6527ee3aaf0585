#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Images of a guest that deletes and re-adds slots, faults, zaps, splits and logs all the time: not
# one wrong entry, and an image that caught a change half way says so. CHURN_IMAGES: how many.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"

case $LAB_MMU-$LAB_KERNEL in
npt-6.12 | svm-shadow-6.12) images=${CHURN_IMAGES:-1000} ;;
ept* | vmx*) images=${CHURN_IMAGES:-${LAB_ALL:+200}} ;;
*) images=${CHURN_IMAGES:-200} ;;
esac
images=${images:-60} # under Bochs, where each takes seconds

settle
# The other VM stands still: nothing of it may ever show up in the first one's images.
other_sock=$WORK/other.sock
pages --socket "$other_sock" --background >"$WORK/other.out" 2>&1 </dev/null ||
	not_ok "other-guest: $(cat "$WORK/other.out")"
other_pid=$(pages --send "$other_sock" layout | sed 's/.*"pid":\([0-9]*\).*/\1/')
other=$(cd "$DEBUGFS" && ls -d "$other_pid"-*)
check other-image sh -c "cat '$DEBUGFS/$other/image' >'$WORK/other.spt'"

# A judge that finds nothing wrong anywhere would be none: every page of a VM is its own.
check judge-sees-foreign-pages sh -c "judge --image '$DEBUGFS/$other/image' --pid $other_pid \
	--foreign '$WORK/other.spt' --count 1 | grep -q 'not ok.* wrong\$'"

vcpus=1
[ "${LAB_SMP:-1}" -eq 1 ] || vcpus=2
pages_start --churn forever --vcpus $vcpus || finish
judge --image "$DEBUGFS/$VM/image" --pid "$PAGES_PID" --foreign "$WORK/other.spt" \
	--count "$images" >"$WORK/judge" 2>&1 || FAILED=1
grep -Eq '^(ok|not ok) ' "$WORK/judge" || not_ok "judge: $(cat "$WORK/judge")"
cat "$WORK/judge"

# What is torn must be so for the tool too, and it must not be lost for words over it.
torn_said() {
	i=0
	while [ "$i" -lt 50 ]; do
		cat "$DEBUGFS/$VM/image" >"$WORK/one.spt" || return 1
		spt -i "$WORK/one.spt" --json tree >"$WORK/json" || return 1
		i=$((i + 1))
	done
}
check every-image-can-be-shown torn_said

# It was real churn, and what it leaves behind is whole.
was_busy() {
	pages --send "$WORK/pages.sock" 'churn off' >"$WORK/report" || return 1
	cat "$WORK/report"
	# Every kind of change took place, on the vCPU that there is.
	for kind in faults0 slots discards dirty huge; do
		grep -Eq " $kind=[0-9]{2,}" "$WORK/report" || return 1
	done
}
check guest-was-busy was_busy
change touch-again 'touch 0x10000000+4M w' 'touch 0x20000000+8M w' 'touch 0x58000000+1M r' \
	'touch 0x60000000+64K w' 'touch 0x68000000+64K w' 'touch 0x78000000+4M w'
verify settled
same_image() {
	spt -i "$WORK/other.spt" --json tree --leaves >"$WORK/before" &&
		spt -V "$other" --json tree --leaves >"$WORK/after" && cmp "$WORK/before" "$WORK/after"
}
check other-guest-is-as-it-was same_image
pages --send "$other_sock" quit >/dev/null
finish
