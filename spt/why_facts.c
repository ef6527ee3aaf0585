// SPDX-License-Identifier: GPL-2.0
/* Causes and facts of one answer. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "spt/why_parts.h"

void spt_why_add(struct spt_why_ask *ask, enum spt_cause cause)
{
	struct spt_why_answer *a = ask->answer;

	if (a->nr_causes < SPT_WHY_CAUSES)
		a->cause[a->nr_causes++] =
			(struct spt_why_cause){ .cause = cause, .first_fact = a->nr_facts };
}

void spt_why_fact(struct spt_why_ask *ask, const char *name, const char *fmt, ...)
{
	struct spt_why_answer *a = ask->answer;
	struct spt_why_fact *fact;
	va_list ap;

	if (a->nr_facts == SPT_WHY_FACTS || !a->nr_causes)
		return;
	fact = &a->fact[a->nr_facts++];
	fact->name = name;
	va_start(ap, fmt);
	vsnprintf(fact->value, sizeof(fact->value), fmt, ap);
	va_end(ap);
	a->cause[a->nr_causes - 1].nr_facts++;
}

void spt_why_fact_hex(struct spt_why_ask *ask, const char *name, uint64_t value)
{
	spt_why_fact(ask, name, "0x%" PRIx64, value);
}

void spt_why_fact_number(struct spt_why_ask *ask, const char *name, uint64_t value)
{
	spt_why_fact(ask, name, "%" PRIu64, value);
}

void spt_why_fact_spte(struct spt_why_ask *ask)
{
	if (ask->last)
		spt_why_fact(ask, "spte", "0x%" PRIx64 " at level %d", ask->last->spte,
			     ask->last->level);
	else
		spt_why_fact(ask, "spte", "none");
}

void spt_why_fact_slot_flags(struct spt_why_ask *ask)
{
	char text[64] = "";
	size_t used = 0;

	for (const struct spt_slot_flag *f = spt_slot_flags; f->bit; f++)
		if (ask->slot->flags & f->bit && used < sizeof(text))
			used += snprintf(text + used, sizeof(text) - used, " %s", f->name);
	spt_why_fact(ask, "slot.flags", "0x%x%s", ask->slot->flags, text);
}

void spt_why_fact_host(struct spt_why_ask *ask)
{
	const struct spt_why_host *h = &ask->host;

	if (!h->known) {
		spt_why_fact(ask, "host.entry", "n/a");
		return;
	}
	if (h->have_entry)
		spt_why_fact_hex(ask, "host.entry", h->entry);
	spt_why_fact(ask, "host.type", "%s%s", spt_host_type_name(h->type),
		     h->special ? " special" : "");
	if (h->hpa == SPT_NO_HPA)
		return;
	spt_why_fact_number(ask, "host.page_size", spt_level_size(h->level));
	spt_why_fact_number(ask, "host.writable", h->writable);
}

bool spt_why_names(const struct spt_why_answer *answer, enum spt_cause cause)
{
	for (unsigned int i = 0; i < answer->nr_causes; i++)
		if (answer->cause[i].cause == cause)
			return true;
	return false;
}

bool spt_why_has(const struct spt_why_ask *ask, enum spt_cause cause)
{
	return spt_why_names(ask->answer, cause);
}

void spt_why_find_shadowed(const struct spt_model *m, uint64_t first, uint64_t end,
			   struct spt_why_shadowed *ret)
{
	*ret = (struct spt_why_shadowed){ 0 };
	for (uint32_t i = 0; i < m->nr_nodes; i++) {
		const struct spt_node *node = &m->nodes[i];

		if (!node->page || node->direct || node->page->gfn < first ||
		    node->page->gfn >= end)
			continue;
		if (!ret->one || node->level > ret->one->level)
			ret->one = node;
		if (node->level == 1)
			ret->low++;
		else
			ret->high++;
	}
}
