// SPDX-License-Identifier: GPL-2.0
/* What the agent answers: lines 'name: value' in blocks, taken one by one. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "spt/action.h"

/* An answer that is longer is not read on: a range of 1 TiB has fewer runs. */
#define MOST_BYTES (64U << 20)

/* What a line's value must look like. */
enum form {
	FORM_TEXT,   /* anything, but not nothing */
	FORM_NUMBER, /* decimal or 0x */
	FORM_TARGET, /* a number, START+LEN or 'all' */
	FORM_ENTRY,
	FORM_MAPPED,
	FORM_TOUCHED,
	FORM_HIT,
	FORM_REASON,
	FORM_RESULT,
};

static const struct line_form {
	const char *name;
	enum form form;
	bool often; /* more than once in a block */
} forms[SPT_LINE_NAMES] = {
#define N(id, text) [SPT_LINE_##id] = { .name = text },
	SPT_LINES(N)
#undef N
#define FORM(id, f) [SPT_LINE_##id].form = FORM_##f
		FORM(ID, NUMBER),
	FORM(GPA, TARGET),
	FORM(SIZE, NUMBER),
	FORM(HVA, NUMBER),
	FORM(VCPU, NUMBER),
	FORM(DRY_RUN, NUMBER),
	FORM(STEP, NUMBER),
	FORM(RETRIES, NUMBER),
	FORM(NS, NUMBER),
	FORM(WAIT_NS, NUMBER),
	FORM(ENTRY, ENTRY),
	FORM(MAPPED, MAPPED),
	FORM(TOUCHED, TOUCHED),
	FORM(OLD_HPA, NUMBER),
	FORM(NEW_HPA, NUMBER),
	FORM(PAGE_SIZE, NUMBER),
	FORM(ARMED, NUMBER),
	FORM(HIT, HIT),
	FORM(LOST, NUMBER),
	FORM(COUNT, NUMBER),
	FORM(UNDONE, NUMBER),
	FORM(UNDO, NUMBER),
	FORM(REASON, REASON),
	FORM(RESULT, RESULT),
#undef FORM
	[SPT_LINE_ENTRY].often = true,
	[SPT_LINE_MAPPED].often = true,
	[SPT_LINE_TOUCHED].often = true,
	[SPT_LINE_UNDONE].often = true,
	[SPT_LINE_HIT].often = true,
};

_Static_assert(SPT_LINE_NAMES <= 64, "a bit each in struct spt_answer");

const char *spt_line_name(enum spt_line line)
{
	return (unsigned int)line < SPT_LINE_NAMES ? forms[line].name : NULL;
}

void spt_answer_init(struct spt_answer *answer, enum spt_action_id action)
{
	*answer = (struct spt_answer){ .action = action };
}

void spt_answer_deinit(struct spt_answer *answer)
{
	for (size_t i = 0; i < answer->nr_lines; i++)
		free((char *)answer->lines[i].text);
	free(answer->lines);
	*answer = (struct spt_answer){ 0 };
}

static int bad(struct spt_error *err, const char *line, const char *why)
{
	return spt_fail(err, EBADMSG, "the agent's answer is not understood: %s: '%.80s'", why,
			line);
}

static bool whole_number(const char *text, size_t len, uint64_t *ret)
{
	char digits[24], *end;
	bool hex = len > 2 && text[0] == '0' && text[1] == 'x';

	if (!len || len >= sizeof(digits) || !isxdigit((unsigned char)text[hex ? 2 : 0]))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	errno = 0;
	*ret = strtoull(digits, &end, hex ? 16 : 10);
	return !*end && !errno;
}

const char *spt_act_word(const char *words, const char *key, size_t *len)
{
	size_t key_len = strlen(key);

	for (const char *word = words; *word; word += strspn(word, " ")) {
		size_t size = strcspn(word, " ");

		if (size > key_len && word[key_len] == '=' && !memcmp(word, key, key_len)) {
			*len = size - key_len - 1;
			return word + key_len + 1;
		}
		word += size;
	}
	return NULL;
}

bool spt_act_number(const char *words, const char *key, uint64_t *ret)
{
	size_t len;
	const char *value = spt_act_word(words, key, &len);

	return value && whole_number(value, len, ret);
}

/* Absent is fine, present and not a number is not. */
static bool maybe_number(const char *words, const char *key, uint64_t *ret, bool *have)
{
	size_t len;
	const char *value = spt_act_word(words, key, &len);

	*have = value;
	return !value || whole_number(value, len, ret);
}

/* A number, or that there is none. */
static bool take_root(const char *words, uint64_t *ret)
{
	size_t len;
	const char *value = spt_act_word(words, "root", &len);

	*ret = SPT_ACT_NO_ROOT;
	return value && ((len == 3 && !memcmp(value, "n/a", 3)) || whole_number(value, len, ret));
}

static bool take_kind(const char *words, char kind[SPT_ACT_KIND])
{
	size_t len;
	const char *value = spt_act_word(words, "kind", &len);

	kind[0] = '\0';
	if (!value)
		return true;
	if (!len || len >= SPT_ACT_KIND)
		return false;
	memcpy(kind, value, len);
	kind[len] = '\0';
	return true;
}

/* 'level 0, -' is said of an entry that was not there, as shadow pages lose theirs. */
static bool no_spte(const char *words, const char *key, const char *level_key)
{
	size_t len, level_len;
	const char *value = spt_act_word(words, key, &len);
	const char *level = spt_act_word(words, level_key, &level_len);

	return value && level && len == 1 && *value == '-' && level_len == 1 && *level == '0';
}

/* An entry's value and its level: both, or neither. */
static bool take_spte(const char *words, const char *key, const char *level_key,
		      struct spt_act_spte *ret)
{
	uint64_t level = 0;
	bool have_level;

	*ret = (struct spt_act_spte){ .none = no_spte(words, key, level_key) };
	if (ret->none)
		return true;
	if (!maybe_number(words, key, &ret->raw, &ret->known) ||
	    !maybe_number(words, level_key, &level, &have_level))
		return false;
	if (have_level != ret->known || level > 5 || (have_level && !level))
		return false;
	ret->level = (int)level;
	return true;
}

bool spt_act_entry(const char *words, struct spt_act_entry *ret)
{
	bool have_table;

	ret->table = 0;
	return take_root(words, &ret->root) && spt_act_number(words, "gpa", &ret->gpa) &&
	       maybe_number(words, "table", &ret->table, &have_table) &&
	       take_kind(words, ret->kind) &&
	       take_spte(words, "before", "level-before", &ret->before) &&
	       take_spte(words, "after", "level-after", &ret->after) &&
	       (ret->before.known || (ret->before.none && ret->after.known));
}

bool spt_act_mapped(const char *words, struct spt_act_mapped *ret)
{
	static const char *const before[] = { "4k-before", "2m-before", "1g-before" };
	static const char *const after[] = { "4k-after", "2m-after", "1g-after" };
	unsigned int have = 0;

	if (!take_root(words, &ret->root) || !take_kind(words, ret->kind))
		return false;
	for (int i = 0; i < 3; i++) {
		bool known;

		if (!spt_act_number(words, before[i], &ret->before[i]) ||
		    !maybe_number(words, after[i], &ret->after[i], &known))
			return false;
		have += known;
	}
	ret->have_after = have;
	return !have || have == 3;
}

bool spt_act_touched(const char *words, struct spt_act_touched *ret)
{
	return take_root(words, &ret->root) && spt_act_number(words, "gpa", &ret->gpa) &&
	       spt_act_number(words, "size", &ret->size) && ret->size;
}

static bool take_insn(const char *words, struct spt_act_hit *ret)
{
	size_t len;
	const char *hex = spt_act_word(words, "insn", &len);

	ret->insn_len = 0;
	if (!hex)
		return true;
	if (len % 2 || len > 2 * SPT_ACT_INSN)
		return false;
	for (size_t i = 0; i < len; i += 2) {
		char digits[3] = { hex[i], hex[i + 1] };

		if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
			return false;
		ret->insn[ret->insn_len++] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return true;
}

bool spt_act_hit(const char *words, struct spt_act_hit *ret)
{
	uint64_t vcpu, bits = 0;
	bool have_vcpu, have_bits;

	const char *access;
	size_t len;

	*ret = (struct spt_act_hit){ .vcpu = -1 };
	if (!spt_act_number(words, "seq", &ret->seq) || !spt_act_number(words, "gpa", &ret->gpa))
		return false;
	access = spt_act_word(words, "access", &len);
	if (!access || len != 1 || !strchr("rwx", *access))
		return false;
	ret->access = *access;
	if (!maybe_number(words, "vcpu", &vcpu, &have_vcpu) ||
	    !maybe_number(words, "rip", &ret->rip, &ret->have_rip) ||
	    !maybe_number(words, "gva", &ret->gva, &ret->have_gva) ||
	    !maybe_number(words, "error", &ret->error, &ret->have_error) ||
	    !maybe_number(words, "value", &ret->value, &ret->have_value) ||
	    !maybe_number(words, "bits", &bits, &have_bits))
		return false;
	if (have_vcpu)
		ret->vcpu = (int64_t)vcpu;
	if (have_bits && bits != 16 && bits != 32 && bits != 64)
		return false;
	ret->bits = (unsigned int)bits;
	if (spt_act_word(words, "root", &len) && !take_root(words, &ret->root))
		return false;
	return take_kind(words, ret->kind) && take_insn(words, ret) &&
	       take_spte(words, "before", "level-before", &ret->before) &&
	       take_spte(words, "after", "level-after", &ret->after);
}

static bool is_target(const char *value, uint64_t *number)
{
	size_t len = strcspn(value, "+");
	uint64_t size;

	if (!strcmp(value, "all"))
		return true;
	return whole_number(value, len, number) &&
	       (!value[len] || whole_number(value + len + 1, strlen(value + len + 1), &size));
}

static bool is_reason(const char *value, enum spt_reason *ret)
{
	size_t len = strcspn(value, ":");

	for (unsigned int i = SPT_WHY_NONE + 1; i < SPT_WHY_COUNT; i++) {
		const char *name = spt_reason_name(i);

		if (strlen(name) != len || memcmp(name, value, len))
			continue;
		*ret = i;
		return true;
	}
	return false;
}

static bool is_result(const char *value, enum spt_result *ret)
{
	for (unsigned int i = 0; i < SPT_RESULT_COUNT; i++)
		if (!strcmp(spt_result_name(i), value)) {
			*ret = i;
			return true;
		}
	return false;
}

static bool has_form(struct spt_answer *answer, struct spt_act_line *line)
{
	union {
		struct spt_act_entry entry;
		struct spt_act_mapped mapped;
		struct spt_act_touched touched;
		struct spt_act_hit hit;
	} parts;

	switch (forms[line->name].form) {
	case FORM_TEXT:
		return *line->text;
	case FORM_NUMBER:
		return whole_number(line->text, strlen(line->text), &line->number);
	case FORM_TARGET:
		return is_target(line->text, &line->number);
	case FORM_ENTRY:
		return spt_act_entry(line->text, &parts.entry);
	case FORM_MAPPED:
		return spt_act_mapped(line->text, &parts.mapped);
	case FORM_TOUCHED:
		return spt_act_touched(line->text, &parts.touched);
	case FORM_HIT:
		return spt_act_hit(line->text, &parts.hit);
	case FORM_REASON:
		return is_reason(line->text, &answer->reason);
	case FORM_RESULT:
		return is_result(line->text, &answer->result);
	}
	return false;
}

static int keep(struct spt_answer *answer, const struct spt_act_line *line, struct spt_error *err)
{
	char *text;

	answer->bytes += sizeof(*line) + strlen(line->text);
	if (answer->bytes > MOST_BYTES)
		return spt_fail(err, E2BIG,
				"the agent's answer has no end: ask for a smaller range");
	if (answer->nr_lines == answer->room) {
		size_t room = answer->room * 2 + 32;
		struct spt_act_line *more = realloc(answer->lines, room * sizeof(*more));

		if (!more)
			return spt_fail(err, ENOMEM, "out of memory");
		answer->lines = more;
		answer->room = room;
	}
	text = strdup(line->text);
	if (!text)
		return spt_fail(err, ENOMEM, "out of memory");
	answer->lines[answer->nr_lines] = *line;
	answer->lines[answer->nr_lines++].text = text;
	if (line->name == SPT_LINE_REASON) {
		text += strcspn(text, ":");
		answer->reason_text = text + strspn(text, ": ");
	}
	return 0;
}

/* Where a line may stand; NULL: here. */
static const char *misplaced(struct spt_answer *a, const struct spt_act_line *line)
{
	if (line->name == SPT_LINE_STEP) {
		if (a->in_block)
			return "a step begins in the middle of a block";
		if (line->number != a->steps + 1)
			return "steps are not in order";
		a->step = ++a->steps;
	}
	if (line->name == SPT_LINE_ACTION && line->number != a->action)
		return "it answers another action";
	if (a->seen >> line->name & 1 && !forms[line->name].often)
		return "a name stands twice in one block";
	if (line->name == SPT_LINE_RESULT && a->seen >> SPT_LINE_STEP & 1)
		return "the result stands in a step";
	if (line->name == SPT_LINE_RESULT &&
	    (a->result != SPT_RESULT_DONE) != (a->seen >> SPT_LINE_REASON & 1))
		return "a reason is missing or too much";
	return NULL;
}

/* The block that the result ends is the last one. */
static void close_answer(struct spt_answer *a)
{
	a->ended = true;
	for (size_t i = a->block; i < a->nr_lines; i++)
		a->lines[i].step = SPT_ACT_LAST;
	if (a->result == SPT_RESULT_DONE)
		a->reason = SPT_WHY_NONE;
}

static bool printable(const char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < ' ' || *line == 0x7f)
			return false;
	return true;
}

int spt_answer_take(struct spt_answer *answer, const char *line, struct spt_error *err)
{
	size_t len = strcspn(line, ":");
	struct spt_act_line l = { 0 };
	const char *wrong;
	unsigned int i = 0;
	int rc;

	if (answer->ended)
		return bad(err, line, "it goes on after its end");
	if (!*line) {
		/* What is refused at once may have nothing before its last block. */
		if (!answer->in_block && (answer->nr_lines || answer->began))
			return bad(err, line, "an empty block");
		answer->in_block = false;
		answer->began = true;
		answer->block = answer->nr_lines;
		answer->seen = 0;
		return 0;
	}
	if (!printable(line))
		return bad(err, "", "bytes that are no text");
	while (i < SPT_LINE_NAMES &&
	       (strlen(forms[i].name) != len || memcmp(forms[i].name, line, len)))
		i++;
	if (i == SPT_LINE_NAMES || line[len] != ':' || line[len + 1] != ' ')
		return bad(err, line, "a line of no known name");
	l.name = i;
	l.text = line + len + 2;
	if (!has_form(answer, &l))
		return bad(err, line, "a value that is none");
	if (l.name == SPT_LINE_ACTION)
		l.number = spt_action_find(l.text);
	wrong = misplaced(answer, &l);
	if (wrong)
		return bad(err, line, wrong);
	l.step = answer->step;
	answer->in_block = true;
	answer->seen |= 1ULL << l.name;
	if (l.name == SPT_LINE_HIT)
		return 1;
	rc = keep(answer, &l, err);
	if (!rc && l.name == SPT_LINE_RESULT)
		close_answer(answer);
	return rc;
}

const struct spt_act_line *spt_answer_find(const struct spt_answer *answer, unsigned int step,
					   enum spt_line name)
{
	for (size_t i = 0; i < answer->nr_lines; i++)
		if (answer->lines[i].step == step && answer->lines[i].name == name)
			return &answer->lines[i];
	return NULL;
}

bool spt_answer_entry(const struct spt_answer *answer, struct spt_act_entry *ret)
{
	for (size_t i = 0; i < answer->nr_lines; i++)
		if (answer->lines[i].name == SPT_LINE_ENTRY)
			return spt_act_entry(answer->lines[i].text, ret);
	return false;
}
