// SPDX-License-Identifier: GPL-2.0
#include "spt/why_cause.h"

const struct spt_cause_row spt_causes[SPT_CAUSE_COUNT] = {
#define C(id, question_id, name_, text_, source_)                                                  \
	[SPT_CAUSE_##id] = { .name = (name_),                                                      \
			     .text = (text_),                                                      \
			     .source = (source_),                                                  \
			     .question = SPT_QUESTION_##question_id },
	SPT_CAUSES(C)
#undef C
};

const char *const spt_question_names[SPT_QUESTION_COUNT] = {
#define Q(id, name, text) [SPT_QUESTION_##id] = (name),
	SPT_QUESTIONS(Q)
#undef Q
};

const char *const spt_question_texts[SPT_QUESTION_COUNT] = {
#define Q(id, name, text) [SPT_QUESTION_##id] = (text),
	SPT_QUESTIONS(Q)
#undef Q
};
