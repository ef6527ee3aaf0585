// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "cli/json.h"
#include "cli/show.h"
#include "cli/show_explain.h"
#include "cli/show_guest.h"
#include "cli/show_walk.h"
#include "cli/target.h"
#include "spt/explain.h"

static struct json_object *hpa_or_null(uint64_t hpa)
{
	return hpa == SPT_NO_HPA ? NULL : cli_json_hex(hpa);
}

static struct json_object *size_or_null(uint64_t size)
{
	return size ? cli_json_uint(size) : NULL;
}

static struct json_object *node_or_null(const struct spt_nodes *nodes, const struct spt_walk *walk,
					uint64_t hpa)
{
	int node = cli_walk_node(nodes, walk, hpa);

	return node == SPT_NO_NODE ? NULL : json_object_new_int(node);
}

static struct json_object *path_to_json(const struct spt_model *model,
					const struct spt_nodes *nodes, const struct spt_walk *walk,
					const struct spt_walk_path *path, bool explain)
{
	struct json_object *levels = json_object_new_array();
	struct json_object *o = json_object_new_object();
	char words[SPT_EXPLAIN_TEXT];

	for (unsigned int i = 0; i < path->nr_levels; i++) {
		struct spt_spte spte = spt_entry_decode(model, &path->level[i]);
		struct json_object *level = json_object_new_object();

		cli_entry_to_json(level, model, &path->level[i], &spte);
		if (explain)
			cli_json_set_text(level, "text",
					  spt_explain_entry(model, &path->level[i], words));
		json_object_array_add(levels, level);
	}
	/* 'hpa' is what the root translates the address to; the root itself is 'root_hpa'. */
	cli_json_set(o, "root_hpa", path->root ? cli_json_hex(path->root->hpa) : NULL);
	cli_json_set_text(o, "kind", path->root ? spt_root_kind_name(path->root->kind) : "shadow");
	/* In the root's own space: GVA or L2 GPA where it does not translate GPAs. */
	cli_json_set_hex(o, "address", path->address);
	cli_json_set(o, "levels", levels);
	cli_json_set(o, "hpa", hpa_or_null(path->hpa));
	cli_json_set(o, "page_size", size_or_null(path->page_size));
	cli_json_set(o, "node", node_or_null(nodes, walk, path->hpa));
	return o;
}

static struct json_object *host_level_to_json(const struct spt_host_level *level, bool explain)
{
	const struct {
		bool set;
		const char *name;
	} flags[] = {
		{ level->user, "user" },
		{ level->accessed, "accessed" },
		{ level->dirty, "dirty" },
		{ level->nx, "nx" },
	};
	struct json_object *names = json_object_new_array();
	struct json_object *o = json_object_new_object();
	bool present = level->type == SPT_HOST_TABLE || level->type == SPT_HOST_PAGE;
	char perm[4] = "---", words[SPT_EXPLAIN_TEXT];

	if (present) {
		perm[0] = 'r';
		perm[1] = level->writable ? 'w' : '-';
		perm[2] = level->nx ? '-' : 'x';
	}
	for (size_t i = 0; present && i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].set)
			json_object_array_add(names, json_object_new_string(flags[i].name));
	cli_json_set_int(o, "level", level->level);
	cli_json_set_hex(o, "table_hpa", level->table_hpa);
	cli_json_set_uint(o, "index", level->index);
	cli_json_set_hex(o, "entry", level->entry);
	cli_json_set_text(o, "type", spt_host_type_name(level->type));
	cli_json_set_text(o, "perm", perm);
	cli_json_set(o, "flags", names);
	if (explain)
		cli_json_set_text(o, "text", spt_explain_host(level, words));
	return o;
}

static struct json_object *host_to_json(const struct spt_nodes *nodes, const struct spt_walk *walk,
					bool explain)
{
	const struct spt_host_path *host = &walk->host;
	struct json_object *levels = json_object_new_array();
	struct json_object *o = json_object_new_object();

	for (unsigned int i = 0; i < host->nr_levels; i++)
		json_object_array_add(levels, host_level_to_json(&host->level[i], explain));
	cli_json_set(o, "levels", levels);
	cli_json_set(o, "hpa", hpa_or_null(host->hpa));
	cli_json_set(o, "page_size", size_or_null(host->page_size));
	cli_json_set(o, "node", node_or_null(nodes, walk, host->hpa));
	cli_json_set_text(o, "type", spt_host_type_name(host->type));
	cli_json_set_bool(o, "writable", host->writable);
	cli_json_set_text(o, "error", host->error ? strerror(host->error) : NULL);
	return o;
}

/* Both addresses of a page of a VM whose memory has two halves. */
static struct json_object *aliases_to_json(const struct spt_model *model,
					   const struct spt_walk *walk)
{
	struct json_object *o;

	if (!model->gpa_bits)
		return NULL;
	o = json_object_new_object();
	cli_json_set_int(o, "gpa_bit", __builtin_ctzll(model->gpa_bits));
	cli_json_set_hex(o, "private", walk->gpa);
	cli_json_set_hex(o, "shared", walk->gpa | model->gpa_bits);
	cli_json_set_text(o, "asked", walk->asked_shared ? "shared" : "private");
	return o;
}

static void halves_to_json(struct cli *cli, const struct spt_model *model,
			   const struct spt_walk *walk)
{
	cli_json_put(cli, "halves", aliases_to_json(model, walk));
	cli_json_put(cli, "attributes",
		     walk->knows_attrs
			     ? json_object_new_string(walk->private_gpa ? "private" : "shared")
			     : NULL);
	cli_json_put(cli, "guest_memfd_hpa", walk->knows_gmem ? hpa_or_null(walk->gmem_hpa) : NULL);
	cli_json_put(cli, "external_agrees",
		     walk->external == SPT_NA ? NULL
					      : json_object_new_boolean(walk->external == SPT_YES));
}

void cli_walk_to_json(struct cli *cli, const struct spt_model *model,
		      const struct cli_walk_from *from, const struct spt_walk *walk)
{
	const struct spt_nodes known = { model, from->nodes ? cli_numa(cli) : NULL };
	const struct spt_nodes *nodes = from->nodes ? &known : NULL;
	struct json_object *o = json_object_new_object();
	bool have_gpa = cli_walk_has_gpa(from, walk);

	cli_json_set_text(o, "kind", from->kind);
	cli_json_set_hex(o, "address", from->address);
	cli_json_put(cli, "from", o);
	cli_json_put(cli, "gva", from->guest ? cli_json_hex(from->guest->gva) : NULL);
	cli_json_put(cli, "guest", from->guest ? cli_guest_json(from->guest, from->explain) : NULL);
	cli_json_put(cli, "gpa", have_gpa ? cli_json_hex(walk->gpa) : NULL);
	cli_json_put(cli, "memslot", walk->slot ? cli_slot_json(walk->slot) : NULL);
	cli_json_put(cli, "hva", walk->hva == SPT_NO_HVA ? NULL : cli_json_hex(walk->hva));
	cli_json_put(cli, "private", json_object_new_boolean(walk->private_gpa));
	halves_to_json(cli, model, walk);
	cli_json_array_begin(cli, "roots");
	for (unsigned int i = 0; i < walk->nr_paths; i++)
		cli_json_put(cli, NULL,
			     path_to_json(model, nodes, walk, &walk->path[i], from->explain));
	cli_json_array_end(cli);
	cli_json_put(cli, "more_roots", cli_json_uint(walk->more_paths));
	cli_json_put(cli, "host",
		     walk->have_host && walk->slot ? host_to_json(nodes, walk, from->explain)
						   : NULL);
	cli_json_put(cli, "verdict", json_object_new_string(spt_verdict_name(walk->verdict)));
	cli_json_put(cli, "reason", json_object_new_string(walk->reason));
	cli_json_put(cli, "tries", cli_json_uint(walk->tries));
	if (from->explain && have_gpa) {
		struct json_object *words = json_object_new_array();

		spt_explain_walk(model, walk, cli_add_item, words);
		cli_json_put(cli, "explanation", words);
	}
}
