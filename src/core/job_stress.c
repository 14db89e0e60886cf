/* job_stress: a load on a version, as fast as is asked or as it holds. */
#include "core/job_kind.h"

extern const struct job_kind job_stress;

const struct job_kind job_stress = {
    .name = "stress",
    .title = "Stress test",
    .either = {"data", "captured"},
    .field_count = 11,
    .fields =
	{
	    {"rate", "requests/s", "1000; of --find-max: where it begins", JOB_FIELD_NUMBER, true, NULL},
	    {"find-max", "find maximum", "yes: the greatest rate that holds the p99", JOB_FIELD_SWITCH, true, NULL},
	    {"slo-p99", "p99 at most", "5ms", JOB_FIELD_DURATION, true, NULL},
	    {"ramp", "ramp", "100:5000 requests/s, instead of a rate", JOB_FIELD_TEXT, true, NULL},
	    {"duration", "duration", "60s; of --find-max: of a step, 5s", JOB_FIELD_DURATION, true, NULL},
	    {"data", "rows", "/data/rows.csv or .jsonl; else the version's sample rows", JOB_FIELD_INPUT, true, NULL},
	    {"connections", "connections", "64", JOB_FIELD_NUMBER, true, NULL},
	    {"arrivals", "arrivals", "poisson or constant", JOB_FIELD_CHOICE, true, "poisson|constant"},
	    {"soak", "soak", "yes: watch whether memory grows", JOB_FIELD_SWITCH, true, NULL},
	    {"captured", "captured rows", "5000: of live requests, instead of a file", JOB_FIELD_NUMBER, true, NULL},
	    {"yes", "on live traffic", "yes: the version may be live", JOB_FIELD_SWITCH, true, NULL},
	},
};
