#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A known change of the guest is what diff shows, all of it and nothing else: of two saved images,
# of one and the live VM, and line by line in watch.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"

settle
pages_start || finish

# Where shadow tables have a guest-physical address: at the guest-virtual one.
base=0
case $LAB_MMU in *shadow) base=0x100000000000 ;; esac

# line KIND GPA SIZE [ALSO]: as diff prints it.
line() {
	at=$(($2 + base))
	[ "$1" != slot ] || at=$(($2))
	printf '%s 0x%016x %s %s\n' "$1" $at "$3" "${4:--}"
}

changes() { # A [B]
	spt -V "$VM" diff "$@" -rn -o kind,gpa,size,also
}

# step NAME COMMAND...: lines on stdin are the changes that the commands make.
step() {
	step_name=$1
	shift
	cat >"$WORK/expected"
	check "$step_name-save" spt -V "$VM" save "$WORK/before.spt"
	check "$step_name-do" pages --send "$WORK/pages.sock" "$@"
	check "$step_name-save-after" spt -V "$VM" save --zstd "$WORK/after.spt"
	changes "$WORK/before.spt" "$WORK/after.spt" >"$WORK/found"
	status=$?
	check "$step_name" diff "$WORK/expected" "$WORK/found"
	check "$step_name-status" [ $status -eq 1 ]
	changes "$WORK/before.spt" >"$WORK/live"
	check "$step_name-live" diff "$WORK/found" "$WORK/live"
}

check save-first spt -V "$VM" save "$WORK/first.spt"
check nothing spt -V "$VM" diff "$WORK/first.spt"

step touch 'touch 0x10100000+64K w' <<-END
	$(line added 0x10100000 64K)
END
step zero-page 'touch 0x10200000 w' <<-END
	$(line remapped 0x10200000 4K permission)
END
step dontneed 'madvise 0x10000000+16K dontneed' <<-END
	$(line removed 0x10000000 16K)
END
step mmio 'touch 0x70008000 r' <<-END
	$(line added 0x70008000 4K)
END
step huge-gone 'madvise 0x20200000+2M dontneed' <<-END
	$(line removed 0x20200000 2M)
END
step huge-back 'touch 0x20200000+8K w' <<-END
	$(line added 0x20200000 2M)
END
# The host splits a huge page of which one small page is thrown away.
step split 'madvise 0x20000000+4K dontneed' 'touch 0x20000000+64K r' <<-END
	$(line split 0x20000000 4K remapped,permission)
	$(line split 0x20001000 60K)
	$(line removed 0x20010000 1984K)
END
step collapse 'madvise 0x20000000+2M populate-write' 'madvise 0x20000000+2M collapse' \
	'touch 0x20000000+2M w' <<-END
	$(line collapsed 0x20000000 4K remapped,permission)
	$(line collapsed 0x20001000 60K remapped)
	$(line added 0x20010000 1984K)
END
step log 'dirty-log 1 on' <<-END
	$(line slot 0x10000000 4M)
	$(line permission 0x10004000 1072K)
	$(line permission 0x10180000 4K)
	$(line permission 0x10200000 4K)
END
step log-write 'touch 0x10100000+64K w' <<-END
	$(line permission 0x10100000 64K)
END

# A slot that goes takes all roots with it: what is left is a list of what was there.
check slot-save spt -V "$VM" save "$WORK/before.spt"
check slot-do pages --send "$WORK/pages.sock" 'delete-slot 7'
changes "$WORK/before.spt" >"$WORK/found"
check slot-first [ "$(head -1 "$WORK/found")" = "$(line slot 0x58000000 1M)" ]
check slot-only-once [ "$(grep -c '^slot ' "$WORK/found")" -eq 1 ]
check slot-root grep -q '^root - - -$' "$WORK/found"
# bytes COLUMN: the sum of sizes like 64K.
bytes() {
	awk -v c="$1" '{ n = $c; u = substr(n, length(n)); n += 0
		sum += n * (u == "K" ? 1024 : u == "M" ? 1048576 : u == "G" ? 1073741824 : 1) }
		END { printf "%d", sum }'
}
mapped=$(spt -i "$WORK/before.spt" ranges -rn -o size | bytes 1)
gone=$(grep '^removed ' "$WORK/found" | bytes 3)
check slot-all-gone [ "$mapped" -eq "$gone" ]
step slot-back 'add-slot 7' <<-END
	$(line slot 0x58000000 1M)
END

# Followed while it happens. The first look is over when a change is seen.
spt -V "$VM" watch --interval 0.05 -rn -o kind,gpa,size,also >"$WORK/watch" 2>"$WORK/watch.err" &
watch=$!
page=0x10280000 # and every second one after it, so that each has a line of its own
seen() {
	pages_do "touch $page w" >/dev/null
	page=$(printf '0x%x' $((page + 0x2000)))
	[ -s "$WORK/watch" ]
}
check watch-begins eventually seen
# All that led here is seen when one more page is: from then on the list is known.
settled() {
	tail -1 "$WORK/watch" | grep -q "added.*$(printf '%x' $((page - 0x2000 + base)))"
}
# A look may come in the middle of a change, which then is two lines, one behind the other.
joined() {
	kind='' bytes=0
	while read -r next_kind next_gpa next_size next_also; do
		case $next_size in
		*K) next_bytes=$((${next_size%K} << 10)) ;;
		*M) next_bytes=$((${next_size%M} << 20)) ;;
		*) next_bytes=$next_size ;;
		esac
		if [ "$kind $also" = "$next_kind $next_also" ] && [ $((gpa + bytes)) -eq $((next_gpa)) ]; then
			bytes=$((bytes + next_bytes))
			continue
		fi
		[ -z "$kind" ] || echo "$kind $gpa $bytes $also"
		kind=$next_kind gpa=$next_gpa bytes=$next_bytes also=$next_also
	done
	[ -z "$kind" ] || echo "$kind $gpa $bytes $also"
}
follow() { # COMMAND: expected lines on stdin, which must be all that come
	joined >"$WORK/expected"
	before=$(wc -l <"$WORK/watch")
	check "watch-do-$1" pages_do "$1"
	all_there() {
		tail -n +$((before + 1)) "$WORK/watch" | joined >"$WORK/found"
		cmp -s "$WORK/expected" "$WORK/found"
	}
	eventually all_there
	check "watch-shows-$1" diff "$WORK/expected" "$WORK/found"
}
check watch-settles eventually settled
follow 'touch 0x10300000+16K w' <<-END
	$(line added 0x10300000 16K)
END
follow 'madvise 0x10300000+16K dontneed' <<-END
	$(line removed 0x10300000 16K)
END
follow 'dirty-log 8 off' <<-END
	$(line slot 0x60000000 4M)
END
kill -s INT $watch
wait $watch
check watch-ends [ $? -eq 0 ]
# A look may come in the middle of a change of the slots: that is said, and nothing else.
check watch-is-quiet [ -z "$(grep -v 'look of .* torn: .* the memslots changed' "$WORK/watch.err")" ]
finish
