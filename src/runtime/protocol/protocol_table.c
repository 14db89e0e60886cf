/*
 * protocol_table: predictions for spreadsheets, sites and scripts: a query or a CSV in, a number or
 * a CSV out.
 */
#include "runtime/protocol/data_plane.h"
#include "runtime/router/infer.h"
#include "runtime/protocol/table.h"

#include <stdio.h>
#include <string.h>

static bool is_get(const struct http_request *request)
{
	return strcmp(request->method, "POST") != 0;
}

/* --- version and unit, which are needed before the model's columns are known for sure --- */

/* The columns of the live version decide which words of a GET are features. */
static const struct columns *live_columns(const struct http_request *request, const struct served_model *m)
{
	const struct served_version *v = NULL;
	if (is_get(request) && m != NULL)
		v = served_model_find(m, route_live(&m->route));
	return v != NULL ? v->columns : NULL;
}

struct lookup {
	const struct columns *columns;
	enum table_option option;
	const char *value; /* NULL: not there */
	bool twice;
};

static bool look(void *context, const char *name, const char *value)
{
	struct lookup *l = context;
	if (table_option(l->columns, name) != l->option || value == NULL || *value == '\0')
		return true;
	l->twice = l->value != NULL;
	l->value = value;
	return !l->twice;
}

static void table_unit(const struct http_request *request, const struct served_model *m, char unit[INFER_UNIT_SIZE],
		       size_t *unit_size)
{
	struct lookup l = {.columns = live_columns(request, m), .option = TABLE_UNIT};

	http_query_each(request, look, &l);
	if (l.value == NULL)
		return;
	*unit_size = strnlen(l.value, INFER_UNIT_SIZE - 1);
	memcpy(unit, l.value, *unit_size);
	unit[*unit_size] = '\0';
}

/* The version that path or query names, "" for none. */
static int find_version(struct server *s, const struct http_request *request, const struct http_segments *segments,
			const char **version, struct err *e)
{
	struct lookup l = {.option = TABLE_VERSION};

	l.columns = live_columns(request, routing_find(router_enter(s->router), segments->values[0], NULL));
	http_query_each(request, look, &l);
	router_leave(s->router);
	*version = segments->count == 1 && l.value != NULL ? l.value : data_plane_version(segments);
	if (l.twice)
		return err_set(e, ERR_INPUT, "the version is given twice");
	if (segments->count > 1 && l.value != NULL)
		return err_set(e, ERR_INPUT, "the version is given in the path and in the query");
	return 0;
}

/* --- rows --- */

struct query {
	struct table_request *request;
	const struct manifest *manifest;
	bool features; /* names that are no option are features */
	int result;
	struct err *error;
};

static bool take_argument(void *context, const char *name, const char *value)
{
	struct query *q = context;
	enum table_option option = table_option(q->features ? q->request->rows.columns : NULL, name);

	if (option != TABLE_OPTION_COUNT)
		q->result =
		    value == NULL || *value == '\0' ? 0 : table_set(q->request, option, q->manifest, value, q->error);
	else if (q->features)
		q->result = table_put(q->request, name, value, q->error);
	else
		q->result = err_set(q->error, ERR_INPUT,
				    "`%.64s` in the query is no option (version, unit, output, "
				    "format); features are "
				    "sent in the body",
				    name);
	return q->result == 0;
}

static int read_query(struct table_request *t, const struct http_request *request, const struct infer_version *version,
		      struct err *e)
{
	struct query q = {.request = t, .manifest = version->manifest, .features = is_get(request), .error = e};
	http_query_each(request, take_argument, &q);
	if (q.result != 0)
		return -1;
	if (t->format == TABLE_FORMAT_COUNT)
		t->format = table_accepted(http_header(request, "Accept"));
	return 0;
}

static int table_read(void *state, const struct http_request *request, const struct infer_version *version,
		      struct inference *inference, struct err *e)
{
	struct table_request *t = state;
	enum table_format fallback = TABLE_TEXT;
	bool json;

	if (table_begin(t, version, inference, e) != 0 || read_query(t, request, version, e) != 0)
		return -1;
	if (is_get(request)) {
		if (table_put_end(t, e) != 0)
			return -1;
	} else {
		const char *type = http_header(request, "Content-Type");
		if (table_body_is_json(type, request->body, request->body_size, &json, e) != 0 ||
		    (json ? table_read_json : table_read_csv)(t, request->body, request->body_size, e) != 0)
			return -1;
		fallback = json ? TABLE_JSON : TABLE_CSV;
	}
	return table_end(t, version, inference, fallback, e);
}

static void table_answer(void *state, const struct infer_version *version, struct inference *inference,
			 struct http_response *response)
{
	const struct table_request *t = state;
	struct err e;

	response->status = 200;
	response->content_type = table_format_type(t->format);
	infer_say_version(version, response);
	if (table_write(&response->body, t, version, inference, &e) != 0)
		data_plane_refuse(response, &e);
}

static const struct infer_protocol table_protocol = {
    .state_size = sizeof(struct table_request),
    .unit = table_unit,
    .read = table_read,
    .write = table_answer,
};

static void predict(void *context, const struct http_request *request, const struct http_segments *segments,
		    struct http_response *response)
{
	const char *version;
	struct err e;

	if (find_version(context, request, segments, &version, &e) != 0)
		data_plane_refuse(response, &e);
	else
		infer_handle(context, &table_protocol, request, segments->values[0], version, response);
}

/* --- routes --- */

#define TABLE_REQUEST \
	OPERATION_BODIES({"text/csv", "Csv", EXAMPLE_CSV}, {"application/json", "TableRows", EXAMPLE_JSON})

static const struct operation_body table_response[] = {
#define X(name, word, type, schema) {type, schema, EXAMPLE_NONE},
    TABLE_FORMATS(X)
#undef X
	{NULL, NULL, EXAMPLE_NONE},
};
static const struct operation query_operation = {
    .tag = "Tables",
    .parameters = "Features QueryOutput QueryFormat QueryVersion QueryUnit Unit Capture",
    .response = table_response,
    .headers = "Mldeck-Version",
    .statuses = STATUSES_PREDICT,
};
static const struct operation query_version_operation = {
    .tag = "Tables",
    .parameters = "Features QueryOutput QueryFormat",
    .response = table_response,
    .headers = "Mldeck-Version",
    .statuses = STATUSES_PREDICT,
};
static const struct operation body_operation = {
    .tag = "Tables",
    .parameters = "QueryOutput QueryFormat QueryVersion QueryUnit Unit Capture",
    .request = TABLE_REQUEST,
    .response = table_response,
    .headers = "Mldeck-Version",
    .statuses = STATUSES_PREDICT,
};
static const struct operation body_version_operation = {
    .tag = "Tables",
    .parameters = "QueryOutput QueryFormat",
    .request = TABLE_REQUEST,
    .response = table_response,
    .headers = "Mldeck-Version",
    .statuses = STATUSES_PREDICT,
};

const struct data_route protocol_table[] = {
    {"GET", "/predict/{}", predict, "one prediction as a bare number, by features in the query", &query_operation},
    {"POST", "/predict/{}", predict, "predictions for the rows of a CSV, or of JSON objects", &body_operation},
    {"GET", "/predict/{}/versions/{}", predict, "one prediction with this version", &query_version_operation},
    {"POST", "/predict/{}/versions/{}", predict, "predictions with this version", &body_version_operation},
    {NULL, NULL, NULL, NULL, NULL},
};
