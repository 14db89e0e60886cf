/* experiment_fixture: plans, units and looks for the tests of verdicts. */
#ifndef TESTS_UNIT_EXPERIMENT_FIXTURE_H
#define TESTS_UNIT_EXPERIMENT_FIXTURE_H

#include "core/experiment/experiment_judge.h"
#include "lib/experiment_simulation.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Two arms, or more, half and half; metrics are added by the tests. */
static inline struct experiment plan(size_t arms)
{
	struct experiment x;
	experiment_init(&x);
	snprintf(x.model, sizeof x.model, "model");
	snprintf(x.name, sizeof x.name, "name");
	snprintf(x.salt, sizeof x.salt, "salt");
	x.arm_count = arms;
	for (size_t i = 0; i < arms; i++)
		x.arms[i] = (struct experiment_arm){(uint32_t)i + 1, ROUTE_BUCKETS / (uint32_t)arms};
	x.planned_size = 10000;
	x.minimum_events = 0;
	return x;
}

static inline struct experiment_metric *metric(struct experiment *x, const char *name, enum experiment_kind kind,
					       enum experiment_role role, enum experiment_direction direction)
{
	struct experiment_metric *m = &x->metrics[x->metric_count++];
	*m = (struct experiment_metric){.kind = kind, .role = role, .direction = direction, .high = 1};
	snprintf(m->name, sizeof m->name, "%s", name);
	if (kind == EXPERIMENT_COUNT)
		m->high = 1000;
	if (kind == EXPERIMENT_CONTINUOUS) {
		m->low = -100;
		m->high = 100;
	}
	if (kind == EXPERIMENT_LATENCY) {
		m->quantile = 0.9;
		m->threshold_ns = 1000;
	}
	return m;
}

static inline struct experiment conversion(void)
{
	struct experiment x = plan(2);
	metric(&x, "conversion", EXPERIMENT_BINARY, EXPERIMENT_PRIMARY, EXPERIMENT_HIGHER);
	return x;
}

/* So many units with and without an event; units are exposed by metric 0. */
static inline void add(struct experiment_state *s, size_t arm, size_t metric, uint64_t events, uint64_t units)
{
	for (uint64_t i = 0; i < units; i++)
		experiment_sums_add(&s->sums[arm][metric], 0, i < events);
	if (metric == 0)
		s->exposed[arm] += units;
}

static struct experiment_report report;

static inline enum experiment_verdict look(const struct experiment *x, const struct experiment_state *s,
					   struct experiment_history *h, int64_t elapsed_s)
{
	struct experiment_look at = {elapsed_s, false};
	struct err e = {.text = ""};
	if (experiment_check(x, &e) != 0)
		fail_msg("%s", e.text);
	experiment_judge(x, s, &at, h, &report);
	assert_true(report.sentence[0] != '\0');
	cJSON *json = experiment_report_to_json(x, &report);
	assert_non_null(json);
	cJSON_Delete(json);
	return report.verdict;
}

static inline const struct experiment_comparison *first(void)
{
	return &report.comparisons[0];
}

#define assert_says(sentence, part)                                            \
	do {                                                                   \
		if (strstr((sentence), (part)) == NULL)                        \
			fail_msg("\"%s\" is not in \"%s\"", part, (sentence)); \
	} while (0)

#endif
