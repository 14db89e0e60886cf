/*
 * snapshot_report: one test in full, as a console shows it: findings, plots, figures and the worst rows.
 *
 * Owner: the snapshot. Made by the runtime out of the report that was kept, or read from the JSON of a snapshot.
 * Limits: FINDINGS_MAX, PLOTS_MAX, FIGURES_MAX, SNAPSHOT_WORST_MAX; what is beyond is in the report alone.
 */
#ifndef CORE_SNAPSHOT_REPORT_H
#define CORE_SNAPSHOT_REPORT_H

#include "core/finding.h"
#include "core/plot.h"
#include "core/registry/registry_policy.h"
#include "core/test/figures.h"

#include <cjson/cJSON.h>

#define SNAPSHOT_WORST_MAX 10
#define SNAPSHOT_CURL_SIZE 8192 /* a longer line is left out */

/* One of the rows that differ most between two versions. */
struct snapshot_worst {
	uint64_t line;                     /* of the file, its header is line 1 */
	char old_value[24], new_value[24]; /* as text: NaN and infinities are possible */
	char label[24], segment[48];       /* "" none */
	char *curl;                        /* asks the new version for the row; "" none */
};

struct snapshot_report {
	struct test_result test; /* of a missing one only the id */
	bool missing;            /* there is no such test */
	bool before;             /* was not asked for: the one before the first, of the same kind, model and versions */
	char note[ERR_TEXT_SIZE]; /* why its report cannot be read; "" */
	size_t finding_count, plot_count, figure_count, worst_count;
	struct finding findings[FINDINGS_MAX];
	struct plot plots[PLOTS_MAX];
	struct figure *figures;
	struct snapshot_worst worst[SNAPSHOT_WORST_MAX];
};

/* Takes out of a kept report (JSON text, "" none) what is shown. What of it cannot be read is left out, and the note
 * says so; -1 only when memory is out. The report is of zeros but for its test. */
int snapshot_report_fill(struct snapshot_report *r, const char *text, struct err *e);
/* Gives back what it owns; it may be filled again. */
void snapshot_report_release(struct snapshot_report *r);

#endif
