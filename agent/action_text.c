// SPDX-License-Identifier: GPL-2.0
/*
 * What an action says, as it will be read from 'control'.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "action.h"

/* Bytes that an action may say; the last block has room beyond it. */
#define SPT_TEXT_MAX	(8 << 20)
#define SPT_TEXT_FIRST	(4 << 10)
/* Kept free for the last block, and for one line. */
#define SPT_TEXT_LAST	512
#define SPT_TEXT_LINE	512
/* Room that hits find, which cannot wait for memory. */
#define SPT_TEXT_HITS	(64 << 10)

static const char *const spt_line_names[SPT_LINE_NAMES] = {
#define N(id, name) name,
	SPT_LINES(N)
#undef N
};

static const char *const spt_reason_names[SPT_WHY_COUNT] = {
	"",
#define W(id, name) name,
	SPT_REASONS(W)
#undef W
};

static const char *const spt_result_names[SPT_RESULT_COUNT] = {
#define R(id, name) name,
	SPT_RESULTS(R)
#undef R
};

const char *spt_reason_name(enum spt_reason reason)
{
	return spt_reason_names[reason];
}

const char *spt_result_name(enum spt_result result)
{
	return spt_result_names[result];
}

/* Makes room for @more bytes; may sleep. False: there is none, or no more is allowed. */
static bool spt_text_grow(struct spt_action *act, size_t more)
{
	size_t room = max_t(size_t, act->text_room, SPT_TEXT_FIRST);
	unsigned long flags;
	char *grown;
	char *old;

	while (room < act->text_len + more)
		room *= 2;
	if (room == act->text_room)
		return true;
	if (room > SPT_TEXT_MAX)
		return false;
	grown = kvmalloc(room, GFP_KERNEL);
	if (!grown)
		return false;
	/* Hits may come meanwhile. */
	spin_lock_irqsave(&act->text_lock, flags);
	if (act->text_len)
		memcpy(grown, act->text, act->text_len);
	old = act->text;
	act->text = grown;
	act->text_room = room;
	spin_unlock_irqrestore(&act->text_lock, flags);
	kvfree(old);
	return true;
}

/* Room for a line and the last block; if there is none, the line is lost, and that is said. */
static bool spt_text_room(struct spt_action *act)
{
	if (!act->wait)
		return false;
	if (spt_text_grow(act, SPT_TEXT_LINE + SPT_TEXT_LAST))
		return true;
	act->lost++;
	return false;
}

/* Appends, if there is room but for @spare bytes. */
static bool spt_text_add(struct spt_action *act, size_t spare, const char *prefix,
			 const char *fmt, va_list args)
{
	unsigned long flags;
	bool fits = false;
	size_t size;
	size_t room;
	char *at;

	spt_probe_lock(&act->text_lock, &flags);
	if (act->text_room > act->text_len + spare) {
		at = act->text + act->text_len;
		room = act->text_room - act->text_len - spare;
		size = snprintf(at, room, "%s", prefix);
		if (size < room)
			size += vsnprintf(at + size, room - size, fmt, args);
		fits = size + 1 < room;
		if (fits) {
			at[size] = '\n';
			act->text_len += size + 1;
		}
	}
	spin_unlock_irqrestore(&act->text_lock, flags);
	return fits;
}

__printf(4, 5)
static bool spt_text_line(struct spt_action *act, size_t spare, const char *prefix,
			  const char *fmt, ...)
{
	va_list args;
	bool fits;

	va_start(args, fmt);
	fits = spt_text_add(act, spare, prefix, fmt, args);
	va_end(args);
	return fits;
}

void spt_say(struct spt_action *act, enum spt_line line, const char *fmt, ...)
{
	char prefix[24];
	va_list args;

	if (!spt_text_room(act))
		return;
	snprintf(prefix, sizeof(prefix), "%s: ", spt_line_names[line]);
	va_start(args, fmt);
	if (!spt_text_add(act, SPT_TEXT_LAST, prefix, fmt, args))
		act->lost++;
	va_end(args);
}

void spt_say_step(struct spt_action *act)
{
	if (!spt_text_room(act))
		return;
	spt_text_line(act, SPT_TEXT_LAST, "", "\n%s: %u", spt_line_names[SPT_LINE_STEP],
		      act->step);
}

void spt_say_hit(struct spt_action *act, const char *fmt, ...)
{
	char prefix[24];
	va_list args;

	snprintf(prefix, sizeof(prefix), "%s: ", spt_line_names[SPT_LINE_HIT]);
	va_start(args, fmt);
	if (!spt_text_add(act, SPT_TEXT_LAST, prefix, fmt, args))
		act->lost++;
	va_end(args);
	irq_work_queue(&act->nudge);
}

bool spt_text_prepare(struct spt_action *act)
{
	return spt_text_grow(act, SPT_TEXT_LINE + SPT_TEXT_LAST);
}

bool spt_text_prepare_hits(struct spt_action *act)
{
	return spt_text_grow(act, SPT_TEXT_HITS);
}

void spt_say_last(struct spt_action *act)
{
	if (!act->wait)
		return;
	/* There was room from the start, and it was kept free. */
	if (act->lost)
		spt_text_line(act, 0, "", "%s: %llu", spt_line_names[SPT_LINE_LOST], act->lost);
	spt_text_line(act, 0, "", "%s", "");
	if (act->result != SPT_RESULT_DONE)
		spt_text_line(act, 0, "", "%s: %s: %s", spt_line_names[SPT_LINE_REASON],
			      spt_reason_names[act->reason], act->sentence);
	if (act->keep_undo)
		spt_text_line(act, 0, "", "%s: %llu", spt_line_names[SPT_LINE_UNDO], act->id);
	spt_text_line(act, 0, "", "%s: %s", spt_line_names[SPT_LINE_RESULT],
		      spt_result_names[act->result]);
}

size_t spt_text_take(struct spt_action *act, char *to, size_t size)
{
	unsigned long flags;

	spin_lock_irqsave(&act->text_lock, flags);
	size = min(size, act->text_len - act->text_at);
	memcpy(to, act->text + act->text_at, size);
	act->text_at += size;
	if (act->text_at == act->text_len) {
		act->text_at = 0;
		act->text_len = 0;
	}
	spin_unlock_irqrestore(&act->text_lock, flags);
	return size;
}
