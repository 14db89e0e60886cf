#include "core/clock.h"
#include "core/snapshot.h"
#include "ui/command/output.h"
#include "ui/command/shadow_table.h"
#include "ui/command/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WATCH_MS 1000

extern const struct command command_status;

static void cells_stats(struct table *t, const struct snapshot_stats *stats)
{
	char rate[16], p50[16] = "-", p99[16] = "-";
	bool ascii = output_ascii();

	text_count(rate, sizeof(rate), stats->rate_rps);
	/* Refused requests have no latency: none was measured then. */
	if (stats->requests > 0 && stats->latency.p99_ns > 0) {
		text_duration(p50, sizeof(p50), (double)stats->latency.p50_ns, ascii);
		text_duration(p99, sizeof(p99), (double)stats->latency.p99_ns, ascii);
	}
	table_cell(t, "%s", rate);
	table_cell(t, "%s", p50);
	table_cell(t, "%s", p99);
	if (stats->requests > 0 || stats->errors > 0)
		table_cell(t, "%.2f", snapshot_error_percent(stats));
	else
		table_cell(t, "-");
}

static void split_text(const struct snapshot_model *m, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "-");
	for (uint32_t i = 0; i < m->route_count && used < size; i++) {
		const struct route_entry *r = &m->route[i];
		int n = snprintf(text + used, size - used, "%sv%u %g%%%s", used ? " " : "", r->version,
				 r->weight_bp / 100.0, r->role == ROUTE_SHADOW ? " shadow" : "");

		used += n > 0 ? (size_t)n : size;
	}
}

static int models_print(const struct snapshot *s, struct err *e)
{
	static const char *const headers[] = {"MODEL", "LIVE",  "SPLIT",     ">REQ/S", ">P50",
					      ">P99",  ">ERR%", ">REVISION", NULL};
	struct table *t = table_new(headers);
	char split[256];
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t i = 0; i < s->model_count; i++) {
		const struct snapshot_model *m = &s->models[i];

		split_text(m, split, sizeof(split));
		table_row(t);
		table_cell(t, "%s", m->name);
		if (m->live)
			table_cell(t, "v%u", m->live);
		else
			table_cell(t, "-");
		table_cell(t, "%s", split);
		cells_stats(t, &m->stats);
		table_cell(t, "%u", m->revision);
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}

static const char *role_of(const struct snapshot_model *m, uint32_t version, char *share, size_t size)
{
	snprintf(share, size, "-");
	for (uint32_t i = 0; i < m->route_count; i++)
		if (m->route[i].version == version) {
			snprintf(share, size, "%g%%", m->route[i].weight_bp / 100.0);
			return route_role_name(m->route[i].role);
		}
	return "-";
}

static int versions_print(const struct snapshot_model *m, struct err *e)
{
	static const char *const headers[] = {"VERSION", "ROLE",  ">SHARE", ">REQ/S", ">P50",
					      ">P99",    ">ERR%", "STATE",  NULL};
	static const struct snapshot_stats nothing;
	struct table *t = table_new(headers);
	char share[16];
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct snapshot_version *v = &m->versions[i];
		const struct snapshot_version_stats *stats = snapshot_stats_of(m, v->version);

		table_row(t);
		table_cell(t, "v%u", v->version);
		table_cell(t, "%s", role_of(m, v->version, share, sizeof(share)));
		table_cell(t, "%s", share);
		cells_stats(t, stats ? &stats->stats : &nothing);
		table_cell(t, "%s%s%s", v->state, v->note[0] ? ": " : "", v->note);
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}

/* What is kept of its requests, for tests. */
static void capture_print(const struct snapshot_capture *c)
{
	char since[32], bytes[16];

	if (c->limit == 0)
		return;
	output_time(since, sizeof since, (double)c->since_ms);
	text_bytes(bytes, sizeof bytes, (double)c->bytes);
	printf("\ncaptured: %llu rows of live requests since %s, %s", (unsigned long long)c->rows, since, bytes);
	if (c->dropped > 0)
		printf(", %llu without room", (unsigned long long)c->dropped);
	if (c->too_large > 0)
		printf(", %llu too large", (unsigned long long)c->too_large);
	printf("; a test gets %llu at most\n", (unsigned long long)c->limit);
}

static void server_print(const struct snapshot_server *server)
{
	char up[32], rate[16];

	text_uptime(up, sizeof(up), server->uptime_s);
	text_count(rate, sizeof(rate), server->rate_rps);
	output_text(server->name);
	printf("  up %s  %s req/s  %llu errors in %u s  ", up, rate, (unsigned long long)server->errors,
	       server->window_s);
	output_text(server->listen);
	puts(server->draining ? "  draining" : "");
}

static int snapshot_print(const cJSON *json, const char *model, struct err *e)
{
	struct snapshot *s = NULL;
	const struct snapshot_model *m;
	int result = -1;

	if (snapshot_from_json(json, &s, e) != 0)
		return -1;
	m = model ? snapshot_find(s, model) : NULL;
	if (model && !m) {
		err_set(e, ERR_NOT_FOUND, "there is no model %s; `mldeck status` lists them", model);
	} else {
		server_print(&s->server);
		if (s->model_count == 0)
			puts("No model is deployed yet: mldeck deploy MODEL FILE");
		else
			result = m ? versions_print(m, e) : models_print(s, e);
		if (result == 0 && m && shadow_table_rows(m) > 0) {
			putchar('\n');
			result = shadow_table_print(m, e);
		}
		if (result == 0 && m && m->capture.limit > 0) {
			capture_print(&m->capture);
			result = output_end(e);
		}
		if (s->model_count == 0)
			result = output_end(e);
	}
	snapshot_free(s);
	return result;
}

static int line_print(const cJSON *json, struct err *e)
{
	char *text = cJSON_PrintUnformatted(json);

	if (!text)
		return err_set(e, ERR_MEMORY, "memory is out");
	puts(text);
	cJSON_free(text);
	return output_end(e);
}

static int status_once(const struct arguments *a, struct client *client, struct err *e)
{
	const char *model = arguments_at(a, 0);
	char path[160];
	cJSON *json;
	int result;

	snprintf(path, sizeof(path), "/control/v1/snapshot%s%s", model ? "?model=" : "", model ? model : "");
	if (client_get(client, path, CLIENT_TIMEOUT_MS, &json, e) != 0)
		return -1;
	if (!arguments_flag(a, "json"))
		result = snapshot_print(json, model, e);
	else
		result = arguments_flag(a, "watch") ? line_print(json, e) : output_json(json, e);
	cJSON_Delete(json);
	return result;
}

/* Between two pictures: a fresh screen where the terminal can clear one, else an empty line. */
static void picture_separate(bool json)
{
	const char *terminal = getenv("TERM");

	if (json)
		return;
	if (isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb") != 0)
		fputs("\033[H\033[J", stdout);
	else
		putchar('\n');
}

static int status(const struct arguments *a, struct err *e)
{
	struct client *client;
	int result;

	if ((arguments_at(a, 0) && output_model(arguments_at(a, 0), e) != 0) ||
	    output_client(a, "status", &client, e) != 0)
		return -1;
	result = status_once(a, client, e);
	while (result == 0 && arguments_flag(a, "watch")) {
		clock_pause_ms(WATCH_MS);
		picture_separate(arguments_flag(a, "json"));
		result = status_once(a, client, e);
	}
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return status(a, &e) == 0 ? 0 : command_fail(&command_status, &e);
}

static const struct option_spec options[] = {
    {"watch", NULL, "print it again every second until interrupted"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_status = {
    .name = "status",
    .arguments = "[MODEL]",
    .summary = "show live versions, shares, rates and latencies",
    .details = "With MODEL: one line a version. Numbers are of the last 60 seconds.",
    .options = options,
    .run = run,
};
