/*
 * shadows: copies of answered requests, sent to the shadow versions of their model and compared.
 *
 * Owner: the server, from shadows_new() to shadows_free(). A copy is made after the live version has answered, on
 * whatever thread that was, which waits for nothing: no lock, and in steady traffic no memory from the system. Threads
 * of their own, nice'd, ask the shadow. Neither answer nor failure of a shadow leaves the comparison.
 * Limits: [shadows] queue copies that wait and bytes of memory for copies; a copy that finds no room, that waited
 * longer than `timeout`, or whose shadow left the route is dropped and counted. Not here: the arithmetic (core/shadow),
 * the counts (telemetry/comparison), when a comparison begins (router_shadow).
 */
#ifndef RUNTIME_SHADOWS_H
#define RUNTIME_SHADOWS_H

#include "core/config.h"
#include "runtime/router/router.h"

struct shadows;

/* The shadows that one request is to be copied to. */
struct shadow_targets {
	size_t count;
	struct {
		struct served_version *version; /* pinned */
		struct comparison *comparison;  /* held */
	} targets[ROUTE_ENTRIES_MAX];
};

/* What was asked and answered. All is copied. */
struct shadow_offer {
	const struct inference *inference;
	const struct prediction_kind *kind; /* of the live version */
	const double *values;               /* prediction_values() [count] */
	size_t count;
	uint64_t infer_ns; /* in the live version's engine */
	uint64_t now_ns;   /* clock_ns() */
};

int shadows_new(const struct config_shadows *config, struct shadows **result, struct err *e);
/* From now on everything is dropped, and what waits too. Whether all threads have ended, waiting at most so long for
 * it: nobody can end a prediction that does not end itself. */
bool shadows_stop(struct shadows *s, int timeout_ms);
/* After shadows_stop() said true. NULL is fine. */
void shadows_free(struct shadows *s);

/* Which shadows of m get the request of this draw (served_model_draw()) that its version `live` answers; false when
 * none does. What it gives is to be offered or released. Between router_enter() and router_leave(). */
bool shadows_aim(const struct served_model *m, uint32_t live, uint32_t draw, struct shadow_targets *targets);
/* Copies it to all targets, which it releases. */
void shadows_offer(struct shadows *s, struct shadow_targets *targets, const struct shadow_offer *offer);
/* The request was not answered: there is nothing to copy. */
void shadows_release(struct shadow_targets *targets);

/* For people. */
size_t shadows_waiting(struct shadows *s);
size_t shadows_bytes(struct shadows *s);

#endif
