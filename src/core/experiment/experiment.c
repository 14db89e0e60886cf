/* experiment: the words of a plan, what makes a test of it, and who is in which arm. */
#include "core/experiment/experiment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	bool events, ratio, loss;
} kinds[] = {
#define X(name, text, events, ratio, loss) {text, events, ratio, loss},
    EXPERIMENT_KINDS(X)
#undef X
};

const char *experiment_kind_name(enum experiment_kind kind)
{
	return kinds[kind].text;
}

bool experiment_kind_has_events(enum experiment_kind kind)
{
	return kinds[kind].events;
}

bool experiment_kind_is_ratio(enum experiment_kind kind)
{
	return kinds[kind].ratio;
}

bool experiment_kind_is_loss(enum experiment_kind kind)
{
	return kinds[kind].loss;
}

bool experiment_kind_is_outcome(enum experiment_kind kind)
{
	return !kinds[kind].ratio;
}

#define X(name, text) text,
const char *experiment_role_name(enum experiment_role role)
{
	static const char *const names[] = {EXPERIMENT_ROLES(X)};
	return names[role];
}

const char *experiment_direction_name(enum experiment_direction direction)
{
	static const char *const names[] = {EXPERIMENT_DIRECTIONS(X)};
	return names[direction];
}
#undef X

void experiment_init(struct experiment *x)
{
	/* Whole, so that two equal plans are equal bytes. */
	memset(x, 0, sizeof *x);
	x->alpha = 0.05;
	x->minimum_events = 100;
	x->window_s = 3600;
}

void experiment_bounds(enum experiment_kind kind, double *low, double *high)
{
	*low = 0;
	*high = 1;
	if (kind == EXPERIMENT_COUNT)
		*high = EXPERIMENT_COUNT_MAX;
	else if (kind == EXPERIMENT_LOG_LOSS)
		*high = -log(EXPERIMENT_PREDICTION_LEAST);
	else if (kind == EXPERIMENT_ABSOLUTE || kind == EXPERIMENT_SQUARED)
		*high = NAN;
	else if (kind == EXPERIMENT_CONTINUOUS || kind == EXPERIMENT_PREDICTION)
		*low = *high = NAN;
}

/* --- what makes a test --- */

static int check_names(const struct experiment *x, struct err *e)
{
	const char *const names[] = {x->model, x->name, x->salt};
	static const char *const fields[] = {"model", "name", "salt"};
	for (size_t i = 0; i < 3; i++)
		if (!text_name_valid(names[i]))
			return err_set(
			    e, ERR_INPUT,
			    "field `%s` must be 1 to %d of a-z, 0-9, dot, dash and underscore, and begin with "
			    "a letter or digit, got \"%.64s\"",
			    fields[i], TEXT_NAME_MAX, names[i]);
	return 0;
}

static int check_arms(const struct experiment *x, struct err *e)
{
	uint32_t sum_bp = 0;
	if (x->arm_count < 2 || x->arm_count > EXPERIMENT_ARMS_MAX)
		return err_set(e, ERR_INPUT, "a test has 2 to %d arms, got %zu", EXPERIMENT_ARMS_MAX, x->arm_count);
	for (size_t i = 0; i < x->arm_count; i++) {
		if (x->arms[i].version == 0)
			return err_set(e, ERR_INPUT, "arm %zu needs a version", i + 1);
		if (x->arms[i].share_bp == 0 || x->arms[i].share_bp > ROUTE_BUCKETS)
			return err_set(e, ERR_INPUT, "the share of arm %zu must be from 0.01%% to 100%%", i + 1);
		sum_bp += x->arms[i].share_bp;
		for (size_t k = 0; k < i; k++)
			if ((x->arms[k].version == x->arms[i].version) != (x->mode == EXPERIMENT_AA))
				return err_set(e, ERR_INPUT,
					       x->mode == EXPERIMENT_AA
						   ? "all arms of an A/A test must be the same version, got %u and %u"
						   : "versions %u and %u are the same: that is a test of mode `aa`",
					       x->arms[k].version, x->arms[i].version);
	}
	if (sum_bp > ROUTE_BUCKETS)
		return err_set(e, ERR_INPUT, "the shares of the arms sum to %g%%, more than 100%%", sum_bp / 100.0);
	return 0;
}

static bool is_bound(double value)
{
	return fabs(value) <= EXPERIMENT_BOUND_MAX;
}

static int check_latency(const struct experiment_metric *m, struct err *e)
{
	if (!(m->quantile > 0 && m->quantile < 1))
		return err_set(e, ERR_INPUT, "metric `%s` needs a quantile between 0 and 1, such as 0.99", m->name);
	if (m->threshold_ns == 0)
		return err_set(
		    e, ERR_INPUT,
		    "metric `%s` needs `threshold_ns`: that quantile of the control's latency before the start",
		    m->name);
	return 0;
}

static int check_bounds(const struct experiment_metric *m, struct err *e)
{
	double low, high;
	experiment_bounds(m->kind, &low, &high);
	bool is_share =
	    m->kind == EXPERIMENT_BINARY || m->kind == EXPERIMENT_LATENCY || m->kind == EXPERIMENT_ERROR_RATE;
	if (!(m->low < m->high) || !is_bound(m->low) || !is_bound(m->high))
		return err_set(
		    e, ERR_INPUT,
		    "metric `%s` needs `low` and `high`, low less than high, both within %g: values beyond count "
		    "as these",
		    m->name, EXPERIMENT_BOUND_MAX);
	if (is_share && (m->low != low || m->high != high))
		return err_set(e, ERR_INPUT, "metric `%s` is of kind %s, which takes no `low` and `high`", m->name,
			       experiment_kind_name(m->kind));
	if (m->kind == EXPERIMENT_COUNT && (m->low != 0 || m->high != floor(m->high) || m->high > EXPERIMENT_COUNT_MAX))
		return err_set(e, ERR_INPUT, "metric `%s` is a count: `low` is 0 and `high` a whole number up to %d",
			       m->name, EXPERIMENT_COUNT_MAX);
	return 0;
}

static int check_metric(const struct experiment_metric *m, struct err *e)
{
	if (!text_name_valid(m->name))
		return err_set(e, ERR_INPUT,
			       "a metric needs a name of a-z, 0-9, dot, dash and underscore, got \"%.64s\"", m->name);
	if (!(m->margin >= 0) || !is_bound(m->margin))
		return err_set(e, ERR_INPUT, "the margin of metric `%s` must be 0 or more, and finite", m->name);
	if (check_bounds(m, e) != 0)
		return -1;
	if (m->missing_is_zero &&
	    !(m->kind == EXPERIMENT_BINARY || m->kind == EXPERIMENT_COUNT || m->kind == EXPERIMENT_CONTINUOUS))
		return err_set(e, ERR_INPUT,
			       "metric `%s` is of kind %s, of which a missing outcome cannot count as zero", m->name,
			       experiment_kind_name(m->kind));
	if (m->missing_is_zero && (m->low > 0 || m->high < 0))
		return err_set(e, ERR_INPUT, "metric `%s` counts missing outcomes as 0, which is not from %g to %g",
			       m->name, m->low, m->high);
	if (m->kind != EXPERIMENT_LATENCY && (m->quantile != 0 || m->threshold_ns != 0))
		return err_set(e, ERR_INPUT, "metric `%s` is of kind %s, which takes no quantile and threshold",
			       m->name, experiment_kind_name(m->kind));
	return m->kind == EXPERIMENT_LATENCY ? check_latency(m, e) : 0;
}

static int check_metrics(const struct experiment *x, struct err *e)
{
	bool has_primary = false;
	if (x->metric_count == 0 || x->metric_count > EXPERIMENT_METRICS_MAX)
		return err_set(e, ERR_INPUT, "a test has 1 to %d metrics, got %zu", EXPERIMENT_METRICS_MAX,
			       x->metric_count);
	for (size_t i = 0; i < x->metric_count; i++) {
		if (check_metric(&x->metrics[i], e) != 0)
			return -1;
		has_primary = has_primary || x->metrics[i].role == EXPERIMENT_PRIMARY;
		for (size_t k = 0; k < i; k++)
			if (strcmp(x->metrics[k].name, x->metrics[i].name) == 0)
				return err_set(e, ERR_INPUT, "two metrics are named `%s`", x->metrics[i].name);
	}
	return has_primary ? 0 : err_set(e, ERR_INPUT, "one metric at least must be primary: what the test is for");
}

static bool is_duration(int64_t duration_s)
{
	return duration_s >= 0 && duration_s <= EXPERIMENT_DURATION_MAX_S;
}

static int check_rules(const struct experiment *x, struct err *e)
{
	if (!(x->alpha >= 1e-6 && x->alpha <= 0.5))
		return err_set(e, ERR_INPUT, "alpha must be from 0.000001 to 0.5, got %g", x->alpha);
	if (x->planned_size < 2 * x->arm_count || x->planned_size > EXPERIMENT_SIZE_MAX)
		return err_set(e, ERR_INPUT, "the planned size must be from %zu units, two an arm, to 2^40",
			       2 * x->arm_count);
	if (x->minimum_events > EXPERIMENT_SIZE_MAX)
		return err_set(e, ERR_INPUT, "the minimum of events must be 2^40 at most");
	if (!is_duration(x->minimum_duration_s) || !is_duration(x->maximum_duration_s) || !is_duration(x->window_s))
		return err_set(e, ERR_INPUT, "durations must be from 0 to 366 days");
	if (x->maximum_duration_s > 0 && x->maximum_duration_s < x->minimum_duration_s)
		return err_set(e, ERR_INPUT, "the maximum duration, %lld s, is less than the minimum, %lld s",
			       (long long)x->maximum_duration_s, (long long)x->minimum_duration_s);
	if (x->covariate != EXPERIMENT_COVARIATE_NONE &&
	    (!(x->covariate_low < x->covariate_high) || !is_bound(x->covariate_low) || !is_bound(x->covariate_high)))
		return err_set(
		    e, ERR_INPUT,
		    "a covariate needs `covariate_low` and `covariate_high`, low less than high, both within %g",
		    EXPERIMENT_BOUND_MAX);
	return 0;
}

int experiment_check(const struct experiment *x, struct err *e)
{
	if (check_names(x, e) != 0 || check_arms(x, e) != 0 || check_metrics(x, e) != 0)
		return -1;
	return check_rules(x, e);
}

/* --- who is where --- */

int experiment_arm_of(const struct experiment *x, const void *unit, size_t unit_size)
{
	uint32_t bucket = route_bucket(x->salt, unit, unit_size), end = 0;
	for (size_t i = 0; i < x->arm_count; i++) {
		end += x->arms[i].share_bp;
		if (bucket < end)
			return (int)i;
	}
	return -1;
}

double experiment_share(const struct experiment *x, size_t arm)
{
	uint32_t sum_bp = 0;
	for (size_t i = 0; i < x->arm_count; i++)
		sum_bp += x->arms[i].share_bp;
	return (double)x->arms[arm].share_bp / sum_bp;
}

char *experiment_canonical(const struct experiment *x)
{
	cJSON *json = experiment_to_json(x);
	char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
	cJSON_Delete(json);
	return text;
}

int experiment_digest(const struct experiment *x, char sha256[DIGEST_SIZE], struct err *e)
{
	char *text = experiment_canonical(x);
	if (text == NULL)
		return err_set(e, ERR_MEMORY, "out of memory for the plan of a test");
	int result = digest_of(text, strlen(text), sha256, e);
	free(text);
	return result;
}
