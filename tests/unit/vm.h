/* SPDX-License-Identifier: GPL-2.0 */
/* A synthetic VM loaded into a model, for one test. Include after cmocka.h. */
#ifndef SPT_TESTS_VM_H
#define SPT_TESTS_VM_H

#include "mkimage.h"
#include "spt/model.h"

struct vm {
	struct mkimage *mk;
	struct spt_model model;
	unsigned int root; /* a TDP MMU root of 4 levels, unless the format is 'shadow' */
};

static inline struct vm vm_new(const char *format)
{
	struct vm vm = { .mk = mkimage_new(format) };

	spt_model_init(&vm.model);
	if (mkimage_head(vm.mk)->tdp_mmu)
		vm.root = mkimage_tdp_root(vm.mk, 4);
	return vm;
}

static inline void vm_load(struct vm *vm)
{
	struct spt_error err = { 0 };
	struct spt_image img;
	size_t len;
	uint8_t *image = mkimage_finish(vm->mk, &len);

	if (spt_image_open(&img, image, len, "test", 0, &err) ||
	    spt_model_load(&vm->model, &img, &err))
		fail_msg("%s", err.text);
}

static inline void vm_free(struct vm *vm)
{
	spt_model_deinit(&vm->model);
	mkimage_free(vm->mk);
}

#endif
