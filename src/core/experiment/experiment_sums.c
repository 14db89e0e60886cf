#include "core/experiment/experiment_sums.h"

#include "core/json.h"

#include <math.h>
#include <string.h>

#define COUNT_MAX (INT64_C(1) << 40)
#define WIDE_DIGITS 48 /* of 2^127, with sign and NUL */

static void update(struct experiment_sums *s, int64_t x, int64_t y, int sign)
{
	s->count += (uint64_t)(int64_t)sign;
	s->not_zero += (uint64_t)(int64_t)(y != 0 ? sign : 0);
	s->x += sign * (experiment_wide)x;
	s->y += sign * (experiment_wide)y;
	s->xx += sign * (experiment_wide)x * x;
	s->yy += sign * (experiment_wide)y * y;
	s->xy += sign * (experiment_wide)x * y;
}

void experiment_sums_add(struct experiment_sums *s, int64_t x, int64_t y)
{
	update(s, x, y, 1);
}

void experiment_sums_remove(struct experiment_sums *s, int64_t x, int64_t y)
{
	update(s, x, y, -1);
}

void experiment_sums_merge(struct experiment_sums *into, const struct experiment_sums *from)
{
	into->count += from->count;
	into->not_zero += from->not_zero;
	into->x += from->x;
	into->y += from->y;
	into->xx += from->xx;
	into->yy += from->yy;
	into->xy += from->xy;
}

bool experiment_sums_equal(const struct experiment_sums *a, const struct experiment_sums *b)
{
	return a->count == b->count && a->not_zero == b->not_zero && a->x == b->x && a->y == b->y && a->xx == b->xx &&
	       a->yy == b->yy && a->xy == b->xy;
}

/* The whole number next to a mean. */
static experiment_wide middle(experiment_wide sum, uint64_t count)
{
	experiment_wide n = (experiment_wide)count, half = n / 2;
	return sum >= 0 ? (sum + half) / n : -((-sum + half) / n);
}

/* sum((x - a)(y - b)) of sums around 0: its parts may pass 2^127 where the whole does not, so they wrap around. */
static double around(experiment_wide xy, experiment_wide x, experiment_wide y, experiment_wide a, experiment_wide b,
		     uint64_t count)
{
	experiment_unsigned_wide sum = (experiment_unsigned_wide)xy;
	sum -= (experiment_unsigned_wide)a * (experiment_unsigned_wide)y;
	sum -= (experiment_unsigned_wide)b * (experiment_unsigned_wide)x;
	sum += (experiment_unsigned_wide)a * (experiment_unsigned_wide)b * count;
	return (double)(experiment_wide)sum;
}

struct stat_pairs experiment_sums_pairs(const struct experiment_sums *s, double scale_x, double scale_y)
{
	if (s->count == 0)
		return (struct stat_pairs){.c = 0};
	double n = (double)s->count;
	experiment_wide a = middle(s->x, s->count), b = middle(s->y, s->count);
	/* What is left of the means, at most 1/2: the correction by it takes at most half of a sum of squares. */
	double left_x = (double)(s->x - a * (experiment_wide)s->count) / n;
	double left_y = (double)(s->y - b * (experiment_wide)s->count) / n;
	struct stat_pairs p = {.c = around(s->xy, s->x, s->y, a, b, s->count) - n * left_x * left_y};
	p.x = (struct stat_moments){s->count, (double)a * scale_x, left_x * scale_x,
				    fmax(around(s->xx, s->x, s->x, a, a, s->count) - n * left_x * left_x, 0)};
	p.y = (struct stat_moments){s->count, (double)b * scale_y, left_y * scale_y,
				    fmax(around(s->yy, s->y, s->y, b, b, s->count) - n * left_y * left_y, 0)};
	p.x.m2 *= scale_x * scale_x;
	p.y.m2 *= scale_y * scale_y;
	p.c *= scale_x * scale_y;
	return p;
}

/* --- as JSON --- */

static bool add_wide(cJSON *json, const char *name, experiment_wide value)
{
	char text[WIDE_DIGITS];
	size_t at = sizeof text - 1;
	experiment_unsigned_wide rest = (experiment_unsigned_wide)(value < 0 ? -value : value);
	text[at] = '\0';
	do
		text[--at] = (char)('0' + (int)(rest % 10));
	while ((rest /= 10) > 0);
	if (value < 0)
		text[--at] = '-';
	return json_add_text(json, name, text + at);
}

/* Within 2^126 and as add_wide() writes it, so that a text has one reading and a number one text. */
static int read_wide(const cJSON *json, const char *name, experiment_wide *value, struct err *e)
{
	const char *text = json_text(json, name, e);
	if (text == NULL)
		return -1;
	const char *digit = text[0] == '-' ? text + 1 : text;
	size_t length = strlen(digit);
	bool whole = length > 0 && length <= 37 && strspn(digit, "0123456789") == length &&
		     (digit[0] != '0' || strcmp(text, "0") == 0);
	if (!whole)
		return err_set(e, ERR_INPUT, "field `%s` must be a whole number of at most 37 digits, got \"%.40s\"",
			       name, text);
	*value = 0;
	for (; *digit != '\0'; digit++)
		*value = *value * 10 + (*digit - '0');
	if (text[0] == '-')
		*value = -*value;
	return 0;
}

cJSON *experiment_sums_to_json(const struct experiment_sums *s)
{
	cJSON *json = cJSON_CreateObject();
	bool done = json != NULL && json_add_number(json, "count", (double)s->count) &&
		    json_add_number(json, "not_zero", (double)s->not_zero) && add_wide(json, "x", s->x) &&
		    add_wide(json, "y", s->y) && add_wide(json, "xx", s->xx) && add_wide(json, "yy", s->yy) &&
		    add_wide(json, "xy", s->xy);
	return json_whole(json, done);
}

static bool within(experiment_wide value, uint64_t count, experiment_wide each)
{
	experiment_wide most = each * (experiment_wide)count;
	return value >= -most && value <= most;
}

/* What any pairs within the limits fulfil. */
static bool is_possible(const struct experiment_sums *s)
{
	experiment_wide step = EXPERIMENT_STEPS_MAX, square = step * step;
	experiment_wide others = (experiment_wide)s->not_zero;
	return s->not_zero <= s->count && within(s->x, s->count, step) && within(s->y, s->not_zero, step) &&
	       within(s->xx, s->count, square) && within(s->yy, s->not_zero, square) &&
	       within(s->xy, s->not_zero, square) && s->xx >= 0 && s->yy >= others && s->xx >= s->x && s->xx >= -s->x &&
	       s->yy >= s->y && s->yy >= -s->y && 2 * s->xy <= s->xx + s->yy && -2 * s->xy <= s->xx + s->yy;
}

int experiment_sums_from_json(const cJSON *json, struct experiment_sums *s, struct err *e)
{
	struct experiment_sums read = {0};
	int64_t count, not_zero;
	if (json_integer(json, "count", 0, COUNT_MAX, &count, e) != 0 ||
	    json_integer(json, "not_zero", 0, COUNT_MAX, &not_zero, e) != 0 || read_wide(json, "x", &read.x, e) != 0 ||
	    read_wide(json, "y", &read.y, e) != 0 || read_wide(json, "xx", &read.xx, e) != 0 ||
	    read_wide(json, "yy", &read.yy, e) != 0 || read_wide(json, "xy", &read.xy, e) != 0)
		return -1;
	read.count = (uint64_t)count;
	read.not_zero = (uint64_t)not_zero;
	if (!is_possible(&read))
		return err_set(e, ERR_INPUT, "no %lld values have these sums", (long long)count);
	*s = read;
	return 0;
}
