// SPDX-License-Identifier: GPL-2.0
/*
 * no_memory: an allocation that another module makes by itself fails, so that the tests can see
 * what is said then, on kernels that were built without fault injection.
 *
 *   insmod no_memory.ko lab=1 of=spt_agent
 *   echo N > .../no_memory/parameters/nth	the N-th one from now on
 *   cat .../no_memory/parameters/nth		how many are to come until then; 0: it has failed
 *   echo M > .../no_memory/parameters/times	and the next ones, M together (1)
 *
 * A probe at the beginning of the kernel's allocators looks who calls, and has them return NULL.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/string.h>
#include <asm/ibt.h>

static bool none_lab;
module_param_named(lab, none_lab, bool, 0400);
MODULE_PARM_DESC(lab, "1: this is a lab; nothing here is worth keeping");

static char *none_of = "spt_agent";
module_param_named(of, none_of, charp, 0400);
MODULE_PARM_DESC(of, "name of the module that is to have no memory");

static int none_times = 1;
module_param_named(times, none_times, int, 0600);
MODULE_PARM_DESC(times, "how many of them, one after the other");

static atomic_t none_nth = ATOMIC_INIT(0);
static atomic_t none_more = ATOMIC_INIT(0);	/* to fail after that */

/* Where an allocator goes on instead of in its body: to its caller. */
asmlinkage void none_return(void);
asm(".pushsection .text\n"
	".type none_return, @function\n"
	"none_return:\n"
	ASM_ENDBR
	ASM_RET
	".size none_return, . - none_return\n"
	".popsection\n");

/* The caller's module is named behind its symbol, in brackets. */
static bool none_wanted(unsigned long caller)
{
	char symbol[KSYM_SYMBOL_LEN];
	char *module;

	scnprintf(symbol, sizeof(symbol), "%ps", (void *)caller);
	module = strchr(symbol, '[');
	return module && !strncmp(module + 1, none_of, strlen(none_of)) &&
	       module[1 + strlen(none_of)] == ']';
}

/* It is this one's turn. */
static bool none_now(void)
{
	if (atomic_read(&none_nth))
		return !atomic_dec_if_positive(&none_nth);
	return atomic_dec_if_positive(&none_more) >= 0;
}

static int none_called(struct kprobe *probe, struct pt_regs *regs)
{
	if (!atomic_read(&none_nth) && !atomic_read(&none_more))
		return 0;
	if (!none_wanted(*(unsigned long *)regs->sp) || !none_now())
		return 0;
	regs_set_return_value(regs, 0);
	instruction_pointer_set(regs, (unsigned long)none_return);
	return 1;
}

/* All of them return a pointer; each kernel has some. */
static struct kprobe none_probes[] = {
	{ .symbol_name = "kmalloc_trace" },
	{ .symbol_name = "kmalloc_large" },
	{ .symbol_name = "__kmalloc" },
	{ .symbol_name = "kvmalloc_node" },
	{ .symbol_name = "__folio_alloc" },
	{ .symbol_name = "__get_free_pages" },
	{ .symbol_name = "get_zeroed_page" },
	{ .symbol_name = "__kmalloc_cache_noprof" },
	{ .symbol_name = "__kmalloc_large_noprof" },
	{ .symbol_name = "__kmalloc_noprof" },
	{ .symbol_name = "__kvmalloc_node_noprof" },
	{ .symbol_name = "__folio_alloc_noprof" },
	{ .symbol_name = "__vcalloc_noprof" },
	{ .symbol_name = "get_free_pages_noprof" },
	{ .symbol_name = "get_zeroed_page_noprof" },
};

static bool none_probed[ARRAY_SIZE(none_probes)];

static int none_set(const char *value, const struct kernel_param *param)
{
	int nth;
	int error = kstrtoint(value, 0, &nth);

	if (error || nth < 0)
		return error ?: -EINVAL;
	atomic_set(&none_more, nth ? none_times - 1 : 0);
	atomic_set(&none_nth, nth);
	return 0;
}

static int none_get(char *to, const struct kernel_param *param)
{
	return sysfs_emit(to, "%d\n", atomic_read(&none_nth));
}

static const struct kernel_param_ops none_ops = {
	.set = none_set,
	.get = none_get,
};

module_param_cb(nth, &none_ops, NULL, 0600);
MODULE_PARM_DESC(nth, "which allocation fails");

static int __init none_init(void)
{
	unsigned int probes = 0;
	unsigned int i;

	if (!none_lab)
		return -EPERM;
	for (i = 0; i < ARRAY_SIZE(none_probes); i++) {
		none_probes[i].pre_handler = none_called;
		none_probed[i] = !register_kprobe(&none_probes[i]);
		probes += none_probed[i];
	}
	pr_info("no_memory: %u allocators are looked at\n", probes);
	return probes ? 0 : -ENOENT;
}

static void __exit none_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(none_probes); i++)
		if (none_probed[i])
			unregister_kprobe(&none_probes[i]);
}

module_init(none_init);
module_exit(none_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Lets one allocation of a module fail, for the tests");
