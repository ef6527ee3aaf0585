#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The audit's rules about memory of two halves fire when what they say is broken, at the right
# address, and no other does; and none when it is mended. Mode tdx.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/verify.sh
. "$(dirname "$0")/verify.sh"
# shellcheck source=tests/lab/breaker.sh
. "$(dirname "$0")/breaker.sh"

# Both entries of a private page: what is poked into the mirror's is poked into the one behind it.
poke_both() { # GPA OP VALUE
	entry_in mirror "$1" 1
	poke_entry "$2" "$3"
	entry_in external "$1" 1
	poke_entry "$2" "$3"
}

page=0x10001000 # private, of the slot that has nothing but such
settle
pages_start --tdx || finish
check breaker-loads load_breaker
check silent-before quiet

# A shared page's leaf again, for a private gfn beside it: the attribute says otherwise.
entry_in direct 0x2000 1
leaf=$spte
at=$((16 * 8))
poke_entry '=' "$leaf"
poke_kvm KVM_STAT_PAGES_4K 8 + 1
fires attrs-root 0x10000

# Another page than guest_memfd's, for KVM and for the hardware.
entry_in mirror $page 1
mirror_table=$table private_hpa=$hpa
poke_both $page ^ $((hpa ^ mirror_table))
fires mirror-gmem $page

# The hardware's entry alone: another page, less permission, none, one too many.
entry_in external $page 1
poke_entry ^ $((hpa ^ mirror_table))
fires mirror-external $page
poke_entry ^ 2
fires mirror-external $page
poke_entry '=' 0
fires mirror-external $page
at=$((511 * 8))
poke_entry '=' "$spte"
fires mirror-external 0x101ff000
# And a table's: the neighbour's.
entry_in external 0x20000000 2
other=$hpa
entry_in external $page 2
poke_entry ^ $((hpa ^ other))
fires mirror-external 0x10000000

# The private page in the shared half: the VMM maps another for it.
entry_in direct 0x20200000 1
poke_entry ^ $((hpa ^ private_hpa))
fires 'one-half leaf-host' $page

# A page of the VMM's that the guest has not touched, in the mirror.
pages_do 'poke 0x8020300000 1' >/dev/null
user_hpa=$(pages_do 'pagemap 0x8020300000' | sed 's/.*=//')
poke_both $page ^ $((private_hpa ^ user_hpa))
fires 'mirror-user mirror-gmem' $page

# The shared half's tables below the bit.
entry_in direct 0x20200000 4
shared=$spte shared_table=$hpa
poke memory "$table" 0 8 = "$shared"
poke memory "$table" 8 8 = 0x8000000000000000
poke_page "$shared_table" SP_PTEP 8 - 8
fires shared-bit -

# Frozen for good is another thing than frozen in passing.
entry_in mirror $page 1
poke_entry '=' 0x80000000000001a0
poke_kvm KVM_STAT_PAGES_4K 8 - 1
fires frozen $page

check breaker-unloads rmmod breaker
change go-on 'touch 0x10000000+16K r' 'touch 0x8020200000+16K r' 'touch 0x10300000 w'
check silent-after quiet
finish
