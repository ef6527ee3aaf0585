// SPDX-License-Identifier: GPL-2.0
/*
 * 'zap': mappings are removed, and no TLB has them when it returns.
 *
 * In all roots it is kvm_zap_gfn_range(), in pieces, because KVM turns away every
 * fault of the VM while it runs. In one root, or where other roots must be left
 * alone because they are mirrors, the TDP MMU's tdp_mmu_zap_leafs() under mmu_lock.
 */
#include <linux/kvm_host.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>
#include <linux/srcu.h>

#include "action.h"
#include "entries.h"

/* Pages that one call zaps: 1 GiB of all roots, 2 MiB of one, mmu_lock being held. */
#define SPT_ZAP_PAGES		(1ULL << 18)
#define SPT_ZAP_ROOT_PAGES	(1ULL << 9)
/* More roots than this are not told apart. */
#define SPT_ZAP_ROOTS		32

struct spt_zap_count {
	u64 hpa;		/* SPT_NO_HPA: all shadow pages together */
	u32 role;
	u64 leaves[2][SPT_LEVEL_1G];	/* before, after */
};

struct spt_zap {
	struct spt_action *act;
	unsigned int when;		/* 0 before, 1 after */
	unsigned int roots;
	u64 total[2];
	struct spt_zap_count root[SPT_ZAP_ROOTS];
	struct spt_entries before;	/* of a single page */
	struct spt_entries after;
};

static struct spt_zap_count *spt_zap_root(struct spt_zap *zap, const struct spt_entry *leaf)
{
	struct spt_zap_count *root;

	for (root = zap->root; root < zap->root + zap->roots; root++)
		if (root->hpa == leaf->root_hpa)
			return root;
	if (zap->roots == SPT_ZAP_ROOTS)
		return NULL;
	zap->roots++;
	root->hpa = leaf->root_hpa;
	root->role = leaf->role;
	return root;
}

static bool spt_zap_wanted(const struct spt_zap *zap, const struct spt_entry *leaf)
{
	if (leaf->mirror)
		return false;
	return !(zap->act->args.given & SPT_KEY_BIT(ROOT)) ||
	       leaf->root_hpa == zap->act->args.root;
}

static int spt_zap_count(const struct spt_entry *leaf, void *arg)
{
	struct spt_zap *zap = arg;
	struct spt_zap_count *root;

	if (!spt_zap_wanted(zap, leaf))
		return 0;
	root = spt_zap_root(zap, leaf);
	if (root && leaf->level <= SPT_LEVEL_1G)
		root->leaves[zap->when][leaf->level - 1]++;
	zap->total[zap->when]++;
	return 0;
}

static void spt_zap_say(struct spt_zap *zap)
{
	struct spt_zap_count *at;

	for (at = zap->root; at < zap->root + zap->roots; at++) {
		struct spt_entry leaf = { .root_hpa = at->hpa, .role = at->role };
		char root[24] = "n/a";

		if (at->hpa != SPT_NO_HPA)
			snprintf(root, sizeof(root), "%#llx", at->hpa);
		spt_say(zap->act, SPT_LINE_MAPPED,
			"root=%s kind=%s 4k-before=%llu 2m-before=%llu 1g-before=%llu 4k-after=%llu 2m-after=%llu 1g-after=%llu",
			root, spt_entry_kind(&leaf), at->leaves[0][0], at->leaves[0][1],
			at->leaves[0][2], at->leaves[1][0], at->leaves[1][1], at->leaves[1][2]);
	}
}

/* The root at the HPA that the line names. RCU is held. */
struct spt_zap_find {
	u64 hpa;
	const void *root;
};

static int spt_zap_is_root(const void *root, void *arg)
{
	struct spt_zap_find *find = arg;
	const void *table = spt_load_pointer(root, SPT_F_SP_SPT);

	if (spt_hpa(table) != find->hpa)
		return 0;
	find->root = root;
	return 1;
}

/* A piece of the root that the line names, or of every root that is no mirror. */
struct spt_zap_piece {
	struct spt_action *act;
	u64 first;		/* gfn */
	u64 end;
	bool flush;
};

/* Under mmu_lock for write, which keeps roots in their list. KVM adds a root's shared bits. */
static int spt_zap_root_piece(const void *root, void *arg)
{
	struct spt_zap_piece *piece = arg;
	struct spt_zap_find find = { .hpa = piece->act->args.root };
	bool wanted = !spt_role_field(spt_role_of(root), SPT_F_ROLE_IS_MIRROR);

	if (piece->act->args.given & SPT_KEY_BIT(ROOT))
		wanted = spt_zap_is_root(root, &find);
	if (wanted)
		piece->flush |= spt_call(tdp_mmu_zap_leafs)(piece->act->kvm, (void *)root,
							    piece->first, piece->end, false,
							    false);
	return 0;
}

static void spt_zap_roots_piece(struct spt_action *act, u64 first, u64 end)
{
	struct spt_zap_piece piece = { act, first, end };
	rwlock_t *lock = spt_kvm_mmu_lock(act->kvm);

	write_lock(lock);
	spt_visit_roots(act->kvm, spt_zap_root_piece, &piece);
	if (piece.flush)
		spt_call(flush_remote_tlbs)(act->kvm);
	write_unlock(lock);
}

static bool spt_zap_by_root(const struct spt_action *act)
{
	return (act->args.given & SPT_KEY_BIT(ROOT)) || act->target.shared_bits;
}

static void spt_zap_gfns(struct spt_action *act, u64 first, u64 end)
{
	struct srcu_struct *srcu = spt_kvm_srcu(act->kvm);
	int idx;

	idx = srcu_read_lock(srcu);
	if (spt_zap_by_root(act))
		spt_zap_roots_piece(act, first, end);
	else
		spt_call(zap_gfn_range)(act->kvm, first, end);
	srcu_read_unlock(srcu, idx);
}

/* The gfn behind the last slot; everything that 'all' means lies before it. */
static u64 spt_zap_last(struct spt_action *act)
{
	struct srcu_struct *srcu = spt_kvm_srcu(act->kvm);
	u64 npages = 0;
	u64 base = 0;
	const void *slots;
	const void *slot;
	int idx;

	idx = srcu_read_lock(srcu);
	slots = spt_slots(act->kvm, 0);
	slot = slots ? spt_slot_below(slots, ~0ULL >> PAGE_SHIFT) : NULL;
	if (slot) {
		spt_load(slot, SPT_F_SLOT_BASE_GFN, &base);
		spt_load(slot, SPT_F_SLOT_NPAGES, &npages);
	}
	srcu_read_unlock(srcu, idx);
	return base + npages;
}

static int spt_zap_check_root(struct spt_action *act)
{
	struct spt_zap_find find = { .hpa = act->args.root };
	u32 role = 0;

	if (!(act->args.given & SPT_KEY_BIT(ROOT)))
		return 0;
	rcu_read_lock();
	if (spt_visit_roots(act->kvm, spt_zap_is_root, &find))
		role = spt_role_of(find.root);
	rcu_read_unlock();
	if (spt_role_field(role, SPT_F_ROLE_IS_MIRROR))
		return spt_refuse_action(act, SPT_WHY_MIRROR, "the root is a mirror");
	if (find.root)
		return 0;
	if (!spt_vm_tdp_mmu(act->kvm))
		return spt_refuse_action(act, SPT_WHY_MODE,
					 "without the TDP MMU roots share their tables: KVM zaps in all");
	return spt_refuse_action(act, SPT_WHY_NO_ROOT, "no valid root at %#llx", act->args.root);
}

static int spt_zap_check(struct spt_action *act)
{
	struct spt_target *target = &act->target;
	int error;

	if (act->args.all) {
		if (spt_vm_mirrored(act->kvm))
			return spt_refuse_action(act, SPT_WHY_MIRROR,
						 "the VM has private memory: name a range");
		target->npages = spt_zap_last(act);
		spt_say(act, SPT_LINE_GPA, "0x0");
		spt_say(act, SPT_LINE_SIZE, "%#llx", target->npages << PAGE_SHIFT);
		error = 0;
	} else {
		error = spt_target_range(act);
	}
	if (!error)
		error = spt_zap_check_root(act);
	if (!error && spt_zap_by_root(act))
		error = spt_action_needs(act, SPT_S_TDP_MMU_ZAP_LEAFS);
	if (!error && spt_zap_by_root(act))
		error = spt_action_needs(act, SPT_S_FLUSH_REMOTE_TLBS);
	if (!error && !spt_zap_by_root(act))
		error = spt_action_needs(act, SPT_S_ZAP_GFN_RANGE);
	return error;
}

static int spt_zap_scan(struct spt_zap *zap, unsigned int when)
{
	struct spt_target *target = &zap->act->target;

	zap->when = when;
	return spt_scan_leaves(zap->act, target->gfn, target->gfn + target->npages, spt_zap_count,
			       zap);
}

static int spt_zap_pieces(struct spt_action *act)
{
	u64 piece = spt_zap_by_root(act) ? SPT_ZAP_ROOT_PAGES : SPT_ZAP_PAGES;
	u64 end = act->target.gfn + act->target.npages;
	u64 next;
	u64 gfn;

	for (gfn = act->target.gfn; gfn < end; gfn = next) {
		next = min((gfn & ~(piece - 1)) + piece, end);
		spt_zap_gfns(act, gfn, next);
		if (next < end && spt_action_stop(act))
			return -ECANCELED;
		cond_resched();
	}
	return 0;
}

static int spt_zap_nothing(struct spt_action *act)
{
	return spt_action_over(act, SPT_RESULT_NO_EFFECT, SPT_WHY_UNMAPPED,
			       "nothing was mapped there");
}

static int spt_zap_foresee(struct spt_action *act)
{
	struct spt_zap *zap = act->own;
	int error;

	zap->act = act;
	error = spt_zap_scan(zap, 0);
	if (!error && !zap->total[0])
		error = spt_zap_nothing(act);
	return error;
}

static int spt_zap_act(struct spt_action *act)
{
	struct spt_zap *zap = act->own;
	bool page = act->target.npages == 1;
	ktime_t begun;
	int error;

	zap->act = act;
	error = spt_zap_scan(zap, 0);
	if (error)
		return error;
	if (page)
		spt_entries_read(act, act->target.gfn, &zap->before);
	begun = ktime_get();
	error = spt_zap_pieces(act);
	spt_say(act, SPT_LINE_NS, "%llu", ktime_to_ns(ktime_sub(ktime_get(), begun)));
	if (!error)
		error = spt_zap_scan(zap, 1);
	if (page) {
		spt_entries_read(act, act->target.gfn, &zap->after);
		spt_say_entries(act, &zap->before, &zap->after);
	} else {
		snprintf(act->before, sizeof(act->before), "%llu", zap->total[0]);
		snprintf(act->after, sizeof(act->after), "%llu", zap->total[1]);
	}
	spt_zap_say(zap);
	/* What is mapped now may have come back: a vCPU runs on. */
	if (zap->total[0])
		act->effects++;
	if (!error && !zap->total[0])
		return spt_zap_nothing(act);
	return error;
}

const struct spt_action_ops spt_zap_ops = {
	.room = sizeof(struct spt_zap),
	.check = spt_zap_check,
	.foresee = spt_zap_foresee,
	.act = spt_zap_act,
};
