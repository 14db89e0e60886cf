/*
 * ab_plan: the plan of an A/B test as a command takes it: a JSON file, and options that go before it.
 *
 * Used by the main thread of a command only. The runtime checks what makes a test; here only what no JSON could say is
 * refused. Not here: what a plan means (core/experiment/experiment.h).
 */
#ifndef UI_AB_PLAN_H
#define UI_AB_PLAN_H

#include "core/command.h"

#include <cjson/cJSON.h>

#define AB_PLAN_OPTIONS                                                                                            \
	{"plan", "FILE", "start: the plan as JSON, see docs/EXPERIMENTS.md; options go before it"},                \
	    {"name", "NAME", "start: the name of the test"},                                                       \
	    {"arm", "VERSION=PERCENT", "start: an arm and its share of the units; the first is the live version"}, \
	    {"metric", "NAME=KIND,ROLE,WAY[,FIELD=N]", "start: such as late=binary,primary,lower,margin=0.01"},    \
	    {"assume", "METRIC=MEAN,SD,EFFECT",                                                                    \
	     "start: for the forecast, what a metric is and what to find; - for none"},                            \
	    {"size", "UNITS", "start: the planned size, in units of all arms"},                                    \
	{                                                                                                          \
		"aa", NULL, "start: the same version on all arms, to try assignment and outcomes"                  \
	}

/* The body of a start but for reason and the like; NULL with the error. */
cJSON *ab_plan_body(const struct arguments *a, struct err *e);

#endif
