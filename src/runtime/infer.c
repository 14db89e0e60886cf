#include "runtime/infer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One prediction on its way. */
struct run {
	const struct infer_protocol *protocol;
	const struct http_request *request;
	void *state;
	struct infer_version version;
	struct served_version *served;
	struct inference inference;
	uint64_t start_ns;
};

static _Thread_local struct arena *mine;
static pthread_key_t thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void arena_end(void *arena)
{
	arena_release(arena);
	free(arena);
}

static void make_key(void)
{
	pthread_key_create(&thread_end, arena_end);
}

/* This thread's memory, emptied; freed when the thread ends. NULL when memory is out. */
static struct arena *my_arena(void)
{
	if (mine == NULL) {
		pthread_once(&once, make_key);
		mine = calloc(1, sizeof *mine);
		pthread_setspecific(thread_end, mine);
	} else {
		arena_reset(mine);
	}
	return mine;
}

static uint64_t clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct served_version *infer_find(const struct routing *routing, const char *model, const char *version,
				  const char *unit, size_t unit_size, const struct served_model **found,
				  struct err *e)
{
	const struct served_model *m = routing_find(routing, model);
	struct served_version *v;
	long long number = 0;

	*found = m;
	if (m == NULL) {
		err_set(e, ERR_NOT_FOUND, "there is no model `%s`", model);
		return NULL;
	}
	if (version[0] == '\0') {
		v = served_model_pick(m, unit, unit_size);
		if (v == NULL)
			err_set(e, ERR_UNREACHABLE, "%s has no live version", model);
	} else {
		bool valid = text_integer(version, 1, VERSIONS_MAX, &number);
		v = valid ? served_model_find(m, (uint32_t)number) : NULL;
		if (v == NULL)
			err_set(e, ERR_NOT_FOUND, "%s has no version `%s`; it has 1 to %zu", model, version,
				m->version_count);
	}
	if (v != NULL && v->engine == NULL) {
		err_set(e, ERR_UNREACHABLE, "v%u of %s is not ready: %s", v->version, model, v->note);
		return NULL;
	}
	return v;
}

static void choose_unit(const struct infer_protocol *protocol, const struct http_request *request,
			char unit[INFER_UNIT_SIZE], size_t *unit_size)
{
	const char *header = http_header(request, "Mldeck-Unit");

	*unit_size = 0;
	unit[0] = '\0';
	if (header != NULL) {
		*unit_size = strnlen(header, INFER_UNIT_SIZE - 1);
		memcpy(unit, header, *unit_size);
		unit[*unit_size] = '\0';
	} else if (protocol->unit != NULL) {
		protocol->unit(request, unit, unit_size);
	}
}

static int begin(struct run *run, struct err *e)
{
	struct arena *arena = my_arena();
	if (arena == NULL || inference_begin(&run->inference, run->version.manifest, arena, e) != 0)
		return err_set(e, ERR_MEMORY, "memory is out while answering");
	run->state = arena_take(arena, run->protocol->state_size);
	if (run->state == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while answering");
	memset(run->state, 0, run->protocol->state_size);
	return 0;
}

/* Reads the request, and asks for what is counted too. */
static int read_request(struct run *run, struct err *e)
{
	const struct prediction_kind *kind = &run->served->kind;
	if (begin(run, e) != 0 || run->protocol->read(run->state, run->request, &run->version,
						      &run->inference, e) != 0)
		return -1;
	if (kind->output != PREDICTION_NONE)
		inference_want(&run->inference, kind->output);
	return 0;
}

static void finish(struct run *run, struct http_response *response, int result, const struct err *e)
{
	bool traffic = run->request->peer_uid == UINT32_MAX;
	size_t count = 0;

	if (result != 0) {
		data_plane_refuse(response, e);
		if (traffic)
			telemetry_record_error(run->served->telemetry);
		return;
	}
	run->protocol->write(run->state, &run->version, &run->inference, response);
	const double *values = prediction_values(&run->served->kind, &run->inference, &count);
	if (traffic)
		telemetry_record_ok(run->served->telemetry, clock_ns() - run->start_ns, values, count);
}

void infer_handle(struct server *s, const struct infer_protocol *protocol,
		  const struct http_request *request, const char *model, const char *version,
		  struct http_response *response)
{
	struct run run = {.protocol = protocol, .request = request, .start_ns = clock_ns()};
	const struct routing *routing = router_enter(s->router);
	const struct served_model *m = routing_find(routing, model);
	char unit[INFER_UNIT_SIZE] = "";
	size_t unit_size = 0;
	struct err e;

	if (m != NULL && version[0] == '\0' && m->route.entry_count > 1)
		choose_unit(protocol, request, unit, &unit_size);
	run.served = infer_find(routing, model, version, unit, unit_size, &m, &e);
	if (run.served == NULL) {
		data_plane_refuse(response, &e);
	} else {
		struct served_version *v = run.served;
		run.version = (struct infer_version){m->name, v->version, v->engine, &v->manifest};
		int result = read_request(&run, &e);
		if (result == 0)
			result = v->engine->predict(v->model, &run.inference, &e);
		finish(&run, response, result, &e);
	}
	router_leave(s->router);
}
