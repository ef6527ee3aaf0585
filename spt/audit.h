/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The audit: named rules that must hold of a VM's tables, checked over an image.
 *
 * What an image shows is not one moment. A finding of a live VM is therefore looked
 * at again, in small fresh images, and only what persists is a violation; the rest
 * is 'in flux'. In a file, what rests on facts read at different moments is a
 * violation only if the image itself shows that nothing moved between them.
 */
#ifndef SPT_AUDIT_H
#define SPT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spt/audit_rules.h"
#include "spt/model.h"

enum spt_audit_rule_nr {
#define R(id, name, scope, parts, says, reason, source) SPT_AUDIT_##id,
	SPT_AUDIT_RULES(R)
#undef R
		SPT_AUDIT_RULE_COUNT,
};

/* What one check of a rule is about. */
enum spt_audit_scope {
	SPT_AUDIT_PER_TABLE,
	SPT_AUDIT_PER_ENTRY, /* entries that lead to a table */
	SPT_AUDIT_PER_LEAF,
	SPT_AUDIT_PER_CLASS,   /* entries; those of one table with equal bits at once */
	SPT_AUDIT_PER_SPECIAL, /* MMIO and frozen entries */
	SPT_AUDIT_PER_RMAP,
	SPT_AUDIT_PER_EXTERNAL, /* entries of tables that have an external one */
	SPT_AUDIT_PER_ROOT,
	SPT_AUDIT_PER_VCPU,
	SPT_AUDIT_PER_VM,
};

struct spt_audit_rule {
	const char *name;
	enum spt_audit_scope scope;
	unsigned int parts; /* SPT_PART_*, or-ed: needed to judge */
	const char *says, *reason, *source;
};

extern const struct spt_audit_rule spt_audit_rules[SPT_AUDIT_RULE_COUNT];

/* Their names, NULL-terminated, for parsers and completion. */
extern const char *const spt_audit_names[SPT_AUDIT_RULE_COUNT + 1];

/* "child-gfn,frozen" into a mask of 1 << enum spt_audit_rule_nr. 0 or -EINVAL naming the word. */
int spt_audit_parse(const char *text, uint64_t *ret, struct spt_error *err);

/* How a rule came out. */
struct spt_audit_result {
	const char *na;	     /* why nothing could be judged; NULL: it was */
	uint64_t checked;    /* things of its scope */
	uint64_t violations; /* all of them, kept as findings or not */
	uint64_t in_flux;    /* seen once, and not again: changes under way */
};

/* One violation. */
struct spt_audit_finding {
	enum spt_audit_rule_nr rule;
	bool hint;	    /* worth knowing, and no violation */
	uint64_t root;	    /* HPA of the root; SPT_NO_HPA none */
	uint64_t gpa;	    /* what the entry translates; ~0 none */
	uint64_t table;	    /* HPA of the table; SPT_NO_HPA none */
	int level;	    /* 0 none */
	unsigned int index; /* entry in the table */
	bool have_spte;
	uint64_t spte;	   /* raw */
	char expected[80]; /* what the rule wants */
	char found[80];	   /* what is there */
	char text[200];	   /* the whole in one sentence */
};

struct spt_audit_request {
	uint64_t start, len;  /* GPA range; len 0: everything */
	uint64_t rules;	      /* mask of rules, 0: all */
	unsigned int max;     /* findings kept a rule, 0: SPT_AUDIT_KEEP */
	unsigned int threads; /* 0: as many as pay */
	/* As in struct spt_sweep. */
	int (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;
};

#define SPT_AUDIT_KEEP 64

struct spt_audit {
	struct spt_audit_request request;
	struct spt_audit_result result[SPT_AUDIT_RULE_COUNT];
	struct spt_audit_finding *findings; /* by rule, then as found */
	size_t nr_findings;
	uint64_t violations; /* of all rules, hints not among them */
	uint64_t in_flux;
	uint64_t hints;
	unsigned int reads; /* images looked at */
};

/* Parts that an audit of these rules asks a live VM for. */
unsigned int spt_audit_parts(uint64_t rules);

/*
 * Audit a loaded model by itself. Returns 0, -ENOMEM or -EINTR; the result is to be
 * freed with spt_audit_free() in any case.
 */
int spt_audit_model(struct spt_audit *audit, const struct spt_model *model,
		    const struct spt_audit_request *request, struct spt_error *err);

/*
 * Read @src into @model, audit it and, if it is live, look again at what was found.
 * Errors as above and those of spt_model_read().
 */
int spt_audit_source(struct spt_audit *audit, struct spt_source *src, struct spt_model *model,
		     const struct spt_audit_request *request, unsigned int image_flags,
		     struct spt_error *err);

void spt_audit_free(struct spt_audit *audit);

#endif
