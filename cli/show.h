/* SPDX-License-Identifier: GPL-2.0 */
/* How things that several commands print are written: entries, roots, roles. */
#ifndef SPT_CLI_SHOW_H
#define SPT_CLI_SHOW_H

#include <json-c/json.h>

#include "cli/cli.h"
#include "spt/model.h"
#include "spt/tree.h"

#define CLI_FLAGS_TEXT 256 /* bytes that fit all flags of anything */

/* Flags of a decoded entry and of where it stands: for people, and as an array of names. */
const char *cli_entry_flags(const struct spt_spte *spte, const struct spt_entry *entry,
			    char text[CLI_FLAGS_TEXT]);
struct json_object *cli_entry_flags_json(const struct spt_spte *spte,
					 const struct spt_entry *entry);

/*
 * Where a shadow table's leaf leads in guest-physical memory, and the guest's
 * access bits (ACC_*) that it was made from. False for other entries.
 */
bool cli_entry_translation(const struct spt_entry *entry, uint64_t *gpa, unsigned int *access);

/* Members that an entry has in 'tree' and in 'walk'. */
void cli_entry_to_json(struct json_object *o, const struct spt_model *model,
		       const struct spt_entry *entry, const struct spt_spte *spte);

/* What the addresses that a root translates are: "GPA", "GVA" or "L2 GPA". */
const char *cli_root_space(const struct spt_root_ref *root);

/* "direct root 0x..., level 4, address space 0, valid". */
void cli_root_title(const struct spt_model *model, const struct spt_root_ref *root, char *text,
		    size_t size);

/* The title above a root's list; raw output has a column for it instead. */
void cli_print_root_title(struct cli *cli, const struct spt_model *model,
			  const struct spt_root_ref *root);

/* A role: every bit that this kernel has, by its name. */
struct json_object *cli_role_json(const struct spt_model *model, uint32_t word);

/* Names of the flags of a slot: for people separated by commas, "-" for none. */
const char *cli_slot_flags(uint32_t flags, char text[CLI_FLAGS_TEXT]);
struct json_object *cli_slot_flags_json(uint32_t flags);

/* Largest page that the slot's alignment of GPA against HVA allows, in bytes. */
uint64_t cli_slot_max_page(const struct spt_slot *slot);

/* A memory slot as `memslots` and `walk` give it. */
struct json_object *cli_slot_json(const struct spt_memslot *memslot);

/* vcpu_id of a vCPU; -1 unknown. */
int64_t cli_vcpu_id(const struct spt_vcpu_ref *vcpu);

/* Where a vCPU's hw_root was found: "computed", "vmcb" or "vmcs". */
const char *cli_hw_root_source(uint64_t source);

#endif
