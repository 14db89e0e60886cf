/*
 * control: rows of live requests, for tests of versions. They are customers' data: every read is in the audit, before
 * it is answered.
 */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/json_write.h"
#include "runtime/capture/capture_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 1000

struct question {
	const char *model;
	size_t limit;
	enum capture_form form;
	size_t wanted_count;
	uint32_t wanted[CAPTURE_WANTED_MAX];
};

/* What is taken out of the routing for the answer. */
struct held {
	struct capture *capture;
	size_t version_count;
	struct manifest *manifests; /* their pointers stay as long as the router */
};

/* "2,3" */
static int read_versions(const char *text, struct question *q, struct err *e)
{
	char word[16];
	long long version;

	while (*text != '\0') {
		size_t size = strcspn(text, ",");
		snprintf(word, sizeof word, "%.*s", size < sizeof word ? (int)size : 0, text);
		if (q->wanted_count == CAPTURE_WANTED_MAX || !text_integer(word, 1, VERSIONS_MAX, &version))
			return err_set(e, ERR_INPUT,
				       "`versions` takes 1 to %d numbers of versions, as 2,3, got `%.40s`",
				       CAPTURE_WANTED_MAX, text);
		q->wanted[q->wanted_count++] = (uint32_t)version;
		text += size + (text[size] == ',');
	}
	return 0;
}

static int read_question(const struct http_request *request, struct question *q, struct err *e)
{
	const char *form = http_query(request, "form"), *versions = http_query(request, "versions");
	long long limit;

	if (control_query(request, "limit", 1, CAPTURE_ROWS_MAX, LIMIT_DEFAULT, &limit, e) != 0)
		return -1;
	q->limit = (size_t)limit;
	if (form != NULL && strcmp(form, "csv") != 0 && strcmp(form, "v2") != 0)
		return err_set(e, ERR_INPUT, "`form` is csv or v2, got `%.32s`", form);
	q->form = form != NULL && strcmp(form, "v2") == 0 ? CAPTURE_V2 : CAPTURE_CSV;
	return versions != NULL ? read_versions(versions, q, e) : 0;
}

/* Between router_enter() and router_leave(). */
static int take(const struct served_model *m, struct question *q, struct held *held, struct err *e)
{
	if (q->wanted_count == 0 && route_live(&m->route) != 0)
		q->wanted[q->wanted_count++] = route_live(&m->route);
	if (q->wanted_count == 0)
		return err_set(e, ERR_CONFLICT, "%s has no live version; say which ones the rows are for: versions=1",
			       m->name);
	for (size_t i = 0; i < q->wanted_count; i++)
		if (served_model_find(m, q->wanted[i]) == NULL)
			return err_set(e, ERR_NOT_FOUND, "%s has no version %u; it has 1 to %zu", m->name,
				       (unsigned)q->wanted[i], m->version_count);
	if (m->capture == NULL)
		return err_set(
		    e, ERR_CONFLICT,
		    "no requests of %s are captured; switch it on: mldeck policy %s capture_rows=5000 --reason TEXT",
		    m->name, m->name);
	held->manifests = calloc(m->version_count, sizeof *held->manifests);
	if (held->manifests == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for captured rows");
	held->version_count = m->version_count;
	for (size_t i = 0; i < m->version_count; i++)
		held->manifests[i] = m->versions[i]->manifest;
	capture_hold(held->capture = m->capture);
	return 0;
}

static int hold(struct server *s, struct question *q, struct held *held, struct err *e)
{
	const struct served_model *m = routing_find(router_enter(s->router), q->model, e);
	int result = m == NULL ? -1 : take(m, q, held, e);

	router_leave(s->router);
	return result;
}

static void write_facts(struct buf *out, const struct question *q, const struct capture_text *t,
			const struct capture *capture)
{
	struct capture_facts facts;

	capture_facts(capture, &facts);
	buf_format(out, "{\"model\":\"%s\",\"versions\":[", q->model);
	for (size_t i = 0; i < q->wanted_count; i++)
		buf_format(out, "%s%u", i > 0 ? "," : "", (unsigned)q->wanted[i]);
	buf_format(out, "],\"asked\":%zu,\"rows\":%zu,\"unfit\":%zu,\"cut\":%s,", q->limit, t->rows, t->unfit,
		   t->cut ? "true" : "false");
	buf_format(out, "\"from_ms\":%" PRId64 ",\"to_ms\":%" PRId64 ",\"since_ms\":%" PRId64 ",", t->from_ms, t->to_ms,
		   facts.since_ms);
	buf_format(out, "\"seen\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"too_large\":%" PRIu64 ",", facts.seen,
		   facts.dropped, facts.too_large);
}

static int answer(struct http_response *response, const struct question *q, const struct capture_text *t,
		  const struct capture *capture, struct err *e)
{
	struct buf *out = &response->body;

	write_facts(out, q, t, capture);
	if (q->form == CAPTURE_CSV) {
		buf_add_string(out, "\"csv\":");
		json_write_string(out, t->out.data, t->out.size);
	} else {
		buf_add_string(out, "\"requests\":[");
		buf_add(out, t->out.data, t->out.size);
		buf_add_char(out, ']');
	}
	buf_add_char(out, '}');
	if (out->failed || t->out.failed)
		return err_set(e, ERR_MEMORY, "memory is out for captured rows");
	response->status = 200;
	response->content_type = "application/json";
	return 0;
}

/* Of two halves that are full there would be more rows than the policy says. */
static size_t at_most(const struct question *q, const struct capture *capture)
{
	return q->limit < capture_limit(capture) ? q->limit : capture_limit(capture);
}

static int audit(struct server *s, const struct http_request *request, const struct question *q,
		 const struct capture_text *t, struct err *e)
{
	struct actor actor;
	char detail[80];

	control_actor(request, &actor);
	snprintf(detail, sizeof detail, "%zu rows of live requests were read", t->rows);
	return registry_audit(s->registry, &actor, "captured", q->model, 0, "done", "", detail, e);
}

void control_get_captured(void *context, const struct http_request *request, const struct http_segments *segments,
			  struct http_response *response)
{
	struct server *s = context;
	struct question q = {.model = segments->values[0]};
	struct held held = {0};
	struct capture_text text = {0};
	struct err e;

	int result = read_question(request, &q, &e) != 0 ? -1 : hold(s, &q, &held, &e);
	if (result == 0)
		result = capture_text_init(&text, q.form, q.model, held.manifests, held.version_count, q.wanted,
					   q.wanted_count, &e);
	if (result == 0)
		result = capture_read(held.capture, at_most(&q, held.capture), capture_text_add, &text, &e);
	if (result == 0 && audit(s, request, &q, &text, &e) == 0 && answer(response, &q, &text, held.capture, &e) == 0)
		goto out;
	buf_clear(&response->body);
	control_refuse(response, &e);
out:
	capture_text_release(&text);
	capture_release(held.capture);
	free(held.manifests);
}
