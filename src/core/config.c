/*
 * config: one table of all settings; the file and the command line both go through it.
 */
#include "core/config.h"

#include "core/number.h"
#include "core/units.h"

#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (64 * 1024)
#define SETTINGS_MAX 64
/* inih reads lines into a buffer of its own, of 200 bytes where a distribution did not change it.
 */
#define LINE_MAX_SIZE 190

enum kind { KIND_TEXT, KIND_ORIGINS, KIND_COUNT, KIND_SIZE, KIND_MS, KIND_US, KIND_S, KIND_FLAG, KIND_COST };

struct setting {
	const char *section, *key;
	enum kind kind;
	size_t offset;
	size_t size;                  /* of a text */
	unsigned long long low, high; /* of a number, in the unit that it is kept in */
};

#define FIELD(section, key, kind, member, low, high)                                                                 \
	{                                                                                                            \
		section, key, kind, offsetof(struct config, member), sizeof(((struct config *)0)->member), low, high \
	}

/* To add a setting: its field in config.h, a line here, its default below and its row in
 * docs/CONFIG.md. */
static const struct setting settings[] = {
    FIELD("server", "listen", KIND_TEXT, server.listen, 0, 0),
    FIELD("server", "name", KIND_TEXT, server.name, 0, 0),
    FIELD("server", "threads", KIND_COUNT, server.threads, 0, 256),
    FIELD("server", "header_timeout", KIND_MS, server.header_timeout_ms, 100, 3600000),
    FIELD("server", "body_timeout", KIND_MS, server.body_timeout_ms, 100, 3600000),
    FIELD("server", "body_max", KIND_SIZE, server.body_max, 1024, 1073741824),
    FIELD("server", "model_control", KIND_FLAG, server.model_control, 0, 0),
    FIELD("cors", "origins", KIND_ORIGINS, cors.origins, 0, 0),
    FIELD("cors", "credentials", KIND_FLAG, cors.credentials, 0, 0),
    FIELD("cors", "max_age", KIND_S, cors.max_age_s, 0, 86400),
    FIELD("onnx", "library", KIND_TEXT, onnx.library, 0, 0),
    FIELD("onnx", "threads", KIND_COUNT, onnx.threads, 0, 256),
    FIELD("onnx", "arena", KIND_FLAG, onnx.arena, 0, 0),
    FIELD("onnx", "optimization", KIND_COUNT, onnx.optimization, 0, 3),
    FIELD("remote", "timeout", KIND_MS, remote.timeout_ms, 1, 3600000),
    FIELD("remote", "connect_timeout", KIND_MS, remote.connect_timeout_ms, 1, 600000),
    FIELD("remote", "retries", KIND_COUNT, remote.retries, 0, 10),
    FIELD("remote", "in_flight", KIND_COUNT, remote.in_flight_max, 1, 65536),
    FIELD("remote", "ca_file", KIND_TEXT, remote.ca_file, 0, 0),
    FIELD("workers", "threads", KIND_COUNT, workers.threads, 0, 256),
    FIELD("workers", "queue", KIND_COUNT, workers.queue_max, 1, 1048576),
    FIELD("workers", "inline", KIND_US, workers.inline_us, 0, 60000000),
    FIELD("shadows", "threads", KIND_COUNT, shadows.threads, 1, 64),
    FIELD("shadows", "queue", KIND_COUNT, shadows.queue_max, 2, 1048576),
    FIELD("shadows", "bytes", KIND_SIZE, shadows.bytes_max, 65536, 1099511627776),
    FIELD("shadows", "timeout", KIND_MS, shadows.timeout_ms, 1, 3600000),
    FIELD("routes", "keep_warm", KIND_S, routes.keep_warm_s, 0, 31536000),
    FIELD("routes", "idle_unload", KIND_S, routes.idle_unload_s, 0, 31536000),
    FIELD("capture", "memory", KIND_SIZE, capture.memory_max, 65536, 1099511627776),
    FIELD("capture", "window", KIND_S, capture.window_s, 2, 2592000),
    FIELD("control", "group", KIND_TEXT, control.group, 0, 0),
    FIELD("train", "rate", KIND_COST, train.rate, 0, 0),
};
#define SETTING_COUNT (sizeof settings / sizeof *settings)
_Static_assert(SETTING_COUNT <= SETTINGS_MAX, "struct reader counts the settings in one word");

void config_init(struct config *c)
{
	*c = (struct config){
	    .server = {.listen = "127.0.0.1:8080",
		       .header_timeout_ms = 90000,
		       .body_timeout_ms = 60000,
		       .body_max = 64u << 20},
	    .cors = {.max_age_s = 600},
	    .onnx = {.threads = 1, .arena = true, .optimization = 3},
	    .remote = {.timeout_ms = 10000, .connect_timeout_ms = 2000, .retries = 1, .in_flight_max = 256},
	    .workers = {.queue_max = 1024, .inline_us = 1000},
	    .shadows = {.threads = 2, .queue_max = 1024, .bytes_max = 64u << 20, .timeout_ms = 5000},
	    .routes = {.keep_warm_s = 86400, .idle_unload_s = 3600},
	    .capture = {.memory_max = 64u << 20, .window_s = 86400},
	    .train = {.rate = (double)NAN},
	};
}

unsigned config_threads(unsigned setting)
{
	long cores = setting == 0 ? sysconf(_SC_NPROCESSORS_ONLN) : setting;
	return cores < 1 ? 1 : (unsigned)cores;
}

bool config_cost(const char *text, double *cost)
{
	size_t size = strlen(text);
	struct number n;

	if (size == 0 || number_read(text, text + size, &n) != size || n.negative || !isfinite(number_double(&n)))
		return false;
	*cost = number_double(&n);
	return true;
}

/* --- values --- */

static int set_number(const struct setting *s, const struct unit *units, const char *example, const char *value,
		      void *field, struct err *e)
{
	char low[UNITS_TEXT_SIZE], high[UNITS_TEXT_SIZE];
	unsigned long long number;

	if (!units_parse(units, value, &number))
		return err_set(e, ERR_INPUT, "%s takes a number such as %s, not `%.60s`", s->key, example, value);
	units_write(units, s->low, low);
	units_write(units, s->high, high);
	if (number < s->low || number > s->high)
		return err_set(e, ERR_INPUT, "%s is from %s to %s, not `%.60s`", s->key, low, high, value);
	if (s->kind == KIND_SIZE)
		*(size_t *)field = (size_t)number;
	else if (s->kind == KIND_MS)
		*(int *)field = (int)number;
	else
		*(unsigned *)field = (unsigned)number;
	return 0;
}

static int set_flag(const struct setting *s, const char *value, bool *flag, struct err *e)
{
	if (units_flag(value, flag))
		return 0;
	return err_set(e, ERR_INPUT, "%s is yes or no, not `%.60s`", s->key, value);
}

static int set_cost(const struct setting *s, const char *value, double *cost, struct err *e)
{
	if (config_cost(value, cost))
		return 0;
	return err_set(e, ERR_INPUT, "%s is what an hour costs, such as 2.50, not `%.60s`", s->key, value);
}

static int set_text(const struct setting *s, const char *value, char *text, struct err *e)
{
	size_t length = strlen(value);
	if (length >= s->size)
		return err_set(e, ERR_INPUT, "%s has %zu bytes, the limit is %zu", s->key, length, s->size - 1);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)value[i] < ' ' || value[i] == 127)
			return err_set(e, ERR_INPUT, "%s holds a control character", s->key);
	memmove(text, value, length + 1);
	return 0;
}

/* scheme://host or scheme://host:port, as a browser's Origin header has it. */
static bool origin_valid(const char *text, size_t length)
{
	const char *end = text + length, *host = memmem(text, length, "://", 3);
	if (host == NULL || host == text || host + 3 == end)
		return false;
	for (const char *p = host + 3; p < end; p++)
		if (*p <= ' ' || *p >= 127 || strchr("/?#@*\"", *p) != NULL)
			return false;
	return true;
}

static int set_origins(const struct setting *s, const char *value, char *text, struct err *e)
{
	for (const char *p = value; *p != '\0' && strcmp(value, "*") != 0;) {
		size_t length = strcspn(p, ", ");
		if (length > 0 && !origin_valid(p, length))
			return err_set(e, ERR_INPUT,
				       "`%.*s` is no origin: write https://host or https://host:port, "
				       "separated by commas, or * alone",
				       length > 80 ? 80 : (int)length, p);
		p += length + (p[length] != '\0');
	}
	return set_text(s, value, text, e);
}

static int set(const struct setting *s, struct config *c, const char *value, struct err *e)
{
	void *field = (char *)c + s->offset;
	switch (s->kind) {
	case KIND_TEXT:
		return set_text(s, value, field, e);
	case KIND_ORIGINS:
		return set_origins(s, value, field, e);
	case KIND_COUNT:
		return set_number(s, units_none, "4", value, field, e);
	case KIND_SIZE:
		return set_number(s, units_size, "64M", value, field, e);
	case KIND_MS:
		return set_number(s, units_ms, "500ms, 10s or 2m", value, field, e);
	case KIND_US:
		return set_number(s, units_us, "500us or 1ms", value, field, e);
	case KIND_S:
		return set_number(s, units_s, "600 or 10m", value, field, e);
	case KIND_FLAG:
		return set_flag(s, value, field, e);
	case KIND_COST:
		return set_cost(s, value, field, e);
	}
	return -1;
}

/* What `names` has not got, "server, cors": sections, or the keys of one section. */
static const struct setting *find(const char *section, const char *key, struct err *e)
{
	char names[300] = "";
	bool known = false;

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if (strcmp(settings[i].section, section) != 0)
			continue;
		known = true;
		if (strcmp(settings[i].key, key) == 0)
			return &settings[i];
	}
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *s = &settings[i];
		bool listed =
		    known ? strcmp(s->section, section) == 0 : i == 0 || strcmp(s->section, s[-1].section) != 0;
		size_t used = strlen(names);
		if (listed)
			snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "",
				 known ? s->key : s->section);
	}
	if (known)
		err_set(e, ERR_INPUT, "[%s] has no key `%.60s`; it has %s", section, key, names);
	else
		err_set(e, ERR_INPUT, "there is no section [%.60s]; there are %s", section, names);
	return NULL;
}

/* What no single setting shows. */
static int check(const struct config *c, struct err *e)
{
	if (c->cors.credentials && strcmp(c->cors.origins, "*") == 0)
		return err_set(e, ERR_INPUT,
			       "[cors] credentials = yes needs a list of origins, not *: any site could "
			       "use a visitor's credentials");
	return 0;
}

int config_set(struct config *c, const char *section, const char *key, const char *value, struct err *e)
{
	struct config changed = *c;
	const struct setting *s = find(section, key, e);
	if (s == NULL || set(s, &changed, value, e) != 0 || check(&changed, e) != 0)
		return -1;
	*c = changed;
	return 0;
}

/* --- the file --- */

struct reader {
	const char *name; /* for sentences */
	const char *next;
	int line;
	bool indented; /* the line begins with a blank: to inih it continues the one before */
	uint64_t seen; /* a bit a setting */
	struct config *config;
	struct err *e;
	bool failed; /* e is set; the first fault counts */
};

static int fail(struct reader *r, const struct err *fault)
{
	r->failed = true;
	err_set(r->e, ERR_INPUT, "%s, line %d: %s", r->name, r->line, fault->text);
	return 0;
}

/* Distributions build inih with and without the line's number: lines are counted here. */
static char *read_line(char *line, int size, void *stream)
{
	struct reader *r = stream;
	size_t length = strcspn(r->next, "\n");
	size_t most = size - 2 < LINE_MAX_SIZE ? (size_t)size - 2 : LINE_MAX_SIZE;
	struct err fault;

	if (*r->next == '\0' || r->failed)
		return NULL;
	r->line++;
	if (length > most) {
		err_set(&fault, ERR_INPUT,
			"the line has %zu bytes, the limit is %zu; a list goes on in an indented line", length, most);
		fail(r, &fault);
		return NULL;
	}
	memcpy(line, r->next, length);
	memcpy(line + length, "\n", 2);
	r->indented = line[0] == ' ' || line[0] == '\t';
	r->next += length + (r->next[length] == '\n');
	return line;
}

static int handle(void *user, const char *section, const char *key, const char *value)
{
	struct reader *r = user;
	struct err fault;
	char joined[1024];

	if (r->failed)
		return 0;
	const struct setting *s = find(section, key, &fault);
	if (s == NULL)
		return fail(r, &fault);
	uint64_t bit = UINT64_C(1) << (s - settings);
	bool again = (r->seen & bit) != 0;
	if (again && (!r->indented || s->kind != KIND_ORIGINS)) {
		err_set(&fault, ERR_INPUT,
			r->indented ? "an indented line continues `%s`, which takes one value" : "`%s` is there twice",
			key);
		return fail(r, &fault);
	}
	r->seen |= bit;
	if (again) {
		snprintf(joined, sizeof joined, "%s, %s", r->config->cors.origins, value);
		value = joined;
	}
	return set(s, r->config, value, &fault) == 0 ? 1 : fail(r, &fault);
}

int config_parse(struct config *c, const char *name, const char *text, struct err *e)
{
	struct config changed = *c;
	struct reader r = {.name = name, .next = text, .config = &changed, .e = e};
	struct err fault;

	int line = ini_parse_stream(read_line, &r, handle, &r);
	if (r.failed)
		return -1;
	if (line < 0)
		return err_set(e, ERR_MEMORY, "memory is out while reading %s", name);
	if (line > 0)
		return err_set(e, ERR_INPUT, "%s, line %d: neither [section] nor key = value", name, line);
	if (check(&changed, &fault) != 0)
		return err_set(e, ERR_INPUT, "%s: %s", name, fault.text);
	*c = changed;
	return 0;
}

static int read_text(FILE *file, const char *path, char *text, struct err *e)
{
	size_t size = fread(text, 1, FILE_MAX + 1, file);
	if (ferror(file))
		return err_errno(e, errno, "%s cannot be read", path);
	if (size > FILE_MAX)
		return err_set(e, ERR_TOO_LARGE, "%s is larger than %d KiB", path, FILE_MAX / 1024);
	if (memchr(text, '\0', size) != NULL)
		return err_set(e, ERR_INPUT, "%s is not a text file", path);
	text[size] = '\0';
	return 0;
}

int config_read(struct config *c, const char *path, struct err *e)
{
	int result = -1;
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return err_errno(e, errno, "the configuration %s cannot be opened", path);
	char *text = malloc(FILE_MAX + 2);
	if (text == NULL)
		err_set(e, ERR_MEMORY, "memory is out while reading %s", path);
	else if (read_text(file, path, text, e) == 0)
		result = config_parse(c, path, text, e);
	free(text);
	fclose(file);
	return result;
}

int config_load(struct config *c, const char *path, const char *state, struct err *e)
{
	char own[CONFIG_PATH_SIZE + 16];
	const char *variable = getenv("MLDECK_CONFIG");

	if (path == NULL && variable != NULL && variable[0] != '\0')
		path = variable;
	if (path != NULL)
		return config_read(c, path, e);
	snprintf(own, sizeof own, "%s/mldeck.ini", state);
	return access(own, F_OK) == 0 ? config_read(c, own, e) : 0;
}
