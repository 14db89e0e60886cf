/*
 * alert: something that an operator has to know, from when it began until it is over.
 *
 * A plain value; any thread. Not here: what survives (registry_alerts), what raises one.
 */
#ifndef CORE_ALERT_H
#define CORE_ALERT_H

#include "core/err.h"
#include "core/registry/registry.h"
#include "core/text.h"

#include <cjson/cJSON.h>
#include <stdint.h>

#define ALERT_STATES(X) X(FIRING, "firing") X(ACKNOWLEDGED, "acknowledged") X(RESOLVED, "resolved")

enum alert_state {
#define X(name, text) ALERT_##name,
	ALERT_STATES(X)
#undef X
	    ALERT_STATE_COUNT
};

struct alert {
	int64_t id;                    /* 1, 2, 3 ... */
	char rule[24];                 /* "rollout" */
	char model[TEXT_NAME_MAX + 1]; /* "" where none is concerned */
	uint32_t version;              /* 0 where none is concerned */
	enum alert_state state;
	int64_t since_ms, acknowledged_ms, resolved_ms; /* Unix; 0: not yet */
	double value, threshold;                        /* NaN: none */
	char text[REASON_SIZE];                         /* what is wrong, one sentence */
	char who[WHO_SIZE];                             /* who acknowledged it; "" nobody */
	char note[REASON_SIZE];                         /* of that */
};

const char *alert_state_name(enum alert_state state);
enum alert_state alert_state_by_name(const char *name); /* ALERT_STATE_COUNT for none */
cJSON *alert_to_json(const struct alert *a);            /* NULL when memory is out */
int alert_from_json(const cJSON *json, struct alert *a, struct err *e);

#endif
