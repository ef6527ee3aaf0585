// SPDX-License-Identifier: GPL-2.0
#include "spt/trace_points.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FORMAT_MAX 16384

/* arch/x86/include/uapi/asm/{svm,vmx}.h */
#define SVM_EXIT_PF	       0x4e
#define SVM_EXIT_NPF	       0x400
#define VMX_EXIT_EXCEPTION     0
#define VMX_EXIT_EPT_VIOLATION 48
#define VMX_EXIT_EPT_MISCONFIG 49

/* arch/x86/kvm/trace.h and include/trace/events/kvm.h */
#define KVM_TRACE_MMIO_READ_UNSATISFIED 0
#define KVM_TRACE_MMIO_WRITE		2

/* arch/x86/kvm/trace.h, arch/x86/kvm/mmu/mmutrace.h, include/trace/events/kvm.h */
const struct spt_point spt_points[SPT_EVENT_KINDS_COUNT] = {
	[SPT_EVENT_FAULT] = { "kvm",
			      "kvm_page_fault",
			      "a fault of the guest that KVM resolves",
			      { { "vcpu_id", SPT_USE_VCPU },
				{ "guest_rip", SPT_USE_RIP },
				{ "fault_address", SPT_USE_ADDRESS },
				{ "error_code", SPT_USE_ERROR } } },
	[SPT_EVENT_EXIT] = { "kvm",
			     "kvm_exit",
			     "the exit that it made",
			     { { "vcpu_id", SPT_USE_VCPU },
			       { "guest_rip", SPT_USE_RIP },
			       { "exit_reason", SPT_USE_RESULT },
			       { "info1", SPT_USE_ERROR },
			       { "info2", SPT_USE_ADDRESS } },
			     .exits = "exit_reason" },
	[SPT_EVENT_SPTE] = { "kvmmmu",
			     "kvm_tdp_mmu_spte_changed",
			     "the TDP MMU changed an entry",
			     { { "gfn", SPT_USE_GFN },
			       { "old_spte", SPT_USE_OLD },
			       { "new_spte", SPT_USE_NEW },
			       { "level", SPT_USE_LEVEL },
			       { "as_id", SPT_USE_AS } } },
	[SPT_EVENT_SET] = { "kvmmmu",
			    "kvm_mmu_set_spte",
			    "an entry that maps a page was set",
			    { { "gfn", SPT_USE_GFN },
			      { "spte", SPT_USE_NEW },
			      { "level", SPT_USE_LEVEL } } },
	[SPT_EVENT_FAST] = { "kvmmmu",
			     "fast_page_fault",
			     "a fault resolved without mmu_lock",
			     { { "vcpu_id", SPT_USE_VCPU },
			       { "cr2_or_gpa", SPT_USE_ADDRESS },
			       { "error_code", SPT_USE_ERROR },
			       { "old_spte", SPT_USE_OLD },
			       { "new_spte", SPT_USE_NEW },
			       { "ret", SPT_USE_RESULT } } },
	[SPT_EVENT_MMIO_FAULT] = { "kvmmmu",
				   "handle_mmio_page_fault",
				   "a fault on an entry that KVM knows as MMIO",
				   { { "gfn", SPT_USE_GFN }, { "access", SPT_USE_RESULT } } },
	[SPT_EVENT_MMIO_SPTE] = { "kvmmmu",
				  "mark_mmio_spte",
				  "an entry was made one of MMIO",
				  { { "gfn", SPT_USE_GFN }, { "access", SPT_USE_RESULT } } },
	[SPT_EVENT_MMIO] = { "kvm",
			     "kvm_mmio",
			     "an access to a device was emulated",
			     { { "gpa", SPT_USE_ADDRESS },
			       { "len", SPT_USE_RESULT },
			       { "type", SPT_USE_WRITE } } },
	[SPT_EVENT_ZAP_PAGE] = { "kvmmmu",
				 "kvm_mmu_prepare_zap_page",
				 "a shadow page is taken down",
				 { { "gfn", SPT_USE_GFN }, { "role", SPT_USE_RESULT } } },
	[SPT_EVENT_ZAP_ALL] = { "kvmmmu",
				"kvm_mmu_zap_all_fast",
				"all roots were made invalid",
				{ { "mmu_valid_gen", SPT_USE_RESULT } } },
	[SPT_EVENT_SPLIT] = { "kvmmmu",
			      "kvm_mmu_split_huge_page",
			      "a huge page was split",
			      { { "gfn", SPT_USE_GFN },
				{ "spte", SPT_USE_OLD },
				{ "level", SPT_USE_LEVEL },
				{ "errno", SPT_USE_RESULT } } },
	[SPT_EVENT_UNMAP] = { "kvm",
			      "kvm_unmap_hva_range",
			      "the host takes memory back",
			      { { "start", SPT_USE_ADDRESS }, { "end", SPT_USE_END } } },
	[SPT_EVENT_AGE] = { "kvm",
			    "kvm_age_hva",
			    "the host asks what was accessed",
			    { { "start", SPT_USE_ADDRESS }, { "end", SPT_USE_END } } },
	[SPT_EVENT_NESTED] = { "kvm",
			       "kvm_nested_vmexit",
			       "the exit that it made, of the guest's own guest (L2)",
			       { { "vcpu_id", SPT_USE_VCPU },
				 { "guest_rip", SPT_USE_RIP },
				 { "exit_reason", SPT_USE_RESULT },
				 { "info1", SPT_USE_ERROR },
				 { "info2", SPT_USE_ADDRESS } },
			       .exits = "exit_reason" },
	[SPT_EVENT_REFLECT] = { "kvm",
				"kvm_nested_vmexit_inject",
				"a fault of L2 given on to the guest's hypervisor",
				{ { "exit_code", SPT_USE_RESULT },
				  { "exit_info1", SPT_USE_ERROR },
				  { "exit_info2", SPT_USE_ADDRESS } },
				.exits = "exit_code" },
};

/* The file's text in @text; its length, 0: there is none. */
static size_t read_format(const char *dir, const struct spt_point *point, char *text, size_t size)
{
	char path[512];
	ssize_t n, len = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/events/%s/%s/format", dir, point->system, point->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while ((size_t)len < size && (n = read(fd, text + len, size - len)) > 0)
		len += n;
	close(fd);
	return len;
}

int spt_points_init(struct spt_points_here *here, const struct spt_trace_calls *calls,
		    const char *dir, struct spt_error *err)
{
	char text[FORMAT_MAX];

	memset(here, 0, sizeof(*here));
	here->calls = calls;
	here->tep = calls->tep_alloc();
	if (!here->tep)
		return spt_fail(err, ENOMEM, "out of memory for event formats");
	for (unsigned int kind = 0; kind < SPT_EVENT_KINDS_COUNT; kind++) {
		const struct spt_point *point = &spt_points[kind];
		struct spt_point_here *to = &here->point[kind];
		size_t len = read_format(dir, point, text, sizeof(text));

		if (!len ||
		    calls->tep_parse_format(here->tep, &to->event, text, len, point->system)) {
			to->event = NULL;
			continue;
		}
		for (int i = 0; i < SPT_POINT_FIELDS && point->field[i].name; i++)
			to->field[i] = calls->tep_find_any_field(to->event, point->field[i].name);
	}
	return 0;
}

void spt_points_deinit(struct spt_points_here *here)
{
	if (here->tep)
		here->calls->tep_free(here->tep);
	memset(here, 0, sizeof(*here));
}

/* Exits that faults make: by one that is resolved, and by one on an MMIO entry, or -1. */
struct fault_exits {
	int fault, mmio;
};

static struct fault_exits fault_exits(const struct spt_head *head)
{
	bool shadow = head->mmu == SPT_MMU_SHADOW;

	if (head->vendor == SPT_VENDOR_SVM)
		return (struct fault_exits){ shadow ? SVM_EXIT_PF : SVM_EXIT_NPF, -1 };
	if (shadow)
		return (struct fault_exits){ VMX_EXIT_EXCEPTION, -1 };
	return (struct fault_exits){ VMX_EXIT_EPT_VIOLATION, VMX_EXIT_EPT_MISCONFIG };
}

bool spt_point_is_fault(const struct spt_head *head, const struct spt_event *exit)
{
	return exit->known & SPT_EVENT_HAS_RESULT &&
	       (int64_t)exit->result == fault_exits(head).fault;
}

static void exit_filter(const struct spt_head *head, const char *field, char *filter)
{
	struct fault_exits exits = fault_exits(head);
	int n = snprintf(filter, SPT_POINT_FILTER, "%s == %d", field, exits.fault);

	if (exits.mmio >= 0)
		snprintf(filter + n, SPT_POINT_FILTER - n, " || %s == %d", field, exits.mmio);
}

/* The addresses that the field may have; those of gfns from the 1G page on that holds the first. */
static void address_filter(const struct spt_events_ask *ask, const char *field, bool gfn,
			   char *filter)
{
	uint64_t first = ask->start, last = ask->start + ask->len - 1;

	if (gfn) {
		first = first >> 30 << 18;
		last >>= SPT_PAGE_SHIFT;
	}
	snprintf(filter, SPT_POINT_FILTER, "%s >= 0x%" PRIx64 " && %s <= 0x%" PRIx64, field, first,
		 field, last);
}

void spt_point_filter(const struct spt_points_here *here, unsigned int kind,
		      const struct spt_head *head, const struct spt_events_ask *ask,
		      char filter[SPT_POINT_FILTER])
{
	const struct spt_point *point = &spt_points[kind];

	filter[0] = '\0';
	if (point->exits) {
		exit_filter(head, point->exits, filter);
		return;
	}
	/* HVAs are the VMM's; a shadow table's gfn is not what is mapped there. */
	if (!ask->len || kind == SPT_EVENT_UNMAP || kind == SPT_EVENT_AGE ||
	    kind == SPT_EVENT_ZAP_PAGE || (head->mmu == SPT_MMU_SHADOW && kind != SPT_EVENT_MMIO))
		return;
	for (int i = 0; i < SPT_POINT_FIELDS && point->field[i].name; i++) {
		enum spt_point_use use = point->field[i].use;

		if (here->point[kind].field[i] && (use == SPT_USE_ADDRESS || use == SPT_USE_GFN))
			address_filter(ask, point->field[i].name, use == SPT_USE_GFN, filter);
	}
}

static void take(struct spt_event *e, enum spt_point_use use, uint64_t value)
{
	switch (use) {
	case SPT_USE_VCPU:
		e->vcpu = (int32_t)value;
		e->known |= SPT_EVENT_HAS_VCPU;
		break;
	case SPT_USE_GFN:
		value <<= SPT_PAGE_SHIFT;
		/* fall through */
	case SPT_USE_ADDRESS:
		e->address = value;
		e->known |= SPT_EVENT_HAS_ADDRESS;
		break;
	case SPT_USE_END:
		e->len = value - e->address;
		break;
	case SPT_USE_ERROR:
		e->error_code = value;
		e->known |= SPT_EVENT_HAS_ERROR;
		break;
	case SPT_USE_RIP:
		e->rip = value;
		e->known |= SPT_EVENT_HAS_RIP;
		break;
	case SPT_USE_OLD:
		e->old_spte = value;
		e->known |= SPT_EVENT_HAS_OLD;
		break;
	case SPT_USE_NEW:
		e->new_spte = value;
		e->known |= SPT_EVENT_HAS_NEW;
		break;
	case SPT_USE_LEVEL:
		e->level = value;
		e->known |= SPT_EVENT_HAS_LEVEL;
		break;
	case SPT_USE_AS:
		e->as_id = value;
		e->known |= SPT_EVENT_HAS_AS;
		break;
	case SPT_USE_RESULT:
		e->result = value;
		e->known |= SPT_EVENT_HAS_RESULT;
		break;
	case SPT_USE_WRITE:
		e->flags |= value == KVM_TRACE_MMIO_WRITE ? SPT_EVENT_WRITE : 0;
		e->flags |= value == KVM_TRACE_MMIO_READ_UNSATISFIED ? SPT_EVENT_ASKED : 0;
		break;
	case SPT_USE_NOTHING:
		break;
	}
}

/* struct trace_entry, the head of every event; its layout has not changed since 2008. */
struct trace_head {
	uint16_t type;
	uint8_t flags;
	uint8_t preempt_count;
	int32_t pid;
};

bool spt_point_decode(const struct spt_points_here *here, void *raw, unsigned int size,
		      struct spt_event *e)
{
	const struct trace_head *head = raw;

	if (size < sizeof(*head))
		return false;
	for (unsigned int kind = 0; kind < SPT_EVENT_KINDS_COUNT; kind++) {
		const struct spt_point_here *point = &here->point[kind];

		if (!point->event || point->event->id != head->type)
			continue;
		*e = (struct spt_event){ .kind = kind, .pid = head->pid, .vcpu = -1, .slot = -1 };
		for (int i = 0; i < SPT_POINT_FIELDS; i++) {
			const struct tep_format_field *f = point->field[i];
			unsigned long long value;

			if (!f || f->offset + f->size > (int)size ||
			    here->calls->tep_read_number_field(point->field[i], raw, &value))
				continue;
			take(e, spt_points[kind].field[i].use, value);
		}
		return true;
	}
	return false;
}
