#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A bug report of a live VM with its recorded events, plain and redacted: all of it replays, the
# events are those that were recorded, and of what is to be hidden nothing is left, in texts and
# images. zstd and od are the host's: QEMU only.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"

name=a-secret-name
# What others of the host keep there is not ours.
mkdir "$WORK/tmp" && export TMPDIR="$WORK/tmp"
TRACING=/sys/kernel/tracing
[ -d $TRACING/instances ] || mount -t tracefs tracefs $TRACING

settle
pages_start --name $name || finish
named() {
	spt vms | grep -q "$name"
}
check name-is-seen named

# Faults, entries set and taken away: old and new SPTEs with their HPAs.
spt -V "$VM" events --record "$WORK/events.spt" >"$WORK/events.out" 2>&1 &
recorder=$!
instance() {
	records "$recorder"
}
check recording eventually instance
pages_do 'touch 0x10300000+64K w' >/dev/null
spt -V "$VM" tree -rn -o table_hpa,hpa >"$WORK/before"
pages_do 'madvise 0x10300000+64K dontneed' 'touch 0x10300000+32K r' >/dev/null
kill -TERM $recorder
wait $recorder

# What the host's addresses are: not those that are GPAs as well.
spt -V "$VM" tree -rn -o table_hpa,hpa >"$WORK/after"
spt -V "$VM" ranges -rn -o gpa,size >"$WORK/mapped"
cat "$WORK/before" "$WORK/after" | tr ' ' '\n' | grep '^0x' | sort -u |
	grep -Ev '^0x0*(0|[0-7].....|10[0-3].....|20[0-7].....|30[0-3].....)$' >"$WORK/hpas"
check have-addresses test "$(wc -l <"$WORK/hpas")" -ge 100

# make NAME OPTION...: a report, unpacked in $WORK/NAME.
make() {
	made=$1
	shift
	spt -V "$VM" report "$WORK/$made.tar.zst" --walk 'gpa 0x10300000' --events "$WORK/events.spt" "$@" &&
		mkdir "$WORK/$made" && zstd -dcq "$WORK/$made.tar.zst" | tar -x -C "$WORK/$made" &&
		mv "$WORK/$made"/*/* "$WORK/$made"
}
check plain make plain
check redacted make redacted --redact

# One command records and reports: what happens meanwhile is in it, and no recording left behind.
pages_do 'madvise 0x10300000+64K dontneed' >/dev/null
at_once() {
	spt -V "$VM" report "$WORK/at-once.tar.zst" --seconds 6
}
at_once >"$WORK/at-once.out" 2>&1 &
reporter=$!
some_instance() {
	for trace in "$TRACING"/instances/spt-*; do
		[ -d "$trace" ] && records "${trace##*-}" && return
	done
	return 1
}
check at-once-recording eventually some_instance
pages_do 'touch 0x10300000+64K w' >/dev/null
wait $reporter
check at-once test $? = 0
mkdir "$WORK/at-once"
zstd -dcq "$WORK/at-once.tar.zst" | tar -x -C "$WORK/at-once"
mv "$WORK"/at-once/*/* "$WORK/at-once"

events_of() {
	spt -i "$1" -rn events -o kind,address,cause,slot,vcpu_id,rip,instruction 2>/dev/null
}
# FILE: that of a report that has events.
events_file() {
	for file in "$1"/*.spt.zst "$1"/*.spt; do
		[ -e "$file" ] && [ -n "$(events_of "$file" | head -n 1)" ] && echo "$file"
	done | head -n 1
}
events_of "$WORK/events.spt" >"$WORK/wanted"
check events-there test "$(grep -c '^fault' "$WORK/wanted")" = 24
for made in plain redacted; do
	file=$(events_file "$WORK/$made")
	check "$made-events" sh -c "[ -n '$file' ]"
	events_of "$file" >"$WORK/found"
	check "$made-events-same" cmp "$WORK/wanted" "$WORK/found"
	check "$made-audit" spt -i "$WORK/$made/vm.spt.zst" audit
	verdict() {
		spt -i "$WORK/$made/vm.spt.zst" walk gpa 0x10300000 | grep -q '^coherent'
	}
	check "$made-walk" verdict
done

at_once_events() {
	[ "$(events_of "$WORK/at-once/events.spt" | grep -c '^fault 0x0*103')" = 16 ] &&
		[ "$(sed -n 's/^  \(events[^ ]*\) .*/\1/p' "$WORK/at-once/README" | tr '\n' ' ')" = \
			'events.spt events.txt ' ]
}
check at-once-events at_once_events
none_left() {
	[ -z "$(ls -A "$TMPDIR"
		find "$TRACING/instances" -mindepth 1 -maxdepth 1)" ]
}
check nothing-left none_left

# words FILE: the address bits of every 8 bytes of it, at the offsets that records have.
words() {
	case $1 in
	*.zst) zstd -dcq "$1" ;;
	*) cat "$1" ;;
	esac | /usr/bin/od -An -v -tx8 -w8 | sed 's/^ ...\(..........\).*/0x000\1000/' | sort -u
}
# leaks DIR: host addresses in its texts and its images; each in one line with where it is.
leaks() {
	for file in "$1"/* "$1"/host/*; do
		[ -f "$file" ] || continue
		case $file in
		*.zst | *.spt) words "$file" >"$WORK/words" ;;
		*) grep -Eo '0x[0-9a-f]+' "$file" | sed 's/^0x0*//' |
			sed 's/...$/000/; s/^/0000000000000000/; s/.*\(................\)$/0x\1/' |
			sort -u >"$WORK/words" ;;
		esac
		grep -xFf "$WORK/hpas" "$WORK/words" | sed "s,^,${file##*/}: ,"
	done
}
none_leaks() {
	leaks "$WORK/redacted" >"$WORK/leaked"
	head -n 20 "$WORK/leaked"
	[ ! -s "$WORK/leaked" ]
}
# That it would be seen.
plain_leaks() {
	for file in vm.spt.zst tree.txt walk.txt "${file##*/}"; do
		[ ! -e "$WORK/plain/$file" ] || leaks "$WORK/plain" | grep -q "^$file: " || {
			echo "nothing in $file"
			return 1
		}
	done
}
no_name() {
	! grep -rl "$name" "$WORK/redacted" || return 1
	for file in "$WORK"/redacted/*.zst; do
		! zstd -dcq "$file" | grep -q "$name" || { echo "$file"; return 1; }
	done
}
# Where the kernel's text and data are.
symbols() {
	grep -rhoE '0xffffffff[0-9a-f]{8}$' "$1"/*.txt "$1"/*.json "$1"/host | sort -u
}
no_symbol() {
	grep -q offset "$WORK/redacted/host/layout" || return 1
	[ "$(symbols "$WORK/plain" | wc -l)" -ge 10 ] && [ -z "$(symbols "$WORK/redacted")" ]
}
file=$(events_file "$WORK/plain")
check plain-has-addresses plain_leaks
check redacted-has-none none_leaks
check redacted-no-name no_name
check redacted-no-symbol no_symbol
plain_has_name() {
	grep -rq "$name" "$WORK/plain" || zstd -dcq "$WORK/plain/vm.spt.zst" | grep -q pages
}
check plain-has-name plain_has_name
check redacted-says-so grep -qi redacted "$WORK/redacted/README"
finish
