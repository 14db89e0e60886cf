/*
 * protocol_repository: the model-repository extension of V2: what there is, and load and unload where the
 * configuration lets clients do it.
 *
 * Loading reads disks and waits for predictions to end, so it runs on a worker for such changes while its request is
 * suspended.
 */
#include "runtime/protocol/data_plane.h"

#include "core/digest.h"
#include "core/v2_tensor.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the index --- */

static void write_entry(struct buf *out, const struct served_model *m, const struct served_version *v,
			enum served_state state, const struct err *why, bool first)
{
	bool ready = state == SERVED_READY;
	buf_add_string(out, first ? "{\"name\":" : ",{\"name\":");
	v2_write_string(out, m->name);
	buf_format(out, ",\"version\":\"%u\",\"state\":\"%s\",\"reason\":", (unsigned)v->version,
		   ready ? "READY" : "UNAVAILABLE");
	v2_write_string(out, ready ? "" : why->text);
	buf_add_char(out, '}');
}

/* {"ready": true} asks for what is ready only. An empty body is fine. */
static int read_filter(const struct http_request *request, bool *ready_only, struct err *e)
{
	*ready_only = false;
	if (request->body_size == 0)
		return 0;
	cJSON *body = cJSON_ParseWithLength(request->body, request->body_size);
	const cJSON *ready = cJSON_GetObjectItemCaseSensitive(body, "ready");
	bool good = cJSON_IsObject(body) && (ready == NULL || cJSON_IsBool(ready));
	*ready_only = cJSON_IsTrue(ready);
	cJSON_Delete(body);
	return good ? 0 : err_set(e, ERR_INPUT, "the body must be {\"ready\": true} or {\"ready\": false}");
}

static void repository_index(void *context, const struct http_request *request, const struct http_segments *segments,
			     struct http_response *response)
{
	(void)segments;
	struct server *s = context;
	bool ready_only, first = true;
	struct err e = {0};

	if (read_filter(request, &ready_only, &e) != 0) {
		data_plane_refuse(response, &e);
		return;
	}
	const struct routing *routing = router_enter(s->router);
	data_plane_json(response);
	buf_add_char(&response->body, '[');
	for (size_t i = 0; i < routing->model_count; i++) {
		const struct served_model *m = routing->models[i];
		for (size_t k = 0; k < m->version_count; k++) {
			enum served_state state = served_version_state(m->versions[k], &e);
			if (ready_only && state != SERVED_READY)
				continue;
			write_entry(&response->body, m, m->versions[k], state, &e, first);
			first = false;
		}
	}
	buf_add_char(&response->body, ']');
	router_leave(s->router);
}

/* --- load and unload, on a worker --- */

struct change {
	struct server *server;
	const struct http_request *request; /* valid until its ticket is resumed */
	struct http_ticket *ticket;
	bool load;
	char model[TEXT_NAME_MAX + 1];
	struct actor actor;
};

/* The one file of a load request: its name behind "file:" and its bytes. -1 when there are several. */
static int find_file(const cJSON *parameters, const cJSON **file, struct err *e)
{
	const cJSON *item;
	*file = NULL;
	/* An array's items have no names. */
	if (parameters != NULL && !cJSON_IsObject(parameters))
		return err_set(e, ERR_INPUT, "`parameters` must be a JSON object");
	cJSON_ArrayForEach(item, parameters)
	{
		if (strncmp(item->string, "file:", 5) != 0)
			continue;
		if (*file != NULL)
			return err_set(e, ERR_INPUT, "a version is one file; this request has several");
		if (!cJSON_IsString(item))
			return err_set(e, ERR_INPUT, "the parameter `%.64s` must hold base64", item->string);
		*file = item;
	}
	return 0;
}

static int store_artifact(struct server *s, const char *coded, char sha256[65], struct err *e)
{
	struct artifact *artifact;
	uint64_t size_bytes;
	char *bytes;
	size_t size;

	if (digest_base64_read(coded, strlen(coded), &bytes, &size, e) != 0)
		return -1;
	int result = artifact_begin(s->registry, &artifact, e);
	if (result == 0 && artifact_write(artifact, bytes, size, e) != 0) {
		artifact_abort(artifact);
		result = -1;
	} else if (result == 0) {
		result = artifact_commit(artifact, sha256, &size_bytes, e);
	}
	free(bytes);
	return result;
}

/* Registers the file as the next version: the first of a new model goes live, others wait for their promotion. */
static int deploy_file(struct change *c, const cJSON *file, struct err *e)
{
	char sha256[65];
	uint64_t baseline_count;
	struct deploy_result result;
	const char *slash = strrchr(file->string, '/');
	const struct deploy_request deploy = {
	    .model = c->model,
	    .sha256 = sha256,
	    .file_name = slash != NULL ? slash + 1 : file->string + 5,
	    .reason = "loaded over the model repository",
	};

	if (store_artifact(c->server, file->valuestring, sha256, e) != 0)
		return -1;
	if (router_deploy(c->server->router, &deploy, &c->actor, &result, &baseline_count, e) == 0)
		return 0;
	registry_audit(c->server->registry, &c->actor, "deploy", c->model, 0, err_name(e->code), deploy.reason, e->text,
		       NULL);
	artifact_discard(c->server->registry, sha256);
	return -1;
}

static int carry_out(struct change *c, struct err *e)
{
	const cJSON *file = NULL;
	cJSON *body = NULL;
	int result = 0;

	if (atomic_load(&c->server->cutting))
		return err_set(e, ERR_UNREACHABLE, "the server ended before the change began");
	if (!c->load)
		return router_unload(c->server->router, c->model, &c->actor, e);
	if (c->request->body_size > 0) {
		body = cJSON_ParseWithLength(c->request->body, c->request->body_size);
		if (!cJSON_IsObject(body))
			result = err_set(e, ERR_INPUT, "the body must be a JSON object");
		else
			result = find_file(cJSON_GetObjectItemCaseSensitive(body, "parameters"), &file, e);
	}
	if (result == 0)
		result =
		    file != NULL ? deploy_file(c, file, e) : router_load(c->server->router, c->model, &c->actor, e);
	cJSON_Delete(body);
	return result;
}

static void change_task(void *context)
{
	struct change *c = context;
	struct http_response response = {.status = 200};
	struct err e;

	buf_init(&response.body);
	if (carry_out(c, &e) != 0)
		data_plane_refuse(&response, &e);
	http_resume(c->ticket, &response);
	free(c);
}

/* Whoever reaches the data plane; the kernel knows no user behind a TCP connection. */
static void fill_actor(const struct http_request *request, struct actor *actor)
{
	const char *agent = http_header(request, "User-Agent");
	*actor = (struct actor){.uid = request->peer_uid};
	snprintf(actor->name, sizeof actor->name, "a client of the prediction API");
	text_clean(actor->client, sizeof actor->client, agent == NULL ? "unknown" : agent);
}

static int start_change(struct server *s, const struct http_request *request, const char *model, bool load,
			struct err *e)
{
	if (!s->config.server.model_control)
		return err_set(e, ERR_INPUT,
			       "clients may not load or unload models here; `model_control = yes` below [server] "
			       "lets them");
	if (!text_name_valid(model))
		return err_set(e, ERR_NOT_FOUND, "there is no model `%s`", model);
	struct change *c = calloc(1, sizeof *c);
	if (c == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	c->server = s;
	c->request = request;
	c->load = load;
	snprintf(c->model, sizeof c->model, "%s", model);
	fill_actor(request, &c->actor);
	c->ticket = http_suspend(request);
	if (c->ticket == NULL) {
		free(c);
		return err_set(e, ERR_MEMORY, "memory is out");
	}
	if (workers_submit(s->changers, change_task, c, e) != 0) {
		struct http_response response = {.status = 200};
		buf_init(&response.body);
		data_plane_refuse(&response, e);
		http_resume(c->ticket, &response);
		free(c);
	}
	return 0;
}

static void repository_load(void *context, const struct http_request *request, const struct http_segments *segments,
			    struct http_response *response)
{
	struct err e;
	if (start_change(context, request, segments->values[0], true, &e) != 0)
		data_plane_refuse(response, &e);
}

static void repository_unload(void *context, const struct http_request *request, const struct http_segments *segments,
			      struct http_response *response)
{
	struct err e;
	if (start_change(context, request, segments->values[0], false, &e) != 0)
		data_plane_refuse(response, &e);
}

/* --- routes --- */

#define STATUSES_CHANGE "404 409 429 500 502 504 507"

static const struct operation index_operation = {
    .tag = "V2 repository",
    .request = OPERATION_JSON("IndexRequest"),
    .response = OPERATION_JSON("Index"),
    .request_optional = true,
};
static const struct operation load_operation = {
    .tag = "V2 repository",
    .request = OPERATION_JSON("LoadRequest"),
    .statuses = STATUSES_CHANGE,
    .request_optional = true,
};
static const struct operation unload_operation = {
    .tag = "V2 repository",
    .request = OPERATION_JSON("Empty"),
    .statuses = STATUSES_CHANGE,
    .request_optional = true,
};

const struct data_route protocol_repository[] = {
    {"POST", "/v2/repository/index", repository_index, "all versions and their states", &index_operation},
    {"POST", "/v2/repository/models/{}/load", repository_load, "load a model, or register a file", &load_operation},
    {"POST", "/v2/repository/models/{}/unload", repository_unload, "free a model's memory", &unload_operation},
    {NULL, NULL, NULL, NULL, NULL},
};
