#include "core/clock.h"
#include "core/config.h"
#include "core/digest.h"
#include "core/job_report.h"
#include "core/test/report_send.h"
#include "core/test/training_client.h"
#include "core/test/training_plots.h"
#include "core/version_client.h"
#include "ui/command/command_words.h"
#include "ui/command/output.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct command command_train;

/* A runtime that is started again is back by then: what hours of training took must not be lost for that. */
#define SEND_MS 30000
#define SEND_PAUSE_MS 500
/* As of a shell: there is no such command; it cannot be run. */
#define EXIT_NOT_FOUND 127
#define EXIT_NOT_RUN 126

/* One training, as it goes. */
struct train {
	const struct arguments *arguments;
	const char *model;
	struct client *client;
	struct training_run run;
	double usual_s; /* what the runs before took, median; NaN: none */
	struct training_tracks tracks;
	struct job_report report;
	struct job_progress progress;
	bool cancelled;
};

/* --- before it starts --- */

/* --rate, else [train] rate of the configuration. */
static int read_rate(const struct arguments *a, double *rate, struct err *e)
{
	const char *text = arguments_value(a, "rate");
	char state[CONFIG_PATH_SIZE];
	struct config config;

	if (text != NULL)
		return config_cost(text, rate)
			   ? 0
			   : err_set(e, ERR_USAGE, "--rate is what an hour costs, such as 2.50, not `%.40s`", text);
	config_init(&config);
	if (arguments_state(a, state, sizeof state, e) != 0 ||
	    config_load(&config, arguments_value(a, "config"), state, e) != 0)
		return -1;
	*rate = config.train.rate;
	return 0;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Also finds out, before hours are spent, that there is no runtime. A model that is not there yet may be a typing
 * error, so that is said; its runs are kept under its name. */
static int learn_usual(struct train *t, struct err *e)
{
	struct training_run *runs = calloc(TRAINING_RUNS_MAX, sizeof *runs);
	double walls[TRAINING_RUNS_MAX];
	size_t count = 0, good = 0;
	int result = runs == NULL ? err_set(e, ERR_MEMORY, "memory is out")
				  : training_client_runs(t->client, t->model, runs, &count, e);

	if (result != 0 && e->code == ERR_NOT_FOUND) {
		fprintf(stderr, "mldeck train: %s. The run is kept under this name, for the version that it makes.\n",
			e->text);
		result = 0;
	}
	for (size_t i = 0; result == 0 && i < count; i++)
		if (runs[i].took.exit_code == 0)
			walls[good++] = runs[i].took.wall_s;
	double last_s = good > 0 ? walls[0] : (double)NAN; /* they come newest first */
	if (good > 0)
		qsort(walls, good, sizeof *walls, compare_doubles);
	t->usual_s = good > 0 ? walls[good / 2] : (double)NAN;
	training_tracks_begin(&t->tracks, t->usual_s, last_s);
	free(runs);
	return result;
}

static int prepare(struct train *t, struct err *e)
{
	const char *produces = arguments_value(t->arguments, "produces");
	char host[TRAINING_HOST_SIZE] = "";
	bool fits = true;

	t->model = arguments_at(t->arguments, 0);
	if (output_model(t->model, e) != 0 || read_rate(t->arguments, &t->run.rate_per_hour, e) != 0)
		return -1;
	if (produces != NULL && (*produces == '\0' || strlen(produces) >= sizeof t->run.produces))
		return err_set(e, ERR_USAGE, "--produces names a file, in at most %zu bytes",
			       sizeof t->run.produces - 1);
	snprintf(t->run.produces, sizeof t->run.produces, "%s", produces != NULL ? produces : "");
	for (size_t i = 1; fits && i < arguments_count(t->arguments); i++)
		fits = text_quote(t->run.command, sizeof t->run.command, arguments_at(t->arguments, i));
	gethostname(host, sizeof host - 1);
	text_clean(t->run.host, sizeof t->run.host, host);
	return output_client(t->arguments, "train", &t->client, e) == 0 ? learn_usual(t, e) : -1;
}

/* --- while it runs --- */

static bool tick(void *context, const struct timed_run *now)
{
	struct train *t = context;
	char memory[16], cost[40] = "";

	t->run.took = *now;
	training_tracks_add(&t->tracks, now);
	t->progress.plot_count = training_plots(&t->tracks, &t->run, t->progress.plots);
	text_bytes(memory, sizeof memory, now->group_bytes);
	if (!isnan(t->run.rate_per_hour))
		snprintf(cost, sizeof cost, ", cost %.4g", training_cost(&t->run));
	t->progress.left_s = isnan(t->usual_s) || now->wall_s > t->usual_s ? (double)NAN : t->usual_s - now->wall_s;
	snprintf(t->progress.note, sizeof t->progress.note, "%.0f s, CPU %.0f s, %s%s", now->wall_s,
		 now->user_s + now->system_s, memory, cost);
	if (!t->cancelled && !job_report_progress(&t->report, &t->progress))
		t->cancelled = true;
	return !t->cancelled;
}

/* --- what came of it --- */

static int digest_file(const char *path, char sha256[DIGEST_SIZE], struct err *e)
{
	char chunk[65536];
	size_t got;
	FILE *file = fopen(path, "rbe");
	struct digest *d;
	int result = 0;

	if (file == NULL)
		return err_errno(e, errno, "%s cannot be opened", path);
	d = digest_new(e);
	if (d == NULL)
		result = -1;
	while (result == 0 && (got = fread(chunk, 1, sizeof chunk, file)) > 0)
		result = digest_add(d, chunk, got, e);
	if (result == 0 && ferror(file))
		result = err_errno(e, errno, "%s cannot be read", path);
	if (result == 0)
		result = digest_end(d, sha256, e);
	digest_free(d);
	fclose(file);
	return result;
}

/* The file that it made, and the version that has it already. What is wrong with it is said, and the run kept. */
static void tie(struct train *t)
{
	struct err e;

	if (t->run.produces[0] == '\0')
		return;
	if (digest_file(t->run.produces, t->run.sha256, &e) != 0) {
		t->run.sha256[0] = '\0';
		fprintf(stderr, "mldeck train: the run is tied to no version: %s\n", e.text);
		return;
	}
	training_client_version(t->client, t->model, t->run.sha256, &t->run.version, NULL);
}

static int send(struct train *t, const cJSON *report, int64_t job, struct err *e)
{
	int64_t until_ms = clock_ms() + SEND_MS;

	while (report_send(t->client, report, job, &t->run.id, e) != 0) {
		if (e->code != ERR_UNREACHABLE || clock_ms() >= until_ms)
			return -1;
		clock_pause_ms(SEND_PAUSE_MS);
	}
	return 0;
}

/* Standard output is the command's. */
static void say(const struct train *t, const char *summary)
{
	char version[96] = "";

	if (t->run.version > 0)
		snprintf(version, sizeof version, "; it made v%u of %s", (unsigned)t->run.version, t->model);
	else if (t->run.sha256[0] != '\0')
		snprintf(version, sizeof version, "; its file is %.12s, not deployed yet", t->run.sha256);
	fprintf(stderr, "mldeck train: %s%s. Kept as test %lld of %s.\n", summary, version, (long long)t->run.id,
		t->model);
}

static int print_report(const cJSON *report, struct err *e)
{
	char *text = cJSON_PrintUnformatted(report);

	if (text == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	fprintf(stderr, "%s\n", text);
	cJSON_free(text);
	return 0;
}

static int conclude(struct train *t, int64_t job, struct err *e)
{
	char summary[200];

	tie(t);
	training_summary(&t->run, summary, sizeof summary);
	cJSON *report = training_report(&t->run, t->model);
	t->progress.plot_count = training_plots(&t->tracks, &t->run, t->progress.plots);
	cJSON_AddItemToObject(report, "plots", plots_to_json(t->progress.plots, t->progress.plot_count));
	int result = send(t, report, job, e);
	if (result != 0 || arguments_flag(t->arguments, "json"))
		print_report(report, NULL);
	else
		say(t, summary);
	cJSON_Delete(report);
	return result;
}

static int go(struct train *t, int *code, struct err *e)
{
	const char *argv[ARGUMENTS_MAX + 1];
	struct command_words words;
	char title[JOB_TITLE_SIZE], summary[200];
	size_t count = arguments_count(t->arguments);

	for (size_t i = 1; i < count; i++)
		argv[i - 1] = arguments_at(t->arguments, i);
	argv[count - 1] = NULL;
	command_words_make(&command_train, t->arguments, true, &words);
	text_clean(title, sizeof title, t->run.command);
	t->progress.left_s = t->usual_s;
	if (job_report_begin(&t->report, t->client, "train", t->model, 0, title, words.words, words.count, e) != 0)
		return -1;
	if (timed_run(argv, tick, t, &t->run.took, e) != 0) {
		*code = e->code == ERR_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
		job_report_end(&t->report, JOB_FAILED, &t->progress, e->text);
		return -1;
	}
	*code = t->run.took.exit_code;
	int result = conclude(t, t->report.id, e);
	training_summary(&t->run, summary, sizeof summary);
	job_report_end(&t->report,
		       t->cancelled ? JOB_CANCELLED
		       : *code == 0 ? JOB_DONE
				    : JOB_FAILED,
		       &t->progress, summary);
	return result;
}

static int run(const struct arguments *a)
{
	struct train t = {.arguments = a};
	struct err e = {0};
	int code = 0, result = -1;

	if (prepare(&t, &e) == 0)
		result = go(&t, &code, &e);
	client_free(t.client);
	if (result != 0) {
		int failed = command_fail(&command_train, &e);
		return code != 0 ? code : failed;
	}
	return code;
}

static const struct option_spec options[] = {
    {"produces", "FILE", "the model file that it makes: ties the run to the version that has it"},
    {"rate", "COST", "what an hour costs, in whatever currency ([train] rate of the configuration)"},
    {"config", "FILE", "settings (mldeck.ini in the state directory)"},
    {"json", NULL, "print the report as JSON, to standard error"},
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_train = {
    .name = "train",
    .arguments = "MODEL COMMAND...",
    .summary = "run a training command, and keep what it took",
    .details = "`mldeck train churn --produces model.txt -- python3 train.py --rounds 300`: options of mldeck stand "
	       "before the "
	       "`--`, the command and its own behind it. Input and output are the command's, signals are passed on, "
	       "and the exit "
	       "code is its own. Wall and CPU time, memory, exit code and cost are live in the list of jobs, and kept "
	       "for ever: "
	       "`mldeck tests MODEL --kind training`. `mldeck bench MODEL --training` compares the newest run with "
	       "those before. "
	       "A model that is not there yet gets its name with its first run. Exit codes of its own: 127 there is "
	       "no such command, 126 it cannot be run.",
    .options = options,
    .run = run,
};
