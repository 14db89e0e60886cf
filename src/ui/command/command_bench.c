#include "core/job_report.h"
#include "core/process.h"
#include "core/test/benchmark_json.h"
#include "core/test/benchmark_plots.h"
#include "core/test/report_send.h"
#include "core/version_client.h"
#include "ui/command/bench_options.h"
#include "ui/command/bench_training.h"
#include "ui/command/captured.h"
#include "ui/command/command_words.h"
#include "ui/command/deploy.h"
#include "ui/command/output.h"
#include "ui/command/stop_signal.h"
#include "ui/command/table.h"
#include "ui/command/work_meter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct command command_bench;

#define DATA_MAX ((size_t)256 << 20)
#define EXIT_INCONCLUSIVE 8

/* One benchmark, as it is put together. */
struct bench {
	const struct arguments *arguments;
	struct bench_options options;
	struct client *client;
	char folder[BENCH_PATH_SIZE], rows_path[BENCH_PATH_SIZE + 16], state[BENCH_PATH_SIZE];
	uint32_t version, against;
	struct benchmark benchmark;
	struct bench_run run;
	struct bench_source source;
	struct captured captured;
	struct job_report report;
	struct work_meter meter;
	struct job_progress progress;
	bool cancelled; /* by the runtime's job list */
};

/* --- before the launches --- */

static int find_versions(struct bench *b, struct err *e)
{
	uint32_t live = 0;

	if (version_client_live(b->client, b->options.model, &live, e) != 0)
		return -1;
	b->version = b->options.version;
	b->against = b->options.against != 0 ? b->options.against : live;
	if (b->against == 0)
		return err_set(e, ERR_CONFLICT, "%s has no live version: name what it is compared with by --against N",
			       b->options.model);
	if (b->options.against == 0 && b->against == b->version)
		return err_set(e, ERR_INPUT,
			       "v%u of %s is the live version: name what it is compared with by --against N",
			       (unsigned)b->version, b->options.model);
	return 0;
}

static int make_folder(struct bench *b, struct err *e)
{
	const char *temporary = getenv("TMPDIR");

	snprintf(b->folder, sizeof b->folder, "%.400s/mldeck.bench.XXXXXX",
		 temporary != NULL && *temporary != '\0' ? temporary : "/tmp");
	if (mkdtemp(b->folder) != NULL)
		return 0;
	b->folder[0] = '\0';
	return err_set(e, ERR_SYSTEM, "a folder for the model files cannot be made; TMPDIR names where");
}

static void remove_folder(const struct bench *b)
{
	static const char *const names[] = {"old", "old.json", "new", "new.json", "rows.csv"};
	char path[BENCH_PATH_SIZE + 16];

	for (size_t i = 0; b->folder[0] != '\0' && i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", b->folder, names[i]);
		unlink(path);
	}
	if (b->folder[0] != '\0')
		rmdir(b->folder);
}

/* Those of live requests stay in memory, also what is made of them. */
static int fetch_captured(struct bench *b, struct err *e)
{
	const uint32_t versions[] = {b->version, b->against};

	if (captured_fetch(&b->captured, b->client, b->options.model, versions, 2, b->options.captured, e) != 0 ||
	    captured_empty_file(&b->captured, e) != 0)
		return -1;
	snprintf(b->rows_path, sizeof b->rows_path, "%s", b->captured.path);
	return bench_subject_rows(b->client, b->options.model, b->version, b->against, b->rows_path, "captured",
				  b->captured.text, b->captured.csv, b->captured.size, b->options.seed, &b->source, e);
}

static int fetch_rows(struct bench *b, struct err *e)
{
	const char *path = b->options.data, *slash = path != NULL ? strrchr(path, '/') : NULL;
	struct buf data;
	int result = 0;

	if (b->options.captured > 0)
		return fetch_captured(b, e);
	snprintf(b->rows_path, sizeof b->rows_path, "%s/rows.csv", b->folder);
	buf_init(&data);
	if (path != NULL)
		result = deploy_read_file(path, DATA_MAX, &data, e);
	if (result == 0)
		result = bench_subject_rows(b->client, b->options.model, b->version, b->against, b->rows_path, "data",
					    slash != NULL ? slash + 1 : path, path != NULL ? data.data : NULL,
					    data.size, b->options.seed, &b->source, e);
	buf_release(&data);
	return result;
}

static int prepare(struct bench *b, struct err *e)
{
	const struct bench_options *o = &b->options;

	if (find_versions(b, e) != 0 || make_folder(b, e) != 0 ||
	    arguments_state(b->arguments, b->state, sizeof b->state, e) != 0 ||
	    bench_subject_limits(b->client, o->model, &b->benchmark.ratio_max, &b->benchmark.memory_max, e) != 0 ||
	    bench_subject_fetch(b->client, o->model, b->against, b->folder, "old", &b->run.old_side, e) != 0 ||
	    bench_subject_fetch(b->client, o->model, b->version, b->folder, "new", &b->run.new_side, e) != 0 ||
	    fetch_rows(b, e) != 0)
		return -1;
	if (o->ratio_max > 0)
		b->benchmark.ratio_max = o->ratio_max;
	b->benchmark.batch_count = o->batch_count;
	memcpy(b->benchmark.batches, o->batches, sizeof o->batches);
	b->benchmark.plan = benchmark_plan_make(o->quick, o->pairs);
	b->run.program = PROCESS_SELF;
	b->run.rows_path = b->rows_path;
	b->run.state = b->state;
	b->run.config = o->config;
	b->run.time_ms = o->time_ms;
	b->run.seed = o->seed;
	return 0;
}

/* --- while they run --- */

static bool report_progress(struct bench *b)
{
	if (stop_signal_number() != 0)
		return false;
	if (job_report_progress(&b->report, &b->progress))
		return true;
	b->cancelled = true;
	return false;
}

static bool go_on(void *context)
{
	return report_progress(context);
}

/* Ratios and intervals by the pairs so far. */
static void make_plots(struct bench *b)
{
	b->progress.plot_count =
	    benchmark_plots(&b->benchmark, b->run.new_side.name, b->run.old_side.name, b->progress.plots);
}

static bool progress(void *context, size_t done, size_t needed)
{
	struct bench *b = context;
	struct benchmark *m = &b->benchmark;

	work_meter_update(&b->meter, done, needed);
	b->progress.done = done;
	b->progress.total = needed;
	b->progress.rate = b->meter.rate;
	b->progress.left_s = b->meter.left_s;
	snprintf(b->progress.note, sizeof b->progress.note, "%zu pairs, look %zu of %zu", m->pair_count,
		 m->looks_done + 1, m->plan.look_count);
	/* Between the launches of a pair nothing is new. */
	if (m->pair_count > 0 && done == 2 * m->pair_count + 1 && benchmark_estimate(m, NULL) == 0)
		make_plots(b);
	return report_progress(b);
}

/* --- what came of it --- */

static void add_row(struct table *t, const struct benchmark_measure *m, const char *name, bool time)
{
	char old_text[16], new_text[16];

	if (time) {
		text_duration(old_text, sizeof old_text, m->old_median, output_ascii());
		text_duration(new_text, sizeof new_text, m->new_median, output_ascii());
	} else {
		text_bytes(old_text, sizeof old_text, m->old_median);
		text_bytes(new_text, sizeof new_text, m->new_median);
	}
	table_row(t);
	table_cell(t, "%s", name);
	table_cell(t, "%s", old_text);
	table_cell(t, "%s", new_text);
	table_cell(t, "%.3f", m->ratio);
	table_cell(t, "%.3f - %.3f", m->interval.low, m->interval.high);
	table_cell(t, "%.2g", m->p_adjusted);
}

static int print_table(const struct bench *b, struct err *e)
{
	const struct benchmark *m = &b->benchmark;
	const char *const headers[] = {"", ">OLD", ">NEW", ">RATIO", ">INTERVAL", ">P", "VERDICT", NULL};
	struct table *t = table_new(headers);
	char name[40];

	if (t == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t i = 0; i < m->batch_count; i++) {
		snprintf(name, sizeof name, "a row, %zu a call", m->batches[i]);
		add_row(t, &m->times[i], name, true);
		table_cell(t, "%s%s", benchmark_verdict_name(m->times[i].verdict), m->times[i].noisy ? ", noisy" : "");
	}
	add_row(t, &m->memory, "memory", false);
	table_cell(t, "%s", benchmark_verdict_name(m->memory.verdict));
	add_row(t, &m->load, "load", true);
	table_cell(t, "informs");
	int result = table_print(t, e);
	table_free(t);
	return result;
}

static void print_side(const struct bench_side *side)
{
	if (strcmp(side->engine, "remote") == 0)
		printf(
		    "%s is on another server: its times are that server's and the network's, its memory is none of the "
		    "model's.\n",
		    side->name);
	if (side->not_finite > 0)
		printf("%s answers %zu of %zu rows with no finite number: how long that takes may mean nothing.\n",
		       side->name, side->not_finite, side->looked_at);
	if (side->rows_asked < BENCH_ROWS)
		printf("%s is so slow that a launch asked %zu of the rows at one batch size.\n", side->name,
		       side->rows_asked);
}

static int print_text(const struct bench *b, const char *summary, int64_t id, struct err *e)
{
	char line[400];

	if (print_table(b, e) != 0)
		return -1;
	snprintf(line, sizeof line, "%s.", summary);
	/* A version's name stays as it is. */
	if (line[0] >= 'a' && line[0] <= 'z' && line[0] != 'v')
		line[0] = (char)(line[0] - 'a' + 'A');
	output_text(line);
	snprintf(line, sizeof line, "Rows: %s. Seed %llu, look %zu of %zu; %s time.", b->source.text,
		 (unsigned long long)b->run.seed, b->benchmark.looks_done, b->benchmark.plan.look_count,
		 strcmp(b->run.new_side.clock, "cpu") == 0 ? "processor" : "wall");
	putchar('\n');
	output_text(line);
	putchar('\n');
	print_side(&b->run.old_side);
	if (b->version != b->against)
		print_side(&b->run.new_side);
	if (id > 0)
		printf("Kept as test %lld: mldeck tests %s %lld.\n", (long long)id, b->options.model, (long long)id);
	else
		puts("A version against itself is kept nowhere: it shows what the machine's noise is.");
	return output_end(e);
}

static int print_json(cJSON *report, int64_t id, struct err *e)
{
	if (id > 0)
		cJSON_AddNumberToObject(report, "id", (double)id);
	return output_json(report, e);
}

static int exit_code(enum benchmark_verdict verdict)
{
	return verdict == BENCHMARK_PASS ? 0 : verdict == BENCHMARK_REGRESSION ? 1 : EXIT_INCONCLUSIVE;
}

static int conclude(struct bench *b, char *summary, size_t size, int *code, struct err *e)
{
	const struct benchmark_facts facts = {.model = b->options.model,
					      .version = b->version,
					      .against = b->against,
					      .run = &b->run,
					      .source = &b->source,
					      .seconds = work_meter_seconds(&b->meter)};
	int64_t id = 0;

	benchmark_summary(&b->benchmark, b->run.new_side.name, b->run.old_side.name, summary, size);
	cJSON *report = benchmark_report(&b->benchmark, &facts, summary);
	captured_report(&b->captured, report);
	int result = b->version == b->against ? 0 : report_send(b->client, report, b->report.id, &id, e);
	if (result == 0)
		result =
		    arguments_flag(b->arguments, "json") ? print_json(report, id, e) : print_text(b, summary, id, e);
	cJSON_Delete(report);
	*code = exit_code(b->benchmark.verdict);
	return result;
}

static int stopped(struct bench *b, int *code)
{
	static const char said[] = "stopped before it could say anything";

	job_report_end(&b->report, JOB_CANCELLED, &b->progress, b->cancelled ? "cancelled by an operator" : said);
	fprintf(stderr, "mldeck bench: %s\n", b->cancelled ? "cancelled by an operator" : said);
	*code = stop_signal_exit();
	return 0;
}

static int go(struct bench *b, int *code, struct err *e)
{
	struct command_words words;
	char title[JOB_TITLE_SIZE], summary[REASON_SIZE];

	command_words_make(&command_bench, b->arguments, false, &words);
	snprintf(title, sizeof title, "v%u against v%u", (unsigned)b->version, (unsigned)b->against);
	fprintf(stderr, "%s %s; seed %llu\n", b->options.model, title, (unsigned long long)b->run.seed);
	if (job_report_begin(&b->report, b->client, "bench", b->options.model, b->version, title, words.words,
			     words.count, e) != 0)
		return -1;
	work_meter_begin(&b->meter, "launches");
	b->progress = (struct job_progress){.total = 2 * b->benchmark.plan.pairs[0], .left_s = (double)NAN};
	b->run.progress = progress;
	b->run.go_on = go_on;
	b->run.context = b;
	int result = bench_run(&b->run, &b->benchmark, e);
	work_meter_end(&b->meter);
	if (result != 0 && (stop_signal_number() != 0 || b->cancelled))
		return stopped(b, code);
	if (result == 0) {
		make_plots(b);
		result = conclude(b, summary, sizeof summary, code, e);
	}
	job_report_end(&b->report, result == 0 ? JOB_DONE : JOB_FAILED, &b->progress, result == 0 ? summary : e->text);
	return result;
}

/* Before anything is fetched: the same test runs already. */
static int job_check(const struct bench *b, struct err *e)
{
	struct command_words words;

	command_words_make(&command_bench, b->arguments, false, &words);
	return job_report_check(b->client, "bench", b->options.model, b->options.version, words.words, words.count, e);
}

static int run(const struct arguments *a)
{
	struct bench b = {.arguments = a};
	struct err e = {0};
	int code = 0, result = -1;

	if (bench_options_read(a, &b.options, &e) == 0 && output_client(a, "bench", &b.client, &e) == 0) {
		stop_signal_catch();
		if (b.options.training)
			result = bench_training(a, b.client, &b.options, &code, &e);
		else
			result = job_check(&b, &e) == 0 && prepare(&b, &e) == 0 ? go(&b, &code, &e) : -1;
	}
	remove_folder(&b);
	captured_release(&b.captured);
	client_free(b.client);
	return result == 0 ? code : command_fail(&command_bench, &e);
}

static const struct option_spec options[] = {
    {"against", "VERSION", "the version that it is compared with (the live one)"},
    {"data", "FILE", "CSV with the model's columns; else the version's sample rows"},
    CAPTURED_OPTION,
    {"batch", "N,N", "rows of a call (1,16,256)"},
    {"threshold", "RATIO", "how much longer a row may take (bench_ratio_max of the policy: 1.05)"},
    {"pairs", "N", "pairs of launches, and one look (12, then 24, then 48)"},
    {"quick", NULL, "8 pairs and one look"},
    {"time-ms", "MS", "how long a launch measures each batch size (60)"},
    {"seed", "N", "of the rows and of the order in a pair; else drawn, and printed"},
    {"training", NULL, "compare training runs instead (mldeck train): the newest, or the one that made VERSION"},
    {"last", "N", "with --training: the newest N runs against those before (1)"},
    {"config", "FILE", "settings of engines (mldeck.ini in the state directory)"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_bench = {
    .name = "bench",
    .arguments = "MODEL [VERSION]",
    .summary = "compare the prediction time, memory and load time of two versions",
    .details =
	"Each figure is of a process of its own that loads one version and predicts; the two versions in pairs, in a "
	"random order. A regression is shown by Wilcoxon's test of the pairs (Holm over the batch sizes) and by an "
	"interval of the ratio that lies wholly above the threshold. It is judged after 12, 24 and 48 pairs, and ends "
	"as soon as a verdict stands.\n\n"
	"Exit codes: 0 it passed, 1 it is a regression, 8 inconclusive (the machine is too noisy for the threshold, or "
	"the "
	"ratio is too near to it: neither passed nor failed, and no pass for a gate). The result is kept: `mldeck "
	"tests "
	"MODEL`. docs/TESTS.md has the formulas and how often they err.",
    .options = options,
    .run = run,
};
