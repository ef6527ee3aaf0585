// SPDX-License-Identifier: GPL-2.0
/*
 * The VMs that are acted upon, and what can be taken back on them.
 *
 * A record holds no reference to its VM: it must not keep one alive. What it
 * holds is the dentry of the VM's directory in KVM's debugfs, so that no later VM
 * can be mistaken for it; KVM unhashes that dentry when the VM dies.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dcache.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "action.h"

/* The list. No VM's lock is taken under it. */
static DEFINE_MUTEX(spt_acted_lock);
static LIST_HEAD(spt_acted_vms);

static void spt_acted_release(struct kref *ref)
{
	struct spt_acted *acted = container_of(ref, struct spt_acted, ref);

	list_del(&acted->link);
	mutex_unlock(&spt_acted_lock);
	dput(acted->dentry);
	kfree(acted);
}

void spt_acted_put(struct spt_acted *acted)
{
	kref_put_mutex(&acted->ref, spt_acted_release, &spt_acted_lock);
}

static struct spt_acted *spt_acted_find(const struct kvm *kvm, const struct dentry *dentry)
{
	struct spt_acted *acted;

	list_for_each_entry(acted, &spt_acted_vms, link)
		if (acted->id.kvm == kvm && acted->dentry == dentry)
			return acted;
	return NULL;
}

/* The caller holds the VM, and so its dentry. NULL: no memory, or the VM has no name. */
struct spt_acted *spt_acted_get(const struct spt_vm_id *id)
{
	struct dentry *dentry = spt_load_pointer(id->kvm, SPT_F_KVM_DEBUGFS_DENTRY);
	struct spt_acted *acted;

	if (IS_ERR_OR_NULL(dentry))
		return NULL;
	mutex_lock(&spt_acted_lock);
	acted = spt_acted_find(id->kvm, dentry);
	if (acted) {
		kref_get(&acted->ref);
	} else {
		acted = kzalloc(sizeof(*acted), GFP_KERNEL);
		if (acted) {
			kref_init(&acted->ref);
			acted->id = *id;
			acted->dentry = dget(dentry);
			mutex_init(&acted->lock);
			INIT_LIST_HEAD(&acted->undos);
			list_add(&acted->link, &spt_acted_vms);
		}
	}
	mutex_unlock(&spt_acted_lock);
	return acted;
}

int spt_undo_room(struct spt_action *act)
{
	if (act->acted->undo_count < SPT_UNDO_MAX)
		return 0;
	return spt_refuse_action(act, SPT_WHY_LIMIT, "the VM has %u actions to take back",
				 SPT_UNDO_MAX);
}

int spt_undo_prepare(struct spt_action *act)
{
	struct spt_undo *undo;
	int error = spt_undo_room(act);

	if (error)
		return error;
	undo = kzalloc(sizeof(*undo), GFP_KERNEL);
	if (!undo)
		return spt_refuse_action(act, SPT_WHY_MEMORY, "no memory");
	undo->row = act->row;
	undo->ops = act->ops;
	undo->target = act->target;
	act->undo = undo;
	return 0;
}

void spt_undo_keep(struct spt_action *act)
{
	struct spt_undo *undo = act->undo;

	act->undo = NULL;
	undo->id = act->id;
	/* It is taken back by the layout that it was done with, which the file holds now. */
	spt_layout_hold();
	kref_get(&act->acted->ref);
	list_add(&undo->link, &act->acted->undos);
	act->acted->undo_count++;
}

/* Takes the record out of its VM's list. The VM's lock is held; the reference is the caller's. */
static void spt_undo_drop(struct spt_acted *acted, struct spt_undo *undo,
			  enum spt_undo_state state)
{
	spt_journal_undo(undo->id, state);
	list_del(&undo->link);
	acted->undo_count--;
	if (state == SPT_UNDO_LOST && undo->ops->lost)
		undo->ops->lost(undo);
	kfree(undo->own);
	kfree(undo);
	spt_layout_release();
}

/* The VM is gone: its records are too. Returns how many references they held. */
static unsigned int spt_undo_lose(struct spt_acted *acted)
{
	struct spt_undo *undo;
	struct spt_undo *next;
	unsigned int count = 0;

	list_for_each_entry_safe(undo, next, &acted->undos, link) {
		spt_undo_drop(acted, undo, SPT_UNDO_LOST);
		count++;
	}
	return count;
}

/* A VM with records, referenced, that @wanted; NULL: there is none. */
static struct spt_acted *spt_acted_with_undos(bool (*wanted)(const struct spt_acted *acted))
{
	struct spt_acted *acted;
	struct spt_acted *found = NULL;

	mutex_lock(&spt_acted_lock);
	list_for_each_entry(acted, &spt_acted_vms, link)
		if (READ_ONCE(acted->undo_count) && wanted(acted)) {
			kref_get(&acted->ref);
			found = acted;
			break;
		}
	mutex_unlock(&spt_acted_lock);
	return found;
}

static void spt_acted_put_many(struct spt_acted *acted, unsigned int count)
{
	while (count--)
		spt_acted_put(acted);
}

static bool spt_acted_dead(const struct spt_acted *acted)
{
	return d_unhashed(acted->dentry);
}

void spt_undo_reap(void)
{
	struct spt_acted *acted;
	unsigned int lost;

	while ((acted = spt_acted_with_undos(spt_acted_dead))) {
		mutex_lock(&acted->lock);
		lost = spt_undo_lose(acted);
		mutex_unlock(&acted->lock);
		spt_acted_put_many(acted, lost + 1);
	}
}

/* Takes one record back. The VM and its lock are held. */
static int spt_undo_one(struct spt_action *act, struct spt_undo *undo)
{
	u64 id = undo->id;
	int error;

	act->target = undo->target;
	error = undo->ops->undo(undo, act);
	if (error)
		return error;
	spt_undo_drop(act->acted, undo, SPT_UNDO_DONE);
	spt_acted_put(act->acted);	/* not the last: the control file has one */
	spt_say(act, SPT_LINE_UNDONE, "%llu", id);
	act->effects++;
	return 0;
}

static struct spt_undo *spt_undo_find(const struct spt_action *act)
{
	struct spt_undo *undo;

	/* The newest first. */
	list_for_each_entry(undo, &act->acted->undos, link)
		if (act->args.all || undo->id == act->args.id)
			return undo;
	return NULL;
}

static int spt_undo_check(struct spt_action *act)
{
	if (spt_undo_find(act))
		return 0;
	if (act->args.all)
		return spt_refuse_action(act, SPT_WHY_NO_UNDO, "nothing is to be taken back");
	return spt_refuse_action(act, SPT_WHY_NO_UNDO, "action %llu is not to be taken back",
				 act->args.id);
}

static int spt_undo_act(struct spt_action *act)
{
	struct spt_undo *undo;
	int error;

	while ((undo = spt_undo_find(act))) {
		error = spt_undo_one(act, undo);
		if (error)
			return error;
	}
	return 0;
}

const struct spt_action_ops spt_undo_ops = {
	.check = spt_undo_check,
	.act = spt_undo_act,
};

static bool spt_acted_any(const struct spt_acted *acted)
{
	return true;
}

/* Who unloads may have been killed: what is to be taken back is waited for all the same. */
int spt_acted_get_vm(const struct spt_acted *acted)
{
	int error;

	while ((error = spt_vm_get(&acted->id)) == -EINTR)
		usleep_range(500, 1000);
	if (!error && spt_load_pointer(acted->id.kvm, SPT_F_KVM_DEBUGFS_DENTRY) != acted->dentry) {
		spt_vm_put(acted->id.kvm);
		error = -ENXIO;
	}
	return error;
}

/* Everything on one VM, unless that has gone. The vendor module is held. */
static void spt_undo_vm_all(struct spt_acted *acted)
{
	struct spt_action *act;

	if (spt_acted_get_vm(acted))
		return;
	/* For lack of memory the VM would be left as it was made. */
	act = spt_action_create(acted->id.kvm, acted, NULL, GFP_KERNEL | __GFP_NOFAIL);
	act->args.all = true;
	mutex_lock(&acted->lock);
	if (spt_undo_act(act))
		pr_warn("VM %s: an action could not be taken back: %s\n", acted->id.name,
			act->sentence);
	mutex_unlock(&acted->lock);
	spt_action_put(act);
	spt_vm_put(acted->id.kvm);
}

/* Takes everything back on one VM, or loses it. */
static void spt_undo_vm(struct spt_acted *acted)
{
	struct module *vendor;
	unsigned int lost;

	if (!spt_layout_hold_vendor(&vendor)) {
		spt_undo_vm_all(acted);
		spt_layout_release();
		spt_vendor_put(vendor);
	}
	mutex_lock(&acted->lock);
	lost = spt_undo_lose(acted);
	mutex_unlock(&acted->lock);
	spt_acted_put_many(acted, lost);
}

void spt_undo_all(void)
{
	struct spt_acted *acted;

	while ((acted = spt_acted_with_undos(spt_acted_any))) {
		spt_undo_vm(acted);
		spt_acted_put(acted);
	}
}
