/* stat_rank, of pairs: Wilcoxon's signed ranks, and the shift with its interval. */
#include "core/stat/stat_rank.h"

#include "core/stat/stat_distribution.h"
#include "core/stat/stat_sample.h"

#include <math.h>
#include <stdlib.h>

/* Differences of one size, those of 0 left out; ranks are doubled, for the mean rank of an even number is a half. */
struct rank_group {
	size_t below, above; /* how many of either sign */
	uint64_t doubled_rank;
};

/* Walks through sorted differences from 0 outwards. */
struct rank_walk {
	const double *values;
	size_t count;
	size_t left;  /* the negative ones that are not taken yet: values[0 .. left - 1] */
	size_t right; /* the next positive one */
	uint64_t taken;
};

static struct rank_walk walk_start(const double *values, size_t count)
{
	struct rank_walk w = {.values = values, .count = count};
	while (w.left < count && values[w.left] < 0)
		w.left++;
	w.right = w.left;
	while (w.right < count && values[w.right] == 0)
		w.right++;
	return w;
}

static bool walk_next(struct rank_walk *w, struct rank_group *group)
{
	*group = (struct rank_group){0};
	if (w->left == 0 && w->right == w->count)
		return false;
	double left = w->left > 0 ? -w->values[w->left - 1] : INFINITY;
	double right = w->right < w->count ? w->values[w->right] : INFINITY;
	double size = left < right ? left : right;
	while (w->left > 0 && -w->values[w->left - 1] == size)
		w->left--, group->below++;
	while (w->right < w->count && w->values[w->right] == size)
		w->right++, group->above++;
	uint64_t members = group->below + group->above;
	group->doubled_rank = 2 * w->taken + members + 1;
	w->taken += members;
	return true;
}

/* One more rank: with probability 1/2 each it belongs to the sum or not. mass[s] = P(sum = s), s < size. */
static void add_rank(double *mass, size_t size, size_t rank)
{
	for (size_t s = size; s-- > 0;)
		mass[s] = (mass[s] + (s >= rank ? mass[s - rank] : 0)) / 2;
}

static double *masses(size_t size, size_t count, struct err *e)
{
	double *mass = calloc(size, sizeof *mass);
	if (mass == NULL)
		err_set(e, ERR_MEMORY, "no memory to rank %zu differences", count);
	else
		mass[0] = 1;
	return mass;
}

/* P(W <= w), doubled ranks. */
static int exact_lower(const double *values, size_t count, uint64_t w, double *p, struct err *e)
{
	struct rank_walk walk = walk_start(values, count);
	struct rank_group group;
	double *mass = masses(w + 1, count, e);
	if (mass == NULL)
		return -1;
	while (walk_next(&walk, &group))
		for (size_t i = 0; i < group.below + group.above; i++)
			add_rank(mass, w + 1, group.doubled_rank);
	*p = 0;
	for (size_t s = 0; s <= w; s++)
		*p += mass[s];
	free(mass);
	return 0;
}

static double asymptotic_p(double n, double ties, double least)
{
	double sd = sqrt(n * (n + 1) * (2 * n + 1) / 24 - ties / 48);
	double distance = n * (n + 1) / 4 - least - 0.5;
	return fmin(1, 2 * stat_normal_upper(distance / sd));
}

static int test(const double *values, size_t count, struct stat_wilcoxon *r, struct err *e)
{
	struct rank_walk walk = walk_start(values, count);
	struct rank_group group;
	uint64_t plus = 0, minus = 0;
	double ties = 0, p = 1;
	while (walk_next(&walk, &group)) {
		double members = (double)(group.below + group.above);
		plus += group.above * group.doubled_rank;
		minus += group.below * group.doubled_rank;
		ties += members * (members - 1) * (members + 1);
	}
	uint64_t least = plus < minus ? plus : minus;
	r->w_plus = (double)plus / 2;
	r->w_minus = (double)minus / 2;
	r->w_min = (double)least / 2;
	r->is_exact = walk.taken <= STAT_RANK_EXACT_VALUES;
	if (!r->is_exact)
		r->p = asymptotic_p((double)walk.taken, ties, r->w_min);
	else if (exact_lower(values, count, least, &p, e) != 0)
		return -1;
	else
		r->p = fmin(1, 2 * p);
	return 0;
}

/* How many of the sums of two, i <= j, are at most limit. */
static uint64_t count_sums(const double *values, size_t count, double limit)
{
	uint64_t sums = 0;
	size_t within = count;
	for (size_t i = 0; i < count; i++) {
		while (within > 0 && values[i] + values[within - 1] > limit)
			within--;
		if (within <= i)
			break;
		sums += within - i;
	}
	return sums;
}

/* The k-th least mean of two. */
static double walsh(const double *values, size_t count, uint64_t k)
{
	struct stat_bisection bisection = stat_bisection(2 * values[0], 2 * values[count - 1]);
	double middle;
	while (stat_bisection_next(&bisection, &middle))
		stat_bisection_take(&bisection, count_sums(values, count, middle) >= k);
	return middle / 2;
}

/* The least w with P(W <= w) >= alpha / 2, at least 1; ranks 1 .. count. */
static int tukey_rank(size_t count, double alpha, uint64_t *k, struct err *e)
{
	double n = (double)count;
	if (count > STAT_RANK_EXACT_VALUES) {
		double sd = sqrt(n * (n + 1) * (2 * n + 1) / 24);
		double rank = floor(n * (n + 1) / 4 + 0.5 - stat_normal_upper_quantile(alpha / 2) * sd);
		*k = rank > 1 ? (uint64_t)rank : 1;
		return 0;
	}
	size_t size = count * (count + 1) / 4 + 1;
	double *mass = masses(size, count, e), sum = 0;
	if (mass == NULL)
		return -1;
	for (size_t rank = 1; rank <= count; rank++)
		add_rank(mass, size, rank);
	for (*k = 0; *k < size && sum + mass[*k] < alpha / 2; ++*k)
		sum += mass[*k];
	if (*k == 0)
		*k = 1;
	free(mass);
	return 0;
}

int stat_wilcoxon(double *differences, size_t count, double alpha, struct stat_wilcoxon *r, struct err *e)
{
	if (count == 0 || !stat_sample_is_finite(differences, count))
		return err_set(e, ERR_INPUT, "a test of signed ranks needs differences, all of them finite");
	if (!(alpha > 0 && alpha < 1))
		return err_set(e, ERR_INPUT, "alpha must lie between 0 and 1, got %g", alpha);
	stat_sample_sort(differences, count);
	if (test(differences, count, r, e) != 0 || tukey_rank(count, alpha, &r->k, e) != 0)
		return -1;
	uint64_t means = (uint64_t)count * (count + 1) / 2;
	double middle = walsh(differences, count, (means + 1) / 2);
	r->shift = means % 2 == 1 ? middle : (middle + walsh(differences, count, means / 2 + 1)) / 2;
	r->interval.low = walsh(differences, count, r->k);
	r->interval.high = walsh(differences, count, means + 1 - r->k);
	return 0;
}
