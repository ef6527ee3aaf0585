// SPDX-License-Identifier: GPL-2.0
/*
 * Roots without a kvm_mmu_page: pae_root, pml4_root and pml5_root, which KVM
 * puts above shadow pages when the hardware walks more levels than the guest or
 * fewer. They belong to a vCPU and are freed with it, which the VM's reference
 * prevents.
 */
#include "reader.h"

#define SPT_PAE_ENTRIES	4

static const struct {
	enum spt_raw_table_kind kind;
	enum spt_field_id field;
} spt_raw_roots[] = {
	/* From the top: a root of one kind is followed by those below it. */
	{ SPT_RAW_PML5_ROOT, SPT_F_MMU_PML5_ROOT },
	{ SPT_RAW_PML4_ROOT, SPT_F_MMU_PML4_ROOT },
	{ SPT_RAW_PAE_ROOT, SPT_F_MMU_PAE_ROOT },
};

/* The rest of pae_root's page was never written: only four entries are its. */
static u64 spt_raw_copy(u64 *to, const u64 *from, enum spt_raw_table_kind kind)
{
	unsigned int count = kind == SPT_RAW_PAE_ROOT ? SPT_PAE_ENTRIES : SPT_TABLE_ENTRIES;
	u64 chunks = 0;
	unsigned int i;

	memset(to, 0, SPT_TABLE_ENTRIES * sizeof(u64));
	for (i = 0; i < count; i++) {
		if (spt_read(&to[i], &from[i], sizeof(to[i])))
			return 0;
		if (to[i])
			chunks |= BIT_ULL(i / SPT_CHUNK_ENTRIES);
	}
	return chunks;
}

/* A full table is larger than a scratch page with its head: entries are moved together first. */
static int spt_raw_put(struct spt_reader *reader, enum spt_raw_table_kind kind, u64 vcpu,
		       const u64 *table)
{
	struct spt_raw_table *rec = (struct spt_raw_table *)reader->raw;
	u64 *entry = rec->entry;
	u64 chunks = spt_raw_copy(entry, table, kind);
	unsigned int stored = 0;
	unsigned int c;

	for (c = 0; c < SPT_TABLE_CHUNKS; c++)
		if (chunks & BIT_ULL(c))
			memmove(entry + SPT_CHUNK_ENTRIES * stored++, entry + SPT_CHUNK_ENTRIES * c,
				SPT_CHUNK_ENTRIES * sizeof(u64));
	rec->rec.type = SPT_REC_RAW_TABLE;
	rec->rec.len = struct_size(rec, entry, stored * SPT_CHUNK_ENTRIES);
	rec->kind = kind;
	rec->vcpu = vcpu;
	rec->hpa = __pa(table);
	rec->empty = 0;
	rec->chunks = chunks;
	return spt_put(reader, rec);
}

/* The roots of one vCPU, when the one it uses is among them. */
static int spt_raw_vcpu(struct spt_reader *reader, const void *mmu, u64 vcpu)
{
	bool below = false;
	unsigned int i;
	u64 root;
	int error;

	if (spt_load(mmu, SPT_F_MMU_ROOT_HPA, &root))
		return 0;
	for (i = 0; i < ARRAY_SIZE(spt_raw_roots); i++) {
		const u64 *table = spt_load_pointer(mmu, spt_raw_roots[i].field);

		if (!spt_in_direct_map(table, PAGE_SIZE))
			continue;
		below = below || __pa(table) == (root & spt_layout.addr_mask);
		if (!below)
			continue;
		error = spt_raw_put(reader, spt_raw_roots[i].kind, vcpu, table);
		if (error)
			return error;
	}
	return 0;
}

int spt_raw_roots_step(struct spt_reader *reader)
{
	struct spt_index_cursor *at = &reader->cursor.index;
	const void *vcpu = spt_vcpu(reader, at->index);
	const void *mmu;
	int error = 0;

	if (!vcpu)
		return 0;
	mmu = spt_load_pointer(vcpu, SPT_F_VCPU_MMU);
	if (mmu)
		error = spt_raw_vcpu(reader, mmu, at->index);
	at->index++;
	return error ? error : 1;
}
