#include "core/analysis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define X(name) extern const struct analysis analysis_##name;
ANALYSES(X)
#undef X

const struct analysis *const analysis_table[] = {
#define X(name) &analysis_##name,
    ANALYSES(X)
#undef X
};
const size_t analysis_count = sizeof analysis_table / sizeof *analysis_table;

const struct analysis *analysis_find(const char *name)
{
	for (size_t i = 0; i < analysis_count; i++)
		if (strcmp(analysis_table[i]->name, name) == 0)
			return analysis_table[i];
	return NULL;
}

size_t analysis_judge(const struct analysis_input *input, struct finding *findings, size_t max)
{
	size_t count = analysis_count < max ? analysis_count : max;
	for (size_t i = 0; i < count; i++) {
		findings[i] = (struct finding){.verdict = FINDING_WAIT, .value = NAN, .threshold = NAN};
		snprintf(findings[i].name, sizeof findings[i].name, "%s", analysis_table[i]->name);
		analysis_table[i]->judge(input, &findings[i]);
	}
	return count;
}
