#include "core/experiment/experiment_kept.h"

#include <math.h>
#include <string.h>

/* --- records --- */

static void replace(struct experiment_kept *kept, struct experiment_state *s, size_t metric,
		    const struct experiment_contribution *now)
{
	experiment_state_replace(s, kept->arm, metric, &kept->contributions[metric], now);
	kept->contributions[metric] = *now;
}

void experiment_kept_begin(struct experiment_kept *kept, const struct experiment *x, struct experiment_state *s,
			   const struct experiment_exposure *exposure)
{
	bool has_covariate = x->covariate != EXPERIMENT_COVARIATE_NONE && isfinite(exposure->covariate);
	*kept = (struct experiment_kept){
	    .arm = exposure->arm,
	    .first_ms = exposure->at_ms,
	    .prediction = NAN,
	    .covariate = has_covariate ? exposure->covariate : NAN,
	};
	for (size_t i = 0; i < EXPERIMENT_METRICS_MAX; i++)
		kept->told_ms[i] = EXPERIMENT_UNTOLD;
	experiment_expose(s, x, kept->arm, kept->covariate, kept->contributions);
}

/* What a request says of a metric; NaN: nothing. */
static double said(enum experiment_kind kind, const struct experiment_exposure *exposure)
{
	if (kind == EXPERIMENT_LATENCY)
		return (double)exposure->latency_ns;
	if (kind == EXPERIMENT_ERROR_RATE)
		return exposure->is_error;
	return kind == EXPERIMENT_PREDICTION && isfinite(exposure->prediction) ? exposure->prediction : NAN;
}

static void request_metric(struct experiment_kept *kept, const struct experiment *x, struct experiment_state *s,
			   const struct experiment_exposure *exposure, size_t metric)
{
	const struct experiment_observation o = {.value = said(x->metrics[metric].kind, exposure), .covariate = NAN};
	struct experiment_contribution now = kept->contributions[metric];
	struct err unused;
	if (isnan(o.value) || experiment_contribute(x, metric, &o, &now, &unused) != 0 ||
	    now.x == kept->contributions[metric].x)
		return;
	replace(kept, s, metric, &now);
	if (x->metrics[metric].kind == EXPERIMENT_LATENCY)
		experiment_state_latency(s, kept->arm, metric, exposure->latency_ns);
}

void experiment_kept_request(struct experiment_kept *kept, const struct experiment *x, struct experiment_state *s,
			     const struct experiment_exposure *exposure)
{
	if (isnan(kept->prediction) && isfinite(exposure->prediction))
		kept->prediction = exposure->prediction;
	for (size_t i = 0; i < x->metric_count; i++)
		if (!experiment_kind_is_outcome(x->metrics[i].kind))
			request_metric(kept, x, s, exposure, i);
}

int64_t experiment_kept_expires(const struct experiment *x, int64_t first_ms)
{
	return first_ms + x->window_s * 1000 + EXPERIMENT_ARRIVAL_MS;
}

enum experiment_result experiment_kept_in_time(const struct experiment *x, int64_t first_ms, int64_t at_ms,
					       int64_t now_ms)
{
	if (at_ms < first_ms - EXPERIMENT_SKEW_MS)
		return EXPERIMENT_RESULT_BEFORE_EXPOSURE;
	if (at_ms > first_ms + x->window_s * 1000 || now_ms > experiment_kept_expires(x, first_ms))
		return EXPERIMENT_RESULT_LATE;
	return EXPERIMENT_RESULT_ACCEPTED;
}

/* Whether a loss of this kind can be of the prediction. */
static bool is_prediction(enum experiment_kind kind, double prediction)
{
	if (kind == EXPERIMENT_LOG_LOSS || kind == EXPERIMENT_BRIER)
		return prediction >= 0 && prediction <= 1;
	return isfinite(prediction);
}

enum experiment_result experiment_kept_outcome(struct experiment_kept *kept, const struct experiment *x,
					       struct experiment_state *s, size_t metric, double value,
					       double prediction, int64_t at_ms)
{
	enum experiment_kind kind = x->metrics[metric].kind;
	const struct experiment_observation o = {value, prediction, kept->covariate};
	struct experiment_contribution now = kept->contributions[metric];
	int64_t *told_ms = &kept->told_ms[metric];
	struct err unused;
	if (experiment_kind_is_loss(kind) && !is_prediction(kind, prediction))
		return EXPERIMENT_RESULT_NO_PREDICTION;
	if (experiment_contribute(x, metric, &o, &now, &unused) != 0)
		return EXPERIMENT_RESULT_BAD_VALUE;
	bool counts = kind == EXPERIMENT_COUNT || at_ms > *told_ms ||
		      (at_ms == *told_ms && now.y > kept->contributions[metric].y);
	if (counts) {
		replace(kept, s, metric, &now);
		*told_ms = kind == EXPERIMENT_COUNT ? EXPERIMENT_UNTOLD : at_ms;
	}
	return EXPERIMENT_RESULT_ACCEPTED;
}

/* --- as bytes: numbers of seven bits a byte, the least first, the sign in the lowest bit --- */

#define HAS_PREDICTION 1
#define HAS_COVARIATE 2
#define NUMBER_BYTES 8

static size_t put(unsigned char *bytes, uint64_t number)
{
	size_t size = 0;
	for (; number > 0x7f; number >>= 7)
		bytes[size++] = (unsigned char)(0x80 | (number & 0x7f));
	bytes[size++] = (unsigned char)number;
	return size;
}

static size_t put_signed(unsigned char *bytes, int64_t number)
{
	return put(bytes, (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0));
}

/* Bits of a double, as they are. */
static size_t put_double(unsigned char *bytes, double number)
{
	memcpy(bytes, &number, NUMBER_BYTES);
	return NUMBER_BYTES;
}

size_t experiment_kept_write(const struct experiment_kept *kept, const struct experiment *x, unsigned char *bytes)
{
	size_t size = 1;
	uint64_t present = 0;
	bytes[0] = (unsigned char)((isnan(kept->prediction) ? 0 : HAS_PREDICTION) |
				   (isnan(kept->covariate) ? 0 : HAS_COVARIATE));
	if (bytes[0] & HAS_PREDICTION)
		size += put_double(bytes + size, kept->prediction);
	if (bytes[0] & HAS_COVARIATE)
		size += put_double(bytes + size, kept->covariate);
	for (size_t i = 0; i < x->metric_count; i++)
		present |= (uint64_t)kept->contributions[i].is_present << i;
	size += put(bytes + size, present);
	for (size_t i = 0; i < x->metric_count; i++) {
		if (!kept->contributions[i].is_present)
			continue;
		size += put_signed(bytes + size, kept->contributions[i].x);
		size += put_signed(bytes + size, kept->contributions[i].y);
		bool is_told = kept->told_ms[i] != EXPERIMENT_UNTOLD;
		bytes[size++] = is_told;
		if (is_told)
			size += put_signed(bytes + size, kept->told_ms[i] - kept->first_ms);
	}
	return size;
}

struct reader {
	const unsigned char *bytes;
	size_t left;
	bool failed;
};

static uint64_t take(struct reader *r)
{
	uint64_t number = 0;
	for (unsigned shift = 0; shift < 63 && r->left > 0; shift += 7) {
		unsigned char byte = *r->bytes++;
		r->left--;
		number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte <= 0x7f)
			return number;
	}
	r->failed = true;
	return 0;
}

static int64_t take_signed(struct reader *r)
{
	uint64_t number = take(r);
	return (int64_t)(number >> 1 ^ ((number & 1) != 0 ? UINT64_MAX : 0));
}

static double take_double(struct reader *r)
{
	double number = NAN;
	if (r->left < NUMBER_BYTES) {
		r->failed = true;
		return number;
	}
	memcpy(&number, r->bytes, NUMBER_BYTES);
	r->bytes += NUMBER_BYTES;
	r->left -= NUMBER_BYTES;
	r->failed = r->failed || !isfinite(number);
	return number;
}

static void take_metric(struct reader *r, struct experiment_kept *kept, size_t metric)
{
	struct experiment_contribution *c = &kept->contributions[metric];
	*c = (struct experiment_contribution){.is_present = true};
	c->x = take_signed(r);
	c->y = take_signed(r);
	uint64_t is_told = take(r);
	if (is_told == 1)
		kept->told_ms[metric] = kept->first_ms + take_signed(r);
	r->failed = r->failed || is_told > 1 || c->x > EXPERIMENT_STEPS_MAX || c->x < -EXPERIMENT_STEPS_MAX ||
		    c->y > EXPERIMENT_STEPS_MAX || c->y < -EXPERIMENT_STEPS_MAX;
}

int experiment_kept_read(struct experiment_kept *kept, const struct experiment *x, const unsigned char *bytes,
			 size_t size, struct err *e)
{
	struct reader r = {bytes, size, false};
	uint64_t flags = take(&r);
	kept->prediction = flags & HAS_PREDICTION ? take_double(&r) : NAN;
	kept->covariate = flags & HAS_COVARIATE ? take_double(&r) : NAN;
	uint64_t present = take(&r);
	for (size_t i = 0; i < EXPERIMENT_METRICS_MAX; i++) {
		kept->contributions[i] = (struct experiment_contribution){.is_present = false};
		kept->told_ms[i] = EXPERIMENT_UNTOLD;
	}
	for (size_t i = 0; i < x->metric_count && !r.failed; i++)
		if (present >> i & 1)
			take_metric(&r, kept, i);
	if (r.failed || r.left > 0 || flags > (HAS_PREDICTION | HAS_COVARIATE) || present >> x->metric_count != 0 ||
	    kept->arm >= x->arm_count)
		return err_set(e, ERR_INPUT, "what is kept of a unit does not belong to the plan");
	return 0;
}
