/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is looked at: a VM of this host or an image, and as much of it as was read. Of a VM
 * only what a view wants is read, and only when a small look at its counters says that
 * something moved, or now and then, for what no counter tells.
 */
#ifndef SPT_TUI_SUBJECT_H
#define SPT_TUI_SUBJECT_H

#include "spt/model.h"
#include "spt/source.h"

struct tui_subject {
	char name[256]; /* id of the VM, or the file */
	bool live;
	bool gone;	/* the VMM has ended: what was read last remains */
	int pid;	/* of a live VM's VMM */
	bool loaded;	/* there is a model */
	uint64_t reads; /* models so far: another number, another model */
	/* Private. */
	unsigned int image_flags;
	struct spt_source *source[2]; /* what one gave stays while the other is read */
	struct spt_model model[2];
	int now; /* of the two */
	struct spt_request have;
	struct spt_model glance; /* the counters, as they were when the model was read */
	uint64_t counters[SPT_VM_COUNT];
	int64_t due_ms;	  /* next look at the counters */
	int64_t whole_ms; /* next reading whatever they say */
};

void tui_subject_init(struct tui_subject *s, unsigned int image_flags);

/* Look at @id, a VM's directory, or at the file @image (the other is NULL). */
int tui_subject_open(struct tui_subject *s, const char *id, const char *image,
		     struct spt_error *err);
void tui_subject_close(struct tui_subject *s);

/* The model, or NULL: nothing was read yet. Valid until something is read. */
const struct spt_model *tui_subject_model(const struct tui_subject *s);

/* Whether what was read has all of @req. */
bool tui_subject_has(const struct tui_subject *s, const struct spt_request *req);

/* Parts of @parts that the VM was not asked for; those that an image lacks are not among them. */
uint32_t tui_subject_unread(const struct tui_subject *s, uint32_t parts);

/* What of a live VM's addresses was read last; false: all of them, or it is an image. */
bool tui_subject_range(const struct tui_subject *s, uint64_t *start, uint64_t *len);

/*
 * Read @req. 0, -EINTR when a key came meanwhile, or what spt_model_read() says; the model
 * there was stays in these cases.
 */
int tui_subject_read(struct tui_subject *s, const struct spt_request *req, struct spt_error *err);

/*
 * The time has come to look at a live VM: reads @req again if something moved. 1: there is a
 * new model, 0: there is none, or an error; -ESRCH is said once, when the VMM has ended.
 */
int tui_subject_look(struct tui_subject *s, const struct spt_request *req, struct spt_error *err);

/* Milliseconds until tui_subject_look() is to be called; -1: never. */
int tui_subject_wait(const struct tui_subject *s);

/* A source of the bytes of the model that is shown; close it. */
int tui_subject_snapshot(const struct tui_subject *s, struct spt_source **ret,
			 struct spt_error *err);

int64_t tui_now_ms(void);

#endif
