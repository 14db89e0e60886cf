/*
 * stat_multiple: several hypotheses at once.
 *
 * Pure; any thread; no allocation: the caller lends order[count], which holds the hypotheses from the strongest to the
 * weakest afterwards. Adjusted p values are compared with alpha itself. A p value outside [0, 1], or NaN: ERR_INPUT.
 * Holm is for primary metrics and guardrails, e-BH for all others that are looked at at any time.
 */
#ifndef CORE_STAT_STAT_MULTIPLE_H
#define CORE_STAT_STAT_MULTIPLE_H

#include "core/stat/stat.h"

/* Holm (1979): at most alpha for any false alarm at all, under any dependence; never weaker than Bonferroni. */
int stat_holm(const double *p, size_t count, size_t *order, double *adjusted, struct err *e);
/* Bonferroni: the same promise; the adjusted value of one does not depend on the others. */
int stat_bonferroni(const double *p, size_t count, double *adjusted, struct err *e);
/* Benjamini and Hochberg (1995): at most a share alpha of what is found is false, for independent tests. */
int stat_benjamini_hochberg(const double *p, size_t count, size_t *order, double *adjusted, struct err *e);
/* e-BH (Wang and Ramdas 2022): the same share of e-values, under any dependence: the k greatest, the greatest k with
 * e_(k) >= count / (alpha k). Of logarithms, equal within 1e-12. Sets *rejected; those are order[0 .. *rejected - 1].
 * NaN, or alpha outside (0, 1): ERR_INPUT. */
int stat_e_benjamini_hochberg(const double *log_e, size_t count, double alpha, size_t *order, size_t *rejected,
			      struct err *e);

#endif
