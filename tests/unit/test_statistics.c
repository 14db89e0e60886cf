/*
 * Every statistic against reference values: SciPy's, statsmodels', R's, and formulas in 40 digits.
 *
 * usage: test_statistics [CASES.json …]     tests/fixtures/statistics*.json unless told; `make test-statistics
 * CASES=FILE`
 *
 * A line a case, each difference with both values, and at the end "N passed, N failed, N skipped". A case is known by
 * its name, or by a name that begins with a known one, or by its inputs and the names of its expected values.
 */
#include "statistics_methods.h"

#include <ctype.h>
#include <stdarg.h>

/* name, its inputs, and how the names of its values begin that are roots which someone sought by iteration: those are
 * held to 1e-8, all else to 1e-10. SciPy's quantiles of t are up to 4e-9 off, and with them ends of intervals, which
 * are held to 1e-8 of the greater end. */
struct method {
	const char *name, *inputs;
	void (*answer)(struct statistics_case *c);
	const char *iterative;
};

static const struct method methods[] = {
    {"welch_t_summary", "na ma sa nb mb sb", method_welch_summary, "ci_"},
    {"welch_t", "a b", method_welch, "ci_"},
    {"paired_t", "a b", method_paired, "ci_"},
    {"tost_paired", "a b margin", method_tost, NULL},
    {"two_proportion", "xa na xb nb", method_two_rates, NULL},
    {"one_proportion_ci", "x n", method_one_rate, NULL},
    {"fisher_exact_2x2", "a b c d", method_fisher, NULL},
    {"mcnemar", "b c", method_mcnemar, NULL},
    {"mann_whitney", "a b", method_mann_whitney, NULL},
    {"wilcoxon_signed_rank", "d", method_wilcoxon, NULL},
    {"srm_chi2", "obs w", method_chi2_fit, NULL},
    {"srm_sequential", "obs w conc", method_counts, NULL},
    {"error_count_sequential", "obs w conc", method_counts, NULL},
    {"ks_two_sample", "a b", method_ks, NULL},
    {"psi", "ref cur smooth", method_psi, NULL},
    {"wasserstein1", "a b", method_wasserstein, NULL},
    {"js_hellinger_tvd", "p q", method_distances, NULL},
    {"chi2_homogeneity", "ref cur", method_homogeneity, NULL},
    {"msprt_normal", "n_per_arm diff sigma tau", method_msprt_normal, NULL},
    {"msprt_bernoulli", "n_per_arm pa pb tau", method_msprt_bernoulli, NULL},
    {"asymp_cs_inflation", "power", method_anytime_cost, NULL},
    {"asymp_cs", "na ma sa nb mb sb Nstar", method_sequence, NULL},
    {"normal_mixture_bound", "v rho", method_mixture_bound, NULL},
    {"quantile_cs", "p t t_opt", method_anytime_quantile, ""},
    {"quantile_ci", "n q conf", method_quantile_ranks, NULL},
    {"cuped", "xa ya xb yb", method_cuped, NULL},
    {"sample_size_mean", "delta sa sb ratio power", method_size_means, NULL},
    {"sample_size_prop", "p1 p2 power", method_size_rates, NULL},
    {"sample_size_t_exact", "d power", method_size_t, ""},
    {"mde_prop", "p1 n power", method_least_rise, ""},
    {"multiple_testing", "p", method_multiple, NULL},
    {"e_bh", "e", method_e_bh, NULL},
    {"bench_ratio_hl_ci", "a b", method_time_ratio, NULL},
    {"bernoulli_cs", "x n alpha", method_anytime_rate, ""},
    {"row_diff", "old new atol rtol", method_row_diff, NULL},
    {"ulp_float32", "pairs", method_ulp, NULL},
    {"flips", "y old new", method_flips, NULL},
    {"relative_lift", "na ma sa nb mb sb", method_lift, NULL},
    {"poisson_rate_conditional", "x1 t1 x2 t2", method_poisson, NULL},
    {"slo_burn_thresholds", "slo period_h rows", method_burn_thresholds, NULL},
    {"slo_burn_lower_bound", "errors total slo", method_burn, NULL},
    {"welford", "x", method_moments, NULL},
    {"quantile_type7", "x qs", method_quantiles, NULL},
    {"ddsketch_mapping", "x alpha", method_sketch, NULL},
    {"special_functions", "zs ts chis betas lams", method_special, "t_ppf"},
    {"hash:", "s seed", method_hash, NULL},
};
#define METHODS (sizeof methods / sizeof *methods)

/* Values that mldeck does not compute: units are hashed by XXH64 and bucketed by its high bits alone. */
static const char *const foreign[] = {"fnv1a32", "fnv1a64", "murmur3_x86_32",       "murmur3_x64_128",
				      "crc32",   "xxh32",   "bucket10000_xxh64_mod"};
/* A case of GrowthBook's hashes, by its name, or by what its method says. */
static bool is_foreign(const struct statistics_case *c)
{
	return strncmp(c->name, "growthbook_hash", 15) == 0 || strncmp(c->method, "fnv1a32 v1/v2", 13) == 0;
}

#define FOREIGN (sizeof foreign / sizeof *foreign)

struct tally {
	size_t passed, failed, skipped;
	size_t foreign[FOREIGN];
};

static size_t foreign_index(const char *key)
{
	size_t i = 0;
	while (i < FOREIGN && strcmp(foreign[i], key) != 0)
		i++;
	return i;
}

static bool has_inputs(const struct statistics_case *c, const char *inputs)
{
	char key[32];
	int used;
	for (; sscanf(inputs, "%31s%n", key, &used) == 1; inputs += used)
		if (case_item(c, key) == NULL)
			return false;
	return true;
}

/* Runs a method and says whether it knows every expected value. */
static bool covers(struct statistics_case *c, const struct method *m)
{
	const cJSON *item;
	case_release(c);
	c->answer = cJSON_CreateObject();
	c->refused = false;
	if (!has_inputs(c, m->inputs))
		return false;
	m->answer(c);
	if (c->refused)
		return true;
	cJSON_ArrayForEach(
	    item, c->expected) if (strcmp(item->string, "note") != 0 && foreign_index(item->string) == FOREIGN &&
				   cJSON_GetObjectItemCaseSensitive(c->answer, item->string) == NULL) return false;
	return true;
}

/* The method with the longest name that the case's name begins with, else the one that needs the most inputs. */
static const struct method *find_method(struct statistics_case *c)
{
	const struct method *best = NULL;
	for (size_t i = 0; i < METHODS; i++)
		if (strncmp(c->name, methods[i].name, strlen(methods[i].name)) == 0 &&
		    (best == NULL || strlen(methods[i].name) > strlen(best->name)))
			best = &methods[i];
	if (best != NULL && covers(c, best))
		return best;
	best = NULL;
	for (size_t i = 0; i < METHODS; i++)
		if ((best == NULL || strlen(methods[i].inputs) > strlen(best->inputs)) && covers(c, &methods[i]) &&
		    !c->refused)
			best = &methods[i];
	return best != NULL && covers(c, best) ? best : NULL;
}

static bool is_probability(const char *key)
{
	return strcmp(key, "p") == 0 || strncmp(key, "p_", 2) == 0 || strstr(key, "_p") != NULL ||
	       strstr(key, "sf") != NULL;
}

/* How close values have to be: relative to the expected one, and for what is not a probability absolutely. */
struct closeness {
	double share, distance;
};

static bool numbers_agree(const char *key, double expected, double got, struct closeness close)
{
	if (expected == got || (isnan(expected) && isnan(got)))
		return true;
	double distance = fabs(expected - got);
	/* SciPy's own 0 of a binomial tail is an underflow from 1e-280 on. */
	if (is_probability(key) && expected == 0)
		return distance < 1e-200;
	if (is_probability(key) && fabs(expected) < 1e-12)
		return distance <= 1e-6 * fabs(expected);
	return distance <= close.share * fabs(expected) || (!is_probability(key) && distance <= close.distance);
}

static struct closeness closeness(const struct statistics_case *c, const char *iterative, const char *key)
{
	/* Of what should be 0 only rounding is left. */
	struct closeness close = {1e-10, 1e-14};
	const cJSON *item;
	if (iterative == NULL || strncmp(key, iterative, strlen(iterative)) != 0)
		return close;
	close.share = 1e-8;
	if (strcmp(iterative, "ci_") == 0)
		cJSON_ArrayForEach(item, c->expected) if (strncmp(item->string, iterative, strlen(iterative)) == 0)
		    close.distance = fmax(close.distance, 1e-8 * fabs(item->valuedouble));
	return close;
}

/* Appends to why, which has the size of an error's text. */
static void __attribute__((format(printf, 2, 3))) explain(char *why, const char *format, ...)
{
	size_t used = strlen(why);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why + used, ERR_TEXT_SIZE - used, format, arguments);
	va_end(arguments);
}

static bool agree(const char *key, const cJSON *expected, const cJSON *got, struct closeness close, char *why)
{
	if (cJSON_IsArray(expected) && cJSON_IsArray(got)) {
		int count = cJSON_GetArraySize(expected);
		if (count != cJSON_GetArraySize(got)) {
			explain(why, " %s: expected %d values, got %d;", key, count, cJSON_GetArraySize(got));
			return false;
		}
		bool all = true;
		for (int i = 0; i < count; i++)
			all &= agree(key, cJSON_GetArrayItem(expected, i), cJSON_GetArrayItem(got, i), close, why);
		return all;
	}
	if (cJSON_IsString(expected) || cJSON_IsBool(expected)) {
		if (cJSON_Compare(expected, got, true))
			return true;
		explain(why, " %s: expected another text or truth;", key);
		return false;
	}
	double value = cJSON_IsNull(expected) ? NAN : expected->valuedouble;
	if (cJSON_IsNumber(got) && numbers_agree(key, value, got->valuedouble, close))
		return true;
	explain(why, " %s: expected %.17g, got %.17g;", key, value, got != NULL ? got->valuedouble : NAN);
	return false;
}

static bool run(struct statistics_case *c, struct tally *tally, char *why)
{
	const struct method *m = find_method(c);
	bool all = true;
	const cJSON *item;
	if (m == NULL) {
		explain(why, " no method with these inputs and answers;");
		return false;
	}
	if (c->refused) {
		explain(why, " %s", c->e.text);
		return false;
	}
	cJSON_ArrayForEach(item, c->expected)
	{
		if (strcmp(item->string, "note") == 0)
			continue;
		if (foreign_index(item->string) < FOREIGN)
			tally->foreign[foreign_index(item->string)]++;
		else
			all &= agree(item->string, item, cJSON_GetObjectItemCaseSensitive(c->answer, item->string),
				     closeness(c, m->iterative, item->string), why);
	}
	return all;
}

static void judge(const cJSON *json, struct tally *tally)
{
	struct statistics_case c = {
	    .inputs = cJSON_GetObjectItemCaseSensitive(json, "inputs"),
	    .expected = cJSON_GetObjectItemCaseSensitive(json, "expected"),
	    .name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "name")),
	    .method = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "method")),
	};
	char why[ERR_TEXT_SIZE] = "";
	c.name = c.name != NULL ? c.name : "unnamed";
	c.method = c.method != NULL ? c.method : "";
	if (is_foreign(&c)) {
		printf("skip %s: mldeck does not use this hash\n", c.name);
		tally->skipped++;
		return;
	}
	if (run(&c, tally, why)) {
		printf("ok %s\n", c.name);
		tally->passed++;
	} else {
		printf("not ok %s:%s\n", c.name, why);
		tally->failed++;
	}
	case_release(&c);
}

/* Python writes NaN and Infinity, which JSON has not: null and a number beyond all doubles, outside of strings. */
static void replace_tokens(const char *from, char *to)
{
	bool quoted = false;
	while (*from != '\0') {
		if (*from == '"')
			quoted = !quoted;
		if (!quoted && strncmp(from, "NaN", 3) == 0) {
			memcpy(to, "null", 4);
			from += 3, to += 4;
		} else if (!quoted && strncmp(from, "Infinity", 8) == 0) {
			memcpy(to, "1e999", 5);
			from += 8, to += 5;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* The file's text, with room for a null in place of each NaN. */
static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;
	if (file == NULL)
		return NULL;
	ssize_t length = getdelim(&text, &size, '\0', file);
	fclose(file);
	char *replaced = length > 0 ? malloc(2 * (size_t)length + 1) : NULL;
	if (replaced != NULL)
		replace_tokens(text, replaced);
	free(text);
	return replaced;
}

static int judge_file(const char *path, struct tally *tally)
{
	char *text = read_text(path);
	cJSON *json = text != NULL ? cJSON_Parse(text) : NULL;
	const cJSON *cases = cJSON_GetObjectItemCaseSensitive(json, "cases"), *item;
	free(text);
	if (!cJSON_IsArray(cases)) {
		cJSON_Delete(json);
		printf("not ok %s: it could not be read, or has no cases\n", path);
		tally->failed++;
		return -1;
	}
	cJSON_ArrayForEach(item, cases) judge(item, tally);
	cJSON_Delete(json);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const usual[] = {"tests/fixtures/statistics.json", "tests/fixtures/statistics_more.json"};
	struct tally tally = {0};
	for (int i = 1; i < argc; i++)
		judge_file(argv[i], &tally);
	for (size_t i = 0; argc < 2 && i < sizeof usual / sizeof *usual; i++)
		judge_file(usual[i], &tally);
	for (size_t i = 0; i < FOREIGN; i++)
		if (tally.foreign[i] > 0)
			printf("# %zu values of %s not compared: mldeck does not compute it\n", tally.foreign[i],
			       foreign[i]);
	printf("%zu passed, %zu failed, %zu skipped\n", tally.passed, tally.failed, tally.skipped);
	return tally.failed > 0 || tally.passed == 0;
}
