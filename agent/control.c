// SPDX-License-Identifier: GPL-2.0
/*
 * <vm>/control: a line in, what became of it out. An action that listens lives as
 * long as the file is open at most.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "action.h"
#include "agent.h"
#include "reader.h"

#define SPT_CONTROL_CHUNK	512

struct spt_control {
	struct mutex lock;		/* one write at a time; protects act */
	struct spt_vm_id vm;
	struct module *vendor;
	struct spt_acted *acted;
	struct spt_action *act;		/* of the last line, NULL: none yet */
	wait_queue_head_t wait;		/* for hits, and for the end */
};

/* -EPERM: a kernel that does not let root change it. It may become one at any time. */
static int spt_kernel_locked(void)
{
	return security_locked_down(LOCKDOWN_MODULE_SIGNATURE) ? -EPERM : 0;
}

/* Armed, allowed, and a kernel that lets root change it. */
static int spt_may_act(void)
{
	int error = spt_may_open();

	if (error || !spt_armed)
		return -EPERM;
	return spt_kernel_locked();
}

static int spt_control_attach(struct spt_control *control, const struct spt_vm_id *id)
{
	int error;

	error = spt_layout_hold_vendor(&control->vendor);
	if (error)
		return error;
	control->vm = *id;
	error = spt_vm_get(id);
	if (!error) {
		control->acted = spt_acted_get(&control->vm);
		if (control->acted)
			return 0;
		spt_vm_put(id->kvm);
		error = -ENOMEM;
	}
	spt_vendor_put(control->vendor);
	spt_layout_release();
	return error;
}

static int spt_control_open(struct inode *inode, struct file *file)
{
	const struct spt_vm_file_ref *ref = inode->i_private;
	struct spt_control *control;
	int error = spt_may_act();

	if (error)
		return error;
	control = kzalloc(sizeof(*control), GFP_KERNEL);
	if (!control)
		return -ENOMEM;
	mutex_init(&control->lock);
	init_waitqueue_head(&control->wait);
	error = spt_control_attach(control, ref->id);
	if (error) {
		kfree(control);
		return error;
	}
	file->private_data = control;
	return stream_open(inode, file);
}

static void spt_control_end(struct spt_control *control, const char *sentence)
{
	if (!control->act)
		return;
	spt_action_finish(control->act, control->act->effects ? SPT_RESULT_DONE :
			  SPT_RESULT_NO_EFFECT, SPT_WHY_INTERRUPTED, sentence);
}

/* The action is over, but the work that ended it may have yet to return. */
static void spt_control_forget(struct spt_action *act)
{
	if (!act)
		return;
	irq_work_sync(&act->nudge);
	cancel_delayed_work_sync(&act->enough);
	spt_action_put(act);
}

/* The VM last, its module after it, as a reader does. */
static int spt_control_release(struct inode *inode, struct file *file)
{
	struct spt_control *control = file->private_data;

	spt_control_end(control, "the file was closed");
	spt_control_forget(control->act);
	spt_acted_put(control->acted);
	spt_vm_put(control->vm.kvm);
	spt_vendor_put(control->vendor);
	spt_layout_release();
	kfree(control);
	return 0;
}

/* One line, its newline cut off; -EINVAL: something else. */
static int spt_control_line(char *line, size_t size)
{
	char *end = memchr(line, '\n', size);

	line[size] = '\0';
	if (end)
		*end = '\0';
	if (memchr(line, '\0', size) && (!end || end != line + size - 1))
		return -EINVAL;
	return *line ? 0 : -EINVAL;
}

/* A new action takes the old one's place; 'stop' ends the old one. */
static int spt_control_act(struct spt_control *control, char *line)
{
	struct spt_action *act;
	int error;

	if (control->act && READ_ONCE(control->act->listening)) {
		if (strcmp(line, "stop"))
			return -EBUSY;
		spt_control_end(control, "it was told to stop");
		return 0;
	}
	act = spt_action_create(control->vm.kvm, control->acted, &control->wait, GFP_KERNEL);
	if (!act)
		return -ENOMEM;
	error = spt_action_run(act, line);
	if (!error)
		swap(control->act, act);
	spt_control_forget(act);
	return error;
}

static ssize_t spt_control_write(struct file *file, const char __user *from, size_t size,
				 loff_t *at)
{
	struct spt_control *control = file->private_data;
	char *line;
	int error;

	if (spt_kernel_locked())
		return -EPERM;
	if (!size || size > SPT_ACTION_LINE_MAX)
		return -EINVAL;
	line = kmalloc(size + 1, GFP_KERNEL);
	if (!line)
		return -ENOMEM;
	error = copy_from_user(line, from, size) ? -EFAULT : spt_control_line(line, size);
	if (!error)
		error = mutex_lock_killable(&control->lock);
	if (!error) {
		error = spt_control_act(control, line);
		mutex_unlock(&control->lock);
		/* Who polls could not look while the lock was held. */
		wake_up_interruptible(&control->wait);
	}
	kfree(line);
	return error ? error : size;
}

static bool spt_control_readable(const struct spt_action *act)
{
	return READ_ONCE(act->text_len) || !READ_ONCE(act->listening);
}

/* The last action, referenced; NULL: none. */
static struct spt_action *spt_control_last(struct spt_control *control)
{
	if (control->act)
		kref_get(&control->act->ref);
	return control->act;
}

static ssize_t spt_control_copy(struct spt_action *act, char __user *to, size_t size)
{
	char chunk[SPT_CONTROL_CHUNK];
	ssize_t given = 0;
	size_t got;

	while (given < size) {
		got = spt_text_take(act, chunk, min(size - given, sizeof(chunk)));
		if (!got)
			break;
		if (copy_to_user(to + given, chunk, got))
			return -EFAULT;
		given += got;
	}
	return given;
}

/* Not under the lock: while somebody waits for a hit another may say 'stop'. */
static ssize_t spt_control_read(struct file *file, char __user *to, size_t size, loff_t *at)
{
	struct spt_control *control = file->private_data;
	struct spt_action *act;
	ssize_t ret = 0;

	if (mutex_lock_interruptible(&control->lock))
		return -EINTR;
	act = spt_control_last(control);
	mutex_unlock(&control->lock);
	if (!act)
		return 0;
	if (!spt_control_readable(act)) {
		if (file->f_flags & O_NONBLOCK)
			ret = -EAGAIN;
		else if (wait_event_interruptible(control->wait, spt_control_readable(act)))
			ret = -EINTR;
	}
	if (!ret)
		ret = spt_control_copy(act, to, size);
	spt_action_put(act);
	return ret;
}

static __poll_t spt_control_poll(struct file *file, poll_table *table)
{
	struct spt_control *control = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &control->wait, table);
	/* Who acts wakes us when there is something to read. */
	if (!mutex_trylock(&control->lock))
		return 0;
	if (!control->act || spt_control_readable(control->act))
		events |= EPOLLIN | EPOLLRDNORM;
	if (!control->act || !READ_ONCE(control->act->listening))
		events |= EPOLLOUT | EPOLLWRNORM;
	mutex_unlock(&control->lock);
	return events;
}

const struct file_operations spt_control_fops = {
	.owner = THIS_MODULE,
	.open = spt_control_open,
	.read = spt_control_read,
	.write = spt_control_write,
	.poll = spt_control_poll,
	.release = spt_control_release,
};
