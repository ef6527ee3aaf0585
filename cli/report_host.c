// SPDX-License-Identifier: GPL-2.0
/* What a report says of the host itself: versions, module parameters, the agent, KVM's counters. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/report.h"

#define KVM_DEBUGFS "/sys/kernel/debug/kvm"

/* The first line of a small file, "" if there is none. */
static void first_line(const char *path, char *text, size_t size)
{
	FILE *in = fopen(path, "re");

	text[0] = '\0';
	if (!in)
		return;
	if (!fgets(text, (int)size, in))
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	fclose(in);
}

static int not_dot(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* 'NAME.FILE=LINE' for every file of @dir. */
static void put_files(FILE *out, const char *name, const char *dir)
{
	struct dirent **list;
	int n = scandir(dir, &list, not_dot, alphasort);

	for (int i = 0; i < n; i++) {
		char path[512], text[256];

		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		first_line(path, text, sizeof(text));
		if (list[i]->d_type != DT_DIR)
			fprintf(out, "%s.%s=%s\n", name, list[i]->d_name, text);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static void put_versions(struct report *r, FILE *out)
{
	struct utsname host;
	char line[256], path[64], vmm[256];
	FILE *in = fopen("/proc/cpuinfo", "re");
	ssize_t len;

	uname(&host); /* its name is nobody's business */
	fprintf(out, "spt: %s\nagent: %s\nkernel: %s %s %s %s\n", SPT_VERSION, r->head.agent,
		host.sysname, host.release, host.version, host.machine);
	/* Of the first CPU: the lines up to the first empty one. */
	while (in && fgets(line, sizeof(line), in) && line[0] != '\n')
		if (!strncmp(line, "model name", 10) || !strncmp(line, "microcode", 9) ||
		    !strncmp(line, "address sizes", 13))
			fprintf(out, "cpu %s", line);
	if (in)
		fclose(in);
	snprintf(path, sizeof(path), "/proc/%d/exe", r->pid);
	len = r->redact ? -1 : readlink(path, vmm, sizeof(vmm) - 1);
	if (len > 0)
		fprintf(out, "vmm: %.*s\n", (int)len, vmm);
}

static void put_parameters(struct report *r, FILE *out)
{
	static const char *const modules[] = { "kvm", "kvm_amd", "kvm_intel", "spt_agent" };

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		char dir[64];

		snprintf(dir, sizeof(dir), "/sys/module/%s/parameters", modules[i]);
		put_files(out, modules[i], dir);
	}
}

static void put_counters(struct report *r, FILE *out)
{
	char dir[128];

	snprintf(dir, sizeof(dir), KVM_DEBUGFS "/%.32s", r->head.id);
	put_files(out, "kvm", dir);
}

static FILE *open_agent_file(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", spt_debugfs(), name);
	return fopen(path, "re");
}

static void copy_agent_file(FILE *out, const char *name)
{
	FILE *in = open_agent_file(name);
	char bytes[4096];
	size_t n;

	while (in && (n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		fwrite(bytes, 1, n, out);
	if (in)
		fclose(in);
}

static void put_status(struct report *r, FILE *out)
{
	copy_agent_file(out, "status");
}

static void put_masks(struct report *r, FILE *out)
{
	copy_agent_file(out, "masks");
}

/* 'MODULE:SYMBOL 0xADDRESS': where this boot has put the kernel. Fields have offsets only. */
static void hide_symbol(char *line)
{
	char *colon = strchr(line, ':'), *blank = strchr(line, ' ');

	if (colon && blank && colon < blank && !strncmp(blank, " 0x", 3))
		strcpy(blank, " -\n");
}

static void put_layout(struct report *r, FILE *out)
{
	FILE *in = open_agent_file("layout");
	char *line = NULL;
	size_t room = 0;

	while (in && getline(&line, &room, in) > 0) {
		if (r->redact)
			hide_symbol(line);
		fputs(line, out);
	}
	free(line);
	if (in)
		fclose(in);
}

static void put_journal(struct report *r, FILE *out)
{
	copy_agent_file(out, "journal");
}

static const struct fact {
	const char *name, *what;
	void (*put)(struct report *r, FILE *out);
	bool tells; /* host addresses or names: not in a redacted report */
} facts[] = {
	{ "host/versions", "of spt, the agent, the kernel, the CPU and the VMM", put_versions,
	  false },
	{ "host/parameters", "of KVM's modules and the agent", put_parameters, false },
	{ "host/counters", "KVM's own, of this VM", put_counters, false },
	{ "host/agent-status", "what the agent says of itself", put_status, false },
	{ "host/masks", "KVM's masks of SPTEs", put_masks, false },
	{ "host/layout", "fields of KVM's structures as the agent uses them", put_layout, false },
	{ "host/journal", "actions that were done through the agent", put_journal, true },
};

static int add_fact(struct report *r, const struct fact *fact)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc = 0;

	if (!out)
		return cli_fail(r->cli, ENOMEM, "out of memory");
	fact->put(r, out);
	fclose(out);
	if (size)
		rc = report_add(r, fact->name, fact->what, text, size);
	else
		rc = report_leave_out(r, "%s: this host has none", fact->name);
	free(text);
	return rc;
}

int report_host(struct report *r)
{
	int rc = 0;

	if (!r->live)
		return report_leave_out(r, "host/: versions, module parameters, counters and the "
					   "agent's files are a live host's; made from an image");
	for (size_t i = 0; !rc && i < sizeof(facts) / sizeof(facts[0]); i++) {
		if (r->redact && facts[i].tells)
			rc = report_leave_out(r, "%s: has host addresses and names", facts[i].name);
		else
			rc = add_fact(r, &facts[i]);
	}
	return rc;
}
