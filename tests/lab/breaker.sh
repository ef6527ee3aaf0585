# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For the suites in which the breaker module breaks what a rule of the audit says; sourced after
# lib.sh. The guest is paused while something is broken.
# shellcheck disable=SC2034,SC2120

breaker=/sys/module/breaker/parameters

load_breaker() {
	vms=$(awk '$1 == "kvm:vm_list" { print $2 }' "$DEBUGFS/layout")
	insmod /lab/modules/breaker.ko lab=1 vm_list="$vms"
}

# What the layout in force says of a field: its offset, its place in the word, its mask.
layout() { # FIELD offset|bit|mask
	awk -v field="$1" -v what="$2" '$1 == field {
		for (i = 2; i < NF; i++) if ($i == what) { print $(i + 1); exit } }' "$DEBUGFS/layout"
}

mask() { # NAME
	awk -v name="$1:" '$1 == name { print $2 }' "$DEBUGFS/masks"
}

# entry GPA LEVEL: the entry that translates it: its table's HPA in $table, its offset there in
# $at, its value in $spte, and the HPA that it leads to in $hpa.
entry() {
	spt -V "$VM" --json walk gpa "$1" >"$WORK/walk"
	tr -d ' \n' <"$WORK/walk" | sed 's/{"level"/\n&/g' |
		grep "^{\"level\":$2,\"gpa\"" | head -n 1 >"$WORK/entry"
	take_entry "$1" "$2"
}

# entry_in KIND GPA LEVEL: as entry(), of the root of that kind.
entry_in() {
	spt -V "$VM" --json walk gpa "$2" >"$WORK/walk"
	tr -d ' \n' <"$WORK/walk" | sed 's/{"root_hpa"/\n&/g; s/"more_roots"/\n&/' |
		grep "^{\"root_hpa\":\"[^\"]*\",\"kind\":\"$1\"" | head -n 1 |
		sed 's/{"level"/\n&/g' | grep "^{\"level\":$3,\"gpa\"" | head -n 1 >"$WORK/entry"
	take_entry "$2" "$3"
}

# take_entry GPA LEVEL: what entry() sets, from the entry in $WORK/entry.
take_entry() {
	table=$(sed 's/.*"table_hpa":"\([^"]*\)".*/\1/' "$WORK/entry")
	index=$(sed 's/.*"index":\([0-9]*\),.*/\1/' "$WORK/entry")
	spte=$(sed 's/.*"spte":"\([^"]*\)".*/\1/' "$WORK/entry")
	hpa=$(sed 's/.*"hpa":"\(0x[^"]*\)","perm".*/\1/' "$WORK/entry")
	at=$((index * 8))
	[ -s "$WORK/entry" ] || echo "no entry of level $2 for $1" >>"$WORK/trouble"
}

poke() {
	echo "$*" >$breaker/poke 2>>"$WORK/trouble" || echo "poke $*" >>"$WORK/trouble"
}

# Pokes of an entry just looked up, and of a field of the kvm_mmu_page of the table at $1.
poke_entry() { # OP VALUE
	poke memory "$table" "$at" 8 "$1" "$2"
}

poke_page() { # HPA FIELD SIZE OP VALUE
	poke page "$1" "$(layout "$2" offset)" "$3" "$4" "$5"
}

poke_kvm() { # FIELD SIZE OP VALUE
	poke kvm 0 "$(layout "$1" offset)" "$2" "$3" "$4"
}

audited() { # [IMAGE]: what it found: 'RULE GPA' lines
	if [ $# -eq 1 ]; then
		spt -i "$1" --json audit >"$WORK/json" 2>"$WORK/audit.err"
	else
		spt -V "$VM" --json audit >"$WORK/json" 2>"$WORK/audit.err"
	fi
	status=$?
	[ $status -le 1 ] || cat "$WORK/audit.err"
	tr -d '\n' <"$WORK/json" | sed 's/.*"violations": *\[//; s/{ *"rule"/\n&/g' |
		sed -n 's/.*"rule": *"\([^"]*\)".*"gpa": *"*\([^",]*\)"*,.*/\1 \2/p' | sort -u
}

# judge 'RULE...' GPA|-: these and no others have fired.
judge() {
	judge_name=$(echo "$1" | tr ' ' '+')
	rules=$(awk '{ print $1 }' "$WORK/found" | sort -u | tr '\n' ' ')
	wanted=$(echo "$1" | tr ' ' '\n' | sort -u | tr '\n' ' ')
	if [ -s "$WORK/trouble" ]; then
		not_ok "$judge_name: $(cat "$WORK/trouble")"
		rm -f "$WORK/trouble"
	elif [ "$fired" -ne 1 ] && [ "$1" != invalidate-seq ]; then # which is a hint
		not_ok "$judge_name: exit status $fired"
	elif [ "$rules" != "$wanted" ]; then
		not_ok "$judge_name: fired: $rules"
		head -c 3000 "$WORK/json"
		echo
	elif [ "$2" != - ] && ! grep -q "^${1%% *} 0x0*${2#0x}\$" "$WORK/found"; then
		not_ok "$judge_name: not at $2: $(head -5 "$WORK/found")"
	else
		ok "$judge_name"
	fi
}

# fires 'RULE...' GPA|-: what was poked makes these rules fire and no other, the first of them at
# that address. It is mended then: the next audit, which finds nothing else either, shows that.
fires() {
	audited >"$WORK/found"
	fired=$status
	echo 1 >$breaker/restore 2>>"$WORK/trouble" || echo "restore" >>"$WORK/trouble"
	judge "$@"
}

quiet() {
	audited >"$WORK/found"
	cat "$WORK/found"
	[ "$status" -eq 0 ] && [ ! -s "$WORK/found" ]
}
