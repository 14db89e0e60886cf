/* fuzz_experiment: any JSON as {"plan","state","history"}: a refusal is one sentence; what is taken reads back to the
 * same, and any state of a plan can be judged, with whole numbers of units and a sentence. */
#include "core/experiment/experiment_judge.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_refusal(const struct err *e)
{
	check(e->code == ERR_INPUT && e->text[0] != '\0');
}

static void plan_reads_back(const struct experiment *x)
{
	static struct experiment again;
	cJSON *json = experiment_to_json(x);
	check(json != NULL && experiment_from_json(json, &again, NULL) == 0 && memcmp(&again, x, sizeof again) == 0);
	cJSON_Delete(json);
}

static void state_reads_back(const struct experiment *x, const struct experiment_state *s)
{
	cJSON *json = experiment_state_to_json(s);
	struct experiment_state *again = experiment_state_from_json(json, x, NULL);
	check(again != NULL && experiment_state_equal(s, again));
	experiment_state_free(again);
	cJSON_Delete(json);
}

static void judge(const struct experiment *x, const struct experiment_state *s, const cJSON *json)
{
	static struct experiment_history h, again;
	static struct experiment_report report;
	struct err e = {.code = ERR_NONE};
	const struct experiment_look look = {3600, false};
	memset(&h, 0, sizeof h);
	if (json != NULL && experiment_history_from_json(json, x, &h, &e) != 0)
		check_refusal(&e);
	for (int i = 0; i < 2; i++) {
		experiment_judge(x, s, &look, &h, &report);
		check(report.sentence[0] != '\0' && report.arm >= 1 && report.arm < x->arm_count);
	}
	cJSON *written = experiment_report_to_json(x, &report);
	check(written != NULL);
	cJSON_Delete(written);
	written = experiment_history_to_json(x, &h);
	check(written != NULL && experiment_history_from_json(written, x, &again, NULL) == 0);
	check(again.looks == h.looks && again.ratio_log_e == h.ratio_log_e);
	cJSON_Delete(written);
}

static void run(const cJSON *json)
{
	static struct experiment x;
	struct err e = {.code = ERR_NONE};
	memset(&x, 0, sizeof x);
	if (experiment_from_json(cJSON_GetObjectItem(json, "plan"), &x, &e) != 0) {
		check_refusal(&e);
		return;
	}
	plan_reads_back(&x);
	struct experiment_state *s = experiment_state_from_json(cJSON_GetObjectItem(json, "state"), &x, &e);
	if (s == NULL) {
		check_refusal(&e);
		s = experiment_state_new(&x);
		check(s != NULL);
	}
	state_reads_back(&x, s);
	judge(&x, s, cJSON_GetObjectItem(json, "history"));
	experiment_state_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cJSON *json = cJSON_ParseWithLength((const char *)data, size);
	if (json != NULL)
		run(json);
	cJSON_Delete(json);
	return 0;
}
