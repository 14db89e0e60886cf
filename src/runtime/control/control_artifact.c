/* control_artifact: what a version was deployed with: the bytes of its file, and its sample rows. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/registry/registry_samples.h"

/* Sent from the disk as they are read. */
void control_get_artifact(void *context, const struct http_request *request, const struct http_segments *segments,
			  struct http_response *response)
{
	struct server *s = context;
	struct err e;

	(void)request;
	if (artifact_open(s->registry, segments->values[0], &response->file_fd, &response->file_size, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	response->from_file = true;
	response->status = 200;
	response->content_type = "application/octet-stream";
}

void control_get_samples(void *context, const struct http_request *request, const struct http_segments *segments,
			 struct http_response *response)
{
	struct server *s = context;
	const char *model = segments->values[0];
	struct sample_rows samples = {0};
	long long version;
	struct err e;

	(void)request;
	if (!text_integer(segments->values[1], 1, VERSIONS_MAX, &version)) {
		err_set(&e, ERR_NOT_FOUND, "%s has no version %.40s", model, segments->values[1]);
		control_refuse(response, &e);
		return;
	}
	if (registry_samples(s->registry, model, (uint32_t)version, &samples, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", model);
	cJSON_AddNumberToObject(json, "version", (double)version);
	cJSON_AddItemToObject(json, "csv", samples.csv != NULL ? cJSON_CreateString(samples.csv) : cJSON_CreateNull());
	sample_rows_release(&samples);
	control_answer(response, json);
}
