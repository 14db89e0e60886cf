#include "core/test/stress_plots.h"
#include "core/test/stress_target.h"
#include "core/text.h"
#include "core/version_client.h"
#include "ui/command/captured.h"
#include "ui/command/output.h"
#include "ui/command/stop_signal.h"
#include "ui/command/stress_print.h"
#include "ui/command/stress_run.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct command command_stress;

#define BLAST_WINDOW_S 60
#define TYPED_SIZE 128

/* One test, as it is put together. */
struct stress {
	struct stress_options options;
	struct client *client;
	struct snapshot *snapshot; /* of the runtime whose target it is; NULL: another server's */
	struct manifest manifest;
	uint32_t version; /* in the report: the live one when none was named */
	char url[512], path[192];
	struct load_target target;
	struct load_requests requests;
	struct captured captured;
	struct stress_report *report;
	struct stress_blast blast;
	double cap_rps;
};

/* --- the target --- */

/* Whether two addresses are of the same server: an address that listens on all of them is any. */
static bool same_address(const struct load_target *target, const struct load_target *listen)
{
	const struct sockaddr_in *a = (const void *)&target->address, *b = (const void *)&listen->address;

	if (target->address.ss_family != AF_INET || listen->address.ss_family != AF_INET)
		return target->address_size == listen->address_size &&
		       memcmp(&target->address, &listen->address, target->address_size) == 0;
	bool loopback = (ntohl(a->sin_addr.s_addr) >> 24) == 127;
	return a->sin_port == b->sin_port &&
	       (a->sin_addr.s_addr == b->sin_addr.s_addr || (b->sin_addr.s_addr == htonl(INADDR_ANY) && loopback));
}

/* A URL that is the runtime's own data plane is no other server: its live traffic is to be spared too. */
static bool is_own(struct stress *s)
{
	struct snapshot *snapshot = NULL;
	struct load_target listen;
	char url[96];

	if (stress_snapshot(s->client, BLAST_WINDOW_S, CLIENT_TIMEOUT_MS, &snapshot, NULL) != 0)
		return false;
	snprintf(url, sizeof url, "http://%.80s", snapshot->server.listen);
	if (load_target_read(&listen, url, NULL) == 0 && same_address(&s->target, &listen)) {
		s->snapshot = snapshot;
		return true;
	}
	snapshot_free(snapshot);
	return false;
}

/* What the runtime knows of the model. */
static int prepare_own(struct stress *s, struct err *e)
{
	const struct stress_options *o = &s->options;
	uint32_t live;

	if (s->snapshot == NULL && stress_snapshot(s->client, BLAST_WINDOW_S, CLIENT_TIMEOUT_MS, &s->snapshot, e) != 0)
		return -1;
	if (s->snapshot->server.listen[0] == '\0')
		return err_set(e, ERR_CONFLICT, "this runtime has no data plane to send to");
	snprintf(s->url, sizeof s->url, "http://%.200s", s->snapshot->server.listen);
	if (snapshot_find(s->snapshot, o->model) == NULL)
		return err_set(e, ERR_NOT_FOUND, "there is no model %s", o->model);
	if (o->version != 0 && stress_load_version(s->client, o->model, o->version, e) != 0)
		return -1;
	s->version = o->version;
	return version_client_find(s->client, o->model, &s->version, &live, &s->manifest, e);
}

static int prepare_target(struct stress *s, struct err *e)
{
	const struct stress_options *o = &s->options;

	snprintf(s->path, sizeof s->path, "/v2/models/%s", o->model);
	if (o->version != 0)
		snprintf(s->path, sizeof s->path, "/v2/models/%s/versions/%u", o->model, (unsigned)o->version);
	if (o->url != NULL) {
		snprintf(s->url, sizeof s->url, "%.500s", o->url);
		if (load_target_read(&s->target, s->url, e) != 0)
			return -1;
	}
	if (o->url != NULL && !is_own(s)) {
		s->version = o->version;
		return stress_signature(s->url, s->path, &s->manifest, e);
	}
	return prepare_own(s, e) != 0 ? -1 : load_target_read(&s->target, s->url, e);
}

static bool is_json_lines(const char *name)
{
	return name != NULL && (text_ends_with(name, ".jsonl") || text_ends_with(name, ".ndjson"));
}

/* *rows[*size]; *text is to be freed. */
static int fetch_rows(struct stress *s, char **text, const char **rows, size_t *size, struct err *e)
{
	const struct stress_options *o = &s->options;
	int result = 0;

	if (o->captured > 0)
		result = captured_fetch(&s->captured, s->client, o->model, &s->version, 1, o->captured, e);
	else if (o->data != NULL)
		result = stress_file_rows(o->data, text, size, e);
	else
		result = stress_sample_rows(s->client, o->model, s->version, text, size, e);
	*rows = *text;
	if (o->captured > 0) {
		*rows = s->captured.csv;
		*size = s->captured.size;
	}
	return result;
}

static int prepare_requests(struct stress *s, struct err *e)
{
	const struct stress_options *o = &s->options;
	const char *rows;
	char *text = NULL, path[256];
	size_t size;

	if (fetch_rows(s, &text, &rows, &size, e) != 0)
		return -1;
	snprintf(path, sizeof path, "%s/infer", s->path);
	int result = load_requests_make(&s->requests, &s->manifest, o->model, s->target.host, path, rows, size,
					is_json_lines(o->data), o->batch, e);
	if (result != 0 && o->data != NULL && e->code == ERR_INPUT)
		err_set(e, ERR_INPUT, "%.200s: %s", o->data, e->text);
	free(text);
	return result;
}

/* --- live traffic --- */

/* Who is touched, and how much is allowed. */
static int prepare_blast(struct stress *s, struct err *e)
{
	const struct stress_options *o = &s->options;
	double most = o->from_rps > o->to_rps ? o->from_rps : o->to_rps;
	bool search = o->mode == STRESS_FIND_MAX;

	if (s->snapshot == NULL && o->soak)
		return err_set(e, ERR_USAGE, "--soak watches this machine's runtime; of %s no memory is known",
			       s->target.host);
	if (s->snapshot == NULL) {
		snprintf(s->report->blast, sizeof s->report->blast,
			 "%s is another server: nothing is known of its traffic.", s->target.host);
		return 0;
	}
	s->blast = stress_blast(s->snapshot, o->model, o->version);
	s->cap_rps = stress_blast_cap(&s->blast, o->max_share_percent);
	stress_blast_text(&s->blast, o->model, o->version, search ? 0 : most, s->report->blast,
			  sizeof s->report->blast);
	if (s->cap_rps > 0 && !search && most > s->cap_rps)
		return err_set(
		    e, ERR_DENIED,
		    "%s has %.1f/s of live traffic, and %.1f/s more would be above %.4g%% of it all: at most %.1f/s, "
		    "or a greater --max-share",
		    o->model, s->blast.model_rps, most, o->max_share_percent, s->cap_rps);
	return 0;
}

static int ask_name(const struct stress *s, struct err *e)
{
	char typed[TYPED_SIZE];

	fprintf(stderr, "Type the name of the model to go on: ");
	fflush(stderr);
	if (fgets(typed, sizeof typed, stdin) == NULL)
		typed[0] = '\0';
	typed[strcspn(typed, "\r\n")] = '\0';
	if (strcmp(typed, s->options.model) == 0)
		return 0;
	return err_set(e, ERR_DENIED, "that is not the name of the model; nothing was sent");
}

static int confirm(const struct stress *s, struct err *e)
{
	if (!s->options.json || s->blast.live)
		fprintf(stderr, "%s\n", s->report->blast);
	if (!s->blast.live || s->options.yes || s->options.dry_run)
		return 0;
	if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
		return ask_name(s, e);
	return err_set(e, ERR_DENIED, "%s has live traffic there: --yes sends the load all the same", s->options.model);
}

/* --- the run --- */

static void fill_report(struct stress *s)
{
	const struct stress_options *o = &s->options;
	struct stress_report *r = s->report;

	r->model = o->model;
	r->version = s->version;
	r->url = s->url;
	r->rows_from = o->captured > 0 ? s->captured.text : o->data != NULL ? o->data : "samples";
	r->mode = o->mode;
	r->from_rps = o->from_rps;
	r->to_rps = o->to_rps;
	r->duration_s = o->duration_s;
	r->arrivals = o->arrivals;
	r->seed = o->seed;
	r->connections = o->connections;
	r->rows = s->requests.rows;
	r->batch = o->batch;
	r->limits = o->limits;
	r->soak = o->soak;
}

/* Before anything is loaded or asked: the same test runs already. */
static int job_check(const struct stress *s, struct err *e)
{
	const struct stress_options *o = &s->options;

	if (o->url != NULL || o->dry_run)
		return 0;
	return job_report_check(s->client, "stress", o->model, o->version, o->words, o->word_count, e);
}

static int prepare(struct stress *s, const struct arguments *a, struct err *e)
{
	s->report = stress_report_new();
	if (s->report == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	if (output_client(a, "stress", &s->client, e) != 0 || job_check(s, e) != 0 || prepare_target(s, e) != 0 ||
	    prepare_requests(s, e) != 0)
		return -1;
	fill_report(s);
	return prepare_blast(s, e) != 0 ? -1 : confirm(s, e);
}

static void make_title(const struct stress *s, char title[JOB_TITLE_SIZE])
{
	const struct stress_options *o = &s->options;

	if (o->mode == STRESS_FIND_MAX)
		snprintf(title, JOB_TITLE_SIZE, "the greatest rate with p99 below %.4g ms",
			 (double)o->limits.slo_p99_ns / 1e6);
	else if (o->mode == STRESS_RAMP)
		snprintf(title, JOB_TITLE_SIZE, "%.0f to %.0f requests/s in %.0f s", o->from_rps, o->to_rps,
			 o->duration_s);
	else
		snprintf(title, JOB_TITLE_SIZE, "%.0f requests/s for %.0f s%s", o->from_rps, o->duration_s,
			 o->soak ? ", soak" : "");
}

static int print(const struct stress *s, const char *text, struct err *e)
{
	if (!s->options.json) {
		if (stress_print(s->report, e) != 0)
			return -1;
	} else {
		puts(text);
	}
	return output_end(e);
}

/* The report to whoever waits for it, and kept where the model is known. A run that an operator stopped is no result.
 */
static int deliver(struct stress *s, struct stress_run *run, bool stopped, struct err *e)
{
	char *text = stress_report_text(s->report);
	int64_t id = 0;
	int result;

	if (text == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for the report");
	result = print(s, text, e);
	if (result == 0 && run->client != NULL && !stopped) {
		result = stress_keep(s->client, s->options.model, text, run->job.id, &id, e);
		if (result == 0 && !s->options.json)
			printf("`mldeck tests %s %lld` has all of it.\n", s->options.model, (long long)id);
	}
	free(text);
	return result == 0 ? output_end(e) : result;
}

static int exit_code(const struct stress *s, bool stopped)
{
	if (stopped)
		return stop_signal_exit();
	return s->report->verdict != STRESS_PASS;
}

static int go(struct stress *s, int *code, struct err *e)
{
	const struct stress_options *o = &s->options;
	struct stress_run run = {.options = o,
				 .target = &s->target,
				 .requests = &s->requests,
				 .client = s->snapshot == NULL ? NULL : s->client,
				 .pid = s->snapshot == NULL ? 0 : s->snapshot->server.pid,
				 .listen = s->snapshot == NULL ? NULL : s->snapshot->server.listen,
				 .stop = stop_signal_flag(),
				 .cap_rps = s->cap_rps,
				 .report = s->report};
	char title[JOB_TITLE_SIZE];
	struct job_progress last = {0};
	bool stopped = false;

	if (s->snapshot != NULL)
		stress_watch_begin(&run.watch, s->snapshot, o->model, o->limits.slo_p99_ns, o->limits.errors_percent);
	make_title(s, title);
	/* What loads another server is no test of a version of this one. */
	if (job_report_begin(&run.job, s->client, "stress", o->model, s->version, title, o->words, o->word_count, e) !=
		0 &&
	    s->snapshot != NULL)
		return -1;
	if (stress_run(&run, &stopped, e) != 0) {
		job_report_end(&run.job, JOB_FAILED, &last, e->text);
		return -1;
	}
	last.done = s->report->counts->answered;
	last.rejected = load_errors_total(s->report->counts);
	last.plot_count = stress_plots(s->report, s->report->counts, last.plots);
	int result = deliver(s, &run, stopped, e);
	job_report_end(&run.job,
		       stopped       ? JOB_CANCELLED
		       : result != 0 ? JOB_FAILED
				     : JOB_DONE,
		       &last, result != 0 ? e->text : s->report->summary);
	*code = exit_code(s, stopped);
	return result;
}

static const struct option_spec options[] = {
    {"rate", "N", "requests a second; of --find-max: where it begins (500)"},
    {"find-max", NULL, "search the greatest rate that holds --slo-p99"},
    {"ramp", "FROM:TO", "from one rate to another in a straight line"},
    {"duration", "TIME", "how long (60s); of --find-max: each step (5s)"},
    {"slo-p99", "TIME", "p99 from the intended start, at most: 5ms"},
    {"max-errors", "PERCENT", "of the requests, at most (1)"},
    {"version", "N", "this version, not what the route gives"},
    {"url", "URL", "another V2 server: http://host:port"},
    {"data", "FILE", "rows: CSV with a header, or JSON lines (.jsonl); else the version's sample rows"},
    CAPTURED_OPTION,
    {"rows", "N", "rows of a request (1)"},
    {"connections", "N", "kept alive (64)"},
    {"arrivals", "poisson|constant", "gaps between requests: by chance (poisson), or even"},
    {"seed", "N", "of the arrivals (1)"},
    {"timeout", "TIME", "until a request is given up (5s)"},
    {"soak", NULL, "watch whether memory grows"},
    {"max-share", "PERCENT", "of a live model's traffic, at most (50)"},
    {"yes", NULL, "live traffic may be touched"},
    OPTION_DRY_RUN,
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

static int run(const struct arguments *a)
{
	struct stress s = {0};
	struct err e = {0};
	int code = 0, result = -1;

	if (stress_options_read(a, options, &s.options, &e) == 0) {
		stop_signal_catch();
		result = prepare(&s, a, &e);
		if (result == 0 && !s.options.dry_run)
			result = go(&s, &code, &e);
	}
	if (result != 0)
		code = command_fail(&command_stress, &e);
	load_requests_release(&s.requests);
	captured_release(&s.captured);
	manifest_release(&s.manifest);
	snapshot_free(s.snapshot);
	stress_report_free(s.report);
	client_free(s.client);
	return code;
}

const struct command command_stress = {
    .name = "stress",
    .arguments = "MODEL",
    .summary = "load a model over HTTP, and see what it holds",
    .details =
	"Requests start when their schedule says, whatever the answers do, over kept-alive connections; latency counts "
	"from "
	"that intended start, so that a stalled server shows. The verdict says whether this machine could offer the "
	"rate "
	"at all.\n\n"
	"On a version with live traffic it says whom it touches, needs --yes (or the model's name, typed), stays below "
	"--max-share of the model's traffic, and stops by itself when any live model's errors or p99 go beyond their "
	"limit. "
	"docs/TESTS.md has the formulas. Exit code 1: the test says no.",
    .options = options,
    .run = run,
};
