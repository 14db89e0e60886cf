#include "core/experiment/experiment_state.h"

#include "core/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A value is at most 2^40 steps, and so is the sum of a unit's 2^10 requests. */
#define VALUE_BITS 40
#define REQUEST_BITS 30

struct experiment_state *experiment_state_new(const struct experiment *x)
{
	struct experiment_state *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->arm_count = x->arm_count;
	s->metric_count = x->metric_count;
	for (size_t arm = 0; arm < x->arm_count; arm++)
		for (size_t i = 0; i < x->metric_count; i++) {
			if (x->metrics[i].kind != EXPERIMENT_LATENCY)
				continue;
			s->latencies[arm][i] = calloc(HISTOGRAM_BUCKETS, sizeof *s->latencies[arm][i]);
			if (s->latencies[arm][i] == NULL) {
				experiment_state_free(s);
				return NULL;
			}
		}
	return s;
}

void experiment_state_free(struct experiment_state *s)
{
	if (s == NULL)
		return;
	for (size_t arm = 0; arm < s->arm_count; arm++)
		for (size_t i = 0; i < s->metric_count; i++)
			free(s->latencies[arm][i]);
	free(s);
}

/* --- values as whole numbers --- */

/* The power of two with which the greatest value makes 2^(bits - 1) to 2^bits steps. */
static double step_of(double low, double high, int bits)
{
	int exponent;
	frexp(fmax(fabs(low), fabs(high)), &exponent);
	return ldexp(1, exponent - bits);
}

double experiment_scale(const struct experiment_metric *m)
{
	if (experiment_kind_has_events(m->kind))
		return 1;
	return step_of(m->low, m->high, experiment_kind_is_ratio(m->kind) ? REQUEST_BITS : VALUE_BITS);
}

double experiment_covariate_scale(const struct experiment *x)
{
	return x->covariate == EXPERIMENT_COVARIATE_NONE ? 1 : step_of(x->covariate_low, x->covariate_high, VALUE_BITS);
}

/* Within its bounds, to the nearest step. Dividing by a power of two is exact. */
static int64_t steps(double value, double low, double high, double scale)
{
	return llrint(fmin(fmax(value, low), high) / scale);
}

static int64_t covariate_steps(const struct experiment *x, double covariate)
{
	if (x->covariate == EXPERIMENT_COVARIATE_NONE)
		return 0;
	if (isnan(covariate))
		covariate = x->covariate_low / 2 + x->covariate_high / 2;
	return steps(covariate, x->covariate_low, x->covariate_high, experiment_covariate_scale(x));
}

/* --- contributions --- */

static bool is_share(double value)
{
	return value >= 0 && value <= 1;
}

static double loss(enum experiment_kind kind, double outcome, double prediction)
{
	double difference = prediction - outcome;
	if (kind == EXPERIMENT_ABSOLUTE)
		return fabs(difference);
	if (kind != EXPERIMENT_LOG_LOSS)
		return difference * difference;
	double p = fmin(fmax(prediction, EXPERIMENT_PREDICTION_LEAST), 1 - EXPERIMENT_PREDICTION_LEAST);
	/* An outcome between 0 and 1 is a share: the cross entropy. */
	return -(outcome > 0 ? outcome * log(p) : 0) - (outcome < 1 ? (1 - outcome) * log1p(-p) : 0);
}

static int check_observation(const struct experiment_metric *m, const struct experiment_observation *o, struct err *e)
{
	double value = o->value;
	if (!isfinite(value) || (experiment_kind_is_loss(m->kind) && !isfinite(o->prediction)))
		return err_set(e, ERR_INPUT, "metric `%s` takes finite numbers only", m->name);
	if ((m->kind == EXPERIMENT_BINARY || m->kind == EXPERIMENT_ERROR_RATE) && value != 0 && value != 1)
		return err_set(e, ERR_INPUT, "metric `%s` takes 0 or 1, got %g", m->name, value);
	if ((m->kind == EXPERIMENT_LOG_LOSS || m->kind == EXPERIMENT_BRIER) &&
	    (!is_share(value) || !is_share(o->prediction)))
		return err_set(e, ERR_INPUT, "metric `%s` takes an outcome and a prediction from 0 to 1, got %g and %g",
			       m->name, value, o->prediction);
	if (m->kind == EXPERIMENT_COUNT && (value < 0 || value != floor(value)))
		return err_set(e, ERR_INPUT, "metric `%s` takes whole numbers from 0, got %g", m->name, value);
	if (m->kind == EXPERIMENT_LATENCY && value < 0)
		return err_set(e, ERR_INPUT, "metric `%s` takes nanoseconds from 0, got %g", m->name, value);
	return 0;
}

static void add_request(const struct experiment_metric *m, double value, struct experiment_contribution *c)
{
	if (c->x >= EXPERIMENT_UNIT_REQUESTS_MAX)
		return;
	c->is_present = true;
	c->x++;
	if (m->kind == EXPERIMENT_LATENCY)
		c->y += value > (double)m->threshold_ns;
	else
		c->y += steps(value, m->low, m->high, experiment_scale(m));
}

int experiment_contribute(const struct experiment *x, size_t metric, const struct experiment_observation *o,
			  struct experiment_contribution *c, struct err *e)
{
	const struct experiment_metric *m = &x->metrics[metric];
	if (check_observation(m, o, e) != 0)
		return -1;
	if (experiment_kind_is_ratio(m->kind)) {
		add_request(m, o->value, c);
		return 0;
	}
	double value = o->value;
	if (experiment_kind_is_loss(m->kind))
		value = loss(m->kind, value, o->prediction);
	else if (m->kind == EXPERIMENT_COUNT && c->is_present)
		value += (double)c->y;
	c->y = steps(value, m->low, m->high, experiment_scale(m));
	/* Of a unit whose value is set again, the covariate stays what it was. */
	if (!c->is_present)
		c->x = covariate_steps(x, o->covariate);
	c->is_present = true;
	return 0;
}

void experiment_expose(struct experiment_state *s, const struct experiment *x, size_t arm, double covariate,
		       struct experiment_contribution *contributions)
{
	s->exposed[arm]++;
	for (size_t i = 0; i < x->metric_count; i++) {
		contributions[i] = (struct experiment_contribution){.is_present = false};
		if (!x->metrics[i].missing_is_zero)
			continue;
		contributions[i] = (struct experiment_contribution){true, covariate_steps(x, covariate), 0};
		experiment_state_replace(s, arm, i, NULL, &contributions[i]);
	}
}

/* --- the state --- */

void experiment_state_replace(struct experiment_state *s, size_t arm, size_t metric,
			      const struct experiment_contribution *old, const struct experiment_contribution *now)
{
	struct experiment_sums *sums = &s->sums[arm][metric];
	if (old != NULL && old->is_present)
		experiment_sums_remove(sums, old->x, old->y);
	if (now != NULL && now->is_present)
		experiment_sums_add(sums, now->x, now->y);
}

void experiment_state_latency(struct experiment_state *s, size_t arm, size_t metric, uint64_t latency_ns)
{
	s->latencies[arm][metric][histogram_bucket(latency_ns)]++;
}

void experiment_state_merge(struct experiment_state *into, const struct experiment_state *from)
{
	into->faults |= from->faults;
	for (size_t arm = 0; arm < into->arm_count; arm++) {
		into->exposed[arm] += from->exposed[arm];
		for (size_t i = 0; i < into->metric_count; i++) {
			experiment_sums_merge(&into->sums[arm][i], &from->sums[arm][i]);
			for (size_t b = 0; into->latencies[arm][i] != NULL && b < HISTOGRAM_BUCKETS; b++)
				into->latencies[arm][i][b] += from->latencies[arm][i][b];
		}
	}
}

static bool latencies_equal(const uint64_t *a, const uint64_t *b)
{
	return a == NULL || b == NULL ? a == b : memcmp(a, b, HISTOGRAM_BUCKETS * sizeof *a) == 0;
}

bool experiment_state_equal(const struct experiment_state *a, const struct experiment_state *b)
{
	if (a->arm_count != b->arm_count || a->metric_count != b->metric_count || a->faults != b->faults)
		return false;
	for (size_t arm = 0; arm < a->arm_count; arm++) {
		if (a->exposed[arm] != b->exposed[arm])
			return false;
		for (size_t i = 0; i < a->metric_count; i++)
			if (!experiment_sums_equal(&a->sums[arm][i], &b->sums[arm][i]) ||
			    !latencies_equal(a->latencies[arm][i], b->latencies[arm][i]))
				return false;
	}
	return true;
}
