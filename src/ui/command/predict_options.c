#include "ui/command/predict_options.h"

#include "core/text.h"
#include "ui/command/output.h"

#include <stdlib.h>
#include <string.h>

#define CHECKPOINT_MS 3000
#define RETRY_MS 30000 /* a runtime that is started again is back by then */
#define IN_FLIGHT 2

/* A format by its option, else by the file's name, else as given. */
static int read_format(const struct arguments *a, const char *option, const char *name, enum rows_format otherwise,
		       enum rows_format *format, struct err *e)
{
	const char *word = arguments_value(a, option);

	*format = otherwise;
	if (word != NULL && strcmp(word, "csv") == 0)
		*format = ROWS_CSV;
	else if (word != NULL && strcmp(word, "jsonl") == 0)
		*format = ROWS_JSON;
	else if (word != NULL)
		return err_set(e, ERR_USAGE, "--%s is csv or jsonl, not %s", option, *word ? word : "\"\"");
	else if (text_ends_with(name, ".csv"))
		*format = ROWS_CSV;
	else if (text_ends_with(name, ".jsonl") || text_ends_with(name, ".ndjson"))
		*format = ROWS_JSON;
	return 0;
}

static int read_keep(const struct arguments *a, struct predict_options *o, struct err *e)
{
	const char *text = arguments_value(a, "keep");
	struct rows_keep *keep = &o->batch.keep;

	if (text == NULL)
		return 0;
	keep->all = strcmp(text, "all") == 0;
	if (keep->all)
		return 0;
	o->names = strdup(text);
	if (o->names == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	char *rest = o->names;
	for (char *name; (name = strsep(&rest, ",")) != NULL;) {
		if (*name == '\0')
			return err_set(e, ERR_USAGE,
				       "--keep takes `all`, or names with commas between them: "
				       "--keep id,unit");
		for (size_t i = 0; i < keep->count; i++)
			if (strcmp(keep->names[i], name) == 0)
				return err_set(e, ERR_USAGE, "--keep names `%s` twice", name);
		if (keep->count == ROWS_KEEP_MAX)
			return err_set(e, ERR_USAGE, "--keep names more than %d columns", ROWS_KEEP_MAX);
		keep->names[keep->count++] = name;
	}
	return 0;
}

static int read_numbers(const struct arguments *a, struct predict_options *o, struct err *e)
{
	const char *version = arguments_value(a, "version");
	long long rejects, chunk, parallel;

	if (output_number(a, "max-rejects", 0, INT64_MAX, -1, &rejects, e) != 0 ||
	    output_number(a, "chunk", 1, BATCH_CHUNK_ROWS_MAX, BATCH_CHUNK_ROWS, &chunk, e) != 0 ||
	    output_number(a, "parallel", 1, BATCH_IN_FLIGHT_MAX, IN_FLIGHT, &parallel, e) != 0 ||
	    (version != NULL && output_version(version, &o->version, e) != 0))
		return -1;
	o->batch.rejects_max = rejects < 0 ? BATCH_NO_LIMIT : (uint64_t)rejects;
	o->batch.chunk_rows = (size_t)chunk;
	o->batch.in_flight = (size_t)parallel;
	return 0;
}

/* Input, output, and rejects as they were named. */
static int read_files(const struct arguments *a, struct predict_options *o, struct err *e)
{
	struct batch_options *b = &o->batch;

	b->input = arguments_value(a, "input");
	b->output = arguments_value(a, "output");
	b->rejects = arguments_value(a, "rejects");
	if (b->input == NULL || *b->input == '\0')
		return err_set(e, ERR_USAGE, "--input is missing: name a file of rows, or - for standard input");
	if (b->output == NULL || *b->output == '\0')
		return err_set(e, ERR_USAGE, "--output is missing: name a file, or - for standard output");
	if (b->rejects != NULL && (*b->rejects == '\0' || strcmp(b->rejects, "-") == 0))
		return err_set(e, ERR_USAGE, "--rejects needs the name of a file");
	if (b->rejects != NULL && strcmp(b->rejects, b->output) == 0)
		return err_set(e, ERR_USAGE, "--rejects and --output name the same file");
	if (read_format(a, "input-format", b->input, ROWS_CSV, &b->input_format, e) != 0)
		return -1;
	return read_format(a, "format", b->output, b->input_format, &b->output_format, e);
}

static void add_word(struct predict_options *o, const char *word)
{
	if (word != NULL && o->word_count < PREDICT_WORDS_MAX)
		o->words[o->word_count++] = word;
}

/* "--name" and its value. The names are the specs', so they need a word of their own. */
static int add_words(const struct arguments *a, const struct option_spec *specs, struct predict_options *o,
		     struct err *e)
{
	static char dashed[OPTIONS_MAX][32];
	size_t i = 0;

	add_word(o, "mldeck");
	add_word(o, "predict");
	add_word(o, arguments_at(a, 0));
	for (; specs->name != NULL; specs++) {
		if (!arguments_flag(a, specs->name))
			continue;
		if (i == OPTIONS_MAX || strlen(specs->name) + 3 > sizeof dashed[0])
			return err_set(e, ERR_USAGE, "there are too many options");
		memcpy(dashed[i], "--", 2);
		memcpy(dashed[i] + 2, specs->name, strlen(specs->name) + 1);
		add_word(o, dashed[i++]);
		add_word(o, arguments_value(a, specs->name));
	}
	return 0;
}

int predict_options_read(const struct arguments *a, const struct option_spec *specs, struct predict_options *o,
			 struct err *e)
{
	const char *outputs = arguments_value(a, "outputs");

	*o = (struct predict_options){.batch = {.model = arguments_at(a, 0),
						.asked_outputs = outputs != NULL ? outputs : "",
						.restart = arguments_flag(a, "restart"),
						.checkpoint_ms = CHECKPOINT_MS,
						.retry_ms = RETRY_MS}};
	if (output_model(o->batch.model, e) == 0 && read_files(a, o, e) == 0 && read_keep(a, o, e) == 0 &&
	    read_numbers(a, o, e) == 0 && add_words(a, specs, o, e) == 0)
		return 0;
	predict_options_release(o);
	return -1;
}

void predict_options_release(struct predict_options *o)
{
	free(o->names);
	o->names = NULL;
}
