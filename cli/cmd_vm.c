// SPDX-License-Identifier: GPL-2.0
/* `vm`: one VM's MMU at a glance: kind, counters, invalidation, masks. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/show.h"
#include "cli/target.h"

/* Names for JSON; the order is that of the image. */
static const char *const value_names[] = {
#define V(id, name) [SPT_VM_##id] = #name,
	SPT_VM_VALUES(V)
#undef V
};

static const char *const mask_names[] = {
#define M(id, name) [SPT_MASK_##id] = #name,
	SPT_MASKS(M)
#undef M
};

/* Values that JSON gives as addresses. */
static const enum spt_vm_value address_values[] = {
	SPT_VM_MMU_INVALIDATE_RANGE_START,
	SPT_VM_MMU_INVALIDATE_RANGE_END,
	SPT_VM_SHADOW_MMIO_VALUE,
	SPT_VM_DISABLED_QUIRKS,
	SPT_VM_GFN_DIRECT_BITS,
	SPT_VM_TDX_ATTRIBUTES,
	SPT_VM_TDX_XFAM,
	SPT_VM_TDX_TDR,
};

static bool is_address(unsigned int value)
{
	for (size_t i = 0; i < sizeof(address_values) / sizeof(address_values[0]); i++)
		if (address_values[i] == value)
			return true;
	return false;
}

/* One number of the VM for a line of text: "n/a" where this kernel has no such thing. */
struct value_text {
	char text[32];
};

static struct value_text number(const struct spt_model *model, enum spt_vm_value value)
{
	struct value_text t;
	uint64_t n;

	if (spt_value(&model->vm, value, &n))
		snprintf(t.text, sizeof(t.text), "%" PRIu64, n);
	else
		strcpy(t.text, "n/a");
	return t;
}

static struct value_text yes_no(const struct spt_model *model, enum spt_vm_value value)
{
	struct value_text t;
	uint64_t n;

	strcpy(t.text, !spt_value(&model->vm, value, &n) ? "n/a" : n ? "yes" : "no");
	return t;
}

/* Every line has its name in the same column. */
#define LINE(name, fmt, ...) fprintf(out, "  %-14s " fmt "\n", name, ##__VA_ARGS__)

static void print_build_id(FILE *out, const struct spt_head *head)
{
	char hex[41];

	for (int i = 0; i < 20; i++)
		snprintf(hex + 2 * i, 3, "%02x", head->kvm_build_id[i]);
	LINE("host", "Linux %s, kvm.ko build id %s, agent %s", head->release, hex, head->agent);
}

static void print_time(FILE *out, const struct spt_model *model)
{
	uint64_t begin = model->image.head.time_ns;
	uint64_t end = model->image.end.time_ns;
	time_t seconds = (time_t)(begin / 1000000000);
	uint64_t took_us = end > begin ? (end - begin) / 1000 : 0;
	struct tm tm;
	char text[64];

	if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		return;
	LINE("read at", "%s UTC, in %" PRIu64 " us", text, took_us);
}

/*
 * Where 82d811ff5665 is missing, KVM copies the count to an int, sign-extends it
 * and retries every fault for ever once it has passed INT_MAX.
 */
static void print_invalidation(FILE *out, const struct spt_model *model)
{
	uint64_t start, end, in_progress, first, behind;

	if (!spt_model_seq(model, &start, &end)) {
		LINE("invalidation", "n/a");
		return;
	}
	LINE("invalidation", "mmu_invalidate_seq %" PRIu64 " (0x%" PRIx64 ")%s", start, start,
	     end != start ? ", moved while the image was read" : "");
	if (start > INT_MAX)
		LINE("",
		     "past INT_MAX: kernels from 5.19 without 82d811ff5665 retry every fault from here on");
	if (spt_value(&model->vm, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, &in_progress) && in_progress) {
		if (spt_value(&model->vm, SPT_VM_MMU_INVALIDATE_RANGE_START, &first) &&
		    spt_value(&model->vm, SPT_VM_MMU_INVALIDATE_RANGE_END, &behind))
			LINE("",
			     "in progress: %" PRIu64 ", range 0x%" PRIx64 "-0x%" PRIx64
			     ": faults inside it are retried",
			     in_progress, first, behind);
		else
			LINE("", "in progress: %" PRIu64 ": faults are retried", in_progress);
	}
}

static void print_generations(FILE *out, const struct spt_model *model)
{
	const struct spt_end *end = &model->image.end;
	uint64_t generation;

	for (unsigned int as = 0; as < SPT_ADDRESS_SPACES; as++) {
		if (!spt_value(&model->vm, SPT_VM_GENERATION_0 + as, &generation))
			continue;
		LINE("memslots", "address space %u: %u slots, generation %" PRIu64 "%s%s", as,
		     model->memslots.first[as + 1] - model->memslots.first[as],
		     (uint64_t)(generation & ~SPT_SLOT_GEN_UPDATING),
		     generation & SPT_SLOT_GEN_UPDATING ? ", being updated" : "",
		     model->image.complete && end->generation_end[as] != generation
			     ? ", moved while the image was read"
			     : "");
	}
}

static void print_masks(FILE *out, const struct spt_model *model)
{
	const struct spt_masks *masks = &model->image.masks;

	fprintf(out, "  SPTE masks\n");
	for (unsigned int i = 0; i < SPT_MASK_COUNT; i++) {
		if (masks->known >> i & 1)
			fprintf(out, "    %-42s 0x%" PRIx64 "\n", mask_names[i],
				(uint64_t)masks->value[i]);
		else
			fprintf(out, "    %-42s n/a\n", mask_names[i]);
	}
}

/* Which bit of a GPA chooses, and what is known of the tables that the hardware walks. */
static void print_halves(FILE *out, const struct spt_model *model)
{
	static const char *const externals[] = {
		[SPT_NO] = "the TDX module's own: it alone can read them",
		[SPT_YES] = "ordinary memory, in the image",
	};
	enum spt_known known = spt_model_externals(model);

	if (!model->gpa_bits)
		return;
	LINE("shared bit", "GPA bit %d: set for shared memory, clear for private",
	     __builtin_ctzll(model->gpa_bits));
	LINE("external", "%s", known == SPT_NA ? "n/a" : externals[known]);
}

static void print_td(FILE *out, const struct spt_model *model)
{
	static const char *const states[] = { "uninitialized", "initialized", "finalized" };
	uint64_t state, tdr, hkid, attributes, xfam;

	if (spt_value(&model->vm, SPT_VM_TDX_STATE, &state))
		LINE("TD", "%s, HKID %s", state < 3 ? states[state] : "in an unknown state",
		     spt_value(&model->vm, SPT_VM_TDX_HKID, &hkid) && hkid != ~0ULL
			     ? number(model, SPT_VM_TDX_HKID).text
			     : "n/a");
	if (spt_value(&model->vm, SPT_VM_TDX_ATTRIBUTES, &attributes) &&
	    spt_value(&model->vm, SPT_VM_TDX_XFAM, &xfam))
		LINE("", "ATTRIBUTES 0x%" PRIx64 ", XFAM 0x%" PRIx64, attributes, xfam);
	if (spt_value(&model->vm, SPT_VM_TDX_TDR, &tdr))
		LINE("", "TDR page 0x%" PRIx64 ", TDCS %s pages", tdr,
		     number(model, SPT_VM_TDX_TDCS_PAGES).text);
}

static void print_vm(struct cli *cli, const struct spt_model *model)
{
	const struct spt_head *head = &model->image.head;
	FILE *out = cli->out;
	uint64_t flag;

	fprintf(out, "VM %s: %s, PID %d, fd %d\n", head->id, head->comm, head->pid, head->fd);
	print_build_id(out, head);
	print_time(out, model);
	LINE("MMU", "%s, %s, %d levels, %d host physical address bits", spt_model_mmu(model),
	     head->tdp_mmu ? "TDP MMU" : "shadow MMU (lists of shadow pages)", head->root_level,
	     head->maxphyaddr);
	LINE("type", "%s", spt_model_vm_type(model));
	LINE("vCPUs", "%s online, %s created", number(model, SPT_VM_ONLINE_VCPUS).text,
	     number(model, SPT_VM_CREATED_VCPUS).text);
	LINE("mapped", "%s x 4K, %s x 2M, %s x 1G, %s split for NX",
	     number(model, SPT_VM_PAGES_4K).text, number(model, SPT_VM_PAGES_2M).text,
	     number(model, SPT_VM_PAGES_1G).text, number(model, SPT_VM_NX_LPAGE_SPLITS).text);
	LINE("tables", "TDP MMU %s; shadow MMU %s used of at most %s, %s of them indirect",
	     number(model, SPT_VM_TDP_MMU_PAGES).text, number(model, SPT_VM_N_USED_MMU_PAGES).text,
	     number(model, SPT_VM_N_MAX_MMU_PAGES).text,
	     number(model, SPT_VM_INDIRECT_SHADOW_PAGES).text);
	LINE("mmu_valid_gen", "%s", number(model, SPT_VM_MMU_VALID_GEN).text);
	print_invalidation(out, model);
	print_generations(out, model);
	LINE("dirty log", "ring size %s, manual protect %s",
	     number(model, SPT_VM_DIRTY_RING_SIZE).text,
	     number(model, SPT_VM_MANUAL_DIRTY_LOG_PROTECT).text);
	LINE("private memory", "%s", yes_no(model, SPT_VM_HAS_PRIVATE_MEM).text);
	print_halves(out, model);
	print_td(out, model);
	if (spt_value(&model->vm, SPT_VM_VM_BUGGED, &flag) && flag)
		LINE("BUGGED",
		     "KVM found itself broken (KVM_BUG_ON): every ioctl of this VM fails");
	if (spt_value(&model->vm, SPT_VM_VM_DEAD, &flag) && flag)
		LINE("DEAD", "the VM has been ended and cannot run again");
	print_masks(out, model);
}

/* Pages that KVM gave to the TDX module, but for those that are values. */
static struct json_object *tdx_pages_to_json(const struct spt_model *model)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t i = 0; i < model->nr_tdx_pages; i++) {
		const struct spt_tdx_pages *pages = model->tdx_pages[i];
		struct json_object *o = json_object_new_object(), *hpas = json_object_new_array();
		bool tdcs = pages->kind == SPT_TDX_TDCS;

		for (uint32_t p = 0; p < pages->count; p++)
			json_object_array_add(hpas, cli_json_hex(pages->hpa[p]));
		cli_json_set_text(o, "kind", tdcs ? "tdcs" : "tdcx");
		cli_json_set(o, "vcpu_idx", tdcs ? NULL : cli_json_uint(pages->vcpu));
		cli_json_set(o, "hpas", hpas);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *vm_to_json(const struct spt_model *model)
{
	const struct spt_head *head = &model->image.head;
	struct json_object *o = json_object_new_object();
	struct json_object *masks = json_object_new_object();
	char hex[41];
	uint64_t value, end;

	for (int i = 0; i < 20; i++)
		snprintf(hex + 2 * i, 3, "%02x", head->kvm_build_id[i]);
	cli_json_set_text(o, "id", head->id);
	cli_json_set_int(o, "pid", head->pid);
	cli_json_set_int(o, "fd", head->fd);
	cli_json_set_text(o, "comm", head->comm);
	cli_json_set_text(o, "release", head->release);
	cli_json_set_text(o, "kvm_build_id", hex);
	cli_json_set_text(o, "agent", head->agent);
	cli_json_set_text(o, "vendor", head->vendor == SPT_VENDOR_VMX ? "vmx" : "svm");
	cli_json_set_text(o, "mmu", spt_model_mmu(model));
	cli_json_set_bool(o, "tdp_mmu", head->tdp_mmu);
	cli_json_set_text(o, "type", spt_model_vm_type(model));
	cli_json_set_int(o, "root_level", head->root_level);
	cli_json_set_int(o, "maxphyaddr", head->maxphyaddr);
	cli_json_set_uint(o, "time_ns", head->time_ns);
	for (unsigned int i = 0; i < SPT_VM_COUNT; i++) {
		if (!spt_value(&model->vm, i, &value))
			cli_json_set(o, value_names[i], NULL);
		else if (is_address(i))
			cli_json_set_hex(o, value_names[i], value);
		else
			cli_json_set_uint(o, value_names[i], value);
	}
	cli_json_set(o, "tdx_pages", tdx_pages_to_json(model));
	if (spt_model_seq(model, &value, &end)) {
		cli_json_set_uint(o, "mmu_invalidate_seq_end", end);
		cli_json_set_bool(o, "mmu_invalidate_seq_past_int_max", value > INT_MAX);
	}
	for (unsigned int i = 0; i < SPT_MASK_COUNT; i++)
		cli_json_set(masks, mask_names[i],
			     model->image.masks.known >> i & 1
				     ? cli_json_hex(model->image.masks.value[i])
				     : NULL);
	cli_json_set(o, "masks", masks);
	return o;
}

static int vm_run(struct cli *cli, const struct cli_call *call)
{
	const struct spt_request request = { .parts = SPT_PART_VM | SPT_PART_MEMSLOTS };
	struct spt_model *model;
	int rc = cli_model(cli, &request, &model);

	if (rc)
		return rc;
	if (cli->opt.json)
		cli_json_put(cli, "vm", vm_to_json(model));
	else
		print_vm(cli, model);
	return 0;
}

const struct cli_command cli_cmd_vm = {
	.name = "vm",
	.help = "show the VM's MMU: kind, counters, invalidation state, SPTE masks",
	.example = "vm -V 1234-12",
	.run = vm_run,
};
