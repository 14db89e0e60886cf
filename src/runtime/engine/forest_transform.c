/* forest_transform: raw scores to predictions, by each library's own formulas. */
#include "runtime/engine/forest_internal.h"

#include <math.h>

static float sigmoid_f32(float x)
{
	/* XGBoost, common/math.h: the bound keeps expf finite, the last term the quotient. */
	float denominator = expf(fminf(-x, 88.7f)) + 1.0f + 1e-16f;

	return 1.0f / denominator;
}

static void softmax_f32(const double *raw, double *output, size_t count)
{
	float high = (float)raw[0];
	double sum = 0;

	for (size_t i = 1; i < count; i++)
		high = fmaxf(high, (float)raw[i]);
	for (size_t i = 0; i < count; i++) {
		output[i] = expf((float)raw[i] - high);
		sum += output[i];
	}
	for (size_t i = 0; i < count; i++)
		output[i] = (float)output[i] / (float)sum;
}

static void softmax_f64(const double *raw, double *output, size_t count)
{
	double high = raw[0];
	double sum = 0;

	for (size_t i = 1; i < count; i++)
		high = fmax(high, raw[i]);
	for (size_t i = 0; i < count; i++) {
		output[i] = exp(raw[i] - high);
		sum += output[i];
	}
	for (size_t i = 0; i < count; i++)
		output[i] /= sum;
}

static double transform_one(const struct forest *f, double x)
{
	bool narrow = f->info.float32;

	switch (f->transform) {
	case TRANSFORM_SIGMOID:
		return narrow ? sigmoid_f32((float)x) : 1.0 / (1.0 + exp(-f->sigmoid * x));
	case TRANSFORM_EXP:
		return narrow ? expf((float)x) : exp(x);
	case TRANSFORM_LOG1P_EXP:
		return log1p(exp(x));
	case TRANSFORM_SIGNED_SQUARE:
		return copysign(x * x, x);
	case TRANSFORM_HINGE:
		return x > 0 ? 1 : 0;
	default:
		return x;
	}
}

void forest_transform(const struct forest *f, const double *raw, double *output)
{
	size_t count = f->info.raw_count;
	size_t best = 0;

	/* LightGBM's raw scores of a random forest are sums; only its predictions are averages. */
	for (size_t i = 0; f->average && i < count; i++)
		output[i] = raw[i] / (double)f->average;
	raw = f->average ? output : raw;
	switch (f->transform) {
	case TRANSFORM_SOFTMAX:
		(f->info.float32 ? softmax_f32 : softmax_f64)(raw, output, count);
		break;
	case TRANSFORM_ARGMAX:
		for (size_t i = 1; i < count; i++)
			if (raw[i] > raw[best])
				best = i;
		output[0] = (double)best;
		break;
	default:
		for (size_t i = 0; i < count; i++)
			output[i] = transform_one(f, raw[i]);
	}
}
