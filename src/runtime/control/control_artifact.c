/* control_artifact: the bytes of a model file, sent from the disk as they are read. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

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
