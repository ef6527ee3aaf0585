/* SPDX-License-Identifier: GPL-2.0 */
/*
 * softtdx: a TDX module in software. KVM keeps a mirror of the private page tables and
 * tells the vendor's code of each change; here that code is this module's, and the
 * private ('external') tables are ordinary memory in the format of the processor's own.
 */
#ifndef SOFTTDX_H
#define SOFTTDX_H

#include <linux/kvm_host.h>
#include <linux/xarray.h>

#define SOFTTDX_VM_TYPE		5		/* KVM_X86_TDX_VM */
#define SOFTTDX_PRESENT		BIT_ULL(11)	/* KVM's: the entry is in use */
#define SOFTTDX_LARGE		BIT_ULL(7)
#define SOFTTDX_ADDRESS		GENMASK_ULL(51, 12)
#define SOFTTDX_SOFTWARE	(GENMASK_ULL(62, 52) | GENMASK_ULL(11, 9))
#define SOFTTDX_TABLE		7ULL		/* present, writable, user */
#define SOFTTDX_EMPTY		BIT_ULL(63)	/* what KVM's empty entries are */

/* What is counted, for each VM and in all. */
#define SOFTTDX_COUNTS(C)						\
	C(LINKED, tables_linked)					\
	C(FREED, tables_freed)						\
	C(SET, leaves_set)						\
	C(CHANGED, leaves_changed)					\
	C(CLEARED, leaves_cleared)					\
	C(SPLICED, roots_spliced)					\
	C(GUARDED, faults_made_private)					\
	C(BUSY, busy_injected)						\
	C(ERRORS, errors_injected)					\
	C(DELAYS, delays_injected)					\
	C(LOST, lost)		/* a change where no table is: never */	\
	C(UNRECORDED, unrecorded)	/* no memory for the record */

enum softtdx_count {
#define C(id, name) SOFTTDX_COUNT_##id,
	SOFTTDX_COUNTS(C)
#undef C
	SOFTTDX_COUNT_MAX,
};

struct softtdx_vm {
	struct list_head node;	/* softtdx_vms; changed under softtdx_mutex, read under RCU */
	struct kvm *kvm;	/* an identity, no reference: it outlives this */
	char name[32];		/* as KVM's debugfs calls the VM */
	u64 *root;		/* the external tables' */
	int levels;
	unsigned int shared_bit;
	spinlock_t top_lock;	/* top entries' copies in the direct roots */
	struct xarray entries;	/* what KVM told last, by gfn and level; never what is in memory */
	atomic_t busy, errors, delays, keep, forget;	/* callbacks that go wrong still */
	unsigned int delay_ms;
	atomic64_t count[SOFTTDX_COUNT_MAX];
	struct dentry *dir;
};

/* types.c: where KVM keeps what its headers do not show, by BTF. Offsets in bytes. */
struct softtdx_types {
	u32 sp_link, sp_role, sp_gfn, sp_spt, sp_external_spt;
	u32 role_level, role_is_mirror;		/* bits in the role */
	u32 arch_vm_type, arch_has_private_mem, arch_gfn_direct_bits;
	u32 host_maxphyaddr;
};

extern struct softtdx_types softtdx_types;
int softtdx_types_find(void);

/* Of functions that are reached by static calls: nobody defines these names. */
struct btf;
struct btf_type;
unsigned long softtdx_lookup_prototype(const char *name);
bool softtdx_file_is_kvm_prototype(struct file *file);
s32 softtdx_btf_find_id_prototype(const char *name, u32 kind, struct btf **btf);
const struct btf_type *softtdx_btf_by_id_prototype(const struct btf *btf, u32 id);
const char *softtdx_btf_name_prototype(const struct btf *btf, u32 offset);
void softtdx_btf_put_prototype(struct btf *btf);
void softtdx_vm_destroy_prototype(struct kvm *kvm);
void softtdx_load_mmu_pgd_prototype(struct kvm_vcpu *vcpu, hpa_t root_hpa, int level);

/* symbols.c */
int softtdx_symbols_init(void);
unsigned long softtdx_symbol(const char *name);	/* 0: none, which is logged */
bool softtdx_file_is_kvm(struct file *file);

/* calls.c: KVM's calls of its vendor's code that are this module's. */
int softtdx_calls_install(void);
void softtdx_calls_restore(void);

/* record.c */
extern struct list_head softtdx_vms;
extern struct mutex softtdx_mutex;
extern atomic64_t softtdx_totals[SOFTTDX_COUNT_MAX];	/* of VMs that are gone */
extern atomic64_t softtdx_converted, softtdx_destroyed, softtdx_pages;
/* Under RCU. NULL: not converted. */
struct softtdx_vm *softtdx_find(struct kvm *kvm);
struct softtdx_vm *softtdx_vm_new(struct kvm *kvm, unsigned int vm_fd, unsigned int shared_bit,
				  int levels);
void softtdx_vm_add(struct softtdx_vm *vm);
void softtdx_vm_free(struct softtdx_vm *vm);	/* of one that was not added */
void softtdx_vm_drop(struct kvm *kvm);
void softtdx_note(struct softtdx_vm *vm, u64 gfn, int level, u64 value);
u64 softtdx_noted(void *entry);

static inline void softtdx_count(struct softtdx_vm *vm, enum softtdx_count what)
{
	atomic64_inc(&vm->count[what]);
}

/* external.c: the external tables. Called with mmu_lock held. */
int softtdx_set_external_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte, int level);
void softtdx_free_external_spt(struct kvm *kvm, void *sp);
void softtdx_free_kept(void);

/* hardware.c: the private half in the tables that the processor walks. */
void softtdx_splice(struct softtdx_vm *vm, unsigned int index);
void softtdx_splice_root(struct softtdx_vm *vm, hpa_t root_hpa);

/* inject.c: 0, or what the callback is to fail with. */
int softtdx_inject(struct softtdx_vm *vm);
bool softtdx_inject_keep(struct softtdx_vm *vm);
bool softtdx_inject_forget(struct softtdx_vm *vm);
extern const struct file_operations softtdx_inject_fops;

/* guard.c */
int softtdx_guard_install(void);
void softtdx_guard_remove(void);

/* convert.c, gmem.c: the ioctls. */
struct softtdx_convert;
struct softtdx_copy;
int softtdx_convert(const struct softtdx_convert *convert);
int softtdx_copy(const struct softtdx_copy *copy);

/* show.c: debugfs. */
void softtdx_show_init(void);
void softtdx_show_exit(void);
void softtdx_show_vm(struct softtdx_vm *vm);
void softtdx_show_remove(struct softtdx_vm *vm);

#endif
