#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every action while the vCPU's thread is in user space, in the guest, and halted: what KVM counts and
# traces, what the host says of the page, what L1's memory holds (right after each action where the
# guest stands still, and of all of it at the end) and what the guest sees afterwards.
# With EPT once more without accessed and dirty bits. What a mode cannot do it refuses, and says why.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/act_control.sh
. "$(dirname "$0")/act_control.sh"
# shellcheck source=tests/lab/breaker.sh
. "$(dirname "$0")/breaker.sh"

case $LAB_MMU in
*shadow) tdp='' tdp_mmu='' gva=0x100000000000 ;;
*list) tdp=1 tdp_mmu='' gva=0 ;;
*) tdp=1 tdp_mmu=1 gva=0 ;;
esac
BASE=0x10000000	# 64K of 'anon', which the actions are of
HOT=0x10100000	# what a running vCPU goes round
THP=0x20000000	# 2M of 'thp'
TRACE=/sys/kernel/tracing/instances/act

counter() {
	cat "/sys/kernel/debug/kvm/$VM/$1"
}

# --- what KVM traces ---
trace_open() {
	[ -d /sys/kernel/tracing/events ] || mount -t tracefs none /sys/kernel/tracing || return 1
	[ -d "$TRACE" ] || mkdir "$TRACE" || return 1
	echo 256 >"$TRACE/buffer_size_kb"
	echo 1 >"$TRACE/events/kvm/kvm_page_fault/enable" || return 1
	[ -z "$tdp_mmu" ] || echo 1 >"$TRACE/events/kvmmmu/kvm_tdp_mmu_spte_changed/enable"
}

trace_close() {
	echo 0 >"$TRACE/events/enable"
	rmdir "$TRACE"
}

trace_clear() {
	echo >"$TRACE/trace"
}

# A fault of the guest at that page: of its GVA where its tables are shadowed.
traced_fault() { # GPA
	page=$(printf '%x' $((($1 + gva) >> 12)))
	grep -Eq "kvm_page_fault: .*address (0x)?0*${page}[0-9a-f]{3} " "$TRACE/trace"
}

# The TDP MMU tells of each entry that changes.
traced_entry() { # GPA LEVEL
	[ -n "$tdp_mmu" ] || return 0
	grep -Eq "kvm_tdp_mmu_spte_changed: as id 0 gfn $(printf '%x' $(($1 >> 12))) level $2 " "$TRACE/trace"
}

# KVM was asked to flush the TLBs; there is nobody to interrupt where no vCPU runs.
flushes() {
	counter remote_tlb_flush_requests
}

# --- what L1's memory has ---
# in_memory NAME GPA LEVEL TEST: the entry that translates it, read from outside of L1, is the one
# that spt shows, and it is so: 'gone', 'mapped', 'table' or a permission or bit that it lacks or has.
# Only where nothing moves.
in_memory() {
	case $state in
	running*) return ;;
	esac
	check "$state-$1-in-memory" memory_is "$2" "$3" "$4"
}

memory_is() {
	[ "$3" != gone ] || [ -n "$tdp" ] || { memory_lacks "$1"; return; }
	rm -f "$WORK/trouble"
	entry "$1" "$2"
	if [ -s "$WORK/trouble" ]; then
		# Nothing is there at that level: what is above it is the proof.
		rm -f "$WORK/trouble"
		[ "$3" = gone ] && entry "$1" $(($2 + 1))
		[ ! -s "$WORK/trouble" ] || { cat "$WORK/trouble"; return 1; }
	fi
	raw=$(memory_at $((table + at)))
	echo "entry of level $2 for $1 at $table+$at: spt says $spte, memory has $raw"
	[ $((raw)) -eq $((spte)) ] || return 1
	# SPTE_MMU_PRESENT, PS and W are the same bit in all formats.
	case $3 in
	gone) ! has 0x800 ;;
	mapped) has 0x800 ;;
	table) has 0x800 && ! has 0x80 ;;
	huge) has 0x800 && has 0x80 ;;
	write) has 0x800 && has 2 ;;
	no-write) has 0x800 && ! has 2 ;;
	no-exec) has 0x800 && not_executable ;;
	not-accessed) has 0x800 && ! has "$(mask shadow_accessed_mask)" ;;
	0x*) has 0x800 && [ $((raw & 0xffffffffff000)) -eq $(($3)) ] ;;
	*) return 1 ;;
	esac
}

memory_at() { # HPA
	# shellcheck disable=SC2016 # expanded outside
	echo "0x$(lab-outside sh -c 'od -An -tx8 -j "$1" -N8 "$LAB_RAM"' od "$1" | tr -d ' ')"
}

# Shadow pages are found by what they map, so that what maps nothing is nowhere to be found: where the
# entry is, while it is there.
keep_place() { # GPA
	[ -z "$tdp" ] || return 0
	rm -f "$WORK/trouble"
	entry "$1" 1
	[ ! -s "$WORK/trouble" ] || { cat "$WORK/trouble"; return 1; }
	kept=$((table + at))
	raw=$(memory_at "$kept")
	has 0x800
}

# Nothing maps it, and nothing is where keep_place found the entry.
memory_lacks() { # GPA
	spt -V "$VM" walk gpa "$1" >"$WORK/walk"
	mapped=$?
	raw=$(memory_at "$kept")
	echo "entry for $1 was at $kept: memory has $raw; the walk says $mapped:"
	cat "$WORK/walk"
	[ "$mapped" -eq 1 ] && ! has 0x800
}

has() { # BITS
	[ $((raw & $1)) -ne 0 ]
}

# Bits that allow execution: one, or with later kernels one each for the kernel and the user.
not_executable() {
	if [ $(($(mask shadow_nx_mask))) -ne 0 ]; then
		has "$(mask shadow_nx_mask)"
		return
	fi
	exec_mask=0
	for name in shadow_x_mask shadow_xs_mask shadow_xu_mask; do
		bits=$(mask "$name")
		case $bits in
		0x*) exec_mask=$((exec_mask | bits)) ;;
		esac
	done
	[ "$exec_mask" -ne 0 ] && ! has "$exec_mask"
}

# --- where the vCPU is ---
enter() {
	case $state in
	running*) pages_do "touch $HOT+16K w" "run $HOT+16K w" >/dev/null ;;
	halted) pages_do halt >/dev/null ;;
	esac
}

leave() {
	case $state in
	running*)
		rounds=$(pages_do pause | sed -n 's/.*rounds0=\([0-9]*\).*/\1/p')
		[ "${rounds:-0}" -gt 0 ]
		;;
	halted) pages_do pause >/dev/null ;;
	esac
}

# in_state NAME FUNCTION...: the vCPU is put where it is to be, and taken from there again.
in_state() {
	in_state_name=$1
	shift
	enter || not_ok "$state-enter: $(cat "$WORK/pages.out")"
	check "$state-$in_state_name" "$@"
	leave || not_ok "$state-leave-after-$in_state_name: $rounds rounds"
}

# Done by this line, KVM's count of 4K pages (2M with PAGES=2m) changed by that much.
counted() { # DIFFERENCE LINE
	before=$(counter "pages_${PAGES:-4k}")
	control "$2" || { cat "$WORK/control"; return 1; }
	after=$(counter "pages_${PAGES:-4k}")
	echo "pages_${PAGES:-4k}: $before, then $after"
	cat "$WORK/control"
	[ $((after - before)) -eq "$1" ]
}

# The guest's next access of that kind needs no fault.
no_fault_more() { # GPA ACCESS
	trace_clear
	pages_do "touch $1 $2" && ! traced_fault "$1"
}

# The guest's next access of that kind faults, KVM traces that and counts it.
faults_once_more() { # GPA ACCESS
	trace_clear
	before=$(counter pf_taken)
	pages_do "touch $1 $2" || return 1
	[ "$(counter pf_taken)" -gt "$before" ] && traced_fault "$1"
}

zaps() {
	trace_clear
	flushed=$(flushes)
	counted -16 "zap gpa=$BASE+0x10000" && [ "$(word 4k-before mapped)" = 16 ] &&
		[ "$(word 4k-after mapped)" = 0 ] && traced_entry "$BASE" 1 && [ "$(flushes)" -gt "$flushed" ]
}

# Pages that one fault maps where the host has all of them: without the TDP MMU those beside it, too
# (direct_pte_prefetch()), of each 8 that are aligned; but where the processor keeps no accessed bits.
mapped_by_a_fault() {
	case $state$tdp_mmu in
	*1 | *-without-ad) echo 1 ;;
	*) echo 8 ;;
	esac
}

# By its own thread in KVM_RUN, by ours where it is in user space.
forces_a_fault() {
	trace_clear
	counted "$(mapped_by_a_fault)" "fault gpa=$BASE access=w" && [ "$(value ret)" = fixed ] && traced_entry "$BASE" 1 || return 1
	case $state in
	user*) [ "$(value context)" = thread ] ;;
	*) [ "$(value context)" = run ] ;;
	esac
}

refuses_a_fault() {
	! control "fault gpa=$BASE access=w" && cat "$WORK/control" && [ "$(value result)" = refused ] &&
		value reason | grep -q '^mode: .*guest-virtual'
}

host_page() { # GPA
	pages_do "pagemap $1" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

remaps() {
	was=$(host_page $((BASE + 0x1000)) 2>/dev/null) moved=$(vmstat_of pgmigrate_success)
	control "remap gpa=$((BASE + 0x1000)) count=3" || { cat "$WORK/control"; return 1; }
	cat "$WORK/control"
	[ "$(grep -c '^step: ' "$WORK/control")" = 3 ] && [ $(($(vmstat_of pgmigrate_success) - moved)) -ge 3 ] &&
		[ "$(value old-hpa)" != "$(value new-hpa)" ] && [ "$(vmstat_of nr_isolated_anon)" = 0 ] ||
		return 1
	[ -z "$tdp" ] || [ $(($(word after) & 0xffffffffff000)) -eq $(($(value new-hpa))) ]
}

host_has_it() {
	now=$(pages_do "pagemap $((BASE + 0x1000))" | sed 's/.*=//')
	echo "the host has it at $now, and at $was before"
	[ $((now)) -eq $(($(value new-hpa))) ]
}

protects() { # PERM
	trace_clear
	flushed=$(flushes)
	counted 0 "protect gpa=$((BASE + 0x2000)) perm=$1" && [ "$(word before)" != "$(word after)" ] &&
		[ "$(flushes)" -gt "$flushed" ] || return 1
	# Execution is taken here, writing by KVM, which tells of it.
	[ "$1" = rw ] || traced_entry $((BASE + 0x2000)) 1
}

splits() {
	trace_clear
	PAGES=2m counted -1 "split gpa=$THP" && [ "$(word level-before)" = 2 ] || return 1
	split_id=$(value undo)
	# With shadow paging the guest's next access maps it.
	[ -z "$tdp" ] || [ "$(word level-after)" = 1 ]
}

# Zapped and mapped again it is 4K all the same.
stays_small() {
	control "zap gpa=$THP+0x200000" && pages_do "touch $THP+4K w" || return 1
	! control "split gpa=$THP dry-run=1" && value reason | grep -q '^not-huge:'
}

unsplits() {
	control "undo id=$split_id"
}

# What was mapped while it was tracked is 4K, and stays so when nothing keeps it small any more.
small_for_no_reason() {
	control "zap gpa=$THP+0x200000" && control "track gpa=$THP" || return 1
	track_id=$(value undo)
	pages_do "touch $THP+2M w" && control "undo id=$track_id" || return 1
	! control "split gpa=$THP dry-run=1" && value reason | grep -q '^not-huge:'
}

collapses() {
	control "collapse gpa=$THP" || { cat "$WORK/control"; return 1; }
	cat "$WORK/control"
	[ -z "$tdp" ] || [ "$(word level-after)" = 2 ]
}

is_huge() {
	pages_do "touch $THP+4K w" && control "split gpa=$THP dry-run=1"
}

tracks() {
	control "track gpa=$((BASE + 0x3000))" && track_id=$(value undo) && [ -n "$track_id" ]
}

# Two writes and a read, of which KVM traces two faults at least.
track_counts() {
	trace_clear
	pages_do "write $((BASE + 0x3000)) 1" "read $((BASE + 0x3000))" "write $((BASE + 0x3000)) 2" &&
		traced_fault $((BASE + 0x3000)) && control "undo id=$track_id" && [ "$(value count)" = 2 ]
}

marks() { # ACTION
	trace_clear
	flushed=$(flushes)
	control "$1 gpa=$BASE+0x10000" && [ "$(value count)" -ge 16 ] && [ "$(flushes)" -gt "$flushed" ] &&
		traced_entry "$BASE" 1
}

shows() { # ACTION
	pages_do "touch $((BASE + 0x4000)) w" && control "$1 gpa=$BASE+0x10000 show=1" || return 1
	cat "$WORK/control"
	[ "$(grep -c '^touched: ' "$WORK/control")" = 1 ] &&
		[ $(($(word gpa touched))) -eq $((BASE + 0x4000)) ] && [ $(($(word size touched))) -eq 4096 ]
}

# Without accessed bits an entry that was aged permits nothing until the next access: what is taken
# from it must not come back with that.
protects_aged() {
	pages_do "touch $BASE+64K x" "touch $BASE+64K w" && control "age gpa=$BASE+0x10000" &&
		protects rw && cat "$WORK/control" && pages_do "touch $((BASE + 0x2000)) r" || return 1
	faults_once_more $((BASE + 0x2000)) x && pages_do "touch $((BASE + 0x2000)) w"
}

# Armed as it is; who comes first is told with its instruction.
traps() {
	case $state in
	running*)
		listen "trap gpa=$HOT count=2 timeout=60" && heard && at='run-write'
		;;
	*)
		keep_place $((BASE + 0x5000)) || return 1
		listen "trap gpa=$((BASE + 0x5000)) count=1 timeout=60" || return 1
		memory_is $((BASE + 0x5000)) 1 gone || return 1
		leave
		pages_do "touch $((BASE + 0x5000)) w" || return 1
		heard && at='write'
		enter
		;;
	esac || { cat "$WORK/heard"; return 1; }
	rip=$(pages_code "$at")
	cat "$WORK/heard"
	[ $(($(word rip hit "$WORK/heard"))) -eq $((rip)) ] && [ -n "$(word insn hit "$WORK/heard")" ]
}

pages_code() { # NAME
	tr ' ' '\n' <"$WORK/code" | sed -n "s/^$1=//p"
}

# Every action, where $state says.
all_actions() {
	accessed_bits=$(mask shadow_accessed_mask)
	check "$state-fill" pages_do "touch $BASE+64K x" "fill $BASE+64K 21" "fill $THP+2M 22"
	keep_slots

	check "$state-place" keep_place "$BASE"
	in_state zap zaps
	in_memory zap "$BASE" 1 gone
	if [ -n "$tdp" ]; then
		in_state fault forces_a_fault
		in_memory fault "$BASE" 1 write
		check "$state-fault-was-enough" no_fault_more "$BASE" w
	else
		in_state fault-refused refuses_a_fault
	fi
	check "$state-zapped-comes-back" faults_once_more $((BASE + 0x8000)) r
	check "$state-zapped-content" pages_do "verify $BASE+64K 21"

	in_state remap remaps
	check "$state-remap-host" host_has_it
	[ -z "$tdp" ] || in_memory remap $((BASE + 0x1000)) 1 "$(value new-hpa)"
	check "$state-remapped-content" pages_do "verify $BASE+64K 21"

	check "$state-all-mapped" pages_do "touch $BASE+64K x" "touch $BASE+64K w" "fill $BASE+64K 21"
	in_state protect-write protects rx
	in_memory protect-write $((BASE + 0x2000)) 1 no-write
	check "$state-protect-write-once" faults_once_more $((BASE + 0x2000)) w
	check "$state-executable" pages_do "touch $((BASE + 0x2000)) x"
	in_state protect-exec protects rw
	in_memory protect-exec $((BASE + 0x2000)) 1 no-exec
	check "$state-protect-exec-once" faults_once_more $((BASE + 0x2000)) x
	in_state protect-both protects r
	in_memory protect-both $((BASE + 0x2000)) 1 no-write
	check "$state-protect-both-once" faults_once_more $((BASE + 0x2000)) w

	in_state track tracks
	[ -z "$tdp" ] || in_memory track $((BASE + 0x3000)) 1 no-write
	check "$state-track-counts" track_counts
	check "$state-untracked" pages_do "touch $((BASE + 0x3000)) w"
	in_memory untrack $((BASE + 0x3000)) 1 write
	check "$state-slots-after-track" same_slots

	check "$state-all-touched" pages_do "touch $BASE+64K w"
	in_state age marks age
	in_memory age "$BASE" 1 "$([ $((accessed_bits)) -eq 0 ] && echo mapped || echo not-accessed)"
	check "$state-age-shows" shows age
	check "$state-all-touched-again" pages_do "touch $BASE+64K w"
	in_state dirty marks dirty
	in_memory dirty "$BASE" 1 no-write
	check "$state-dirty-shows" shows dirty
	check "$state-age-then-protect" protects_aged

	in_state trap traps

	if [ "$(counter pages_2m)" -ge 1 ] && is_huge >/dev/null; then
		in_state split splits
		[ -z "$tdp" ] || in_memory split "$THP" 2 table
		check "$state-split-content" pages_do "verify $THP+2M 22"
		check "$state-split-stays" stays_small
		in_state unsplit unsplits
		check "$state-unsplit-is-huge" is_huge
		in_memory unsplit "$THP" 2 huge
		check "$state-unsplit-content" pages_do "verify $THP+2M 22"
		check "$state-small-for-no-reason" small_for_no_reason
		in_state collapse collapses
		[ -z "$tdp" ] || in_memory collapse "$THP" 2 huge
		check "$state-collapsed-is-huge" is_huge
		check "$state-collapsed-content" pages_do "verify $((THP + 0x1000))+1M 22"
	else
		not_ok "$state-huge: no huge page at $THP"
	fi
	check "$state-slots" same_slots
	# Without accessed bits what was aged maps nothing for the processor until it is used.
	check "$state-all-used" pages_do "touch $BASE+64K w"
	verify "$state"
}

reload_kvm() { # PARAMETER...
	spt agent unload && rmmod kvm_intel && modprobe kvm_intel "$@" && spt agent load --armed
}

guest_start() {
	pages_start --irqchip || finish
	pages_do code >"$WORK/code"
}

settle
arm_agent
check trace-open trace_open
guest_start
for state in user running halted; do
	all_actions
done
pages_stop
case $LAB_MMU in
ept | ept-list)
	check no-ad-bits reload_kvm eptad=0
	guest_start
	state=user-without-ad
	all_actions
	state=running-without-ad
	in_state age marks age
	pages_stop
	check ad-bits-again reload_kvm eptad=1
	;;
esac
check nothing-to-undo sh -c "! grep undo=open '$DEBUGFS/journal'"
check trace-close trace_close
finish
