#include "ui/command/stress_options.h"

#include "core/number.h"
#include "core/test/stress_watch.h"
#include "core/units.h"
#include "ui/command/captured.h"
#include "ui/command/output.h"

#include <math.h>
#include <string.h>

#define RATE_MAX 1e7
#define DURATION_S 60
#define STEP_S 5
#define START_RPS 500
#define CONNECTIONS 64
#define ERRORS_PERCENT 1
#define ROWS_MAX 1024

static bool read_double(const char *text, const char *end, double *number)
{
	struct number n;

	if (text == end || number_read(text, end, &n) != (size_t)(end - text))
		return false;
	*number = number_double(&n);
	return isfinite(*number);
}

static int read_rate(const char *option, const char *text, const char *end, double least, double *rate, struct err *e)
{
	if (read_double(text, end, rate) && *rate >= least && *rate <= RATE_MAX)
		return 0;
	return err_set(e, ERR_INPUT, "--%s takes requests a second from %g to %.0f, not `%.*s`", option, least,
		       RATE_MAX, (int)(end - text), text);
}

/* "5" and "5%". */
static int read_percent(const struct arguments *a, const char *option, double otherwise, double *percent, struct err *e)
{
	const char *text = arguments_value(a, option);
	size_t size = text == NULL ? 0 : strlen(text);

	*percent = otherwise;
	if (text == NULL)
		return 0;
	if (size > 1 && text[size - 1] == '%')
		size--;
	if (read_double(text, text + size, percent) && *percent >= 0 && *percent <= 100)
		return 0;
	return err_set(e, ERR_INPUT, "--%s takes a percentage from 0 to 100, not `%.40s`", option, text);
}

static int read_time(const struct arguments *a, const char *option, const struct unit *units, const char *example,
		     unsigned long long least, unsigned long long most, unsigned long long otherwise,
		     unsigned long long *number, struct err *e)
{
	const char *text = arguments_value(a, option);

	*number = otherwise;
	if (text == NULL || (units_parse(units, text, number) && *number >= least && *number <= most))
		return 0;
	return err_set(e, ERR_INPUT, "--%s takes a time such as %s, not `%.40s`", option, example,
		       *text ? text : "\"\"");
}

/* --rate N, --ramp FROM:TO or --find-max: exactly one. */
static int read_mode(const struct arguments *a, struct stress_options *o, struct err *e)
{
	const char *rate = arguments_value(a, "rate"), *ramp = arguments_value(a, "ramp");
	bool find_max = arguments_flag(a, "find-max");

	if (ramp != NULL && (rate != NULL || find_max))
		return err_set(e, ERR_USAGE, "--ramp goes without --rate and --find-max");
	if (rate == NULL && ramp == NULL && !find_max)
		return err_set(e, ERR_USAGE, "say how hard: --rate N, --ramp FROM:TO or --find-max");
	o->mode = find_max ? STRESS_FIND_MAX : ramp != NULL ? STRESS_RAMP : STRESS_RATE;
	o->from_rps = o->to_rps = START_RPS;
	if (rate != NULL) {
		if (read_rate("rate", rate, rate + strlen(rate), 0.1, &o->from_rps, e) != 0)
			return -1;
		o->to_rps = o->from_rps;
	}
	if (ramp == NULL)
		return 0;
	const char *colon = strchr(ramp, ':');
	if (colon == NULL)
		return err_set(e, ERR_USAGE, "--ramp takes FROM:TO in requests a second, as 100:5000, not `%.40s`",
			       ramp);
	return read_rate("ramp", ramp, colon, 0, &o->from_rps, e) != 0 ||
		       read_rate("ramp", colon + 1, ramp + strlen(ramp), 0.1, &o->to_rps, e) != 0
		   ? -1
		   : 0;
}

static int read_limits(const struct arguments *a, struct stress_options *o, struct err *e)
{
	unsigned long long slo_us, duration_ms, timeout_ms;

	if (read_time(a, "slo-p99", units_us, "5ms", 1, 600000000, 0, &slo_us, e) != 0 ||
	    read_time(a, "duration", units_ms, "60s", 1000, 7 * 86400000ULL,
		      o->mode == STRESS_FIND_MAX ? STEP_S * 1000 : DURATION_S * 1000, &duration_ms, e) != 0 ||
	    read_time(a, "timeout", units_ms, "5s", 1, 600000, 5000, &timeout_ms, e) != 0 ||
	    read_percent(a, "max-errors", ERRORS_PERCENT, &o->limits.errors_percent, e) != 0 ||
	    read_percent(a, "max-share", STRESS_SHARE_PERCENT, &o->max_share_percent, e) != 0)
		return -1;
	if (o->mode == STRESS_FIND_MAX && slo_us == 0)
		return err_set(e, ERR_USAGE, "--find-max needs the limit that the rate must hold: --slo-p99 5ms");
	o->limits.slo_p99_ns = slo_us * 1000;
	o->duration_s = (double)duration_ms / 1000;
	o->timeout_ns = timeout_ms * 1000000;
	return 0;
}

static int read_load(const struct arguments *a, struct stress_options *o, struct err *e)
{
	const char *version = arguments_value(a, "version"), *arrivals = arguments_value(a, "arrivals");
	long long connections, batch, seed;

	if (output_number(a, "connections", 1, LOAD_CONNECTIONS_MAX, CONNECTIONS, &connections, e) != 0 ||
	    output_number(a, "rows", 1, ROWS_MAX, 1, &batch, e) != 0 ||
	    output_number(a, "seed", 0, INT64_C(1) << 53, 1, &seed, e) != 0 ||
	    (version != NULL && output_version(version, &o->version, e) != 0))
		return -1;
	o->connections = (size_t)connections;
	o->batch = (size_t)batch;
	o->seed = (uint64_t)seed;
	o->arrivals = arrivals == NULL ? LOAD_POISSON : load_arrivals_by_name(arrivals);
	if (o->arrivals == LOAD_ARRIVALS_COUNT)
		return err_set(e, ERR_USAGE, "--arrivals is poisson or constant, not `%.40s`", arrivals);
	return 0;
}

static void add_word(struct stress_options *o, const char *word)
{
	if (word != NULL && o->word_count < STRESS_WORDS_MAX)
		o->words[o->word_count++] = word;
}

/* The command again, for the list of jobs. */
static void add_words(const struct arguments *a, const struct option_spec *specs, struct stress_options *o)
{
	static char dashed[OPTIONS_MAX][32];

	add_word(o, "mldeck");
	add_word(o, "stress");
	add_word(o, o->model);
	for (size_t i = 0; i < OPTIONS_MAX && specs[i].name != NULL; i++) {
		if (!arguments_flag(a, specs[i].name))
			continue;
		snprintf(dashed[i], sizeof dashed[i], "--%s", specs[i].name);
		add_word(o, dashed[i]);
		add_word(o, arguments_value(a, specs[i].name));
	}
}

int stress_options_read(const struct arguments *a, const struct option_spec *specs, struct stress_options *o,
			struct err *e)
{
	*o = (struct stress_options){.model = arguments_at(a, 0),
				     .url = arguments_value(a, "url"),
				     .data = arguments_value(a, "data"),
				     .soak = arguments_flag(a, "soak"),
				     .yes = arguments_flag(a, "yes"),
				     .dry_run = arguments_flag(a, "dry-run"),
				     .json = arguments_flag(a, "json")};
	if (output_model(o->model, e) != 0 || captured_option(a, &o->captured, e) != 0 || read_mode(a, o, e) != 0 ||
	    read_limits(a, o, e) != 0 || read_load(a, o, e) != 0)
		return -1;
	if (o->soak && o->mode == STRESS_FIND_MAX)
		return err_set(e, ERR_USAGE, "--soak needs a rate: it goes without --find-max");
	if (o->url != NULL && o->data == NULL && o->captured == 0)
		return err_set(e, ERR_USAGE, "--url needs rows of its own: name a file with --data");
	add_words(a, specs, o);
	return 0;
}
