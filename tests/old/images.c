// SPDX-License-Identifier: GPL-2.0
#include "images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/dwarf.h"
#include "reader.h"
#include "vm.h"

static void write_image(const struct spt_layout *layout, const void *kvm,
			uint64_t (*hpa_of)(const void *va), const char *dir, const char *name,
			const char *release)
{
	struct mkimage *mk = old_read(layout, kvm, hpa_of);
	struct spt_head *head = mkimage_head(mk);
	char path[4096];
	uint8_t *image;
	size_t len;
	FILE *f;

	snprintf(head->release, sizeof(head->release), "%s", release);
	head->time_ns = 1625140800000000000ULL;
	mkimage_end(mk)->time_ns = head->time_ns + 250000;
	image = mkimage_finish(mk, &len);
	snprintf(path, sizeof(path), "%s/%s.spt", dir, name);
	f = fopen(path, "we");
	if (!f || fwrite(image, 1, len, f) != len || fclose(f)) {
		perror(path);
		exit(1);
	}
	mkimage_free(mk);
}

/* What the debug information of a file says of the types of its kernel; NULL: it does not. */
static struct spt_layout *layout_of(const char *path)
{
	static struct spt_layout layout;
	struct spt_error e = { 0 };

	memset(&layout, 0, sizeof(layout));
	layout.source = SPT_LAYOUT_DWARF;
	layout.vendor = SPT_VENDOR_VMX;
	if (!spt_dwarf_open(path, &layout.graph[SPT_MODULE_KVM], &e) &&
	    !spt_layout_resolve(&layout))
		return &layout;
	fprintf(stderr, "old_images: %s: %s%s\n", path, e.text, layout.doubt.text);
	spt_layout_deinit(&layout);
	return NULL;
}

int old_images(const char *dir)
{
	struct spt_layout *layout = layout_of("/proc/self/exe");

	if (!layout)
		return 1;
	write_image(layout, old_vm_td(), old_vm_hpa, dir, "old-td", "5.13.0-tdx");
	write_image(layout, old_vm_nested(), old_vm_hpa, dir, "old-nested", "5.13.0-tdx");
	spt_layout_deinit(layout);
	layout = layout_of(LATER_TYPES);
	if (!layout)
		return 1;
	write_image(layout, later_vm_td(), later_vm_hpa, dir, "later-td", "5.19.0-tdx");
	spt_layout_deinit(layout);
	return 0;
}
