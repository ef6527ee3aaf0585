#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A VM with private memory through its life, as the tool shows it: prefault, shared fault,
# conversion both ways, hole punch, slot delete, the VMM killed; each followed by walk, diff and
# audit. Mode tdx.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"

says() { # FILE WORD...: its JSON has each of these words
	says_file=$1
	shift
	tr -d ' \n' <"$says_file" >"$WORK/flat"
	for word in "$@"; do
		grep -Fq "$word" "$WORK/flat" && continue
		echo "not there: $word in: $(cut -c 1-1500 "$WORK/flat")"
		return 1
	done
}

# walks NAME GPA VERDICT WORD...: what walk says of the address.
walks() {
	walks_name=$1 gpa=$2 verdict=$3
	shift 3
	spt -V "$VM" --json walk gpa "$gpa" >"$WORK/walk" 2>"$WORK/walk.err"
	check "walk-$walks_name" says "$WORK/walk" "\"verdict\":\"$verdict\"" "$@"
}

# explains NAME GPA CAUSE...: why names each of these causes.
explains() {
	explains_name=$1 gpa=$2
	shift 2
	spt -V "$VM" --json why "$gpa" >"$WORK/why" 2>&1
	for cause in "$@"; do
		check "why-$explains_name-$cause" says "$WORK/why" "\"name\":\"$cause\""
	done
}

# audited NAME: nothing is wrong, and each rule about the halves had something to look at.
audited() {
	spt -V "$VM" --json audit >"$WORK/audit" 2>"$WORK/audit.err"
	audit_status=$?
	tr -d ' \n' <"$WORK/audit" | sed 's/{"name"/\n&/g' | sed -n \
		's/^{"name":"\(attrs-root\|mirror-[a-z]*\|one-half\|shared-bit\)",.*"checked":\([0-9]*\),.*/\1 \2/p' \
		>"$WORK/checked"
	checked=$(awk '$2 > 0 { n++ } END { print n + 0 }' "$WORK/checked")
	if [ $audit_status -ne 0 ] || [ "$checked" -ne 6 ]; then
		not_ok "audit-$1: exit $audit_status, $checked of 6 rules: $(cat "$WORK/checked")"
		spt -V "$VM" audit | tail -5
	else
		ok "audit-$1"
	fi
}

moment() {
	spt -V "$VM" save "$WORK/before.spt" >/dev/null
}

# changed NAME 'KIND ROOT GPA SIZE CONVERSION'...: exactly that since the last moment. Of slot 0,
# below 8M, it is the guest's page tables that come when an address is used first: left out.
changed() {
	changed_name=$1
	shift
	printf '%s\n' "$@" | sort >"$WORK/wanted"
	spt -V "$VM" --json diff "$WORK/before.spt" >"$WORK/diff" 2>"$WORK/diff.err"
	tr -d ' \n' <"$WORK/diff" | sed 's/{"time"/\n&/g; s/{"kind"/\n&/g' | sed -n \
		's/.*"kind":"\([a-z]*\)".*"root_kind":"*\([a-z]*\)"*,.*"gpa":"\(0x[0-9a-f]*\)","size":\([0-9]*\),.*"conversion":"*\([a-z-]*\)"*[,}].*/\1 \2 \3 \4 \5/p' |
		grep -v ' 0x[0-9a-f]\{1,6\} ' | sort >"$WORK/seen"
	if cmp -s "$WORK/wanted" "$WORK/seen"; then
		ok "diff-$changed_name"
	else
		not_ok "diff-$changed_name: $(diff "$WORK/wanted" "$WORK/seen")"
		head -c 1500 "$WORK/diff"
	fi
}

settle
pages_start --tdx || finish

# --- Three trees side by side, and the bit that chooses.
spt -V "$VM" --json roots >"$WORK/roots"
for kind in direct mirror external; do
	check "roots-$kind" says "$WORK/roots" "\"kind\":\"$kind\""
done
check roots-halves says "$WORK/roots" '"half":"shared","gpa_bit":39,"gpa_bit_set":true' \
	'"half":"private","gpa_bit":39,"gpa_bit_set":false'
spt -V "$VM" --json vm >"$WORK/vm"
check vm-type says "$WORK/vm" '"type":"tdx"' '"external_readable":1' '"tdx_hkid":null' \
	'"gfn_direct_bits":"0x8000000"'
spt -V "$VM" --json ranges --split-by level,perm,slot,type >"$WORK/ranges"
check ranges-private says "$WORK/ranges" '"kind":"mirror","gpa":"0x20000000","size":65536' \
	'"half":"private"' '"half":"shared"'
spt -V "$VM" --json stats --only halves >"$WORK/stats"
# Private by attribute: 8M-8K, 4M, 2M and 512K; shared the rest of 21M.
check stats-halves says "$WORK/stats" '{"half":"private","bytes":15196160,' \
	'{"half":"shared","bytes":6823936,'

# --- A private page by both its addresses, a shared one by both.
same='"external_agrees":true'
walks private 0x10000000 private '"attributes":"private"' "$same" \
	'"halves":{"gpa_bit":39,"private":"0x10000000","shared":"0x8010000000","asked":"private"}'
page() { # where guest_memfd and the mirror have it
	tr -d ' \n' <"$WORK/walk" | sed 's/{"root_hpa"/\n&/g; s/"more_roots"/\n&/' |
		sed -n 's/.*"guest_memfd_hpa":"\([^"]*\)".*/file \1/p
			s/.*"kind":"\(mirror\|external\)".*"hpa":"\([^"]*\)","page_size":4096[^}]*},*\]*,*$/\1 \2/p'
}
page >"$WORK/page"
check private-page-is-the-files sh -c \
	"[ \"\$(wc -l <$WORK/page)\" = 3 ] && [ \"\$(cut -d' ' -f2 $WORK/page | sort -u | wc -l)\" = 1 ]"
walks private-by-shared 0x8010000000 private '"asked":"shared"' '"gpa":"0x10000000"' "$same"
walks shared 0x8020200000 coherent '"attributes":"shared"' '"guest_memfd_hpa":null'
walks shared-by-private 0x20200000 coherent '"asked":"private"'
explains private 0x10000000 private-4k other-half
explains shared 0x8020200000 host-smaller
audited ready

# --- Prefault.
moment
pages_do 'prefault 0x10280000+256K' >/dev/null
changed prefault 'added mirror 0x10280000 262144 null'
walks prefaulted 0x10280000 private "$same"
audited prefault

# --- Shared fault.
moment
pages_do 'touch 0x8020280000+64K w' >/dev/null
changed shared-fault 'added direct 0x20280000 65536 null'
walks shared-faulted 0x8020280000 coherent
audited shared-fault

# --- Both ways.
moment
pages_do 'convert 0x10000000+16K shared' 'touch 0x8010000000+16K w' >/dev/null
changed to-shared 'slot null 0x10000000 16384 to-shared' \
	'removed mirror 0x10000000 16384 to-shared' 'added direct 0x10000000 16384 to-shared'
walks became-shared 0x10000000 coherent '"attributes":"shared"' '"guest_memfd_hpa":null'
audited to-shared
moment
pages_do 'convert 0x10000000+16K private' 'touch 0x10000000+16K w' >/dev/null
changed to-private 'slot null 0x10000000 16384 to-private' \
	'removed direct 0x10000000 16384 to-private' 'added mirror 0x10000000 16384 to-private'
walks became-private 0x8010000000 private '"attributes":"private"' "$same"
audited to-private
# Of memory that was never mapped the attribute alone says it.
moment
pages_do 'attributes 0x103c8000+16K shared' >/dev/null
changed attribute 'slot null 0x103c8000 16384 to-shared'
pages_do 'attributes 0x103c8000+16K private' >/dev/null

# --- Hole punch.
moment
pages_do 'punch 0x10010000+16K' >/dev/null
changed punch 'removed mirror 0x10010000 16384 null'
walks punched 0x10010000 private '"guest_memfd_hpa":null' 'notmappedyet'
explains punched 0x10010000 private-no-page
audited punch

# --- Slot delete.
moment
pages_do 'delete-slot 4' >/dev/null
spt -V "$VM" --json diff "$WORK/before.spt" >"$WORK/diff"
check diff-delete-slot says "$WORK/diff" '"kind":"slot"' \
	'"kind":"removed"' '"gpa":"0x40000000","size":32768'
walks deleted 0x40000000 no-slot
audited delete-slot

# --- What was saved is the same offline; and the VMM killed.
spt -V "$VM" save --with host "$WORK/last.spt" >/dev/null
spt -i "$WORK/last.spt" --json walk gpa 0x10001000 >"$WORK/walk"
check offline-walk says "$WORK/walk" '"verdict":"private"' "$same"
check offline-audit spt -i "$WORK/last.spt" audit
check offline-same spt diff "$WORK/last.spt" "$WORK/last.spt"
pages_stop KILL
gone() {
	[ ! -d "$DEBUGFS/$VM" ]
}
check killed eventually gone
refused killed-walk 2 'no such VM|no VM' spt -V "$VM" walk gpa 0x10000000
finish
