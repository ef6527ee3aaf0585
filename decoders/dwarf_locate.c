// SPDX-License-Identifier: GPL-2.0
#include "decoders/dwarf_locate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE   4096
#define OBJECT_SIZE 1024
#define SYSTEM_DIR  "/usr/lib/debug"

struct locate {
	const struct spt_debug_search *search;
	const char *root;
	const char *module;
	const struct spt_build_id *id;
	char object[OBJECT_SIZE];  /* the module's path below /lib/modules/RELEASE, "" vmlinux */
	char found[PATH_SIZE];	   /* the answer */
	struct spt_error rejected; /* why the last file that existed is not it */
};

/* Whether the file @l->found is it; if it exists and is not, why. */
static bool accept(struct locate *l)
{
	struct spt_build_id id;
	struct spt_elf *elf;
	char theirs[SPT_BUILD_ID_TEXT], ours[SPT_BUILD_ID_TEXT];
	int found;

	if (access(l->found, F_OK) || spt_elf_open(l->found, &elf, &l->rejected))
		return false;
	found = spt_elf_build_id(elf, &id, &l->rejected);
	if (found >= 0 && l->id->len && !spt_build_id_equal(&id, l->id)) {
		spt_build_id_text(&id, theirs);
		spt_build_id_text(l->id, ours);
		found = spt_fail(&l->rejected, ESTALE,
				 "%s is of another build: id %s, running is %s", l->found, theirs,
				 ours);
	}
	if (found >= 0)
		found = spt_elf_has_section(elf, ".debug_info");
	spt_elf_close(elf);
	return found > 0;
}

static bool try_path(struct locate *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool try_path(struct locate *l, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(l->found, sizeof(l->found), fmt, ap);
	va_end(ap);
	return len > 0 && (size_t)len < sizeof(l->found) && accept(l);
}

static bool try_build_id(struct locate *l, const char *dir)
{
	char id[SPT_BUILD_ID_TEXT];

	if (l->id->len < 2)
		return false;
	spt_build_id_text(l->id, id);
	return try_path(l, "%s/.build-id/%.2s/%s.debug", dir, id, id + 2);
}

/* The debug package's own tree: the installed file's path below @dir. */
static bool try_mirror(struct locate *l, const char *dir)
{
	const char *release = l->search->release;

	if (*l->object)
		return try_path(l, "%s/lib/modules/%s/%s", dir, release, l->object) ||
		       try_path(l, "%s/lib/modules/%s/%s.debug", dir, release, l->object) ||
		       try_path(l, "%s/usr/lib/modules/%s/%s", dir, release, l->object) ||
		       try_path(l, "%s/usr/lib/modules/%s/%s.debug", dir, release, l->object);
	return try_path(l, "%s/boot/vmlinux-%s", dir, release) ||
	       try_path(l, "%s/lib/modules/%s/vmlinux", dir, release) ||
	       try_path(l, "%s/usr/lib/modules/%s/vmlinux", dir, release);
}

/* A directory with nothing but the files, as one unpacks by hand. */
static bool try_flat(struct locate *l, const char *dir)
{
	const char *name = strrchr(l->object, '/');

	if (!*l->object)
		return try_path(l, "%s/vmlinux-%s", dir, l->search->release) ||
		       try_path(l, "%s/vmlinux", dir);
	name = name ? name + 1 : l->object;
	return try_path(l, "%s/%s", dir, name) || try_path(l, "%s/%s.debug", dir, name);
}

/*
 * The installed file @object itself, or the one that its .gnu_debuglink names,
 * beside it or at its folder below the debug directories.
 */
static bool try_object(struct locate *l, const char *object)
{
	const char *const *dir = l->search->dirs;
	int folder = (int)(strrchr(object, '/') - object);
	char path[PATH_SIZE];
	const char *name;
	struct spt_elf *elf;
	uint32_t crc;
	bool found = false;

	snprintf(path, sizeof(path), "%s%s", l->root, object);
	if (access(path, R_OK) || spt_elf_open(path, &elf, NULL))
		return false;
	/* The build id says more than the CRC, and every kernel that we serve has one. */
	if (spt_elf_debuglink(elf, &name, &crc, NULL) > 0) {
		found = try_path(l, "%s%.*s/%s", l->root, folder, object, name) ||
			try_path(l, "%s%.*s/.debug/%s", l->root, folder, object, name) ||
			try_path(l, "%s" SYSTEM_DIR "%.*s/%s", l->root, folder, object, name);
		for (; !found && dir && *dir; dir++)
			found = try_path(l, "%s%.*s/%s", *dir, folder, object, name);
	}
	spt_elf_close(elf);
	return found || try_path(l, "%s", path);
}

static bool try_installed(struct locate *l)
{
	static const char *const folders[][2] = {
		/* before and behind the release */
		{ "/lib/modules/", "/build/vmlinux" },
		{ "/lib/modules/", "/vmlinux" },
		{ "/boot/vmlinux-", "" },
	};
	const char *release = l->search->release;
	char object[OBJECT_SIZE + 128];

	if (*l->object) {
		snprintf(object, sizeof(object), "/lib/modules/%s/%s", release, l->object);
		return try_object(l, object);
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(object, sizeof(object), "%s%s%s", folders[i][0], release, folders[i][1]);
		if (try_object(l, object))
			return true;
	}
	return false;
}

static bool is_module_file(const char *file, size_t len, const char *module)
{
	size_t i;

	for (i = 0; i < len && module[i]; i++)
		if (file[i] != module[i] && !(file[i] == '-' && module[i] == '_'))
			return false;
	return !module[i] && len - i >= 3 && !strncmp(file + i, ".ko", 3);
}

/*
 * The module's file below /lib/modules/RELEASE, without the suffix of a
 * compressed one: from modules.dep, else where the kernel's own build puts it.
 */
static void find_object(struct locate *l)
{
	char path[PATH_SIZE], *line = NULL;
	size_t room = 0;
	ssize_t len;
	FILE *dep;

	if (!strcmp(l->module, "vmlinux"))
		return;
	len = snprintf(l->object, sizeof(l->object), "kernel/arch/x86/kvm/%s.ko", l->module);
	for (char *p = strrchr(l->object, '/'); *p; p++)
		if (*p == '_')
			*p = '-';
	snprintf(path, sizeof(path), "%s/lib/modules/%s/modules.dep", l->root, l->search->release);
	dep = fopen(path, "re");
	while (dep && (len = getline(&line, &room, dep)) > 0) {
		size_t file = strcspn(line, ":\n"), name = file;

		while (name && line[name - 1] != '/')
			name--;
		if (file >= sizeof(l->object) ||
		    !is_module_file(line + name, file - name, l->module))
			continue;
		line[file] = '\0';
		*(strstr(line + name, ".ko") + 3) = '\0';
		strcpy(l->object, line);
		break;
	}
	free(line);
	if (dep)
		fclose(dep);
}

static bool try_dir(struct locate *l, const char *dir)
{
	return try_build_id(l, dir) || try_mirror(l, dir);
}

static bool try_all(struct locate *l)
{
	const char *const *dir = l->search->dirs;
	char system[PATH_SIZE];

	while (dir && *dir) {
		if (try_dir(l, *dir) || try_flat(l, *dir))
			return true;
		dir++;
	}
	snprintf(system, sizeof(system), "%s" SYSTEM_DIR, l->root);
	return try_dir(l, system) || try_installed(l);
}

int spt_debug_locate(const struct spt_debug_search *search, const char *module,
		     const struct spt_build_id *id, char **ret, struct spt_error *e)
{
	struct locate *l = calloc(1, sizeof(*l));
	int err = 0;

	if (!l)
		return spt_fail(e, ENOMEM, "out of memory");
	l->search = search;
	l->root = search->root ? search->root : "";
	l->module = module;
	l->id = id;
	find_object(l);
	if (try_all(l)) {
		*ret = strdup(l->found);
		err = *ret ? 0 : spt_fail(e, ENOMEM, "out of memory");
	} else if (l->rejected.code) {
		err = spt_fail(e, ENOENT, "%s", l->rejected.text);
	} else {
		err = spt_fail(e, ENOENT,
			       "no debug file for %s: install linux-image-%s-dbg, or "
			       "name the directory that has it",
			       module, search->release);
	}
	free(l);
	return err;
}
