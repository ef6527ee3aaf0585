// SPDX-License-Identifier: GPL-2.0
#include "images.h"

#include <stdio.h>
#include <stdlib.h>

#include "decoders/dwarf.h"
#include "reader.h"
#include "vm.h"

static void write_image(const struct spt_layout *layout, const void *kvm, const char *dir,
			const char *name)
{
	struct mkimage *mk = old_read(layout, kvm, old_vm_hpa);
	struct spt_head *head = mkimage_head(mk);
	char path[4096];
	uint8_t *image;
	size_t len;
	FILE *f;

	snprintf(head->release, sizeof(head->release), "5.13.0-tdx");
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

int old_images(const char *dir)
{
	static struct spt_layout layout = { .source = SPT_LAYOUT_DWARF, .vendor = SPT_VENDOR_VMX };
	struct spt_error e = { 0 };

	if (spt_dwarf_open("/proc/self/exe", &layout.graph[SPT_MODULE_KVM], &e) ||
	    spt_layout_resolve(&layout)) {
		fprintf(stderr, "old_images: %s%s\n", e.text, layout.doubt.text);
		return 1;
	}
	write_image(&layout, old_vm_td(), dir, "old-td");
	write_image(&layout, old_vm_nested(), dir, "old-nested");
	spt_layout_deinit(&layout);
	return 0;
}
