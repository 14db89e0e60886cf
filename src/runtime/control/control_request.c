#include "runtime/control/control_request.h"

#include "core/text.h"
#include "core/users.h"

#include <stdlib.h>
#include <string.h>

/* --- answers --- */

void control_answer(struct http_response *response, cJSON *json)
{
	char *text = json == NULL ? NULL : cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	if (text == NULL) {
		struct err e;
		err_set(&e, ERR_MEMORY, "memory is out while answering");
		control_refuse(response, &e);
		return;
	}
	response->status = 200;
	response->content_type = "application/json";
	buf_add_string(&response->body, text);
	free(text);
}

void control_refuse_with(struct http_response *response, const struct err *e, cJSON *json)
{
	if (json == NULL)
		json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "error", e->text);
	cJSON_AddStringToObject(json, "code", err_name(e->code));
	char *text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	response->status = err_http(e->code);
	response->content_type = "application/json";
	buf_clear(&response->body);
	buf_add_string(&response->body, text == NULL ? "{\"error\":\"memory is out\"}" : text);
	free(text);
}

void control_refuse(struct http_response *response, const struct err *e)
{
	control_refuse_with(response, e, NULL);
}

/* --- who asks --- */

void control_actor(const struct http_request *request, struct actor *actor)
{
	*actor = (struct actor){.uid = request->peer_uid};
	users_name(actor->uid, actor->name, sizeof actor->name);
	const char *client = http_header(request, "Mldeck-Client");
	text_clean(actor->client, sizeof actor->client, client == NULL ? "unknown" : client);
}

/* --- reading --- */

static bool only_blanks(const char *from, const char *end)
{
	while (from < end && strchr(" \t\r\n", *from) != NULL && *from != '\0')
		from++;
	return from == end;
}

cJSON *control_body(const struct http_request *request, struct err *e)
{
	const char *end = request->body;
	cJSON *json = cJSON_ParseWithLengthOpts(request->body, request->body_size, &end, false);
	/* What follows it was meant to say something, too. */
	if (!cJSON_IsObject(json) || !only_blanks(end, request->body + request->body_size)) {
		cJSON_Delete(json);
		err_set(e, ERR_INPUT, "the body must be a JSON object");
		return NULL;
	}
	return json;
}

int control_query(const struct http_request *request, const char *name, long long low, long long high,
		  long long fallback, long long *value, struct err *e)
{
	const char *text = http_query(request, name);
	*value = fallback;
	if (text != NULL && !text_integer(text, low, high, value))
		return err_set(e, ERR_INPUT, "`%s` must be a whole number from %lld to %lld, got `%.32s`", name, low,
			       high, text);
	return 0;
}
