/*
 * warm_up: asks a version its sample rows before it gets traffic: that it answers, and that it answers fast.
 *
 * A loaded version is asked row by row, then all rows at once, several times, so that its pages, caches and
 * connections are there when the first request comes. Every answer must have the shapes of the signature, and a finite
 * number where the version had one when it was deployed. Any thread that may wait; never one of the data plane.
 * Limits: SAMPLE_ROWS_MAX rows; the times below, but that one row is always asked.
 * Not here: keeping the rows (core/registry/registry_samples), when a version is warmed up (router_*).
 */
#ifndef RUNTIME_WARM_UP_H
#define RUNTIME_WARM_UP_H

#include "core/registry/registry_samples.h"
#include "runtime/router/router.h"

/* Where the rows are from. Made-up ones (zeros, empty strings) are the weakest: a model may refuse them and still be
 * good, so only another failure than a refusal counts. */
enum warm_up_origin { WARM_UP_OWN, WARM_UP_BORROWED, WARM_UP_MADE_UP };

struct warm_up_rows {
	enum warm_up_origin origin;
	uint32_t lender; /* of borrowed ones: whose they are */
	struct sample_rows samples;
};

/* name, milliseconds, and how often all rows are asked */
#define WARM_UP_DEPTHS(X)   \
	X(DEPLOY, 10000, 5) \
	X(LOAD, 2000, 5)    \
	X(CHECK, 2, 1) /* of a version that is loaded and gets a share: it must not keep an operator waiting */

enum warm_up_depth {
#define X(name, limit_ms, passes) WARM_UP_##name,
	WARM_UP_DEPTHS(X)
#undef X
};

/* The live version's number when its inputs are the same as v's, so that v can be asked its rows; else 0. */
uint32_t warm_up_lender(const struct served_model *m, const struct served_version *v);
/* The rows of a version, else the lender's (0: nobody's), else made-up ones. sample_rows_release() them. */
int warm_up_find(struct registry *registry, const char *model, uint32_t version, uint32_t lender,
		 struct warm_up_rows *rows, struct err *e);
/* The header and first rows of a CSV text, as they are kept; free(). NULL when memory is out. */
char *warm_up_cut(const char *csv);

/* Asks v, which is loaded. A failure says which row and why. finite, when not NULL, gets a character a row of whether
 * it was answered with a finite number, for registry_set_samples(); '0' where time was over. */
int warm_up(const struct served_version *v, const char *model, const struct warm_up_rows *rows,
	    enum warm_up_depth depth, char finite[SAMPLE_ROWS_MAX + 1], struct err *e);

#endif
