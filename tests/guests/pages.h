/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 'pages': a virtual machine made with the raw KVM API whose every mapping is
 * known. README.md beside this file documents its layout and its commands.
 *
 * One struct guest describes the VM; each file below owns one aspect of it.
 * All functions that can fail return 0 or a negative errno and, where they
 * take a struct reply, leave one line of explanation in it.
 */
#ifndef PAGES_H
#define PAGES_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define SIZE_4K	    0x1000UL
#define SIZE_2M	    0x200000UL
#define SIZE_1G	    0x40000000UL
#define MAX_SLOTS   20
#define MAX_VCPUS   2
#define MAX_TOUCHES 48

/* Where the guest sees its physical memory: GVA = GPA + that, everywhere; --pae: another. */
#define GVA_BASE     0x100000000000UL
#define GVA_BASE_PAE 0x40000000UL /* what is below 3 GiB ends at 4 GiB */

/* With --tdx: the lowest bit that a TDP root's entries tell apart (512 GiB). */
#define TDX_SHARED_BIT	39
#define TDX_SHARED_MASK (1UL << TDX_SHARED_BIT)

/* The system slot (GPA). */
#define CODE_GPA    0x1000UL
#define MAILBOX_GPA 0x2000UL  /* one page per vCPU */
#define STACK_GPA   0x8000UL  /* one page per vCPU, the stack starts at its end */
#define TABLES_GPA  0x10000UL /* guest page tables, the first one is CR3's */

enum backing {
	BACKING_ANON, /* anonymous, MADV_NOHUGEPAGE */
	BACKING_THP,  /* anonymous, MADV_HUGEPAGE */
	BACKING_HUGETLB_2M,
	BACKING_HUGETLB_1G,
	BACKING_ALIAS,	/* another slot's memory */
	BACKING_DEVICE, /* a page of the firmware's ROM by /dev/mem: memory without a struct page */
	BACKING_GMEM,	/* guest_memfd alone, which the VMM maps, too */
	BACKING_FILE,	/* the file of --file, shared */
	BACKING_NONE,	/* no memory and no slot: the MMIO hole */
};

/* A range of guest-physical memory that the guest maps; normally a memslot. */
struct slot {
	int id; /* KVM's slot id; the hole has one too but is never registered */
	const char *name;
	uint64_t gpa;
	uint64_t size; /* bytes */
	enum backing backing;
	uint32_t flags;	       /* KVM_MEM_* to register it with, at present */
	int alias_of;	       /* slot id, BACKING_ALIAS only */
	uint64_t room;	       /* bytes of memory mapped before and behind it, too */
	uint64_t skew;	       /* bytes that the HVA is off 2M congruence with the GPA */
	uint64_t guest_page;   /* size of the guest's own mappings of it */
	bool guest_nx;	       /* the guest maps it no-execute */
	bool extra;	       /* only with --extra */
	bool private;	       /* with --tdx: has a private half, in a guest_memfd */
	uint64_t private_size; /* bytes from its start that are private at first */
	uint64_t gmem_offset;  /* of the slot in its guest_memfd */
	int gmem_fd;	       /* BACKING_GMEM, or the private half */
	uint64_t shared_mask;  /* bits of a GPA that say which half is meant, 0: there are none */
	const char *skipped;   /* why this machine cannot have it, or NULL */
	char *hva;	       /* NULL: none */
	bool registered;       /* KVM knows it now */
};

#define ACCESS_LOG	'l' /* no access: the slot's dirty log is fetched and cleared */
#define ACCESS_PREFAULT 'p' /* no access: KVM is asked to map it */

/* An access made during set-up, and the mapping it must leave behind. */
struct touch {
	int slot;
	uint64_t gpa;
	uint64_t count;	    /* accesses */
	uint64_t stride;    /* bytes */
	char access;	    /* 'r', 'w', 'x' or ACCESS_* */
	bool shared;	    /* with --tdx: of the shared half */
	uint64_t page_size; /* of the mapping with EPT or NPT; 0: MMIO, or nothing is promised */
	const char *perm;   /* of the mapping with EPT or NPT */
	const char *note;   /* why it differs from README.md, or NULL */
};

struct reply {
	char text[65536]; /* one line, no newline */
};

enum vcpu_state { VCPU_IDLE, VCPU_BUSY, VCPU_EXIT };

struct vcpu {
	struct guest *guest;
	int idx;
	int fd;
	struct kvm_run *run;
	volatile uint64_t *mailbox;
	pthread_t thread;
	pthread_mutex_t lock; /* of the members below */
	pthread_cond_t changed;
	enum vcpu_state state;
	bool spinning; /* the operation under way ends only by STOP */
	bool halted;   /* it is a HLT, and ends only by a kick */
	int status;    /* of the last operation: 0 or -errno */
	char why[160]; /* text for status */
	uint64_t mmio_exits;
	uint64_t ops;
};

struct options {
	const char *socket;
	const char *name;
	const char *layout_file;
	const char *file;
	bool layout;
	bool no_run;
	bool background;
	bool manual_dirty;
	bool dirty_ring;
	bool extra;
	bool irqchip;
	bool tdx;
	bool pae;
	bool churn;
	int churn_seconds; /* 0: forever */
	int vcpus;
	uint64_t sparse_gib;
	uint64_t dense_tables;
};

struct guest {
	struct options opt;
	int kvm_fd;
	int vm_fd;
	int vcpu_count;
	struct vcpu vcpu[MAX_VCPUS];
	int slot_count;
	struct slot slot[MAX_SLOTS];
	pthread_mutex_t slots_lock; /* slot.flags, slot.registered */
	int touch_count;
	struct touch touch[MAX_TOUCHES];
	bool touched;	     /* set-up accesses were made */
	uint64_t tables_end; /* GPA after the last guest page table */
	uint8_t maxphyaddr;
	int tdx_fd;	      /* with --tdx: the device that plays the TDX module */
	uint64_t shared_mask; /* with --tdx: the bit of a GPA that makes it shared, else 0 */
	char *system_copy;    /* with --tdx: the system slot's start, as the VM began with it */
	bool quit;
};

/* layout.c: the table of slots and set-up accesses. */
extern const struct slot tdx_slot_table[];
extern const struct touch tdx_touch_table[];
extern const int tdx_slot_count, tdx_touch_count;
int layout_init(struct guest *g);
void layout_print(const struct guest *g, FILE *out);
struct slot *layout_slot(struct guest *g, int id);
/* The slot that holds GPA..GPA+len, registered or not; NULL if none does. */
struct slot *layout_find(struct guest *g, uint64_t gpa, uint64_t len);
/* False for a mere step on the way to something promised later, and for a skipped slot's. */
bool layout_promises(const struct guest *g, const struct touch *t);
const char *layout_check(const struct guest *g);

/* memory.c: backing memory and KVM's registration of it. */
int memory_alloc(struct guest *g);
int memory_register(struct guest *g, struct slot *s, bool on);
int memory_set_flags(struct guest *g, struct slot *s, uint32_t flags);
int memory_map_anon(struct slot *s, char *hva, uint64_t len);
/* Fetches the slot's dirty bitmap (a bit per 4K page, ascending) into memory of the caller. */
int memory_dirty_log(struct guest *g, const struct slot *s, uint64_t *bitmap);
/* Only with --manual-dirty, else -EINVAL. */
int memory_clear_dirty(struct guest *g, const struct slot *s);
uint64_t memory_bitmap_bytes(const struct slot *s);
/* KVM_SET_MEMORY_ATTRIBUTES: guest_memfd's, or the VMM's again. */
int memory_set_private(struct guest *g, uint64_t gpa, uint64_t len, bool private);
/* The VMM's mapping of a GPA of either half. */
void *memory_hva(const struct slot *s, uint64_t gpa);
/* What the VMM sees of the guest's memory; of a private GPA by the TDX module's help. */
int memory_store(struct guest *g, const struct slot *s, uint64_t gpa, const void *from, size_t n);
/* A 'ret' where OP_EXEC calls. */
int memory_put_code(struct guest *g, const struct slot *s, uint64_t gpa);
int memory_load(struct guest *g, const struct slot *s, uint64_t gpa, void *to, size_t n);
/* The host's own answer: HPA of the page at hva. -ENOENT: none, -EIO: swapped out. */
int memory_hpa(const void *hva, uint64_t *hpa);
/* Writes 'GPA HPA' lines, one per present 4K page of every registered slot. */
int memory_pagemap_file(struct guest *g, const char *path, uint64_t *count);

/* pin.c: one range at a time. Its pages cannot move until it is unpinned. */
int memory_pin(void *hva, uint64_t len);
void memory_unpin(void);
/* The same for pages that a pipe has a reference of. */
int memory_splice(void *hva, uint64_t len);
void memory_unsplice(void);

/* numa.c: have the VMM's memory on one node, moving what is elsewhere; ask the kernel where it is.
 */
int memory_bind(void *hva, uint64_t len, unsigned int node);
/* Of @count 4K pages: the node of each, or -errno (-ENOENT: there is no page). */
int memory_nodes(void *hva, uint64_t count, int *node);

/* tables.c: the guest's page tables. */
int tables_build(struct guest *g);
void tables_print(const struct guest *g, FILE *out);

/* Levels of them. */
static inline int guest_levels(const struct guest *g)
{
	return g->opt.pae ? 3 : 4;
}

static inline uint64_t guest_base(const struct guest *g)
{
	return g->opt.pae ? GVA_BASE_PAE : GVA_BASE;
}

/* vm.c: the VM, its vCPUs' registers, KVM's statistics. */
int vm_create(struct guest *g);
/* The GDT base of a vCPU: unique among the guests of a host. */
uint64_t vm_identity(int vcpu);
int vm_reset_vcpu(struct vcpu *v);
int vm_stats(struct guest *g, bool all, struct reply *r);

/*
 * smm.c: the vCPU, not in KVM_RUN, is in system management mode or no more; the slots
 * of that address space come with it, and go unless @keep_slots.
 */
int vm_set_smm(struct vcpu *v, bool on, bool keep_slots);

/* tdx.c: a VM with private memory and mirrored page tables. */
int tdx_convert(struct guest *g);
int tdx_open_gmem(struct guest *g, struct slot *s);
/* Private is what the layout says, all else is shared. */
int tdx_attributes(struct guest *g);
/* The same at first, and moves the guest's code and tables there. */
int tdx_begin(struct guest *g);
/* Reads or writes private memory; -ENOENT: it has no page there. */
int tdx_copy(struct guest *g, const struct slot *s, uint64_t gpa, void *buffer, size_t n,
	     bool write);
int tdx_punch(const struct slot *s, uint64_t gpa, uint64_t len);
int tdx_allocate(const struct slot *s, uint64_t gpa, uint64_t len);
/* KVM_PRE_FAULT_MEMORY of the half that the attributes name; the vCPU is not in KVM_RUN. */
int vm_prefault(struct vcpu *v, uint64_t gpa, uint64_t len);

/* vcpu.c: the vCPU threads. */
struct op {
	uint64_t op; /* OP_* */
	uint64_t gpa;
	uint64_t count;
	uint64_t stride;
	uint64_t value;
};

int vcpu_start(struct vcpu *v);
/* Starts an operation. -EBUSY while another is under way. */
int vcpu_submit(struct vcpu *v, const struct op *op);
/* Waits for its end; -ETIMEDOUT after 'seconds' (the vCPU is then kicked and reset). */
int vcpu_wait(struct vcpu *v, int seconds);
/* Ends a spin or a HLT, if one is under way, and waits until the vCPU is in user space. */
int vcpu_pause(struct vcpu *v);
int vcpu_do(struct vcpu *v, const struct op *op);
void vcpu_stop(struct vcpu *v);

/* setup.c: the accesses that the layout promises. */
int setup_touch(struct guest *g, struct reply *r);

/* command.c: one command line in, one answer line out. */
void command_run(struct guest *g, char *line, struct reply *r);
int parse_size(const char *text, uint64_t *value);

/* control.c: stdin and the socket. */
int control_serve(struct guest *g);
int control_listen(const char *path);
int control_send(const char *path, int argc, char **argv);

/* churn.c: stress. */
int churn_start(struct guest *g);
void churn_stop(struct guest *g);
bool churn_active(void);
void churn_report(struct reply *r);

extern const char pages_guest_code[];
extern const uint64_t pages_guest_code_size;

/* Instructions of the guest's code that access memory: offsets in it. */
enum guest_at { AT_READ, AT_WRITE, AT_SPIN_READ, AT_SPIN_WRITE, GUEST_ATS };
extern const uint64_t pages_guest_at[GUEST_ATS];

/* The same in 32-bit mode. */
extern const char pages_guest32_code[];
extern const uint64_t pages_guest32_code_size;
extern const uint64_t pages_guest32_at[GUEST_ATS];

#endif
