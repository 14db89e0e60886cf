/*
 * protocol_feedback: what became of predictions, for the A/B tests of a model.
 *
 * Taking outcomes in waits for the disk, so it runs on a worker while the request is suspended: who is answered 200 may
 * forget them.
 */
#include "runtime/protocol/data_plane.h"

#include "core/v2_tensor.h"
#include "runtime/experiment/experiments.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ERRORS_MAX 20 /* that are told one by one */

struct task {
	struct server *server;
	const struct http_request *request; /* valid until its ticket is resumed */
	struct http_ticket *ticket;
	char model[TEXT_NAME_MAX + 1];
};

static bool is_csv(const struct http_request *request)
{
	const char *type = http_header(request, "Content-Type");
	return type != NULL && strncasecmp(type, "text/csv", 8) == 0;
}

static void write_errors(struct buf *out, const struct feedback *list, const enum experiment_result *results)
{
	size_t told = 0;
	for (size_t i = 0; i < list->count && told < ERRORS_MAX; i++) {
		if (results[i] == EXPERIMENT_RESULT_ACCEPTED || results[i] == EXPERIMENT_RESULT_DUPLICATE)
			continue;
		buf_format(out, "%s{\"outcome\":%zu,\"result\":\"%s\",\"error\":\"%s\"}", told++ > 0 ? "," : "", i + 1,
			   experiment_result_name(results[i]), experiment_result_sentence(results[i]));
	}
}

static void write_answer(struct buf *out, const char *model, const struct feedback *list,
			 const enum experiment_result *results, const struct feedback_answer *answer)
{
	buf_add_string(out, "{\"model\":");
	v2_write_string(out, model);
	buf_add_string(out, ",\"experiment\":");
	v2_write_string(out, answer->experiment);
	buf_format(out, ",\"outcomes\":%zu", list->count);
	for (size_t i = 0; i < EXPERIMENT_RESULT_COUNT; i++)
		buf_format(out, ",\"%s\":%llu", experiment_result_name((enum experiment_result)i),
			   (unsigned long long)answer->counts[i]);
	buf_add_string(out, ",\"errors\":[");
	write_errors(out, list, results);
	buf_add_string(out, "]}");
}

static int take(struct task *t, struct feedback *list, struct http_response *response, struct err *e)
{
	const struct http_request *request = t->request;
	struct feedback_answer answer;
	int result = is_csv(request) ? feedback_read_csv(request->body, request->body_size, list, e)
				     : feedback_read_json(request->body, request->body_size, list, e);
	if (result != 0)
		return -1;
	enum experiment_result *results = calloc(list->count, sizeof *results);
	if (results == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for outcomes");
	result = experiments_feedback(t->server->experiments, t->model, list, results, &answer, e);
	if (result == 0) {
		data_plane_json(response);
		write_answer(&response->body, t->model, list, results, &answer);
	}
	free(results);
	return result;
}

static void run(void *context)
{
	struct task *t = context;
	struct http_response response = {.status = 200};
	struct feedback list = {0};
	struct err e;

	buf_init(&response.body);
	if (atomic_load(&t->server->cutting))
		err_set(&e, ERR_UNREACHABLE, "the server ended before the outcomes were taken in");
	if (atomic_load(&t->server->cutting) || take(t, &list, &response, &e) != 0)
		data_plane_refuse(&response, &e);
	feedback_release(&list);
	http_resume(t->ticket, &response);
	free(t);
}

static int submit(struct server *s, const struct http_request *request, const char *model, struct err *e)
{
	bool known = routing_find(router_enter(s->router), model, e) != NULL;
	router_leave(s->router);
	if (!known)
		return -1;
	struct task *t = calloc(1, sizeof *t);
	if (t != NULL)
		t->ticket = http_suspend(request);
	if (t == NULL || t->ticket == NULL) {
		free(t);
		return err_set(e, ERR_MEMORY, "memory is out");
	}
	t->server = s;
	t->request = request;
	text_clean(t->model, sizeof t->model, model);
	if (workers_submit(s->feedback, run, t, e) != 0) {
		struct http_response response = {.status = 200};
		buf_init(&response.body);
		data_plane_refuse(&response, e);
		http_resume(t->ticket, &response);
		free(t);
	}
	return 0;
}

static void post_feedback(void *context, const struct http_request *request, const struct http_segments *segments,
			  struct http_response *response)
{
	struct err e;
	if (submit(context, request, segments->values[0], &e) != 0)
		data_plane_refuse(response, &e);
}

static const struct operation feedback_operation = {
    .tag = "Feedback",
    .request = OPERATION_BODIES({"application/json", "FeedbackRequest", EXAMPLE_NONE},
				{"text/csv", "FeedbackCsv", EXAMPLE_NONE}),
    .response = OPERATION_JSON("FeedbackAnswer"),
    .statuses = "404 429 500 507",
};

const struct data_route protocol_feedback[] = {
    {"POST", "/v2/models/{}/feedback", post_feedback, "outcomes for an A/B test", &feedback_operation},
    {NULL, NULL, NULL, NULL, NULL},
};
