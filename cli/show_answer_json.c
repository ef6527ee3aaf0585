// SPDX-License-Identifier: GPL-2.0
/* An answer as JSON: a member a line, lists where a name may stand more than once. */
#include <string.h>

#include "cli/json.h"
#include "cli/show_answer.h"
#include "decoders/spte.h"

struct json_object *cli_act_spte_json(const struct spt_format *format,
				      const struct spt_act_spte *spte)
{
	struct json_object *o, *flags;
	char perm[SPT_PERM_TEXT];
	struct spt_spte s;

	if (!spte->known)
		return NULL;
	s = spt_spte_decode(format, spte->raw, spte->level, SPT_SPTE_WALKED);
	o = json_object_new_object();
	cli_json_set_int(o, "level", spte->level);
	cli_json_set_hex(o, "spte", spte->raw);
	cli_json_set_text(o, "type", spt_spte_type_name(s.type));
	if (s.type == SPT_SPTE_LEAF || s.type == SPT_SPTE_TABLE) {
		cli_json_set_hex(o, "hpa", s.hpa);
		cli_json_set_text(o, "perm", spt_perm_text(format, s.perm, perm));
	}
	if (s.type == SPT_SPTE_LEAF)
		cli_json_set_uint(o, "size", s.size);
	flags = json_object_new_array();
	for (unsigned int i = 0; i < SPT_SPTE_FLAG_COUNT; i++)
		if (s.flags >> i & 1)
			json_object_array_add(flags, json_object_new_string(spt_spte_flag_name(i)));
	cli_json_set(o, "flags", flags);
	return o;
}

static void set_root(struct json_object *o, uint64_t root)
{
	cli_json_set(o, "root", root == SPT_ACT_NO_ROOT ? NULL : cli_json_hex(root));
}

static struct json_object *entry_json(const struct spt_format *format, const char *words)
{
	struct json_object *o = json_object_new_object();
	struct spt_act_entry e;

	if (!spt_act_entry(words, &e))
		return o;
	set_root(o, e.root);
	if (e.table)
		cli_json_set_hex(o, "table_hpa", e.table);
	cli_json_set_text(o, "kind", e.kind[0] ? e.kind : NULL);
	cli_json_set_hex(o, "gpa", e.gpa);
	cli_json_set(o, "before", cli_act_spte_json(format, &e.before));
	cli_json_set(o, "after", cli_act_spte_json(format, &e.after));
	return o;
}

static struct json_object *counts_json(const uint64_t counts[3])
{
	static const char *const names[] = { "4k", "2m", "1g" };
	struct json_object *o = json_object_new_object();

	for (int i = 0; i < 3; i++)
		cli_json_set_uint(o, names[i], counts[i]);
	return o;
}

static struct json_object *mapped_json(const char *words)
{
	struct json_object *o = json_object_new_object();
	struct spt_act_mapped m;

	if (!spt_act_mapped(words, &m))
		return o;
	set_root(o, m.root);
	cli_json_set_text(o, "kind", m.kind[0] ? m.kind : NULL);
	cli_json_set(o, "before", counts_json(m.before));
	cli_json_set(o, "after", m.have_after ? counts_json(m.after) : NULL);
	return o;
}

static struct json_object *touched_json(const char *words)
{
	struct json_object *o = json_object_new_object();
	struct spt_act_touched t;

	if (!spt_act_touched(words, &t))
		return o;
	set_root(o, t.root);
	cli_json_set_hex(o, "gpa", t.gpa);
	cli_json_set_uint(o, "size", t.size);
	return o;
}

/* "0:1 base=0x… size=0x… …" */
static struct json_object *slot_json(const char *text)
{
	struct json_object *o = json_object_new_object();
	size_t len;
	const char *flags = spt_act_word(text, "flags", &len);
	uint64_t number;
	int as_id, id;

	if (sscanf(text, "%d:%d", &as_id, &id) == 2) {
		cli_json_set_int(o, "as_id", as_id);
		cli_json_set_int(o, "id", id);
	}
	if (spt_act_number(text, "base", &number))
		cli_json_set_hex(o, "base_gpa", number);
	if (spt_act_number(text, "size", &number))
		cli_json_set_uint(o, "size", number);
	if (spt_act_number(text, "hva", &number))
		cli_json_set_hex(o, "hva", number);
	if (flags)
		cli_json_set(o, "flags", json_object_new_string_len(flags, (int)len));
	return o;
}

/* How a line becomes a member of its block; a list where 'list' has a name. */
static const struct member {
	const char *key, *list;
	bool hex;
} members[SPT_LINE_NAMES] = {
	[SPT_LINE_ID] = { .key = "id" },
	[SPT_LINE_VM] = { .key = "vm" },
	[SPT_LINE_GPA] = { .key = "gpa" },
	[SPT_LINE_SIZE] = { .key = "size" },
	[SPT_LINE_SLOT] = { .key = "slot" },
	[SPT_LINE_HVA] = { .key = "hva", .hex = true },
	[SPT_LINE_VCPU] = { .key = "vcpu" },
	[SPT_LINE_ACCESS] = { .key = "access" },
	[SPT_LINE_PERM] = { .key = "perm" },
	[SPT_LINE_STEP] = { .key = "step" },
	[SPT_LINE_CONTEXT] = { .key = "context" },
	[SPT_LINE_RET] = { .key = "ret" },
	[SPT_LINE_RETRIES] = { .key = "retries" },
	[SPT_LINE_NS] = { .key = "ns" },
	[SPT_LINE_WAIT_NS] = { .key = "wait_ns" },
	[SPT_LINE_ENTRY] = { .list = "entries" },
	[SPT_LINE_MAPPED] = { .list = "mapped" },
	[SPT_LINE_TOUCHED] = { .list = "touched" },
	[SPT_LINE_OLD_HPA] = { .key = "old_hpa", .hex = true },
	[SPT_LINE_NEW_HPA] = { .key = "new_hpa", .hex = true },
	[SPT_LINE_PAGE_SIZE] = { .key = "page_size" },
	[SPT_LINE_LOST] = { .key = "lost" },
	[SPT_LINE_COUNT] = { .key = "count" },
	[SPT_LINE_UNDONE] = { .list = "undone" },
	[SPT_LINE_UNDO] = { .key = "undo" },
};

static struct json_object *value_json(const struct spt_format *format,
				      const struct spt_act_line *line)
{
	switch (line->name) {
	case SPT_LINE_ENTRY:
		return entry_json(format, line->text);
	case SPT_LINE_MAPPED:
		return mapped_json(line->text);
	case SPT_LINE_TOUCHED:
		return touched_json(line->text);
	case SPT_LINE_SLOT:
		return slot_json(line->text);
	case SPT_LINE_GPA:
		/* As text where it is a range or 'all'. */
		return strchr(line->text, '+') || line->text[0] == 'a'
			       ? json_object_new_string(line->text)
			       : cli_json_hex(line->number);
	case SPT_LINE_VM:
	case SPT_LINE_ACCESS:
	case SPT_LINE_PERM:
	case SPT_LINE_CONTEXT:
	case SPT_LINE_RET:
		return json_object_new_string(line->text);
	default:
		return members[line->name].hex ? cli_json_hex(line->number)
					       : cli_json_uint(line->number);
	}
}

static void add_member(const struct spt_format *format, struct json_object *o,
		       const struct spt_act_line *line)
{
	const struct member *m = &members[line->name];
	struct json_object *list;

	if (m->key)
		cli_json_set(o, m->key, value_json(format, line));
	if (!m->list)
		return;
	if (!json_object_object_get_ex(o, m->list, &list)) {
		list = json_object_new_array();
		cli_json_set(o, m->list, list);
	}
	json_object_array_add(list, value_json(format, line));
}

/* The members of one block, from line *@next on. */
static struct json_object *block_json(const struct spt_format *format,
				      const struct spt_answer *answer, size_t *next)
{
	struct json_object *o = json_object_new_object();
	unsigned int step = answer->lines[*next].step;

	while (*next < answer->nr_lines && answer->lines[*next].step == step)
		add_member(format, o, &answer->lines[(*next)++]);
	return o;
}

static void put_members(struct cli *cli, struct json_object *o)
{
	struct json_object_iterator at = json_object_iter_begin(o), end = json_object_iter_end(o);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		cli_json_put(cli, json_object_iter_peek_name(&at),
			     json_object_get(json_object_iter_peek_value(&at)));
	json_object_put(o);
}

static struct json_object *reason_json(const struct spt_answer *answer)
{
	struct json_object *o;

	if (answer->reason == SPT_WHY_NONE)
		return NULL;
	o = json_object_new_object();
	cli_json_set_text(o, "code", spt_reason_name(answer->reason));
	cli_json_set_text(o, "text", answer->reason_text);
	return o;
}

void cli_put_answer(struct cli *cli, const struct spt_format *format,
		    const struct spt_answer *answer)
{
	const struct spt_act_line *dry = spt_answer_find(answer, 0, SPT_LINE_DRY_RUN);
	size_t next = 0;

	cli_json_put(cli, "action", json_object_new_string(spt_actions[answer->action].name));
	cli_json_put(cli, "dry_run", json_object_new_boolean(dry && dry->number));
	if (answer->nr_lines && !answer->lines[0].step)
		put_members(cli, block_json(format, answer, &next));
	cli_json_array_begin(cli, "steps");
	while (next < answer->nr_lines && answer->lines[next].step != SPT_ACT_LAST)
		cli_json_put(cli, NULL, block_json(format, answer, &next));
	cli_json_array_end(cli);
	if (next < answer->nr_lines)
		put_members(cli, block_json(format, answer, &next));
	cli_json_put(cli, "result", json_object_new_string(spt_result_name(answer->result)));
	cli_json_put(cli, "reason", reason_json(answer));
}
