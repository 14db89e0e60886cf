/*
 * stress_options: what `mldeck stress` was told, checked.
 *
 * A plain value; strings are the arguments' own.
 */
#ifndef UI_STRESS_OPTIONS_H
#define UI_STRESS_OPTIONS_H

#include "core/command.h"
#include "core/test/stress_report.h"

#define STRESS_WORDS_MAX 64

struct stress_options {
	const char *model;
	uint32_t version; /* 0: by the model's route */
	const char *url;  /* NULL: the runtime's data plane */
	const char *data; /* NULL: the version's sample rows, unless captured */
	size_t captured;  /* rows of live requests; 0: none */
	enum stress_mode mode;
	double from_rps, to_rps; /* of FIND_MAX: where it begins */
	double duration_s;       /* of FIND_MAX: of a step */
	enum load_arrivals arrivals;
	uint64_t seed;
	size_t connections, batch;
	uint64_t timeout_ns;
	struct stress_limits limits;
	double max_share_percent; /* of a live version's traffic */
	bool soak, yes, json, dry_run;
	size_t word_count;
	const char *words[STRESS_WORDS_MAX]; /* the command again: "mldeck", "stress", MODEL ... */
};

/* ERR_USAGE or ERR_INPUT names the option at fault. */
int stress_options_read(const struct arguments *a, const struct option_spec *specs, struct stress_options *o,
			struct err *e);

#endif
