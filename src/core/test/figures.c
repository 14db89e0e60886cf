#include "core/test/figures.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8
#define TENTH 0.1
#define HUNDREDTH 0.01
#define TIMES_FROM 4.0 /* from here on "x4.2" reads better than "+320%" */

struct rows {
	struct figure *list;
	size_t count, max;
};

/* What stands in a head, or is drawn otherwise. */
static bool is_left_out(const char *name)
{
	static const char *const names[] = {"kind",    "model",   "version",  "against", "passed",
					    "verdict", "summary", "findings", "plots",   "worst"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static void fill(struct figure *f, const char *name, const cJSON *item)
{
	char text[FIGURE_TEXT_SIZE] = "-";
	*f = (struct figure){.value = cJSON_IsNumber(item) ? item->valuedouble : (double)NAN};
	text_clean(f->name, sizeof f->name, name);
	if (cJSON_IsNumber(item))
		snprintf(text, sizeof text, "%.6g", item->valuedouble);
	else if (cJSON_IsBool(item))
		snprintf(text, sizeof text, "%s", cJSON_IsTrue(item) ? "yes" : "no");
	else if (cJSON_IsArray(item))
		snprintf(text, sizeof text, "%d listed", cJSON_GetArraySize(item));
	text_clean(f->text, sizeof f->text, cJSON_IsString(item) ? item->valuestring : text);
}

static void add(struct rows *rows, const char *prefix, const cJSON *object, int depth)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, object)
	{
		char name[2 * FIGURE_NAME_SIZE];
		if (item->string == NULL || (depth == 0 && is_left_out(item->string)))
			continue;
		snprintf(name, sizeof name, "%s%s%s", prefix, *prefix != '\0' ? "." : "", item->string);
		if (cJSON_IsObject(item) && depth < DEPTH_MAX)
			add(rows, name, item, depth + 1);
		else if (rows->count < rows->max)
			fill(&rows->list[rows->count++], name, item);
	}
}

size_t figures_of(const cJSON *report, struct figure *figures, size_t max)
{
	struct rows rows = {figures, 0, max};
	if (cJSON_IsObject(report))
		add(&rows, "", report, 0);
	return rows.count;
}

const struct figure *figures_find(const struct figure *figures, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(figures[i].name, name) == 0)
			return &figures[i];
	}
	return NULL;
}

/* --- trends --- */

/* direction: 1 where more is worse, -1 where less is, 0 where neither. least: smaller changes are none. */
static enum trend trend_of(double before, double now, int direction, double least)
{
	double change = now - before;
	if (!isfinite(before) || !isfinite(now))
		return TREND_NONE;
	if (fabs(change) <= fmax(TENTH * fabs(before), least))
		return TREND_SAME;
	if (direction == 0)
		return TREND_MOVED;
	return (change > 0) == (direction > 0) ? TREND_WORSE : TREND_BETTER;
}

/* Which way the threshold lies: the verdict says it. */
static int finding_direction(const struct finding *f)
{
	bool above = f->value > f->threshold;
	if (!isfinite(f->value) || !isfinite(f->threshold) || f->verdict == FINDING_WAIT || strcmp(f->unit, "p") == 0)
		return 0;
	return above == (f->verdict == FINDING_FAIL) ? 1 : -1;
}

enum trend finding_trend(const struct finding *before, const struct finding *now)
{
	if (before == NULL || now == NULL)
		return TREND_NONE;
	/* The verdicts are in the order pass, wait, fail. */
	if (now->verdict != before->verdict)
		return now->verdict > before->verdict ? TREND_WORSE : TREND_BETTER;
	if (!isfinite(before->value) && !isfinite(now->value))
		return TREND_SAME;
	double least = isfinite(now->threshold) ? HUNDREDTH * fabs(now->threshold) : 0;
	return trend_of(before->value, now->value, finding_direction(now), least);
}

/* By the names that the reports of docs/TESTS.md use. What was set is not what came of it. */
static int figure_direction(const char *name)
{
	static const char *const less_is_better[] = {
	    "_us",         "_bytes",      "wall_s",     "user_s",   "system_s",    "cost",
	    ".violations", ".not_finite", ".greatest",  ".rmse",    ".flips",      ".negative",
	    ".unsent",     ".unanswered", ".new_error", "_percent", "waiting_max", ".ratio"};
	static const char *const more_is_better[] = {"maximum_rps", "knee_rps", ".new_right", ".positive"};
	static const char *const others[] = {"settings.", "noise.", "generator_lag."}; /* say nothing of the version */
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (strncmp(name, others[i], strlen(others[i])) == 0)
			return 0;
	}
	if (strncmp(name, "errors.", 7) == 0)
		return 1;
	for (size_t i = 0; i < sizeof less_is_better / sizeof *less_is_better; i++) {
		if (text_ends_with(name, less_is_better[i]))
			return 1;
	}
	for (size_t i = 0; i < sizeof more_is_better / sizeof *more_is_better; i++) {
		if (text_ends_with(name, more_is_better[i]))
			return -1;
	}
	return 0;
}

enum trend figure_trend(const struct figure *before, const struct figure *now)
{
	if (before == NULL || now == NULL)
		return TREND_NONE;
	if (!isfinite(before->value) || !isfinite(now->value))
		return strcmp(before->text, now->text) == 0 ? TREND_SAME : TREND_MOVED;
	return trend_of(before->value, now->value, figure_direction(now->name), 0);
}

void trend_text(double before, double now, char *text, size_t size)
{
	double ratio = now / before;
	char count[16];

	if (ratio >= 1000)
		text_count(count, sizeof count, ratio);
	else
		snprintf(count, sizeof count, "%.3g", ratio);
	if (!isfinite(before) || !isfinite(now))
		snprintf(text, size, "%s", "");
	else if (before == now)
		snprintf(text, size, "=");
	else if (before == 0 || ratio <= 0 || !isfinite(ratio))
		snprintf(text, size, "%+.3g", now - before);
	else if (ratio >= TIMES_FROM)
		snprintf(text, size, "x%s", count);
	else
		snprintf(text, size, "%+.*f%%", fabs(ratio - 1) < TENTH ? 1 : 0, 100 * (ratio - 1));
}
