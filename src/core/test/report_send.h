/*
 * report_send: the report of a test into the runtime's keeping, for ever.
 *
 * Blocks for the exchange. Not here: what is in it (benchmark_json, training).
 */
#ifndef CORE_TEST_REPORT_SEND_H
#define CORE_TEST_REPORT_SEND_H

#include "core/client.h"

#include <stdint.h>

/* report has kind, model, version, against (0: none), passed and summary, and is borrowed; job 0: none. *id is the
 * number of the test. */
int report_send(struct client *client, const cJSON *report, int64_t job, int64_t *id, struct err *e);

#endif
