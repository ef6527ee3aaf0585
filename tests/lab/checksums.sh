# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For the suites that act on the nested Linux guest while it checks its memory; sourced after
# acts.sh. The guest is the session's: its VM is in $VM.

# In the guest: files in its memory, one that stays and one that is written anew, sums compared.
checksums_begin() {
	# shellcheck disable=SC2016 # expanded in the guest
	lab-guest 'rm -f /tmp/enough /tmp/rounds; cat >/tmp/check <<"END"
dd if=/dev/urandom of=/tmp/still bs=64k count=256 2>/dev/null
still=$(md5sum </tmp/still)
rounds=0
while [ ! -e /tmp/enough ]; do
	cp /tmp/still /tmp/moving
	[ "$(md5sum </tmp/moving)" = "$still" ] && [ "$(md5sum </tmp/still)" = "$still" ] || {
		echo "wrong after $rounds rounds" >/tmp/wrong
		break
	}
	cmp -s /tmp/moving /tmp/still || echo "differs after $rounds rounds" >/tmp/wrong
	rounds=$((rounds + 1))
	echo $rounds >/tmp/rounds
done
END
sh /tmp/check >/dev/null 2>&1 &' && eventually lab-guest 'test -s /tmp/rounds'
}

rounds() {
	lab-guest 'cat /tmp/rounds'
}

# The guest lives and goes on, and no sum was wrong so far.
checksums_go_on() {
	before=$(rounds)
	eventually more_rounds && echo "rounds of checksums: $(rounds)" &&
		lab-guest '! test -e /tmp/wrong || { cat /tmp/wrong; false; }'
}

more_rounds() {
	[ "$(rounds)" -gt "$before" ]
}

checksums_end() {
	lab-guest 'touch /tmp/enough; ! test -e /tmp/wrong || { cat /tmp/wrong; false; }'
}

guest_log_clean() {
	lab-guest '! dmesg | grep -E "BUG|Oops|WARNING|Call Trace|segfault|general protection"'
}

nested_vm() {
	VM=$(spt --json vms | tr -d ' \n' | sed 's/.*"vms":\[{"id":"\([^"]*\)".*/\1/')
	[ -d "$DEBUGFS/$VM" ]
}

# What L1 has and could not be told whose it is: KiB. Free pages in the lists of CPUs (zoneinfo) are not
# in MemFree, and since 6.7 those lists size themselves, to tens of MiB. Who compares two of these
# empties the caches before each: once, for L1's programs are in them.
unaccounted() {
	echo 1 >/proc/sys/vm/stat_refresh
	awk '/^(MemFree|Buffers|Cached|AnonPages|SwapCached|Slab|KernelStack|PageTables|SecPageTables|Percpu|VmallocUsed):/ {
		sum += $2 } /^MemTotal:/ { total = $2 } $1 == "count:" { sum += $2 * 4 }
		END { print total - sum }' /proc/meminfo /proc/zoneinfo
}

# How often the vendor's module is in use.
vendor_uses() {
	lsmod | awk -v m="$LAB_VENDOR" '$1 == m { print $3 }'
}

# The agent armed, the guest found, its memory checked from here on.
watch_linux() {
	check arm arm
	check nested-vm nested_vm
	linux_slots=$(spt -V "$VM" memslots -rn | wc -l)
	linux_uses=$(vendor_uses)
	check checksums-begin checksums_begin
}

same_uses() {
	[ "$(vendor_uses)" = "$linux_uses" ]
}

# After the last action: nothing is to be taken back, nothing is wrong with KVM's tables, nor with
# the guest, nothing is held.
linux_unharmed() {
	check nothing-open nothing_open
	check audit-clean spt -V "$VM" audit
	check checksums-end checksums_end
	check guest-log-clean guest_log_clean
	check same-slots test "$(spt -V "$VM" memslots -rn | wc -l)" = "$linux_slots"
	check nothing-held eventually same_uses
}
