/*
 * predict_options: what `mldeck predict` was told, checked.
 *
 * A plain value; strings are the arguments' own, or in `names`.
 */
#ifndef UI_PREDICT_OPTIONS_H
#define UI_PREDICT_OPTIONS_H

#include "core/batch.h"
#include "core/command.h"

#define PREDICT_WORDS_MAX 64

struct predict_options {
	struct batch_options batch;
	uint32_t version; /* 0: not named */
	char *names;      /* of --keep, cut apart */
	size_t word_count;
	const char *words[PREDICT_WORDS_MAX]; /* the command again: "mldeck", "predict", MODEL ... */
};

/* ERR_USAGE or ERR_INPUT names the option at fault. */
int predict_options_read(const struct arguments *a, const struct option_spec *specs, struct predict_options *o,
			 struct err *e);
void predict_options_release(struct predict_options *o);

#endif
