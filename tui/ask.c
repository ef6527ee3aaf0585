// SPDX-License-Identifier: GPL-2.0
#include "tui/ask.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/address.h"
#include "spt/save.h"
#include "spt/walk.h"
#include "spt/walk_hpa.h"
#include "tui/screen.h"

#define MOST_PLACES 16 /* GPAs of one HVA or HPA that are looked for */

/* The first of @n places, and how many others there are. */
static void go_first(struct tui *t, const char *what, uint64_t address, const uint64_t *gpa,
		     size_t n)
{
	if (!n) {
		tui_say(t, false, "%s 0x%" PRIx64 ": no GPA of this VM is there", what, address);
		return;
	}
	/* The one behind the current address: asked again, it goes on to the next. */
	for (size_t i = 0; i + 1 < n && tui_in_gpas(t); i++)
		if (gpa[i] == t->gpa) {
			tui_go_gpa(t, gpa[i + 1]);
			tui_say(t, true, "%s 0x%" PRIx64 ": place %zu of %zu", what, address, i + 2,
				n);
			return;
		}
	tui_go_gpa(t, gpa[0]);
	tui_say(t, true, "%s 0x%" PRIx64 ": GPA 0x%" PRIx64 "%s", what, address, gpa[0],
		n > 1 ? ", and others: ask again for the next" : "");
}

static int reading(void *arg, uint64_t done, uint64_t total)
{
	return tui_term_waiting();
}

/* All tables are looked at, which may take a while. */
static void go_hpa(struct tui *t, uint64_t hpa)
{
	const struct spt_request all = { .parts = SPT_WALK_HPA_PARTS };
	struct spt_reverse reverse = { 0 };
	struct spt_sweep sweep = { .progress = reading };
	uint64_t gpa[MOST_PLACES];
	struct spt_error err;
	int rc = tui_subject_has(&t->subject, &all) ? 0 : tui_subject_read(&t->subject, &all, &err);

	if (!rc) {
		tui_find_root(t);
		sweep.model = tui_model(t);
		rc = spt_reverse_find(&sweep, hpa, &reverse, &err);
	}
	if (rc) {
		tui_say(t, false, "%s", err.text);
	} else {
		size_t n = spt_reverse_gpas(tui_model(t), &reverse, hpa, gpa, MOST_PLACES);

		if (!n && reverse.count)
			tui_say(t, true,
				"HPA 0x%" PRIx64 " is a page table: level %d, of 0x%" PRIx64, hpa,
				reverse.hit[0].level, reverse.hit[0].address);
		else
			go_first(t, "HPA", hpa, gpa, n < MOST_PLACES ? n : MOST_PLACES);
	}
	spt_reverse_free(&reverse);
}

static void go_hva(struct tui *t, uint64_t hva)
{
	const struct spt_request slots = { .parts = SPT_PART_VM | SPT_PART_MEMSLOTS };
	uint64_t gpa[MOST_PLACES];
	struct spt_error err;
	unsigned int n;

	if (!tui_subject_has(&t->subject, &slots) && tui_subject_read(&t->subject, &slots, &err)) {
		tui_say(t, false, "%s", err.text);
		return;
	}
	tui_find_root(t);
	n = spt_walk_hva(tui_model(t), hva, gpa, MOST_PLACES);
	go_first(t, "HVA", hva, gpa, n < MOST_PLACES ? n : MOST_PLACES);
}

static void take_address(struct tui *t, const char *text)
{
	static const struct {
		const char *name;
		void (*go)(struct tui *t, uint64_t address);
	} kinds[] = { { "gpa", tui_go_gpa }, { "hva", go_hva }, { "hpa", go_hpa } };
	void (*how)(struct tui * t, uint64_t address) = tui_go;
	struct spt_error err;
	uint64_t address;

	text += strspn(text, " ");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strncasecmp(text, kinds[i].name, 3) || text[3] != ' ')
			continue;
		how = kinds[i].go;
		text += 4 + strspn(text + 4, " ");
	}
	if (!*text)
		return;
	if (!tui_model(t) || spt_parse_address(text, "ADDR", &address, &err))
		tui_say(t, false, "%s", tui_model(t) ? err.text : "no VM is chosen");
	else
		how(t, address);
}

void tui_ask_address(struct tui *t)
{
	tui_prompt_open(t, "go to [gpa|hva|hpa] ADDR:", "", take_address);
}

static void take_filter(struct tui *t, const char *text)
{
	snprintf(t->filter, sizeof(t->filter), "%s", text);
	tui_show(t, t->view);
}

void tui_ask_filter(struct tui *t)
{
	tui_prompt_open(t, "only lines with:", t->filter, take_filter);
}

/* What stands still is saved as it is shown, everything else as it is now. */
static void take_file(struct tui *t, const char *path)
{
	bool as_shown = t->frozen || t->subject.gone;
	struct spt_save how = { .compress = strstr(path, ".zst") != NULL, .progress = reading };
	struct spt_source *source;
	struct spt_saved saved;
	struct spt_error err;
	int rc;

	if (!*path)
		return;
	if (as_shown)
		rc = tui_subject_snapshot(&t->subject, &source, &err);
	else if (t->subject.live)
		rc = spt_source_open_vm(t->subject.name, &source, &err);
	else
		rc = spt_source_open_file(t->subject.name, &source, &err);
	if (!rc) {
		rc = spt_save(source, path, &how, &saved, &err);
		spt_source_close(source);
	}
	if (rc)
		tui_say(t, false, "%s", err.text);
	else
		tui_say(t, true, "%s: %" PRIu64 " bytes, %" PRIu64 " tables%s%s", path,
			saved.file_bytes, saved.tables, as_shown ? ", as shown" : "",
			saved.torn ? ", torn" : "");
}

void tui_ask_file(struct tui *t)
{
	if (tui_model(t))
		tui_prompt_open(t,
				t->frozen || t->subject.gone ? "save what is shown to:"
							     : "save all of it to:",
				"", take_file);
}

/* The action that is being asked about, with its target. */
static char action[TUI_PROMPT_TEXT + 64];
/* The address that was current when an action was asked for is one of those that actions take. */
static bool here_is_gpa;

static void act(struct tui *t, const char *line)
{
	int status = tui_command(t, line, &t->popup);

	if (status < 0)
		tui_say(t, false, "out of memory");
	else
		tui_say(t, !status, "%s", status ? "not done" : "done");
	/* What it did is to be seen now. */
	t->subject.due_ms = t->subject.whole_ms = 0;
}

static void confirmed(struct tui *t, const char *yes)
{
	act(t, action);
}

/* First what it would do, then the question whether to. */
static void take_action(struct tui *t, const char *text)
{
	char name[16], rest[TUI_PROMPT_TEXT] = "", dry[sizeof(action) + 16];
	int n = 0, status;
	bool aimed;

	if (sscanf(text, " %15s %n", name, &n) < 1)
		return;
	/* What ends a command early would take --dry-run off it, or bring a second one. */
	if (strpbrk(text, ";|#'\"\\")) {
		tui_say(t, false, "one action alone, as: zap 0x1000+64K");
		return;
	}
	snprintf(rest, sizeof(rest), "%s", text + n);
	aimed = (rest[0] >= '0' && rest[0] <= '9') || !strcmp(name, "undo") ||
		!strcmp(name, "journal");
	if (!aimed && !here_is_gpa) {
		tui_say(t, false,
			"actions take GPAs: r chooses a root of them, or give one, as: %s 0x1000",
			name);
		return;
	}
	/* The target stands behind the name of the action, unless the user gives one. */
	if (aimed)
		snprintf(action, sizeof(action), "%s %s", name, rest);
	else
		snprintf(action, sizeof(action), "%s 0x%" PRIx64 " %s", name,
			 t->gpa & ~(spt_level_size(1) - 1), rest);
	if (!strcmp(name, "journal")) {
		act(t, action);
		return;
	}
	if (!strcmp(name, "undo")) {
		tui_prompt_ask(t, "take it back? (y, any other key: no)", confirmed);
		return;
	}
	snprintf(dry, sizeof(dry), "%s --dry-run", action);
	status = tui_command(t, dry, &t->popup);
	if (status) {
		tui_say(t, false, status < 0 ? "out of memory" : "it would be refused");
		return;
	}
	tui_prompt_ask(t, "do it? (y, any other key: no)", confirmed);
}

void tui_ask_action(struct tui *t)
{
	here_is_gpa = tui_in_gpas(t);
	if (!t->subject.live || t->subject.gone)
		tui_say(t, false, "actions need a live VM");
	else if (!t->opt->unsafe)
		tui_say(t, false, "actions change the guest's page tables: start with --unsafe");
	else
		tui_prompt_open(t, "act here (zap, fault w, split, remap, protect r, ...):", "",
				take_action);
}
