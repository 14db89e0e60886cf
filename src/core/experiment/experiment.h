/*
 * experiment: the plan of an A/B test: who is compared, on what, by what rule, written down before it starts.
 *
 * A plain value of fixed size; any thread. A plan does not change while its test runs: its canonical text and the
 * SHA-256 of it are what is preregistered. docs/EXPERIMENTS.md says what every field means and why.
 *
 * Units (users, or requests where there is no unit) are shared out by a hash of salt and unit alone: they stick to
 * their arm, arms are disjoint, and two tests with different salts are independent.
 * Not here: what was seen (experiment_state), verdicts (experiment_judge), sizes (experiment_size), storage.
 */
#ifndef CORE_EXPERIMENT_EXPERIMENT_H
#define CORE_EXPERIMENT_EXPERIMENT_H

#include "core/digest.h"
#include "core/err.h"
#include "core/route.h"
#include "core/text.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPERIMENT_ARMS_MAX 8
#define EXPERIMENT_METRICS_MAX 16
#define EXPERIMENT_NAME_SIZE (TEXT_NAME_MAX + 1)
#define EXPERIMENT_SIZE_MAX (INT64_C(1) << 40)           /* units */
#define EXPERIMENT_DURATION_MAX_S (INT64_C(366) * 86400) /* also of the window for outcomes */
#define EXPERIMENT_COUNT_MAX 1000000                     /* events of one unit */
#define EXPERIMENT_BOUND_MAX 1e15                        /* |low|, |high|, of values */
#define EXPERIMENT_UNIT_REQUESTS_MAX 1024                /* further requests of one unit do not count */
#define EXPERIMENT_PREDICTION_LEAST 1e-15                /* of log loss: nearer to 0 or 1 counts as this */

/* What is taken of a unit. `events`: 0 or more happenings, which may be rare. `ratio`: a sum over the unit's requests
 * by their number (its variance is by unit), else one value a unit. `loss`: of the prediction against the outcome. */
#define EXPERIMENT_KINDS(X)                               \
	/* name, text, events, ratio, loss */             \
	X(BINARY, "binary", true, false, false)           \
	X(COUNT, "count", true, false, false)             \
	X(CONTINUOUS, "continuous", false, false, false)  \
	X(LOG_LOSS, "log_loss", false, false, true)       \
	X(BRIER, "brier", false, false, true)             \
	X(ABSOLUTE, "absolute_error", false, false, true) \
	X(SQUARED, "squared_error", false, false, true)   \
	X(LATENCY, "latency", true, true, false)          \
	X(ERROR_RATE, "error_rate", true, true, false)    \
	X(PREDICTION, "prediction_mean", false, true, false)

enum experiment_kind {
#define X(name, text, events, ratio, loss) EXPERIMENT_##name,
	EXPERIMENT_KINDS(X)
#undef X
	    EXPERIMENT_KIND_COUNT
};

/* Primary: what the test is for. Guardrail: what must not become worse. Other: to be known. */
#define EXPERIMENT_ROLES(X) X(PRIMARY, "primary") X(GUARDRAIL, "guardrail") X(OTHER, "other")
/* SAME: any difference is for the worse. */
#define EXPERIMENT_DIRECTIONS(X) X(HIGHER, "higher") X(LOWER, "lower") X(SAME, "same")
/* ANYTIME: looked at whenever. FIXED: primaries and others are judged once, at the planned size. */
#define EXPERIMENT_FORMS(X) X(ANYTIME, "anytime") X(FIXED, "fixed")
/* AA: the same version on all arms, to try the assignment and the outcomes: a difference is a fault. */
#define EXPERIMENT_MODES(X) X(AB, "ab") X(AA, "aa")
/* A covariate of the unit from before its exposure, or the other version's prediction for the same request. */
#define EXPERIMENT_COVARIATES(X) X(NONE, "none") X(GIVEN, "given") X(SHADOW, "shadow")

#define X(name, text) EXPERIMENT_##name,
enum experiment_role { EXPERIMENT_ROLES(X) EXPERIMENT_ROLE_COUNT };
enum experiment_direction { EXPERIMENT_DIRECTIONS(X) EXPERIMENT_DIRECTION_COUNT };
enum experiment_form { EXPERIMENT_FORMS(X) EXPERIMENT_FORM_COUNT };
enum experiment_mode { EXPERIMENT_MODES(X) EXPERIMENT_MODE_COUNT };
#undef X
#define X(name, text) EXPERIMENT_COVARIATE_##name,
enum experiment_covariate { EXPERIMENT_COVARIATES(X) EXPERIMENT_COVARIATE_COUNT };
#undef X

struct experiment_metric {
	char name[EXPERIMENT_NAME_SIZE];
	enum experiment_kind kind;
	enum experiment_role role;
	enum experiment_direction direction;
	double margin;         /* in the metric's unit: differences within it do not matter; 0: none is known */
	double low, high;      /* values beyond count as these (winsorized); fixed beforehand, not learnt */
	bool missing_is_zero;  /* a unit without an outcome counts as 0, else not at all */
	double quantile;       /* of latency: which one of the old version threshold_ns was before the start */
	uint64_t threshold_ns; /* a request is slow beyond it */
};

struct experiment_arm {
	uint32_t version;
	uint32_t share_bp; /* of all units; what is left of 10,000 is not in the test */
};

struct experiment {
	char model[EXPERIMENT_NAME_SIZE], name[EXPERIMENT_NAME_SIZE], salt[EXPERIMENT_NAME_SIZE];
	enum experiment_mode mode;
	enum experiment_form form;
	size_t arm_count; /* the first is the control, which the others are compared with */
	struct experiment_arm arms[EXPERIMENT_ARMS_MAX];
	size_t metric_count;
	struct experiment_metric metrics[EXPERIMENT_METRICS_MAX];
	double alpha;          /* for all primaries and guardrails together; again for all others */
	uint64_t planned_size; /* units of all arms */
	uint64_t minimum_events;
	int64_t minimum_duration_s, maximum_duration_s; /* 0: none */
	int64_t window_s;                               /* outcomes later than this after the exposure do not count */
	enum experiment_covariate covariate;
	double covariate_low, covariate_high;
};

/* An empty plan with the defaults: alpha 0.05, anytime, an hour's window, 100 events. */
void experiment_init(struct experiment *x);
/* Whether it makes a test: everything that reading checks, for a plan made by hand. One sentence a mistake. */
int experiment_check(const struct experiment *x, struct err *e);

const char *experiment_kind_name(enum experiment_kind kind);
const char *experiment_role_name(enum experiment_role role);
const char *experiment_direction_name(enum experiment_direction direction);
bool experiment_kind_has_events(enum experiment_kind kind);
bool experiment_kind_is_ratio(enum experiment_kind kind);
bool experiment_kind_is_loss(enum experiment_kind kind);
/* Whether a metric is of outcomes, which come later, and not of the requests themselves. */
bool experiment_kind_is_outcome(enum experiment_kind kind);

/* The bounds of a kind's values: 0 and 1 of shares, what a loss can be; NaN where a plan must say them. */
void experiment_bounds(enum experiment_kind kind, double *low, double *high);
/* The arm of a unit, or -1 when it is not in the test. */
int experiment_arm_of(const struct experiment *x, const void *unit, size_t unit_size);
/* The share of an arm among all arms: sums to 1. */
double experiment_share(const struct experiment *x, size_t arm);

/* The plan as JSON with every field, in a fixed order; NULL when memory is out. */
cJSON *experiment_to_json(const struct experiment *x);
/* Fields that are absent have their defaults; an unknown one is ERR_INPUT, as is all that makes no test. x is left as
 * it was then. */
int experiment_from_json(const cJSON *json, struct experiment *x, struct err *e);
/* The text that is hashed: the JSON without blanks; free(). NULL when memory is out. */
char *experiment_canonical(const struct experiment *x);
int experiment_digest(const struct experiment *x, char sha256[DIGEST_SIZE], struct err *e);

#endif
