/* mldeck measure: one launch of a benchmark. */
#include "core/command.h"
#include "core/tensor.h"
#include "core/text.h"
#include "runtime/engine/ort.h"
#include "runtime/measure.h"

#include <stdio.h>
#include <string.h>

extern const struct command command_measure;

static int read_batches(const char *text, struct measure_options *o, struct err *e)
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
		if (!text_integer(word, 1, TENSOR_ROWS_MAX, &number))
			return err_set(e, ERR_USAGE, "--batch takes numbers of rows, as 1,16,256, not `%s`", word);
		o->batches[o->batch_count++] = (size_t)number;
		text += size + (text[size] == ',');
	}
	return o->batch_count > 0 ? 0 : err_set(e, ERR_USAGE, "--batch takes numbers of rows, as 1,16,256");
}

static int read_options(const struct arguments *a, struct measure_options *o, struct config *config, struct err *e)
{
	const char *batches = arguments_value(a, "batch"), *time = arguments_value(a, "time-ms");
	char state[CONFIG_PATH_SIZE];
	long long time_ms = MEASURE_TIME_MS;

	o->model_path = arguments_at(a, 0);
	o->rows_path = arguments_value(a, "rows");
	o->manifest_path = arguments_value(a, "manifest");
	o->config = config;
	if (o->rows_path == NULL)
		return err_set(e, ERR_USAGE, "--rows is missing: name a file of CSV with the model's columns");
	if (time != NULL && !text_integer(time, 1, MEASURE_LIMIT_MS, &time_ms))
		return err_set(e, ERR_USAGE, "--time-ms is from 1 to %d, not `%.40s`", MEASURE_LIMIT_MS, time);
	o->time_ms = (int)time_ms;
	config_init(config);
	if (read_batches(batches != NULL ? batches : "1,16,256", o, e) != 0 ||
	    arguments_state(a, state, sizeof state, e) != 0)
		return -1;
	return config_load(config, arguments_value(a, "config"), state, e);
}

static void print(const struct measure_options *o, const struct measure *m)
{
	printf("{\"engine\":\"%s\",\"clock\":\"%s\",\"rows\":%zu,\"looked_at\":%zu,\"not_finite\":%zu,\"load_ns\":%.0f,"
	       "\"peak_bytes\":%.0f,\"batches\":[",
	       m->engine, m->by_wall ? "wall" : "cpu", m->rows, m->looked_at, m->not_finite, m->load_ns, m->peak_bytes);
	for (size_t i = 0; i < o->batch_count; i++)
		printf("%s{\"batch\":%zu,\"ns_per_row\":%.3f,\"rows\":%zu,\"passes\":%zu}", i > 0 ? "," : "",
		       o->batches[i], m->batches[i].ns_per_row, m->batches[i].rows, m->batches[i].passes);
	puts("]}");
}

static int run(const struct arguments *a)
{
	struct measure_options options = {0};
	struct measure measure;
	struct config config;
	struct err e = {0};

	/* While there is one thread: it writes to the environment. */
	ort_silence();
	if (read_options(a, &options, &config, &e) != 0 || measure_run(&options, &measure, &e) != 0)
		return command_fail(&command_measure, &e);
	print(&options, &measure);
	if (fflush(stdout) == 0)
		return 0;
	err_set(&e, ERR_SYSTEM, "the output cannot be written");
	return command_fail(&command_measure, &e);
}

const struct command command_measure = {
    .name = "measure",
    .arguments = "FILE",
    .summary = "measure what predicting with a model file takes, once, in a process of its own",
    .details = "One launch of `mldeck bench`, which needs many of them. Loads the model as a runtime does, asks it the "
	       "rows in batches, and prints JSON: nanoseconds a row of each batch size, the time it took to load, and "
	       "the memory that was resident at most. No runtime is asked.",
    .options =
	(const struct option_spec[]){
	    {"rows", "FILE", "CSV with the model's columns; thousands of different rows"},
	    {"batch", "N,N", "rows of a call (1,16,256)"},
	    {"time-ms", "MS", "how long each batch size is measured, after its warm-up (60)"},
	    {"manifest", "FILE", "the version's manifest as JSON, in place of what the file says"},
	    {"config", "FILE", "settings of engines (mldeck.ini in the state directory)"},
	    OPTION_STATE,
	    OPTION_END,
	},
    .run = run,
};
