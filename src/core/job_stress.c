/* job_stress: a load on a version, as fast as is asked or as it holds. */
#include "core/job_kind.h"

#include "core/number.h"
#include "core/units.h"

#include <stdio.h>
#include <string.h>

extern const struct job_kind job_stress;

enum { RATE, FIND_MAX, SLO_P99, RAMP, DURATION, SOAK };

static bool is_on(const char *value)
{
	bool on;
	return value[0] != '\0' && units_flag(value, &on) && on;
}

static bool is_rate(const char *text, size_t size)
{
	struct number n;
	return size > 0 && number_read(text, text + size, &n) == size && !n.negative;
}

/* "100:5000" */
static bool is_ramp(const char *text)
{
	const char *colon = strchr(text, ':');
	return colon != NULL && is_rate(text, (size_t)(colon - text)) && is_rate(colon + 1, strlen(colon + 1));
}

static int check(const char *const *values, struct err *e)
{
	const char *rate = values[RATE], *ramp = values[RAMP];
	bool find_max = is_on(values[FIND_MAX]);
	unsigned long long duration_ms;

	if (rate[0] == '\0' && ramp[0] == '\0' && !find_max)
		return err_set(e, ERR_INPUT, "say how hard: --rate, --ramp or --find-max");
	if (ramp[0] != '\0' && (rate[0] != '\0' || find_max))
		return err_set(e, ERR_INPUT, "--ramp goes without --rate and --find-max");
	if (rate[0] != '\0' && (!is_rate(rate, strlen(rate)) || strcmp(rate, "0") == 0))
		return err_set(e, ERR_INPUT, "--rate takes requests a second above 0, not `%.40s`", rate);
	if (ramp[0] != '\0' && !is_ramp(ramp))
		return err_set(e, ERR_INPUT, "--ramp takes FROM:TO in requests a second, as 100:5000, not `%.40s`",
			       ramp);
	if (values[DURATION][0] != '\0' &&
	    (!units_parse(units_ms, values[DURATION], &duration_ms) || duration_ms < 1000))
		return err_set(e, ERR_INPUT, "--duration takes a time from 1s on, not `%.40s`", values[DURATION]);
	if (find_max && values[SLO_P99][0] == '\0')
		return err_set(e, ERR_INPUT, "--find-max needs the limit that the rate must hold: --slo-p99");
	if (find_max && is_on(values[SOAK]))
		return err_set(e, ERR_INPUT, "--soak needs a rate: it goes without --find-max");
	return 0;
}

static void describe(const char *const *values, char *title, size_t size)
{
	const char *duration = values[DURATION][0] != '\0' ? values[DURATION] : "60s";

	if (is_on(values[FIND_MAX]))
		snprintf(title, size, "the greatest rate with p99 below %.20s", values[SLO_P99]);
	else if (values[RAMP][0] != '\0')
		snprintf(title, size, "%.40s requests/s in %.20s", values[RAMP], duration);
	else
		snprintf(title, size, "%.20s requests/s for %.20s%s", values[RATE], duration,
			 is_on(values[SOAK]) ? ", soak" : "");
}

const struct job_kind job_stress = {
    .name = "stress",
    .title = "Stress test",
    .test = true,
    .check = check,
    .describe = describe,
    .either = {"data", "captured"},
    .counted = "requests",
    .spoilt = "failed",
    .field_count = 11,
    .fields =
	{
	    [RATE] = {"rate", "requests/s", "1000; of find maximum: where it begins", JOB_FIELD_NUMBER, true, NULL},
	    [FIND_MAX] = {"find-max", "find maximum", "the greatest rate that holds the p99", JOB_FIELD_SWITCH, true,
			  NULL},
	    [SLO_P99] = {"slo-p99", "p99 at most", "5ms", JOB_FIELD_DURATION, true, NULL},
	    [RAMP] = {"ramp", "ramp", "100:5000 requests/s, instead of a rate", JOB_FIELD_TEXT, true, NULL},
	    [DURATION] = {"duration", "duration", "60s; of find maximum: of a step, 5s", JOB_FIELD_DURATION, true,
			  NULL},
	    [SOAK] = {"soak", "soak", "watch whether memory grows", JOB_FIELD_SWITCH, true, NULL},
	    {"data", "data file", "/data/rows.csv or .jsonl; else the version's sample rows", JOB_FIELD_INPUT, true,
	     NULL},
	    {"captured", "captured rows", "5000: of live requests, instead of a file", JOB_FIELD_NUMBER, true, NULL},
	    {"connections", "connections", "64", JOB_FIELD_NUMBER, true, NULL},
	    {"arrivals", "arrivals", "poisson, or constant", JOB_FIELD_CHOICE, true, "poisson|constant"},
	    {"yes", "on live traffic", "the version may be live", JOB_FIELD_CONSENT, true, NULL},
	},
};
