#include "ui/command/bench_options.h"

#include "core/clock.h"
#include "core/number.h"
#include "core/test/training.h"
#include "core/text.h"
#include "ui/command/captured.h"
#include "ui/command/output.h"

#include <string.h>
#include <unistd.h>

#define BATCH_MAX 4096 /* the rows that there are */
#define RATIO_LOW 1.005
#define RATIO_HIGH 100

static int read_batches(const char *text, struct bench_options *o, struct err *e)
{
	char word[16];
	long long number;

	while (*text != '\0') {
		size_t size = strcspn(text, ",");
		if (size >= sizeof word || o->batch_count == BENCHMARK_BATCHES_MAX)
			return err_set(e, ERR_USAGE, "--batch takes at most %d numbers of rows, as 1,16,256",
				       BENCHMARK_BATCHES_MAX);
		memcpy(word, text, size);
		word[size] = '\0';
		if (!text_integer(word, 1, BATCH_MAX, &number))
			return err_set(e, ERR_USAGE,
				       "--batch takes numbers of rows from 1 to %d, as 1,16,256, not `%s`", BATCH_MAX,
				       word);
		for (size_t i = 0; i < o->batch_count; i++)
			if (o->batches[i] == (size_t)number)
				return err_set(e, ERR_USAGE, "--batch names %lld twice", number);
		o->batches[o->batch_count++] = (size_t)number;
		text += size + (text[size] == ',');
	}
	return o->batch_count > 0 ? 0 : err_set(e, ERR_USAGE, "--batch takes numbers of rows, as 1,16,256");
}

static int read_ratio(const char *text, double *ratio, struct err *e)
{
	struct number n;

	*ratio = 0;
	if (text == NULL)
		return 0;
	if (number_read(text, text + strlen(text), &n) == strlen(text) && *text != '\0')
		*ratio = number_double(&n);
	if (*ratio >= RATIO_LOW && *ratio <= RATIO_HIGH)
		return 0;
	return err_set(e, ERR_USAGE, "--threshold is a ratio from %g to %d, such as 1.05, not `%.40s`", RATIO_LOW,
		       RATIO_HIGH, text);
}

static int read_numbers(const struct arguments *a, struct bench_options *o, struct err *e)
{
	long long pairs, time_ms, seed, last;
	/* Any number will do, as long as it is another one the next time. */
	long long drawn = (long long)((clock_ns() ^ (uint64_t)getpid() << 20) >> 8 & 0xffffffff) + 1;

	if (output_number(a, "pairs", BENCHMARK_PAIRS_MIN, BENCHMARK_PAIRS_MAX, 0, &pairs, e) != 0 ||
	    output_number(a, "time-ms", 1, BENCH_TIME_MS_MAX, BENCH_TIME_MS, &time_ms, e) != 0 ||
	    output_number(a, "seed", 1, INT64_MAX, drawn, &seed, e) != 0 ||
	    output_number(a, "last", 1, TRAINING_RUNS_MAX, 1, &last, e) != 0)
		return -1;
	o->pairs = (size_t)pairs;
	o->time_ms = (int)time_ms;
	o->seed = (uint64_t)seed;
	o->last = (size_t)last;
	return 0;
}

/* Which options belong to which of the two. */
static int check_together(const struct arguments *a, const struct bench_options *o, struct err *e)
{
	static const char *const of_versions[] = {"against", "data",  "captured", "batch",
						  "pairs",   "quick", "time-ms",  "seed"};

	if (!o->training && arguments_flag(a, "last"))
		return err_set(e, ERR_USAGE, "--last is of --training");
	if (!o->training && o->version == 0)
		return err_set(e, ERR_USAGE, "VERSION is missing");
	for (size_t i = 0; o->training && i < sizeof of_versions / sizeof *of_versions; i++)
		if (arguments_flag(a, of_versions[i]))
			return err_set(e, ERR_USAGE, "--%s is not of --training", of_versions[i]);
	if (o->quick && o->pairs > 0)
		return err_set(e, ERR_USAGE, "--quick is 8 pairs: leave --pairs out, or --quick");
	return 0;
}

int bench_options_read(const struct arguments *a, struct bench_options *o, struct err *e)
{
	const char *version = arguments_at(a, 1), *against = arguments_value(a, "against");
	const char *batches = arguments_value(a, "batch");

	*o = (struct bench_options){.model = arguments_at(a, 0),
				    .data = arguments_value(a, "data"),
				    .config = arguments_value(a, "config"),
				    .quick = arguments_flag(a, "quick"),
				    .training = arguments_flag(a, "training")};
	if (output_model(o->model, e) != 0 || captured_option(a, &o->captured, e) != 0 ||
	    (version != NULL && output_version(version, &o->version, e) != 0) ||
	    (against != NULL && output_version(against, &o->against, e) != 0) ||
	    read_batches(batches != NULL ? batches : "1,16,256", o, e) != 0 ||
	    read_ratio(arguments_value(a, "threshold"), &o->ratio_max, e) != 0 || read_numbers(a, o, e) != 0)
		return -1;
	return check_together(a, o, e);
}
