/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an action is made of, for the files act_*.c, one an action.
 *
 * A line written to 'control' is parsed (action_line.c) and given its life by
 * action_run.c, in the writer's context, no other action of this VM meanwhile:
 *
 *	check	looks at the target, reports it, refuses. Nothing changes.
 *	foresee	instead of act where dry-run=1: says no where act would, as far as that
 *		can be known before.
 *	act	one step, 'count' times: re-reads the target, does it, verifies,
 *		reports. A journal entry is open, the kernel is tainted.
 *	end	of an action that listens: disarms. Called once, may sleep.
 *
 * and 'undo', long after, by 'undo' or when the agent is unloaded. To add an
 * action: fill in struct spt_action_ops in a file of its own, name it in
 * action_table.c and in Kbuild; its row in SPT_ACTIONS says the rest.
 *
 * While one of these runs the VM, its vendor module and the layout are held, and
 * kvm->mm is pinned (mmget), so none of the VMM's memory goes away under it; a
 * long loop ends when spt_action_stop() says so.
 */
#ifndef SPT_AGENT_ACTION_H
#define SPT_AGENT_ACTION_H

#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwlock.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "calls.h"
#include "layout.h"
#include "memslots.h"
#include "page.h"
#include "spt_action.h"
#include "vm.h"

struct spt_action;
struct spt_undo;

/* KVM's PG_LEVEL_4K to PG_LEVEL_1G */
#define SPT_LEVEL_4K		1
#define SPT_LEVEL_2M		2
#define SPT_LEVEL_1G		3

enum { SPT_PERM_R = 1, SPT_PERM_W = 2, SPT_PERM_X = 4 };

/* The line, parsed; what was not given is 0 but where it says otherwise. */
struct spt_action_args {
	u32 given;		/* SPT_KEY_BIT() */
	bool all;		/* gpa=all or id=all */
	bool listen;		/* the row always does, or listen=1 */
	bool show;
	bool dry_run;
	u64 gpa;		/* as written */
	u64 len;		/* bytes; 0: one address */
	u64 root;		/* HPA */
	u32 access;		/* SPT_PERM_*, one bit; R */
	u32 perm;		/* SPT_PERM_* that remain */
	u32 vcpu;
	u32 count;		/* 1 */
	u32 timeout;		/* seconds, SPT_ACTION_TIMEOUT */
	u64 id;
};

struct spt_action_row {
	enum spt_action_id id;
	const char *name;
	u32 must;
	u32 may;
	u32 flags;		/* SPT_ACTION_* */
};

struct spt_action_ops {
	size_t room;		/* bytes of act->own, zeroed */
	/* 0: go on. Else what spt_refuse_action() returned. */
	int (*check)(struct spt_action *act);
	/* 0, or what act would return before it changed anything. May be NULL. */
	int (*foresee)(struct spt_action *act);
	/* 0: next step. Else the action is over, by spt_action_over() or spt_refuse_action(). */
	int (*act)(struct spt_action *act);
	void (*end)(struct spt_action *act);
	/* Takes @undo back; @act is the action 'undo', or a silent one. 0, or as act does. */
	int (*undo)(struct spt_undo *undo, struct spt_action *act);
	/* The VM is gone: frees what undo->own names. May be NULL. */
	void (*lost)(struct spt_undo *undo);
};

/* Slot and page that gpa= means. Slot pointers do not live: spt_action_slot() finds it again. */
struct spt_target {
	u64 gfn;		/* without a shared bit */
	u64 npages;		/* of len, at least 1 */
	u64 shared_bits;	/* of the gfn, that the address must have to be shared; 0: none */
	u64 hva;		/* of gfn, page-aligned */
	u64 slot_gfn;
	u64 slot_npages;
	u64 slot_hva;
	u32 slot_flags;		/* KVM_MEM_* */
	s16 slot_id;
	u16 as_id;
	bool dirty_log;
	bool gmem;		/* the slot has a guest_memfd */
};

/* An action that can be taken back. */
struct spt_undo {
	struct list_head link;
	u64 id;			/* the journal's */
	const struct spt_action_row *row;
	const struct spt_action_ops *ops;
	struct spt_target target;
	void *own;		/* the action's, kfree()d with the record unless 'lost' did */
	u64 word[4];		/* the action's */
};

/* What is known of a VM that is acted upon, as long as a control file or an undo record lives. */
struct spt_acted {
	struct list_head link;
	struct kref ref;
	struct spt_vm_id id;
	struct dentry *dentry;	/* of KVM's debugfs, held: names this VM and no later one */
	struct mutex lock;	/* one action at a time; protects undos */
	struct list_head undos;
	unsigned int undo_count;
};

#define SPT_SENTENCE_MAX	160
#define SPT_BRIEF_MAX		32

struct spt_action {
	struct kref ref;
	const struct spt_action_row *row;
	const struct spt_action_ops *ops;
	struct kvm *kvm;		/* NULL only where a silent undo never needs it */
	struct spt_acted *acted;
	struct spt_action_args args;
	struct spt_target target;
	struct kvm_vcpu *vcpu;		/* of actions that need one, by their check */
	void *own;			/* ops->room bytes */
	struct spt_undo *undo;		/* prepared for rows with SPT_ACTION_UNDO, but to listen */
	bool keep_undo;			/* set by act: there is something to take back */
	u64 id;				/* in the journal, 0: none yet */
	pid_t pid;			/* of who asked */
	char comm[TASK_COMM_LEN];
	u32 step;			/* from 1 */
	u32 effects;			/* steps that changed something */
	enum spt_result result;
	enum spt_reason reason;
	char sentence[SPT_SENTENCE_MAX];
	char before[SPT_BRIEF_MAX];	/* for the journal: of the first entry, or a count */
	char after[SPT_BRIEF_MAX];
	/* what is read */
	spinlock_t text_lock;		/* irq-safe: hits come from anywhere */
	char *text;
	size_t text_at;			/* read so far */
	size_t text_len;
	size_t text_room;
	u64 lost;			/* hits and lines that found no room */
	bool over;			/* the last block is there */
	bool listening;			/* and not over */
	struct delayed_work enough;	/* ends what listens, in time or spt_action_enough() */
	struct irq_work nudge;		/* wakes who reads, and has 'enough' begin */
	bool had_enough;
	enum spt_reason gave_up;
	const char *gave_up_why;
	wait_queue_head_t *wait;	/* of who reads; NULL: silent */
};

/* action_table.c: NULL where this agent has no such action. */
extern const struct spt_action_row spt_action_rows[SPT_ACT_COUNT];
const struct spt_action_ops *spt_action_ops(enum spt_action_id id);

/*
 * Why there will be no effect: fills in the result and returns -ECANCELED, for
 * the caller to return. spt_refuse_action(): nothing was changed.
 */
__printf(3, 4)
int spt_refuse_action(struct spt_action *act, enum spt_reason reason, const char *fmt, ...);
__printf(4, 5)
int spt_action_over(struct spt_action *act, enum spt_result result, enum spt_reason reason,
		    const char *fmt, ...);
/* Refuses unless this kernel has the function. */
int spt_action_needs(struct spt_action *act, enum spt_symbol_id id);
/* True when a long action must end: a signal, or the VMM has left; refuses then. */
bool spt_action_stop(struct spt_action *act);

/* action_text.c: one result line 'NAME: …'. May sleep. */
__printf(3, 4)
void spt_say(struct spt_action *act, enum spt_line line, const char *fmt, ...);
/* 'step: N' of the step that act is in; before everything else it says. */
void spt_say_step(struct spt_action *act);
/*
 * The lock of what a probe changes. Where the kernel has a breakpoint for one, lockdep sees an NMI
 * there, in which no lock may be waited for: for the same reason a probe wakes nobody and queues no
 * work but by an irq_work. What it interrupts is a function of KVM, which holds none of these.
 */
static inline void spt_probe_lock(spinlock_t *lock, unsigned long *flags)
	__acquires(lock)
{
	local_irq_save(*flags);
	while (!spin_trylock(lock))
		cpu_relax();
}

/*
 * A 'hit' line, from any context. There is room for some hundred; what nobody
 * reads in time is counted as lost.
 */
__printf(2, 3)
void spt_say_hit(struct spt_action *act, const char *fmt, ...);
/* What listens has heard enough: it ends soon, with 'done'. From any context. */
void spt_action_enough(struct spt_action *act);
/* It cannot go on: the same, but it ends with this reason; @sentence is a literal. */
void spt_action_give_up(struct spt_action *act, enum spt_reason reason, const char *sentence);
/*
 * What listens ends, once: ops->end(), the last block, readers are woken. Nothing
 * happens when it has ended. May sleep; not under act->acted->lock.
 */
void spt_action_finish(struct spt_action *act, enum spt_result result, enum spt_reason reason,
		       const char *sentence);
/* For the framework: room to begin with; for hits; the last block; what is to be read next. */
bool spt_text_prepare(struct spt_action *act);
bool spt_text_prepare_hits(struct spt_action *act);
void spt_say_last(struct spt_action *act);
size_t spt_text_take(struct spt_action *act, char *to, size_t size);
const char *spt_reason_name(enum spt_reason reason);
const char *spt_result_name(enum spt_result result);

/*
 * target.c. spt_target_page() and spt_target_range() fill in act->target from
 * gpa= and len, say it, and refuse: no slot, range over the slot's end, a page
 * that is private by its attribute or by its slot, or one that a mirror root
 * maps.
 */
int spt_target_page(struct spt_action *act);
int spt_target_range(struct spt_action *act);
/* The slot of the target, or NULL if it changed; kvm->srcu or slots_lock is held. */
const void *spt_action_slot(const struct spt_action *act);
/* Brings the host's page in, whatever it is. 0 or a refusal with the host's reason. */
int spt_target_fault_in(struct spt_action *act, bool write);
/* Refuses where that could not be: what can be said without bringing it in. */
int spt_target_may_fault_in(struct spt_action *act, bool write);

/* Does the VM have private memory in mirror roots? */
bool spt_vm_mirrored(const struct kvm *kvm);
/* Are its vCPUs' registers not KVM's to read? KVM warns of who asks for those of a TD. */
bool spt_vm_protected(const struct kvm *kvm);

/* host_walk.c: the level of what @mm maps at @hva, by its own tables; 0: nothing. */
u8 spt_host_level(struct mm_struct *mm, u64 hva);

/* The VM's locks, beside spt_kvm_srcu(); slots_lock is NULL where the layout does not know it. */
rwlock_t *spt_kvm_mmu_lock(struct kvm *kvm);
struct mutex *spt_kvm_slots_lock(struct kvm *kvm);

/*
 * entries.c: what maps a gfn. TDP MMU: one entry a valid root, the last of its
 * path, present or not. Shadow pages: the entries of the reverse maps, present.
 */
#define SPT_ENTRIES_MAX	64

struct spt_entry {
	u64 root_hpa;		/* SPT_NO_HPA: found by a reverse map */
	u64 table_hpa;
	u64 spte;
	u64 *sptep;
	u64 gfn;		/* first of what the entry translates */
	u32 role;		/* of the root, of the table where there is none */
	u16 index;
	u8 level;
	bool present;
	bool leaf;
	bool mirror;
};

struct spt_entries {
	unsigned int count;
	bool more;		/* there were more than fit */
	struct spt_entry at[SPT_ENTRIES_MAX];
};

/* Reads the entries for act->target's gfn + @page. Takes RCU, and mmu_lock for read. */
void spt_entries_read(struct spt_action *act, u64 gfn, struct spt_entries *entries);
/* An 'entry' line each; how many are different. The first goes to the journal. */
unsigned int spt_say_entries(struct spt_action *act, const struct spt_entries *before,
			     const struct spt_entries *after);
/* entries_say.c: what an entry permits, SPT_PERM_*, and more, by the masks of this kernel. */
u32 spt_entry_perm(u64 spte);
bool spt_entry_accessed(u64 spte);
/*
 * How far above its bits of permission an access-tracked entry keeps what it will
 * permit again; 0: the entry is none.
 */
unsigned int spt_entry_saved_shift(u64 spte);
/* Does one of them map the page; as part of a huge one? */
bool spt_entries_mapped(const struct spt_entries *entries);
bool spt_entries_huge(const struct spt_entries *entries);
const char *spt_entry_kind(const struct spt_entry *entry);
/* A mask of KVM's, 0 where there is none; all bits that allow execution, 0: NX forbids it. */
u64 spt_mask(enum spt_symbol_id id);
u64 spt_executable_mask(void);

/*
 * scan.c: every present leaf between two gfns, in order within a root. The
 * visitor is called under RCU or mmu_lock and returns non-zero to end the scan.
 * 0, what the visitor returned, or -ECANCELED after spt_action_stop().
 */
typedef int (*spt_leaf_fn)(const struct spt_entry *leaf, void *arg);
int spt_scan_leaves(struct spt_action *act, u64 first, u64 end, spt_leaf_fn visit, void *arg);

/*
 * touched.c, for actions that clear something in the leaves of the target's range
 * and later tell where it was set again.
 */
#define SPT_TOUCHED_RUNS	1024

struct spt_touched_run {
	u64 root;
	u64 first;		/* gfn */
	u64 end;
};

struct spt_touched {
	struct spt_action *act;
	bool (*is)(const struct spt_entry *leaf);
	bool say;		/* a 'touched' line for each run of leaves */
	u64 window;		/* gfn that it begins with */
	u64 leaves;
	u64 touched;		/* of these */
	unsigned int runs;
	struct spt_touched_run run[SPT_TOUCHED_RUNS];
};

int spt_touched_scan(struct spt_action *act, struct spt_touched *touched,
		     bool (*is)(const struct spt_entry *leaf), bool say);
/* For 'foresee': is there a leaf at all? */
int spt_touched_foresee(struct spt_action *act, struct spt_touched *touched,
			bool (*is)(const struct spt_entry *leaf));
/* The last step of show=1; of an action, with what was before and what is after. */
int spt_touched_shown(struct spt_action *act, const struct spt_touched *touched);
int spt_touched_cleared(struct spt_action *act, const struct spt_touched touched[2]);

/* Stores the number @id into @object, a zeroed one that is made for KVM. */
void spt_store(void *object, enum spt_field_id id, u64 value);

/*
 * vcpu_context.c: runs @fn where KVM wants a loaded vCPU: current->mm is the
 * VM's, srcu is not held. In the vCPU's own thread if that is in KVM_RUN, else in
 * a thread of ours that has loaded the vCPU. @fn is called at most once and not
 * after this has returned. -EBUSY: nobody came by in time; -EINTR; -ESRCH: the VM
 * dies; else what @fn returned.
 */
enum spt_vcpu_where { SPT_VCPU_RUN, SPT_VCPU_USER, SPT_VCPU_THREAD };

struct spt_vcpu_ran {
	enum spt_vcpu_where where;
	u64 wait_ns;
};

typedef int (*spt_vcpu_fn)(struct kvm_vcpu *vcpu, void *arg);
int spt_vcpu_run(struct spt_action *act, struct kvm_vcpu *vcpu, spt_vcpu_fn fn, void *arg,
		 struct spt_vcpu_ran *ran);
/* The vCPU with vcpu_id @id, any vCPU (the first) where vcpu= was not given; NULL: none. */
struct kvm_vcpu *spt_action_vcpu(struct spt_action *act);
/* Says 'context' and 'wait-ns'. */
void spt_say_ran(struct spt_action *act, const struct spt_vcpu_ran *ran);

/*
 * act_fault.c, for actions that map again what they took away: KVM resolves
 * act->target.gfn + @page with @access (SPT_PERM_*) on @vcpu, as 'fault' does;
 * says context, ret, ns. 0, or a refusal.
 */
int spt_fault_gfn(struct spt_action *act, struct kvm_vcpu *vcpu, u64 gfn, u32 access);
/*
 * The same by a read, on act's vCPU or any, for what an action has just taken away.
 * False: nobody can fault for the guest, its own next access maps it.
 */
bool spt_fault_again(struct spt_action *act, u64 gfn);
/* Refuses where no fault can be forced: shadow paging, a kernel without the functions. */
int spt_fault_can(struct spt_action *act);

/*
 * journal.c. open: gives act its id. The lines are those of spt_action.h.
 */
void spt_journal_open(struct spt_action *act);
void spt_journal_close(struct spt_action *act);
enum spt_undo_state { SPT_UNDO_NONE, SPT_UNDO_OPEN, SPT_UNDO_DONE, SPT_UNDO_LOST };
void spt_journal_undo(u64 id, enum spt_undo_state state);
u64 spt_journal_actions(void);	/* entries since the agent was loaded */

/* undo.c */
struct spt_acted *spt_acted_get(const struct spt_vm_id *id);
void spt_acted_put(struct spt_acted *acted);
/* The VM itself, referenced, for who has no open file; spt_vm_put() ends it. -ENXIO: it is gone. */
int spt_acted_get_vm(const struct spt_acted *acted);
/* Refuses where the VM has no room for another record. act->acted->lock is held. */
int spt_undo_room(struct spt_action *act);
int spt_undo_prepare(struct spt_action *act);	/* the same, and has one ready */
void spt_undo_keep(struct spt_action *act);	/* act->acted->lock is held */
void spt_undo_reap(void);	/* records of VMs that are gone */
void spt_undo_all(void);	/* the agent is unloaded */
extern const struct spt_action_ops spt_undo_ops;

/* vcpu_context.c: the agent's workqueue, on which actions listen and vCPUs are borrowed. */
extern struct workqueue_struct *spt_action_wq;

/* action_run.c and action_line.c, for control.c */
int spt_action_parse(struct spt_action *act, char *line);
struct spt_action *spt_action_create(struct kvm *kvm, struct spt_acted *acted,
				     wait_queue_head_t *wait, gfp_t gfp);
void spt_action_put(struct spt_action *act);
/* Runs the line. 0, or -EINTR before anything was done. */
int spt_action_run(struct spt_action *act, char *line);

/* The actions. */
extern const struct spt_action_ops spt_fault_ops;
extern const struct spt_action_ops spt_zap_ops;
extern const struct spt_action_ops spt_protect_ops;
extern const struct spt_action_ops spt_age_ops;
extern const struct spt_action_ops spt_dirty_ops;
extern const struct spt_action_ops spt_remap_ops;
extern const struct spt_action_ops spt_split_ops;
extern const struct spt_action_ops spt_collapse_ops;
extern const struct spt_action_ops spt_track_ops;
extern const struct spt_action_ops spt_trap_ops;

#endif
