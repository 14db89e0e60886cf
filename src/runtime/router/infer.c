#include "runtime/router/infer.h"

#include "core/clock.h"
#include "core/number.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a request is taken to cost beside its body: a GET has none. */
#define BASE_BYTES 256
/* Bodies up to this are read on the data plane's thread before a remote server is asked. */
#define READ_HERE_MAX ((size_t)64 << 10)

/* One prediction on its way. Answered in place it lives on the stack and uses its thread's arena; what is answered
 * later is on the heap, with an arena of its own, and has pinned its version. Shadows are pinned in both. */
struct run {
	struct server *server;
	const struct infer_protocol *protocol;
	const struct http_request *request;
	struct http_ticket *ticket; /* NULL: in place */
	struct arena *arena;
	void *state;
	char model[TEXT_NAME_MAX + 1];
	struct infer_version version;
	struct served_version *served;
	bool counted;                         /* as traffic */
	struct shadow_targets *shadows;       /* NULL: none gets a copy */
	struct capture *capture;              /* NULL: its rows are not kept; of what is answered later held */
	struct tap *tap;                      /* NULL: its unit is in no A/B test; of what is answered later held */
	struct experiment_exposure *exposure; /* with a tap: what is noted of it */
	struct inference inference;
	uint64_t start_ns;  /* of the request */
	uint64_t marked_ns; /* where its last part ended */
	struct telemetry_sample sample;
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

/* The version that a path names, else `fallback`; NULL with the reason when there is none, or it is not loaded. */
static struct served_version *find_version(const struct served_model *m, const char *version,
					   struct served_version *fallback, struct err *e)
{
	struct served_version *v = fallback;

	if (version[0] != '\0')
		v = served_model_version(m, version, e);
	else if (v == NULL)
		err_set(e, ERR_UNREACHABLE, "%s has no live version", m->name);
	if (v != NULL && v->engine == NULL) {
		struct err why;
		served_version_state(v, &why);
		err_set(e, ERR_UNREACHABLE, "v%u of %s is not ready: %s", v->version, m->name, why.text);
		return NULL;
	}
	if (v != NULL && version[0] != '\0')
		served_version_asked(v);
	return v;
}

struct served_version *infer_find(const struct routing *routing, const char *model, const char *version,
				  const struct served_model **found, struct err *e)
{
	const struct served_model *m = *found = routing_find(routing, model, e);
	return m == NULL ? NULL : find_version(m, version, served_model_find(m, route_live(&m->route)), e);
}

const struct columns *infer_columns(const struct infer_version *version, struct err *e)
{
	struct columns *made;

	if (version->columns != NULL)
		return version->columns;
	made = columns_new(version->manifest, version->model, e);
	if (made != NULL) {
		columns_free(made);
		err_set(e, ERR_MEMORY, "memory ran out for the columns of %s when it was loaded", version->model);
	}
	return NULL;
}

void infer_say_version(const struct infer_version *version, struct http_response *response)
{
	char number[NUMBER_SIZE + 1];
	number[number_write_unsigned(number, version->version)] = '\0';
	http_add_header(response, "Mldeck-Version", number);
}

static int choose_unit(const struct infer_protocol *protocol, const struct http_request *request,
		       const struct served_model *m, char unit[INFER_UNIT_SIZE], size_t *unit_size, struct err *e)
{
	const char *header = http_header(request, "Mldeck-Unit");

	*unit_size = 0;
	unit[0] = '\0';
	if (header != NULL) {
		/* Cut, two units could become one. */
		*unit_size = strlen(header);
		if (*unit_size >= INFER_UNIT_SIZE)
			return err_set(e, ERR_INPUT, "the header Mldeck-Unit is longer than %d bytes",
				       INFER_UNIT_SIZE - 1);
		memcpy(unit, header, *unit_size + 1);
	} else if (protocol->unit != NULL) {
		protocol->unit(request, m, unit, unit_size);
	}
	return 0;
}

/* Rows of a prediction: the first dimension of its first input. */
static uint64_t row_count(const struct inference *inference)
{
	const struct tensor *first = inference->manifest->input_count > 0 ? &inference->inputs[0] : NULL;
	return first == NULL || first->rank == 0 ? 1 : (uint64_t)first->shape[0];
}

static int begin(struct run *run, struct err *e)
{
	if (run->arena == NULL || inference_begin(&run->inference, run->version.manifest, run->arena, e) != 0)
		return err_set(e, ERR_MEMORY, "memory is out while answering");
	run->state = arena_take(run->arena, run->protocol->state_size);
	if (run->state == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while answering");
	memset(run->state, 0, run->protocol->state_size);
	return 0;
}

/* The nanoseconds since the last mark, which is now here. */
static uint64_t lap_ns(struct run *run)
{
	uint64_t now_ns = clock_ns(), took_ns = now_ns - run->marked_ns;
	run->marked_ns = now_ns;
	return took_ns;
}

/* Reads the request, and asks for what is counted too. */
static int read_request(struct run *run, struct err *e)
{
	const struct prediction_kind *kind = &run->served->kind;
	if (begin(run, e) != 0 || run->protocol->read(run->state, run->request, &run->version, &run->inference, e) != 0)
		return -1;
	if (kind->output != PREDICTION_NONE)
		inference_want(&run->inference, kind->output);
	run->sample.input_ns = lap_ns(run);
	return 0;
}

/* Where a model's other server is, is for operators (who read it in the console), not for whoever asks. */
static void hide_url(const char *url, const struct err *e, struct err *shown)
{
	static const char name[] = "the model's server";
	const char *at = url == NULL ? NULL : strstr(e->text, url);

	*shown = *e;
	if (at != NULL)
		err_set(shown, e->code, "%.*s%s%s", (int)(at - e->text), e->text, name,
			at + strlen(url) + strcspn(at + strlen(url), " :,"));
}

/* --- A/B tests --- */

/* Notes that the unit was served by its arm. */
static void expose(struct run *run, uint64_t latency_ns)
{
	run->exposure->at_ms = clock_unix_coarse_ms();
	run->exposure->latency_ns = latency_ns;
	tap_offer(run->tap, run->exposure);
}

static void expose_error(struct run *run, uint64_t latency_ns)
{
	run->exposure->is_error = true;
	expose(run, latency_ns);
}

/* The request's own id, for outcomes that come by it. */
static void expose_id(struct run *run)
{
	const char *id = http_header(run->request, "Mldeck-Request");

	if (id == NULL && run->protocol->id != NULL)
		id = run->protocol->id(run->state);
	if (id != NULL && id[0] != '\0')
		tap_name(run->tap, id, run->exposure);
}

static void expose_answer(struct run *run, const double *values, size_t count)
{
	/* Of several rows none is the one that an outcome is of. */
	if (count == 1)
		run->exposure->prediction = values[0];
	expose_id(run);
	expose(run, run->sample.latency_ns);
}

/* A number of the unit from before the test, which whoever asks knows. */
static double covariate_of(const struct http_request *request)
{
	const char *header = http_header(request, "Mldeck-Covariate");
	struct number n;
	size_t size = header == NULL ? 0 : strlen(header);

	return size > 0 && number_read(header, header + size, &n) == size ? number_double(&n) : NAN;
}

/* Whether the unit is in the model's test; room is for the record. */
static void join(struct run *run, const struct served_model *m, const char *unit, size_t unit_size,
		 struct experiment_exposure *room)
{
	if (!run->counted || unit_size == 0 || !tap_begin(m->tap, unit, unit_size, room))
		return;
	run->tap = m->tap;
	run->exposure = room;
	if (tap_plan(m->tap)->covariate == EXPERIMENT_COVARIATE_GIVEN)
		room->covariate = covariate_of(run->request);
}

static void refuse(struct run *run, struct http_response *response, const struct err *e)
{
	struct err shown;

	hide_url(run->version.engine->start != NULL ? run->version.manifest->file_name : NULL, e, &shown);
	data_plane_refuse(response, &shown);
	if (!run->counted)
		return;
	uint64_t took_ns = clock_ns() - run->start_ns;
	telemetry_record_error(run->served->telemetry, e->code, took_ns);
	/* What the caller did wrong says nothing of the arm. */
	if (run->tap != NULL && !telemetry_blames_caller(e->code))
		expose_error(run, took_ns);
}

static void offer(struct run *run, const double *values, size_t count)
{
	const struct shadow_offer offered = {&run->inference, &run->served->kind,   values,
					     count,           run->sample.infer_ns, run->marked_ns};
	shadows_offer(run->server->shadows, run->shadows, &offered);
}

/* After the answer was made: a sample of the rows that were asked. */
static void capture(struct run *run)
{
	const struct inference *inference = &run->inference;
	const struct capture_request request = {run->version.version, inference->manifest->input_count,
						inference->inputs, clock_unix_coarse_ms()};
	capture_offer(run->capture, &request);
}

static void finish(struct run *run, struct http_response *response, int result, const struct err *e)
{
	struct served_version *v = run->served;
	size_t count = 0;

	if (result != 0) {
		refuse(run, response, e);
		if (run->shadows != NULL)
			shadows_release(run->shadows);
		return;
	}
	run->sample.infer_ns = lap_ns(run);
	run->protocol->write(run->state, &run->version, &run->inference, response);
	response->compressible = true;
	run->sample.output_ns = lap_ns(run);
	if (!run->counted)
		return;
	const double *values = prediction_values(&v->kind, &run->inference, &count);
	run->sample.rows = row_count(&run->inference);
	run->sample.latency_ns = run->marked_ns - run->start_ns;
	telemetry_record_ok(v->telemetry, &run->sample, values, count);
	if (run->shadows != NULL)
		offer(run, values, count);
	if (run->capture != NULL)
		capture(run);
	if (run->tap != NULL)
		expose_answer(run, values, count);
}

/* --- what a version's requests cost, so that a slow one never holds a data plane thread --- */

/* Nanoseconds that this request will take, by those before it. */
static float expected_ns(struct served_version *v, size_t body_size)
{
	return atomic_load_explicit(&v->ns_per_byte, memory_order_relaxed) * (float)(body_size + BASE_BYTES);
}

/* Falls fast and rises slowly: a thread that was set aside by the system for once is no slow model. Threads may
 * overwrite each other's step; none of them matters. */
static void learn_cost(struct served_version *v, size_t body_size, uint64_t took_ns)
{
	float now = (float)took_ns / (float)(body_size + BASE_BYTES);
	float old = atomic_load_explicit(&v->ns_per_byte, memory_order_relaxed);

	if (isinf(old) || now < old)
		now = isinf(old) ? now : old + (now - old) / 2;
	else
		now = old + (now - old) / 16;
	atomic_store_explicit(&v->ns_per_byte, now, memory_order_relaxed);
}

/* --- answering later --- */

static void answer_later(struct run *run, int result, const struct err *e)
{
	struct http_response response = {.status = 200};

	buf_init(&response.body);
	finish(run, &response, result, e);
	http_resume(run->ticket, &response);
	served_version_unpin(run->served);
	capture_release(run->capture);
	tap_release(run->tap);
	free(run->exposure);
	arena_release(run->arena);
	free(run->arena);
	free(run->shadows);
	free(run);
}

static void started_done(void *context, int result, const struct err *e)
{
	answer_later(context, result, e);
}

/* On a worker, or on the request's own thread for an engine that answers later by itself. */
static void run_later(void *context)
{
	struct run *run = context;
	const struct engine *engine = run->version.engine;
	void *model = run->served->model;
	struct err e;
	size_t body_size = run->request->body_size;
	const struct engine_call call = {started_done, run};
	uint64_t begun_ns;

	run->sample.queue_ns = lap_ns(run);
	begun_ns = run->marked_ns;
	int result = atomic_load(&run->server->cutting)
			 ? err_set(&e, ERR_UNREACHABLE, "the server ended before the prediction began")
			 : read_request(run, &e);
	if (result == 0 && engine->start != NULL) {
		engine->start(model, &run->inference, &call);
		return;
	}
	if (result == 0)
		result = engine->predict(model, &run->inference, &e);
	if (result == 0)
		learn_cost(run->served, body_size, clock_ns() - begun_ns);
	answer_later(run, result, &e);
}

/* The run on the heap, suspended, its version pinned; NULL when memory is out, said in response. */
static struct run *make_later(const struct run *run, struct http_response *response)
{
	struct run *later = malloc(sizeof *later);
	struct arena *arena = calloc(1, sizeof *arena);
	struct shadow_targets *shadows = run->shadows == NULL ? NULL : malloc(sizeof *shadows);
	struct experiment_exposure *exposure = run->exposure == NULL ? NULL : malloc(sizeof *exposure);
	bool complete = later != NULL && arena != NULL && (shadows == NULL) == (run->shadows == NULL) &&
			(exposure == NULL) == (run->exposure == NULL);
	struct http_ticket *ticket = complete ? http_suspend(run->request) : NULL;
	struct err e;

	if (ticket == NULL) {
		err_set(&e, ERR_MEMORY, "memory is out while answering");
		data_plane_refuse(response, &e);
		if (run->shadows != NULL)
			shadows_release(run->shadows);
		free(shadows);
		free(exposure);
		free(arena);
		free(later);
		return NULL;
	}
	*later = *run;
	if (shadows != NULL)
		*shadows = *run->shadows;
	later->shadows = shadows;
	if (exposure != NULL)
		*exposure = *run->exposure;
	later->exposure = exposure;
	later->arena = arena;
	later->ticket = ticket;
	memcpy(later->model, run->version.model, strlen(run->version.model) + 1);
	later->version.model = later->model;
	served_version_pin(run->served);
	capture_hold(later->capture);
	tap_hold(later->tap);
	return later;
}

static void defer(struct server *s, const struct run *run, struct http_response *response)
{
	struct run *later = make_later(run, response);
	struct err e;

	if (later == NULL)
		return;
	if (run->version.engine->start != NULL && run->request->body_size <= READ_HERE_MAX)
		run_later(later);
	else if (workers_submit(s->workers, run_later, later, &e) != 0)
		answer_later(later, -1, &e);
}

/* --- answering in place --- */

static void answer_here(struct run *run, struct http_response *response)
{
	const struct engine *engine = run->version.engine;
	struct err e;

	run->arena = my_arena();
	int result = read_request(run, &e);
	if (result == 0)
		result = engine_predict(engine, run->served->model, &run->inference, &e);
	if (result == 0)
		learn_cost(run->served, run->request->body_size, clock_ns() - run->start_ns);
	finish(run, response, result, &e);
}

/* Waits outside of the routing, which it leaves. */
static void answer_own(struct server *s, struct run *run, struct http_response *response)
{
	served_version_pin(run->served);
	memcpy(run->model, run->version.model, strlen(run->version.model) + 1);
	run->version.model = run->model;
	router_leave(s->router);
	answer_here(run, response);
	served_version_unpin(run->served);
}

/* Which shadows get what the live version is asked; room is for it. */
static void aim(struct run *run, const struct served_model *m, const char *unit, size_t unit_size,
		struct shadow_targets *room)
{
	uint32_t live = route_live(&m->route);
	uint32_t draw =
	    run->counted && run->version.version == live ? served_model_draw(m, unit, unit_size) : ROUTE_BUCKETS;

	if (draw < ROUTE_BUCKETS && shadows_aim(m, live, draw, room))
		run->shadows = room;
}

/* Whether a caller asks not to be sampled, as load generators do. */
static bool declines_capture(const struct http_request *request)
{
	const char *header = http_header(request, "Mldeck-Capture");
	return header != NULL && strcasecmp(header, "no") == 0;
}

/* Places on the stack for what few requests need. */
struct room {
	struct shadow_targets shadows;
	struct experiment_exposure exposure;
};

/* Chooses the version, and the shadows; they are the caller's until router_leave(). */
static int choose(const struct routing *routing, const char *model, const char *version, struct run *run,
		  struct room *room, struct err *e)
{
	const struct served_model *m = routing_find(routing, model, e);
	char unit[INFER_UNIT_SIZE] = "";
	size_t unit_size = 0;

	if (m == NULL)
		return -1;
	bool routed = version[0] == '\0' && (m->route.entry_count > 1 || m->tap != NULL);
	if (routed && choose_unit(run->protocol, run->request, m, unit, &unit_size, e) != 0)
		return -1;
	struct served_version *picked = version[0] == '\0' ? served_model_pick(m, unit, unit_size) : NULL;
	struct served_version *v = find_version(m, version, picked, e);
	if (v == NULL) {
		/* The route gave it this request. */
		if (picked != NULL && run->counted)
			telemetry_record_error(picked->telemetry, e->code, clock_ns() - run->start_ns);
		return -1;
	}
	run->served = v;
	run->version = (struct infer_version){m->name, v->version, v->engine, &v->manifest, v->columns, &v->kind};
	if (routed)
		aim(run, m, unit, unit_size, &room->shadows);
	if (routed && m->tap != NULL)
		join(run, m, unit, unit_size, &room->exposure);
	if (m->capture != NULL && version[0] == '\0' && run->counted && !declines_capture(run->request))
		run->capture = m->capture;
	return 0;
}

void infer_handle(struct server *s, const struct infer_protocol *protocol, const struct http_request *request,
		  const char *model, const char *version, struct http_response *response)
{
	/* An operator's own comes on a thread of its own, which may wait, and is no traffic. */
	bool traffic = request->peer_uid == UINT32_MAX;
	/* Spreadsheets ask with HEAD before they GET: that is one prediction. */
	bool counted = traffic && strcmp(request->method, "HEAD") != 0;
	struct room room;
	struct run run = {.server = s, .protocol = protocol, .request = request, .counted = counted};
	struct err e;

	run.start_ns = run.marked_ns = clock_ns();
	if (choose(router_enter(s->router), model, version, &run, &room, &e) != 0) {
		router_leave(s->router);
		data_plane_refuse(response, &e);
		return;
	}
	if (!traffic) {
		answer_own(s, &run, response);
		return;
	}
	if (run.version.engine->start != NULL ||
	    expected_ns(run.served, request->body_size) > (float)s->config.workers.inline_us * 1000)
		defer(s, &run, response);
	else
		answer_here(&run, response);
	router_leave(s->router);
}
