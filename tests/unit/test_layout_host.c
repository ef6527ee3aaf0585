// SPDX-License-Identifier: GPL-2.0
/* What is read of the running kernel: symbols, build ids, release, vendor; and the blob. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "decoders/layout.h"
#include "layout_compile.h"

static const char kallsyms[] = "ffffffff81000000 T _text\n"
			       "ffffffff81000010 t vm_list\n"
			       "ffffffff82000000 D kvm_lock\n"
			       "ffffffffc0a01000 d vm_list\t[other]\n"
			       "ffffffffc0b00010 t kvm_lockdep\t[kvm]\n"
			       "ffffffffc0b00018 b kvm_lock\t[kvm]\n"
			       "ffffffffc0b00020 D vm_list\t[kvm]\n"
			       "ffffffffc0b00028 r twice\t[kvm]\n"
			       "ffffffffc0b00030 r twice\t[kvm]\n"
			       "ffffffffc0c00000 d vm_list\t[kvm_amd]\n";

static int look_up(const char *text, size_t size, struct spt_kallsym *symbol, size_t n,
		   struct spt_error *e)
{
	layout_write("kallsyms", text, size);
	return spt_kallsyms_read(layout_path("kallsyms"), symbol, n, e);
}

static void symbols_are_those_of_their_module(void **state)
{
	struct spt_kallsym symbol[] = {
		{ .module = "kvm", .name = "vm_list" },
		{ .module = "kvm", .name = "kvm_lock" },
		{ .module = "kvm_amd", .name = "vm_list" },
		{ .module = "vmlinux", .name = "vm_list" },
		{ .module = "kvm", .name = "absent" },
		{ .module = "kvm_intel", .name = "vm_list" },
	};
	struct spt_error error = { 0 };

	assert_int_equal(look_up(kallsyms, sizeof(kallsyms) - 1, symbol, 6, &error), 0);
	assert_int_equal(symbol[0].address, 0xffffffffc0b00020);
	assert_int_equal(symbol[1].address, 0xffffffffc0b00018);
	assert_int_equal(symbol[2].address, 0xffffffffc0c00000);
	assert_int_equal(symbol[3].address, 0xffffffff81000010);
	assert_int_equal(symbol[4].address, 0);
	assert_int_equal(symbol[5].address, 0);
	/* The last line without its newline is a line, too. */
	assert_int_equal(look_up(kallsyms, sizeof(kallsyms) - 2, symbol, 6, &error), 0);
	assert_int_equal(symbol[2].address, 0xffffffffc0c00000);
}

static void lines_may_be_anywhere_in_the_buffer(void **state)
{
	const char wanted[] = "ffffffffc0b00020 D vm_list\t[kvm]\n";
	size_t filler = 600 << 10, size = filler + sizeof(wanted) - 1;
	char *text = malloc(size);

	assert_non_null(text);
	/* A filler of lines whose length divides no buffer size. */
	for (size_t i = 0; i < filler; i++)
		text[i] = "ffffffff81000000 t filler_of_37_byte\n"[i % 37];
	text[filler - 1] = '\n';
	memcpy(text + filler, wanted, sizeof(wanted) - 1);
	for (size_t skip = 0; skip < 74; skip += 37) {
		struct spt_kallsym symbol = { .module = "kvm", .name = "vm_list" };
		struct spt_error error = { 0 };

		if (look_up(text + skip, size - skip, &symbol, 1, &error))
			fail_msg("%s", error.text);
		assert_int_equal(symbol.address, 0xffffffffc0b00020);
	}
	free(text);
}

static void hidden_addresses_name_the_remedy(void **state)
{
	const char hidden[] = "0000000000000000 T _text\n0000000000000000 D vm_list\t[kvm]\n";
	struct spt_kallsym symbol = { .module = "kvm", .name = "vm_list" };
	struct spt_error error = { 0 };

	assert_int_equal(look_up(hidden, sizeof(hidden) - 1, &symbol, 1, &error), -EPERM);
	assert_non_null(strstr(error.text, "kptr_restrict"));
}

static void two_symbols_of_one_name_are_no_answer(void **state)
{
	struct spt_kallsym symbol = { .module = "kvm", .name = "twice" };
	struct spt_error error = { 0 };

	assert_int_equal(look_up(kallsyms, sizeof(kallsyms) - 1, &symbol, 1, &error), -ENOTUNIQ);
	assert_non_null(strstr(error.text, "kvm:twice"));
}

static void what_is_no_kallsyms_is_an_error(void **state)
{
	const char garbage[] = "this is no symbol\t[kvm]\n";
	struct spt_kallsym symbol = { .module = "kvm", .name = "vm_list" };
	struct spt_error error = { 0 };

	assert_int_equal(look_up(garbage, sizeof(garbage) - 1, &symbol, 1, &error), -EINVAL);
	assert_int_equal(spt_kallsyms_read(layout_path("absent"), &symbol, 1, &error), -ENOENT);
}

static void a_required_symbol_that_is_missing_is_named(void **state)
{
	struct spt_kallsym symbol[SPT_S_COUNT];
	struct spt_error error = { 0 };

	layout_write("kallsyms", kallsyms, sizeof(kallsyms) - 1);
	assert_int_equal(
		spt_layout_symbols(layout_path("kallsyms"), SPT_VENDOR_SVM, symbol, &error),
		-ENOKEY);
	assert_non_null(strstr(error.text, "kvm:kvm_chardev_ops"));
}

/* An ELF note: namesz, descsz, type, name, description; all padded to 4 bytes. */
#define NOTE_XEN                                                                                   \
	"\4\0\0\0"                                                                                 \
	"\10\0\0\0"                                                                                \
	"\6\0\0\0"                                                                                 \
	"Xen\0"                                                                                    \
	"12345678"
#define NOTE_GO                                                                                    \
	"\3\0\0\0"                                                                                 \
	"\5\0\0\0"                                                                                 \
	"\3\0\0\0"                                                                                 \
	"Go\0\0"                                                                                   \
	"12345\0\0\0"
#define NOTE_ID                                                                                    \
	"\4\0\0\0"                                                                                 \
	"\24\0\0\0"                                                                                \
	"\3\0\0\0"                                                                                 \
	"GNU\0"                                                                                    \
	"\xde\xad\xbe\xef"                                                                         \
	"0123456789abcdef"

static void a_build_id_is_found_among_notes(void **state)
{
	static const char notes[] = NOTE_XEN NOTE_GO NOTE_ID NOTE_XEN;
	struct spt_build_id id = { 0 };
	char text[SPT_BUILD_ID_TEXT];

	assert_true(spt_build_id_parse(notes, sizeof(notes) - 1, &id));
	assert_int_equal(id.len, 20);
	spt_build_id_text(&id, text);
	assert_string_equal(text, "deadbeef30313233343536373839616263646566");
	/* Cut off anywhere before its end there is none. */
	for (size_t size = 0; size < sizeof(NOTE_XEN NOTE_GO NOTE_ID) - 1; size++)
		assert_false(spt_build_id_parse(notes, size, &id));
}

static void make_host(const char *vendor)
{
	layout_run("rm -rf root && mkdir -p root/proc/sys/kernel root/sys/kernel "
		   "root/sys/module/kvm/notes root/sys/module/%s/notes && "
		   "echo 6.12.0-test > root/proc/sys/kernel/osrelease",
		   vendor);
	layout_write("root/sys/kernel/notes", NOTE_XEN NOTE_ID, sizeof(NOTE_XEN NOTE_ID) - 1);
	layout_write("root/sys/module/kvm/notes/.note.gnu.build-id", NOTE_ID, sizeof(NOTE_ID) - 1);
	layout_run("cp root/sys/module/kvm/notes/.note.gnu.build-id root/sys/module/%s/notes/",
		   vendor);
}

static void the_host_is_known_by_its_files(void **state)
{
	struct spt_error error = { 0 };
	struct spt_host host;

	make_host("kvm_intel");
	if (spt_host_read(layout_path("root"), &host, &error))
		fail_msg("%s", error.text);
	assert_string_equal(host.release, "6.12.0-test");
	assert_int_equal(host.vendor, SPT_VENDOR_VMX);
	assert_int_equal(host.build_id[SPT_MODULE_VMLINUX].len, 20);
	assert_int_equal(host.build_id[SPT_MODULE_INTEL].id[0], 0xde);
	assert_int_equal(host.build_id[SPT_MODULE_AMD].len, 0);
	make_host("kvm_amd");
	assert_int_equal(spt_host_read(layout_path("root"), &host, &error), 0);
	assert_int_equal(host.vendor, SPT_VENDOR_SVM);
}

static void a_host_without_kvm_or_build_ids_is_named(void **state)
{
	struct spt_error error = { 0 };
	struct spt_host host;

	make_host("kvm_amd");
	layout_write("root/sys/kernel/notes", NOTE_XEN, sizeof(NOTE_XEN) - 1);
	assert_int_equal(spt_host_read(layout_path("root"), &host, &error), -ENODATA);
	assert_non_null(strstr(error.text, "/sys/kernel/notes"));
	layout_run("rm -r root/sys/module/kvm_amd");
	assert_int_equal(spt_host_read(layout_path("root"), &host, &error), -ENODEV);
	assert_non_null(strstr(error.text, "modprobe"));
}

static void the_blob_is_what_the_agent_checks(void **state)
{
	static struct spt_layout layout = { .source = SPT_LAYOUT_DWARF, .vendor = SPT_VENDOR_SVM };
	static struct spt_kallsym symbol[SPT_S_COUNT];
	static struct spt_layout_blob blob;
	struct spt_host host = { .release = "6.12.0-test", .vendor = SPT_VENDOR_SVM };
	const __u64 *word = (const __u64 *)&blob;
	__u64 sum = 0;

	host.build_id[SPT_MODULE_KVM] = (struct spt_build_id){ { 1, 2, 3 }, 20 };
	layout.field[SPT_F_SP_GFN].field.bit_offset = 320;
	symbol[SPT_S_VM_LIST].address = 0xffffffffc0b00020;
	spt_layout_blob_fill(&layout, &host, symbol, &blob);
	assert_int_equal(blob.magic, SPT_LAYOUT_MAGIC);
	assert_int_equal(blob.abi, SPT_LAYOUT_ABI);
	assert_int_equal(blob.size, sizeof(blob));
	assert_int_equal(blob.fields, SPT_F_COUNT);
	assert_int_equal(blob.symbols, SPT_S_COUNT);
	assert_int_equal(blob.source, SPT_LAYOUT_DWARF);
	assert_string_equal(blob.release, "6.12.0-test");
	assert_int_equal(blob.build_id[SPT_MODULE_KVM].id[2], 3);
	assert_int_equal(blob.field[SPT_F_SP_GFN].bit_offset, 320);
	assert_int_equal(blob.symbol[SPT_S_VM_LIST].address, 0xffffffffc0b00020);
	for (size_t i = 0; i < sizeof(blob) / 8 - 1; i++)
		sum += word[i] * (2 * i + 1);
	assert_int_equal(blob.checksum, sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symbols_are_those_of_their_module),
		cmocka_unit_test(lines_may_be_anywhere_in_the_buffer),
		cmocka_unit_test(hidden_addresses_name_the_remedy),
		cmocka_unit_test(two_symbols_of_one_name_are_no_answer),
		cmocka_unit_test(what_is_no_kallsyms_is_an_error),
		cmocka_unit_test(a_required_symbol_that_is_missing_is_named),
		cmocka_unit_test(a_build_id_is_found_among_notes),
		cmocka_unit_test(the_host_is_known_by_its_files),
		cmocka_unit_test(a_host_without_kvm_or_build_ids_is_named),
		cmocka_unit_test(the_blob_is_what_the_agent_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
