// SPDX-License-Identifier: GPL-2.0
/* Loading the agent, as far as it goes without a kernel to load it into. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "layout_compile.h"
#include "spt/agent_load.h"
#include "spt/source.h"

static const char status[] = "abi: 1\n"
			     "kernel: 6.12.0-test\n"
			     "layout: none (field SP_GFN is missing)\n"
			     "armed: no\n"
			     "empty:\n";

static void status_values_are_found_by_their_whole_key(void **state)
{
	char value[64];

	assert_true(spt_agent_status_value(status, "abi", value, sizeof(value)));
	assert_string_equal(value, "1");
	assert_true(spt_agent_status_value(status, "layout", value, sizeof(value)));
	assert_string_equal(value, "none (field SP_GFN is missing)");
	assert_true(spt_agent_status_value(status, "empty", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_false(spt_agent_status_value(status, "lay", value, sizeof(value)));
	assert_false(spt_agent_status_value(status, "vms", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(spt_agent_status_value(status, "kernel", value, 5));
	assert_string_equal(value, "6.12");
}

static void the_status_file_is_read_whole(void **state)
{
	struct spt_error error = { 0 };
	char *text;

	layout_run("mkdir -p debugfs");
	layout_write("debugfs/status", status, sizeof(status) - 1);
	spt_debugfs_set(layout_path("debugfs"));
	if (spt_agent_status(&text, &error))
		fail_msg("%s", error.text);
	assert_string_equal(text, status);
	free(text);
	layout_run("rm debugfs/status");
	assert_int_equal(spt_agent_status(&text, &error), -ENODEV);
	assert_non_null(strstr(error.text, "not loaded"));
	spt_debugfs_set(NULL);
}

static void make_module(const char *name, const char *release)
{
	layout_run("printf 'static const char m[] __attribute__((section(\".modinfo\"), used)) = "
		   "\"license=GPL\\\\0vermagic=%s SMP preempt mod_unload \";' > m.c && "
		   "gcc -c -o %s m.c",
		   release, name);
}

static void a_module_for_this_kernel_is_taken(void **state)
{
	struct spt_error error = { 0 };
	char path[4096];

	make_module("spt_agent.ko", "6.12.0-test");
	if (spt_agent_find_module(layout_path("spt_agent.ko"), "6.12.0-test", path, sizeof(path),
				  &error))
		fail_msg("%s", error.text);
	assert_string_equal(path, layout_path("spt_agent.ko"));
	setenv("SPT_AGENT", path, 1);
	assert_int_equal(spt_agent_find_module(NULL, "6.12.0-test", path, sizeof(path), &error), 0);
	unsetenv("SPT_AGENT");
}

static void a_module_of_another_kernel_is_refused(void **state)
{
	struct spt_error error = { 0 };
	char path[4096];

	make_module("spt_agent.ko", "6.1.0-other");
	assert_int_equal(spt_agent_find_module(layout_path("spt_agent.ko"), "6.12.0-test", path,
					       sizeof(path), &error),
			 -ENOEXEC);
	assert_non_null(strstr(error.text, "6.1.0-other"));
	assert_non_null(strstr(error.text, "6.12.0-test"));
}

static void a_module_that_is_nowhere_says_where_it_was_looked_for(void **state)
{
	struct spt_error error = { 0 };
	char path[4096];

	assert_int_equal(spt_agent_find_module(layout_path("absent.ko"), "6.12.0-test", path,
					       sizeof(path), &error),
			 -ENOENT);
	assert_non_null(strstr(error.text, "absent.ko"));
	assert_int_equal(
		spt_agent_find_module(NULL, "0.0-no-such-release", path, sizeof(path), &error),
		-ENOENT);
	assert_non_null(strstr(error.text, "--module"));
}

static void neither_btf_nor_dwarf_is_one_clear_line(void **state)
{
	const struct spt_host host = { .release = "0.0-no-such-release", .vendor = SPT_VENDOR_SVM };
	static struct spt_layout layout;
	struct spt_layout_from from = { .btf_dir = layout_path("no-btf") };
	struct spt_error error = { 0 };

	assert_int_equal(spt_layout_of_host(&from, &host, &layout, &error), -ENOENT);
	assert_non_null(strstr(error.text, "no-btf/vmlinux"));
	assert_non_null(strstr(error.text, "linux-image-0.0-no-such-release-dbg"));
	assert_null(strchr(error.text, '\n'));
	spt_layout_deinit(&layout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_values_are_found_by_their_whole_key),
		cmocka_unit_test(the_status_file_is_read_whole),
		cmocka_unit_test(a_module_for_this_kernel_is_taken),
		cmocka_unit_test(a_module_of_another_kernel_is_refused),
		cmocka_unit_test(a_module_that_is_nowhere_says_where_it_was_looked_for),
		cmocka_unit_test(neither_btf_nor_dwarf_is_one_clear_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
