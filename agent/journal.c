// SPDX-License-Identifier: GPL-2.0
/*
 * What was done to whom by whom: debugfs 'journal', and the kernel log.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>

#include "action.h"
#include "agent.h"

/* Lines for the kernel log: more than this in so many seconds are only counted. */
#define SPT_LOG_SECONDS	5
#define SPT_LOG_BURST	50

#define SPT_TARGET_MAX	48

struct spt_journal_entry {
	u64 id;
	struct timespec64 time;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	char vm[32];
	const char *action;
	char target[SPT_TARGET_MAX];
	char before[SPT_BRIEF_MAX];
	char after[SPT_BRIEF_MAX];
	enum spt_result result;
	enum spt_reason reason;
	enum spt_undo_state undo;
};

static const char *const spt_undo_names[] = {
	[SPT_UNDO_NONE] = "none",
	[SPT_UNDO_OPEN] = "open",
	[SPT_UNDO_DONE] = "done",
	[SPT_UNDO_LOST] = "lost",
};

/* The last entries; entry number n is in slot n % SPT_JOURNAL_MAX. */
static DEFINE_MUTEX(spt_journal_lock);
static struct spt_journal_entry spt_journal[SPT_JOURNAL_MAX];
static u64 spt_journal_count;
static atomic64_t spt_action_ids = ATOMIC64_INIT(0);

static DEFINE_RATELIMIT_STATE(spt_log_limit, SPT_LOG_SECONDS * HZ, SPT_LOG_BURST);

u64 spt_journal_actions(void)
{
	u64 count;

	mutex_lock(&spt_journal_lock);
	count = spt_journal_count;
	mutex_unlock(&spt_journal_lock);
	return count;
}

static void spt_journal_comm(struct spt_action *act)
{
	unsigned int i;

	get_task_comm(act->comm, current);
	for (i = 0; i < TASK_COMM_LEN && act->comm[i]; i++)
		if (!isascii(act->comm[i]) || !isgraph(act->comm[i]))
			act->comm[i] = '?';
}

void spt_journal_open(struct spt_action *act)
{
	act->id = atomic64_inc_return(&spt_action_ids);
	act->pid = task_tgid_nr(current);
	spt_journal_comm(act);
	strscpy(act->before, "-", sizeof(act->before));
	strscpy(act->after, "-", sizeof(act->after));
}

static void spt_journal_target(const struct spt_action *act, char target[SPT_TARGET_MAX])
{
	const struct spt_action_args *args = &act->args;

	if (args->given & SPT_KEY_BIT(ID))
		snprintf(target, SPT_TARGET_MAX, args->all ? "all" : "%llu", args->id);
	else if (!(args->given & SPT_KEY_BIT(GPA)))
		strscpy(target, "-", SPT_TARGET_MAX);
	else if (args->all)
		strscpy(target, "all", SPT_TARGET_MAX);
	else if (args->len)
		snprintf(target, SPT_TARGET_MAX, "%#llx+%#llx", args->gpa, args->len);
	else
		snprintf(target, SPT_TARGET_MAX, "%#llx", args->gpa);
}

void spt_journal_close(struct spt_action *act)
{
	struct spt_journal_entry entry = {
		.id = act->id,
		.pid = act->pid,
		.action = act->row->name,
		.result = act->result,
		.reason = act->reason,
		.undo = act->keep_undo ? SPT_UNDO_OPEN : SPT_UNDO_NONE,
	};

	ktime_get_real_ts64(&entry.time);
	memcpy(entry.comm, act->comm, sizeof(entry.comm));
	strscpy(entry.vm, act->acted->id.name, sizeof(entry.vm));
	strscpy(entry.before, act->before, sizeof(entry.before));
	strscpy(entry.after, act->after, sizeof(entry.after));
	spt_journal_target(act, entry.target);
	mutex_lock(&spt_journal_lock);
	spt_journal[spt_journal_count++ % SPT_JOURNAL_MAX] = entry;
	mutex_unlock(&spt_journal_lock);
	if (__ratelimit(&spt_log_limit))
		pr_notice("action %llu: %s %s on VM %s by %s[%d]: %s -> %s, %s\n", entry.id,
			  entry.action, entry.target, entry.vm, entry.comm, entry.pid,
			  entry.before, entry.after, spt_result_name(entry.result));
}

void spt_journal_undo(u64 id, enum spt_undo_state state)
{
	unsigned int i;

	mutex_lock(&spt_journal_lock);
	for (i = 0; i < min_t(u64, spt_journal_count, SPT_JOURNAL_MAX); i++)
		if (spt_journal[i].id == id)
			spt_journal[i].undo = state;
	mutex_unlock(&spt_journal_lock);
}

static void spt_journal_line(struct seq_file *seq, const struct spt_journal_entry *entry)
{
	seq_printf(seq, "id=%llu time=%lld.%09ld pid=%d comm=%s vm=%s action=%s target=%s ",
		   entry->id, entry->time.tv_sec, entry->time.tv_nsec, entry->pid, entry->comm,
		   entry->vm, entry->action, entry->target);
	seq_printf(seq, "before=%s after=%s result=%s reason=%s undo=%s\n", entry->before,
		   entry->after, spt_result_name(entry->result),
		   entry->reason ? spt_reason_name(entry->reason) : "-",
		   spt_undo_names[entry->undo]);
}

static int spt_journal_show(struct seq_file *seq, void *unused)
{
	u64 i;

	spt_undo_reap();
	mutex_lock(&spt_journal_lock);
	i = spt_journal_count > SPT_JOURNAL_MAX ? spt_journal_count - SPT_JOURNAL_MAX : 0;
	for (; i < spt_journal_count; i++)
		spt_journal_line(seq, &spt_journal[i % SPT_JOURNAL_MAX]);
	mutex_unlock(&spt_journal_lock);
	return 0;
}

static int spt_journal_open_file(struct inode *inode, struct file *file)
{
	int error = spt_may_open();

	return error ? error : single_open(file, spt_journal_show, NULL);
}

const struct file_operations spt_journal_fops = {
	.owner = THIS_MODULE,
	.open = spt_journal_open_file,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};
