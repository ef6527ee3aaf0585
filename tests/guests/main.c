// SPDX-License-Identifier: GPL-2.0
/* Options, set-up in order, READY, and the end. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pages.h"

#define DEFAULT_SOCKET "pages.sock"

static struct guest guest;

static const char usage_text[] =
	"Usage: pages [OPTIONS]\n"
	"       pages --send SOCKET COMMAND...\n"
	"A virtual machine whose every mapping is known. Prints READY, then obeys lines\n"
	"on stdin and on a unix socket ('help' lists them).\n\n"
	"  --socket PATH       listen here (default: " DEFAULT_SOCKET "; 'none': stdin only)\n"
	"  --background        return when ready, leave the guest running\n"
	"  --layout[=FILE]     print the layout as one line of JSON before READY\n"
	"  --name NAME         what the layout calls this guest\n"
	"  --vcpus N           1 or 2 (default 1)\n"
	"  --no-run            enter no vCPU and touch nothing before a command says so\n"
	"  --sparse-gib N      a slot of N GiB with one page touched in each 2 MiB\n"
	"  --dense-tables N    a slot of N times 2 MiB, all of it touched as 4K pages\n"
	"  --extra             slots that few tests need: edge, device, gmem\n"
	"  --file FILE         a slot of 4 MiB of FILE, which is so large, mapped shared\n"
	"  --irqchip           interrupt controllers in the kernel: 'halt' can be used\n"
	"  --pae               the guest runs 32-bit code and has PAE page tables\n"
	"  --tdx               another layout: private and shared memory, by /dev/softtdx\n"
	"  --manual-dirty      get-dirty does not clear, clear-dirty does\n"
	"  --dirty-ring        dirty pages go to a ring of each vCPU; nobody takes them from there\n"
	"  --churn SECONDS     after READY change everything all the time ('forever': until quit)\n"
	"  --send SOCKET       send each COMMAND, print each answer, exit 1 if one is an error\n"
	"  --help\n";

enum {
	OPT_SOCKET = 256,
	OPT_BACKGROUND,
	OPT_LAYOUT,
	OPT_NAME,
	OPT_VCPUS,
	OPT_NO_RUN,
	OPT_SPARSE,
	OPT_DENSE,
	OPT_EXTRA,
	OPT_FILE,
	OPT_IRQCHIP,
	OPT_TDX,
	OPT_PAE,
	OPT_MANUAL,
	OPT_RING,
	OPT_CHURN,
	OPT_SEND,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "background", no_argument, NULL, OPT_BACKGROUND },
	{ "layout", optional_argument, NULL, OPT_LAYOUT },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "vcpus", required_argument, NULL, OPT_VCPUS },
	{ "no-run", no_argument, NULL, OPT_NO_RUN },
	{ "sparse-gib", required_argument, NULL, OPT_SPARSE },
	{ "dense-tables", required_argument, NULL, OPT_DENSE },
	{ "extra", no_argument, NULL, OPT_EXTRA },
	{ "file", required_argument, NULL, OPT_FILE },
	{ "irqchip", no_argument, NULL, OPT_IRQCHIP },
	{ "tdx", no_argument, NULL, OPT_TDX },
	{ "pae", no_argument, NULL, OPT_PAE },
	{ "manual-dirty", no_argument, NULL, OPT_MANUAL },
	{ "dirty-ring", no_argument, NULL, OPT_RING },
	{ "churn", required_argument, NULL, OPT_CHURN },
	{ "send", required_argument, NULL, OPT_SEND },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static int fail(const char *what, int err)
{
	fprintf(stderr, "pages: %s: %s\n", what, strerror(-err));
	return 2;
}

static int usage(const char *what)
{
	fprintf(stderr, "pages: %s (try --help)\n", what);
	return 2;
}

static int setup(struct guest *g)
{
	static struct reply reply;
	int err;

	pthread_mutex_init(&g->slots_lock, NULL);
	layout_init(g);
	err = vm_create(g);
	if (err)
		return fail("cannot make a virtual machine (is a KVM module loaded?)", err);
	if (layout_check(g))
		return usage(layout_check(g));
	err = memory_alloc(g);
	if (err)
		return fail("cannot allocate the guest's memory", err);
	err = tables_build(g);
	if (err)
		return fail("cannot build the guest's page tables", err);
	if (g->opt.pae)
		memcpy(g->slot[0].hva + CODE_GPA, pages_guest32_code, pages_guest32_code_size);
	else
		memcpy(g->slot[0].hva + CODE_GPA, pages_guest_code, pages_guest_code_size);
	for (int i = 0; i < g->slot_count; i++) {
		if (!g->slot[i].hva)
			continue;
		err = memory_register(g, &g->slot[i], true);
		if (err)
			return fail(g->slot[i].name, err);
	}
	err = g->opt.tdx ? tdx_begin(g) : 0;
	if (err)
		return fail("cannot make the guest's memory private", err);
	for (int i = 0; i < g->vcpu_count; i++) {
		err = vm_reset_vcpu(&g->vcpu[i]);
		if (!err)
			err = vcpu_start(&g->vcpu[i]);
		if (err)
			return fail("cannot set up a vCPU", err);
	}
	if (!g->opt.no_run && setup_touch(g, &reply)) {
		fprintf(stderr, "pages: %s\n", reply.text);
		return 2;
	}
	return 0;
}

static int print_layout(struct guest *g)
{
	FILE *out = g->opt.layout_file ? fopen(g->opt.layout_file, "w") : stdout;

	if (!out)
		return fail(g->opt.layout_file, -errno);
	layout_print(g, out);
	fputc('\n', out);
	if (out != stdout && fclose(out))
		return fail(g->opt.layout_file, -errno);
	return 0;
}

/* Ends the whole process some time after READY, when a time was given. */
static void *churn_timer(void *arg)
{
	struct guest *g = arg;

	sleep(g->opt.churn_seconds);
	churn_stop(g);
	printf("CHURNED\n");
	fflush(stdout);
	return NULL;
}

static int serve(struct guest *g, int ready_fd)
{
	pthread_t timer;
	int status = setup(g);

	if (!status && strcmp(g->opt.socket, "none")) {
		int err = control_listen(g->opt.socket);

		if (err)
			status = fail(g->opt.socket, err);
	}
	if (!status && g->opt.layout)
		status = print_layout(g);
	if (status)
		return status;
	printf("READY\n");
	fflush(stdout);
	if (ready_fd >= 0) {
		if (write(ready_fd, "", 1) != 1)
			return 2;
		close(ready_fd);
	}
	if (g->opt.churn) {
		int err = churn_start(g);

		if (err)
			return fail("cannot start the churn threads", err);
		if (g->opt.churn_seconds && pthread_create(&timer, NULL, churn_timer, g))
			return fail("cannot start the churn timer", -EAGAIN);
	}
	int err = control_serve(g);

	churn_stop(g);
	for (int i = 0; i < g->vcpu_count; i++)
		vcpu_stop(&g->vcpu[i]);
	if (strcmp(g->opt.socket, "none"))
		unlink(g->opt.socket);
	return err ? fail("control", err) : 0;
}

/* The child makes the VM, so that its PID is the one that KVM knows. */
static int serve_in_background(struct guest *g)
{
	int ready[2];
	char byte;

	if (pipe(ready))
		return fail("pipe", -errno);
	pid_t pid = fork();

	if (pid < 0)
		return fail("fork", -errno);
	if (!pid) {
		close(ready[0]);
		setsid();
		/* Not _exit(): what was printed must come out. */
		exit(serve(g, ready[1]));
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1)
		return 0;
	int status;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 2;
}

static int parse_option(struct guest *g, int opt)
{
	uint64_t n = 0;

	switch (opt) {
	case OPT_SOCKET:
		g->opt.socket = optarg;
		return 0;
	case OPT_BACKGROUND:
		g->opt.background = true;
		return 0;
	case OPT_LAYOUT:
		g->opt.layout = true;
		g->opt.layout_file = optarg;
		return 0;
	case OPT_NAME:
		if (strpbrk(optarg, "\"\\"))
			return usage("--name takes no quotes and no backslashes");
		g->opt.name = optarg;
		return 0;
	case OPT_VCPUS:
		if (parse_size(optarg, &n) || n < 1 || n > MAX_VCPUS)
			return usage("--vcpus is 1 or 2");
		g->opt.vcpus = n;
		return 0;
	case OPT_NO_RUN:
		g->opt.no_run = true;
		return 0;
	case OPT_SPARSE:
		if (parse_size(optarg, &n) || n > 480)
			return usage("--sparse-gib is a number up to 480");
		g->opt.sparse_gib = n;
		return 0;
	case OPT_DENSE:
		if (parse_size(optarg, &n) || n > 16384)
			return usage("--dense-tables is a number up to 16384");
		g->opt.dense_tables = n;
		return 0;
	case OPT_EXTRA:
		g->opt.extra = true;
		return 0;
	case OPT_FILE:
		g->opt.file = optarg;
		return 0;
	case OPT_IRQCHIP:
		g->opt.irqchip = true;
		return 0;
	case OPT_TDX:
		g->opt.tdx = true;
		g->shared_mask = TDX_SHARED_MASK;
		return 0;
	case OPT_PAE:
		g->opt.pae = true;
		return 0;
	case OPT_MANUAL:
		g->opt.manual_dirty = true;
		return 0;
	case OPT_RING:
		g->opt.dirty_ring = true;
		return 0;
	case OPT_CHURN:
		g->opt.churn = true;
		if (strcmp(optarg, "forever")) {
			if (parse_size(optarg, &n) || !n || n > 86400)
				return usage("--churn is a number of seconds or 'forever'");
			g->opt.churn_seconds = n;
		}
		return 0;
	default:
		return usage("unknown option");
	}
}

int main(int argc, char **argv)
{
	guest.opt = (struct options){ .socket = DEFAULT_SOCKET, .name = "pages", .vcpus = 1 };
	signal(SIGPIPE, SIG_IGN);
	opterr = 0;
	for (int opt; (opt = getopt_long(argc, argv, "+h", long_options, NULL)) >= 0;) {
		if (opt == OPT_HELP || opt == 'h') {
			fputs(usage_text, stdout);
			return 0;
		}
		if (opt == OPT_SEND)
			return control_send(optarg, argc - optind, argv + optind);
		if (parse_option(&guest, opt))
			return 2;
	}
	if (optind < argc)
		return usage("no arguments are taken but options");
	return guest.opt.background ? serve_in_background(&guest) : serve(&guest, -1);
}
