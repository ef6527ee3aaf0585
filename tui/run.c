// SPDX-License-Identifier: GPL-2.0
/* The loop: draw, wait for a key or for the VM, do what it says. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tui/ask.h"
#include "tui/frame.h"
#include "tui/help.h"
#include "tui/screen.h"

#define KEYS_A_FRAME 64 /* that wait are taken before the next frame */

static volatile sig_atomic_t ended; /* by a signal: the terminal is put in order first */

/* Ctrl-C and Ctrl-\ are keys here: these come from elsewhere. */
static const int end_signals[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };

#define END_SIGNALS (sizeof(end_signals) / sizeof(end_signals[0]))

static void on_end(int signal_number)
{
	ended = signal_number;
}

static void close_states(struct tui *t)
{
	for (int i = 0; i < TUI_VIEW_COUNT; i++) {
		if (t->state[i] && tui_views[i]->close)
			tui_views[i]->close(t->state[i]);
		if (t->state[i])
			memset(t->state[i], 0, tui_views[i]->state_size);
	}
}

static void update(struct tui *t)
{
	tui_find_root(t);
	if (tui_views[t->view]->update)
		tui_views[t->view]->update(t, t->state[t->view]);
}

/* Read what the view needs and does not have. */
static void fetch(struct tui *t)
{
	struct spt_request req = tui_wanted(t);
	bool first = !t->subject.loaded;
	struct spt_error err;
	int rc;

	if (!t->subject.name[0] || !req.parts || tui_subject_has(&t->subject, &req) ||
	    (t->frozen && t->subject.loaded))
		return;
	rc = tui_subject_read(&t->subject, &req, &err);
	if (rc && rc != -EINTR)
		tui_say(t, false, "%s", err.text);
	if (rc)
		return;
	if (first)
		tui_first_root(t);
	update(t);
}

/* Look whether a live VM moved. */
static void follow(struct tui *t)
{
	struct spt_request req = tui_wanted(t);
	struct spt_error err;
	int rc;

	if (!t->subject.live || (t->frozen && t->subject.gone))
		return;
	/* A picture that stands still is not read again; that the VM ended is still said. */
	if (t->frozen)
		req.parts = 0;
	rc = tui_subject_look(&t->subject, &req, &err);
	if (rc < 0 && rc != -EINTR)
		tui_say(t, false, "%s", err.text);
	if (rc == 1 || rc == -ESRCH)
		update(t);
}

void tui_show(struct tui *t, enum tui_view_id view)
{
	if (view != t->view && tui_views[t->view]->leave)
		tui_views[t->view]->leave(t->state[t->view]);
	t->view = view;
	fetch(t);
	update(t);
}

void tui_choose_vm(struct tui *t, const char *id)
{
	struct spt_error err;

	if (strcmp(t->subject.name, id)) {
		void *vms = t->state[TUI_VIEW_VMS];

		/* What the list knows is of all VMs. */
		t->state[TUI_VIEW_VMS] = NULL;
		close_states(t);
		t->state[TUI_VIEW_VMS] = vms;
		t->gpa = 0;
		if (tui_subject_open(&t->subject, id, NULL, &err)) {
			tui_say(t, false, "%s", err.text);
			t->subject.name[0] = '\0';
			return;
		}
		tui_first_root(t);
	}
	tui_show(t, TUI_VIEW_MAP);
}

static void close_popup(struct tui *t)
{
	tui_text_free(&t->popup);
	t->help = false;
}

static void toggle_help(struct tui *t)
{
	bool was = t->help;

	close_popup(t);
	if (was)
		return;
	t->help = !tui_help_make(&t->popup, t->view, t->canvas.cols);
}

static void reread(struct tui *t)
{
	struct spt_request req = tui_wanted(t);
	struct spt_error err;

	if (!t->subject.live || t->subject.gone || !req.parts)
		return;
	if (tui_subject_read(&t->subject, &req, &err))
		tui_say(t, false, "%s", err.text);
	else
		update(t);
}

/* What works in every view; false: nothing. */
static bool global_command(struct tui *t, enum tui_command command, int key)
{
	if (key >= '1' && key < '1' + TUI_VIEW_COUNT) {
		tui_show(t, (enum tui_view_id)(key - '1'));
		return true;
	}
	switch (command) {
	case TUI_CMD_QUIT:
		t->quit = true;
		break;
	case TUI_CMD_HELP:
		toggle_help(t);
		break;
	case TUI_CMD_NEXT_VIEW:
		tui_show(t, (t->view + 1) % TUI_VIEW_COUNT);
		break;
	case TUI_CMD_PREV_VIEW:
		tui_show(t, (t->view + TUI_VIEW_COUNT - 1) % TUI_VIEW_COUNT);
		break;
	case TUI_CMD_GOTO:
		tui_ask_address(t);
		break;
	case TUI_CMD_FILTER:
		tui_ask_filter(t);
		break;
	case TUI_CMD_WALK:
		tui_show(t, TUI_VIEW_WALK);
		break;
	case TUI_CMD_FREEZE:
		t->frozen = !t->frozen;
		break;
	case TUI_CMD_REREAD:
		reread(t);
		break;
	case TUI_CMD_SAVE:
		tui_ask_file(t);
		break;
	case TUI_CMD_ACT:
		tui_ask_action(t);
		break;
	case TUI_CMD_REDRAW:
		tui_term_redraw();
		break;
	case TUI_CMD_SUSPEND:
		tui_term_suspend();
		break;
	case TUI_CMD_CLOSE:
		close_popup(t);
		break;
	default:
		return false;
	}
	return true;
}

static void resize(struct tui *t)
{
	int rows, cols;

	tui_term_size(&rows, &cols);
	if (tui_canvas_resize(&t->canvas, rows, cols))
		tui_say(t, false, "out of memory");
}

static void take_key(struct tui *t, int key)
{
	enum tui_command command = tui_key_command(key, t->view);
	struct tui_area area = tui_view_area(t);

	if (key == TUI_KEY_RESIZE) {
		resize(t);
		return;
	}
	if (key == TUI_KEY_ENDED) {
		t->quit = true;
		return;
	}
	if (t->prompt.title) {
		tui_prompt_key(t, key);
		return;
	}
	t->message[0] = '\0';
	if (t->popup.bytes && tui_text_key(&t->popup, command, key, tui_popup_area(t).rows - 1))
		return;
	if (t->popup.bytes && command == TUI_CMD_QUIT) {
		close_popup(t);
		return;
	}
	/* A view may do better what works everywhere. */
	if ((tui_model(t) || t->view == TUI_VIEW_VMS) &&
	    tui_views[t->view]->key(t, t->state[t->view], command, key, &area))
		return;
	global_command(t, command, key);
}

/* How long nothing happens by itself; -1: for ever. */
static int patience(struct tui *t, bool more)
{
	int wait = t->frozen && t->subject.gone ? -1 : tui_subject_wait(&t->subject), own = -1;

	if (more)
		return 0;
	if (tui_views[t->view]->wait)
		own = tui_views[t->view]->wait(t, t->state[t->view]);
	return own < 0 ? wait : wait < 0 || own < wait ? own : wait;
}

static void loop(struct tui *t)
{
	while (!t->quit && !ended) {
		bool more;
		int key;

		fetch(t);
		more = tui_frame_draw(t);
		tui_term_show(&t->canvas, t->cursor_row, t->cursor_col);
		key = tui_term_key(patience(t, more));
		/*
		 * Another view is drawn before it gets keys, and so is one that a prompt's
		 * answer may have changed: it must know its lines.
		 */
		for (int n = 0; key != TUI_KEY_NONE && !t->quit; n++) {
			enum tui_view_id before = t->view;
			bool asked = t->prompt.title;

			take_key(t, key);
			key = n < KEYS_A_FRAME && t->view == before && asked == !!t->prompt.title &&
					      tui_term_waiting()
				      ? tui_term_key(0)
				      : TUI_KEY_NONE;
		}
		follow(t);
	}
}

static int open_states(struct tui *t)
{
	for (int i = 0; i < TUI_VIEW_COUNT; i++) {
		t->state[i] = calloc(1, tui_views[i]->state_size);
		if (!t->state[i])
			return -ENOMEM;
	}
	return 0;
}

/* The VM or image asked for; of several VMs none is meant, and the list is shown. */
static int open_subject(struct tui *t, struct spt_error *err)
{
	struct spt_vm_name vm;
	int rc;

	if (t->opt->image)
		return tui_subject_open(&t->subject, NULL, t->opt->image, err);
	rc = spt_agent_check(err);
	if (rc)
		return rc;
	rc = spt_vm_find(t->opt->vm, &vm, err);
	if (rc && t->opt->vm)
		return rc;
	if (rc) {
		t->view = TUI_VIEW_VMS;
		return 0;
	}
	return tui_subject_open(&t->subject, vm.id, NULL, err);
}

static enum tui_view_id first_view(const struct tui_options *o)
{
	for (int i = 0; o->view && i < TUI_VIEW_COUNT; i++)
		if (!strcmp(tui_view_names[i], o->view))
			return (enum tui_view_id)i;
	return TUI_VIEW_MAP;
}

/* What can be wrong is found before the terminal is taken over: an image is read whole. */
static int prepare(struct tui *t, struct spt_error *err)
{
	struct spt_request req;
	int rc = open_states(t) ? spt_fail(err, ENOMEM, "out of memory") : open_subject(t, err);

	if (rc || !t->subject.name[0])
		return rc;
	req = tui_wanted(t);
	if (!req.parts)
		return 0;
	rc = tui_subject_read(&t->subject, &req, err);
	if (!rc)
		tui_first_root(t);
	return rc;
}

int tui_run(const struct tui_options *options, struct spt_error *err)
{
	struct sigaction end = { .sa_handler = on_end }, was[END_SIGNALS];
	struct tui t = { .opt = options, .view = first_view(options), .root = -1 };
	int rc;

	tui_subject_init(&t.subject, options->image_flags);
	rc = prepare(&t, err);
	/* Before ncurses, which takes those signals that nobody has. */
	ended = 0;
	for (size_t i = 0; i < END_SIGNALS; i++)
		sigaction(end_signals[i], &end, &was[i]);
	if (!rc)
		rc = tui_term_open(&t.canvas, err);
	if (!rc) {
		loop(&t);
		tui_term_close();
	}
	for (size_t i = 0; i < END_SIGNALS; i++)
		sigaction(end_signals[i], &was[i], NULL);
	if (ended)
		raise(ended);
	for (int i = 0; i < TUI_VIEW_COUNT; i++) {
		if (t.state[i] && tui_views[i]->close)
			tui_views[i]->close(t.state[i]);
		free(t.state[i]);
	}
	tui_text_free(&t.popup);
	tui_canvas_deinit(&t.canvas);
	tui_subject_close(&t.subject);
	return rc;
}
