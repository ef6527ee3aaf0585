// SPDX-License-Identifier: GPL-2.0
/*
 * What each field and symbol of the layout is called, and whether it may be missing.
 */
#include "layout.h"

const struct spt_field_name spt_field_names[SPT_F_COUNT] = {
#define R 'R'
#define O 'O'
#define A 'A'
#define I 'I'
#define T 'T'
#define L 'L'
#define F(id, need, type, path) { #id, #type, path, need },
	SPT_FIELDS(F)
#undef F
};

const struct spt_symbol_name spt_symbol_names[SPT_S_COUNT] = {
#define S(id, need, module, name) { SPT_S_##id, #module, name, need },
	SPT_SYMBOLS(S)
#undef S
#undef R
#undef O
#undef A
#undef I
#undef T
#undef L
};
