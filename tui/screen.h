/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The screen: one view at a time over one subject, a line of input and a text above it. A
 * view is a struct of functions; it draws into a canvas and never meets the terminal.
 */
#ifndef SPT_TUI_SCREEN_H
#define SPT_TUI_SCREEN_H

#include "tui/canvas.h"
#include "tui/keys.h"
#include "tui/prompt.h"
#include "tui/subject.h"
#include "tui/text.h"
#include "tui/tui.h"

#define TUI_FILTER_TEXT 64

/* A root, whatever its index is in the next model. */
struct tui_root_id {
	bool one; /* false: all that map GPAs */
	uint64_t hpa;
	enum spt_root_kind kind;
	unsigned int as_id;
};

struct tui {
	const struct tui_options *opt;
	struct tui_canvas canvas;
	struct tui_subject subject;
	enum tui_view_id view;
	void *state[TUI_VIEW_COUNT]; /* of each view */
	uint64_t gpa; /* current address, of the root's: views show it, and move it */
	int root;     /* index of the root whose addresses it is of; -1: all that map GPAs */
	struct tui_root_id chosen; /* that root, also while what was read has no roots */
	char filter[TUI_FILTER_TEXT];
	bool frozen, quit, help;
	struct tui_prompt prompt;
	struct tui_text popup; /* a command's answer, above the view; empty: none */
	char message[256];     /* in the last line, until the next key */
	bool bad;	       /* it tells of an error */
	int cursor_row, cursor_col;
};

/* The lines that a view may draw in. */
struct tui_area {
	int row, rows;
};

struct tui_view {
	size_t state_size;
	/* What of the VM it shows; parts 0 (as @req comes): nothing. May be NULL. */
	void (*want)(struct tui *t, void *state, struct spt_request *req);
	/* There is another model, or the current address or filter is another. May be NULL. */
	void (*update)(struct tui *t, void *state);
	/* True: what is drawn is not all yet, the next time there is more. */
	bool (*draw)(struct tui *t, void *state, const struct tui_area *area);
	/* False: not a key of this view. Mouse keys come with command NONE. */
	bool (*key)(struct tui *t, void *state, enum tui_command command, int key,
		    const struct tui_area *area);
	/* Another view is shown from now on. May be NULL. */
	void (*leave)(void *state);
	/* Before another subject, and at the end. May be NULL. */
	void (*close)(void *state);
	/* Milliseconds until it wants to be asked again by itself, -1 never. May be NULL. */
	int (*wait)(struct tui *t, void *state);
};

#define V(id, name, help) extern const struct tui_view tui_view_##name;
TUI_VIEWS(V)
#undef V

/* One sentence in the last line; false: an error. Returns nothing; the next key removes it. */
void tui_say(struct tui *t, bool good, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Go on with another view, VM or address: of the chosen root's own, or one of the VM's GPAs. */
void tui_show(struct tui *t, enum tui_view_id view);
void tui_choose_vm(struct tui *t, const char *id);
void tui_go(struct tui *t, uint64_t address);
/* The chosen root stays, unless it maps no GPAs: then all that do are looked at. */
void tui_go_gpa(struct tui *t, uint64_t gpa);

/* The current model; NULL: there is none yet, and draw() should say so. */
static inline const struct spt_model *tui_model(const struct tui *t)
{
	return tui_subject_model(&t->subject);
}

/* Whether @text has the filter's words in it, in any case. */
bool tui_matches(const struct tui *t, const char *text);

/* Bytes of a live VM's tables of 4K pages, by KVM's counters; of an image, which is there, 0. */
uint64_t tui_table_bytes(const struct tui *t);
#define TUI_MOST_TABLES (256ULL << 20) /* of those that are read unasked */

/* Of a VM with more tables than that, make @req one of a part around the current address. */
void tui_limit(const struct tui *t, struct spt_request *req);

/* Run a command line on the subject; its answer into @ret, which has its status in front. */
int tui_command(struct tui *t, const char *line, struct tui_text *ret);

/* "GPA", "GVA" or "L2 GPA": what the addresses of a root are; NULL root: GPA. */
const char *tui_root_space(const struct spt_root_ref *root);
/* Whether the current address is one of the VM's GPAs. */
bool tui_in_gpas(const struct tui *t);
/* The chosen root; NULL: all that map GPAs, or what was read has no roots. */
const struct spt_root_ref *tui_chosen_root(const struct tui *t);
bool tui_same_root(const struct tui_root_id *a, const struct tui_root_id *b);
/* Roots in their turn: another one is chosen. */
void tui_next_root(struct tui *t);
/* All that map GPAs; of a VM that has none of these the first root, where there is one. */
void tui_first_root(struct tui *t);
/* After each reading: where the chosen root is now. That it is no more is said. */
void tui_find_root(struct tui *t);
/* Whether @root is among those that are looked at. */
bool tui_root_shown(const struct tui *t, const struct spt_root_ref *root);
/* "direct root 0x1000" or "all GPA roots". */
void tui_root_title(const struct tui *t, char *text, size_t size);

#endif
