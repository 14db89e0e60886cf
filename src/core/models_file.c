/* models_file: a text into models, line by line; the file itself and what it names are read in models_source.c. */
#include "core/models_file.h"

#include "core/registry/registry.h"
#include "core/remote.h"
#include "core/shares.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const option_names[MODELS_OPTION_COUNT] = {
#define X(name, text) text,
    MODELS_OPTIONS(X)
#undef X
};

#define X(name, text) text ".N, "
#define KEYS "version.N, " MODELS_OPTIONS(X) "route, live, shadow and policy.NAME"

const char *models_option_name(enum models_option option)
{
	return option_names[option];
}

int models_file_refuse(const struct models_file *f, int line, struct err *e)
{
	return err_set(e, e->code, "%s, line %d: %s", f->name, line, e->text);
}

/* --- what is read, a line at a time --- */

struct reader {
	struct models_file *file;
	struct models_model *model; /* of the section; NULL before the first */
	const char *next;
	int line;
	bool indented; /* the line begins with a blank: to inih it continues the one before */
	size_t model_capacity;
	struct err *e;
	bool failed; /* e is set; the first fault counts */
};

static int fail(struct reader *r, struct err *fault)
{
	if (!r->failed) {
		models_file_refuse(r->file, r->line, fault);
		*r->e = *fault;
	}
	r->failed = true;
	return 0;
}

static int fail_memory(struct err *e)
{
	return err_set(e, ERR_MEMORY, "memory is out while reading the models file");
}

/* Room for one more of an array that doubles. */
static void *grow(void *items, size_t count, size_t *capacity, size_t item_size)
{
	if (count < *capacity)
		return items;
	size_t more = *capacity > 0 ? 2 * *capacity : 8;
	void *grown = realloc(items, more * item_size);
	if (grown != NULL)
		*capacity = more;
	return grown;
}

/* "model churn" between the brackets; the rest of the line is blank or a comment. */
static int section_name(const char *line, size_t length, char name[TEXT_NAME_MAX + 1], struct err *e)
{
	static const char word[] = "model ";
	const char *text = line + 1, *end = memchr(line, ']', length);

	if (end == NULL)
		return err_set(e, ERR_INPUT, "the section has no `]`");
	const char *rest = end + 1;
	while (rest < line + length && strchr(" \t\r", *rest) != NULL)
		rest++;
	if (rest < line + length && *rest != ';' && *rest != '#')
		return err_set(e, ERR_INPUT, "nothing but a comment follows a section");
	size_t size = (size_t)(end - text);
	if (size < sizeof word - 1 || memcmp(text, word, sizeof word - 1) != 0)
		return err_set(e, ERR_INPUT, "a section is [model NAME], not [%.*s]", size > 80 ? 80 : (int)size, text);
	for (text += sizeof word - 1; text < end && *text == ' ';)
		text++;
	while (end > text && end[-1] == ' ')
		end--;
	size = (size_t)(end - text);
	snprintf(name, TEXT_NAME_MAX + 1, "%.*s", size > TEXT_NAME_MAX ? 0 : (int)size, text);
	if (!text_name_valid(name))
		return err_set(e, ERR_INPUT,
			       "`%.*s` is no name for a model: use a-z, 0-9, `.`, `_` and `-`, at most %d, beginning "
			       "with a letter or digit",
			       size > 80 ? 80 : (int)size, text, TEXT_NAME_MAX);
	return 0;
}

static int section_begin(struct reader *r, const char *line, size_t length, struct err *e)
{
	char name[TEXT_NAME_MAX + 1];
	struct models_file *f = r->file;

	if (section_name(line, length, name, e) != 0)
		return -1;
	void *models = grow(f->models, f->model_count, &r->model_capacity, sizeof *f->models);
	if (models == NULL)
		return fail_memory(e);
	f->models = models;
	r->model = &f->models[f->model_count++];
	*r->model = (struct models_model){.line = r->line};
	memcpy(r->model->name, name, sizeof name);
	return 0;
}

/* inih cuts a section's name at 49 bytes, and a model's may have 64: sections are read here, and inih is shown a short
 * one. It also does not tell every distribution's users the line, so lines are counted. */
static char *read_line(char *line, int size, void *stream)
{
	struct reader *r = stream;
	size_t length = strcspn(r->next, "\n");
	size_t most = size - 2 < MODELS_LINE_MAX ? (size_t)size - 2 : MODELS_LINE_MAX;
	const char *text = r->next;
	struct err fault;

	if (*text == '\0' || r->failed)
		return NULL;
	r->line++;
	r->next += length + (text[length] == '\n');
	if (length > most) {
		err_set(&fault, ERR_INPUT,
			"the line has %zu bytes, the limit is %zu; a list goes on in an indented line", length, most);
		fail(r, &fault);
		return NULL;
	}
	if (r->line == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		length -= 3;
	}
	r->indented = *text == ' ' || *text == '\t';
	size_t blanks = strspn(text, " \t");
	if (text[blanks] != '[') {
		memcpy(line, text, length);
		memcpy(line + length, "\n", 2);
		return line;
	}
	int result = blanks > 0 ? err_set(&fault, ERR_INPUT, "a section begins at the start of its line")
				: section_begin(r, text, length, &fault);
	if (result != 0) {
		fail(r, &fault);
		return NULL;
	}
	memcpy(line, "[model]\n", 9);
	return line;
}

/* --- keys --- */

static struct models_version *version_of(struct models_model *m, uint32_t number, struct err *e)
{
	/* Mostly they ascend, and then a new one is not searched for. */
	for (size_t i = number > m->version_greatest ? 0 : m->version_count; i-- > 0;)
		if (m->versions[i].version == number)
			return &m->versions[i];
	if (m->version_count == MODELS_VERSIONS_MAX) {
		err_set(e, ERR_TOO_LARGE, "a section has at most %d versions", MODELS_VERSIONS_MAX);
		return NULL;
	}
	void *versions = grow(m->versions, m->version_count, &m->version_capacity, sizeof *m->versions);
	if (versions == NULL) {
		fail_memory(e);
		return NULL;
	}
	m->versions = versions;
	struct models_version *v = &m->versions[m->version_count++];
	*v = (struct models_version){.version = number};
	if (number > m->version_greatest)
		m->version_greatest = number;
	return v;
}

static int copy(char **to, const char *text, struct err *e)
{
	*to = strdup(text);
	return *to != NULL ? 0 : fail_memory(e);
}

static int set_source(struct reader *r, struct models_version *v, const char *value, struct err *e)
{
	static const char prefix[] = "sha256:";
	char url[REMOTE_URL_SIZE];

	if (v->kind != MODELS_NONE)
		return err_set(e, ERR_INPUT, "`version.%u` is there twice, first on line %d", v->version, v->line);
	v->line = r->line;
	if (strncmp(value, prefix, sizeof prefix - 1) == 0) {
		const char *hex = value + sizeof prefix - 1;
		if (!digest_valid(hex))
			return err_set(e, ERR_INPUT,
				       "sha256: is followed by 64 lower-case hexadecimal digits, not `%.80s`", hex);
		v->kind = MODELS_SHA256;
		memcpy(v->sha256, hex, DIGEST_SIZE);
	} else if (remote_is_url(value)) {
		v->kind = MODELS_URL;
		if (remote_url_read(value, url, e) != 0)
			return -1;
		value = url;
	} else {
		v->kind = MODELS_FILE;
		v->path = models_file_path(r->file, value);
		if (v->path == NULL)
			return fail_memory(e);
	}
	return copy(&v->source, value, e);
}

/* Of features, which may be a long list, an indented line goes on. */
static int set_option(struct reader *r, struct models_version *v, enum models_option option, const char *value,
		      struct err *e)
{
	char **text = &v->options[option];
	bool goes_on = r->indented && option == MODELS_FEATURES;

	if (*text != NULL && !goes_on)
		return err_set(e, ERR_INPUT, "`%s.%u` is there twice, first on line %d", option_names[option],
			       v->version, v->option_lines[option]);
	if (*text != NULL) {
		char *joined = NULL;
		size_t size = strlen(*text);
		bool comma = size > 0 && (*text)[size - 1] == ',';
		if (asprintf(&joined, "%s%s%s", *text, comma ? "" : ",", value) < 0)
			return fail_memory(e);
		free(*text);
		*text = joined;
		return 0;
	}
	v->option_lines[option] = r->line;
	return copy(text, value, e);
}

static int set_versioned(struct reader *r, const char *key, const char *dot, const char *value, struct err *e)
{
	size_t size = (size_t)(dot - key);
	long long number;
	int option = -1; /* the version itself */

	while (option < MODELS_OPTION_COUNT) {
		const char *name = option < 0 ? "version" : option_names[option];
		if (strlen(name) == size && memcmp(name, key, size) == 0)
			break;
		option++;
	}
	if (option == MODELS_OPTION_COUNT)
		return err_set(e, ERR_INPUT, "there is no key `%.60s`; a model has " KEYS, key);
	/* Of one without a zero in front inih, which cuts long keys, cannot make another. */
	if (dot[1] == '0' || !text_integer(dot + 1, 1, VERSIONS_MAX, &number))
		return err_set(e, ERR_INPUT, "`%.60s`: a version is a number from 1 to %d", key, VERSIONS_MAX);
	struct models_version *v = version_of(r->model, (uint32_t)number, e);
	if (v == NULL)
		return -1;
	return option < 0 ? set_source(r, v, value, e) : set_option(r, v, (enum models_option)option, value, e);
}

static int set_shares(struct reader *r, const char *key, enum route_role role, int *line, const char *value,
		      struct err *e)
{
	struct models_model *m = r->model;

	if (*line != 0 && !r->indented)
		return err_set(e, ERR_INPUT, "`%s` is there twice, first on line %d", key, *line);
	if (*line == 0)
		*line = r->line;
	if (strcmp(value, "none") == 0)
		return 0;
	size_t before = m->entry_count;
	if (shares_read(value, role, m->entries, &m->entry_count, e) != 0)
		return -1;
	return m->entry_count > before ? 0 : err_set(e, ERR_INPUT, "`%s` has no share: write VERSION=PERCENT", key);
}

static int set_live(struct reader *r, const char *value, struct err *e)
{
	struct models_model *m = r->model;
	long long number;

	if (m->live_line != 0)
		return err_set(e, ERR_INPUT, "`live` is there twice, first on line %d", m->live_line);
	if (!text_integer(*value == 'v' ? value + 1 : value, 1, VERSIONS_MAX, &number))
		return err_set(e, ERR_INPUT, "`live` is a version's number, not `%.60s`", value);
	m->live_line = r->line;
	m->live = (uint32_t)number;
	return 0;
}

static int set_policy(struct reader *r, const char *name, const char *value, struct err *e)
{
	struct models_model *m = r->model;
	char text[POLICY_NAMES_SIZE], joined[POLICY_NAMES_SIZE + MODELS_LINE_MAX + 2];
	const char *row = NULL, *help;
	size_t i = 0;

	if (m->policy_line == 0) {
		m->policy_line = r->line;
		policy_init(&m->policy);
	}
	while (policy_row(&m->policy, i, &row, text, &help) && strcmp(row, name) != 0)
		i++;
	bool again = row != NULL && strcmp(row, name) == 0 && (m->policy_rows >> i & 1) != 0;
	if (again && !r->indented)
		return err_set(e, ERR_INPUT, "`policy.%s` is there twice", name);
	snprintf(joined, sizeof joined, "%s%s%s", again ? text : "", again ? " " : "", value);
	if (policy_set(&m->policy, name, joined, e) != 0)
		return -1;
	m->policy_rows |= UINT64_C(1) << i;
	return 0;
}

static bool goes_on(const char *key)
{
	return strcmp(key, "route") == 0 || strcmp(key, "shadow") == 0 || strncmp(key, "features.", 9) == 0 ||
	       strcmp(key, "policy.promoters") == 0 || strcmp(key, "policy.tests") == 0;
}

static int set_key(struct reader *r, const char *key, const char *value, struct err *e)
{
	const char *dot = strchr(key, '.');

	if (r->model == NULL)
		return err_set(e, ERR_INPUT, "`%.60s` is in no section: begin with [model NAME]", key);
	if (r->indented && !goes_on(key))
		return err_set(e, ERR_INPUT, "an indented line continues `%.60s`, which takes one value", key);
	if (strncmp(key, "policy.", 7) == 0)
		return set_policy(r, key + 7, value, e);
	if (*value == '\0')
		return err_set(e, ERR_INPUT, "`%.60s` has no value", key);
	if (dot != NULL)
		return set_versioned(r, key, dot, value, e);
	if (strcmp(key, "route") == 0)
		return set_shares(r, key, ROUTE_CANARY, &r->model->route_line, value, e);
	if (strcmp(key, "shadow") == 0)
		return set_shares(r, key, ROUTE_SHADOW, &r->model->shadow_line, value, e);
	if (strcmp(key, "live") == 0)
		return set_live(r, value, e);
	return err_set(e, ERR_INPUT, "there is no key `%.60s`; a model has " KEYS, key);
}

static int handle(void *user, const char *section, const char *key, const char *value)
{
	struct reader *r = user;
	struct err fault;

	(void)section;
	if (r->failed)
		return 0;
	return set_key(r, key, value, &fault) == 0 ? 1 : fail(r, &fault);
}

/* --- the whole --- */

static int name_file(struct models_file *f, const char *name, struct err *e)
{
	const char *slash = strrchr(name, '/');

	*f = (struct models_file){0};
	f->name = strdup(strcmp(name, "-") == 0 ? "standard input" : name);
	f->folder = slash != NULL ? strndup(name, (size_t)(slash - name) + 1) : strdup("");
	return f->name != NULL && f->folder != NULL ? 0 : fail_memory(e);
}

static int read_text(struct models_file *f, const char *text, struct err *e)
{
	struct reader r = {.file = f, .next = text, .e = e};
	/* A line that is neither section nor key; reading goes on behind it, so a later fault may be in e. */
	int line = ini_parse_stream(read_line, &r, handle, &r);

	if (line < 0)
		return fail_memory(e);
	if (line > 0 && (!r.failed || line < r.line)) {
		err_set(e, ERR_INPUT, "neither [model NAME] nor KEY = VALUE");
		return models_file_refuse(f, line, e);
	}
	return r.failed ? -1 : models_file_check(f, e);
}

int models_file_parse(struct models_file *f, const char *name, const char *text, struct err *e)
{
	struct err own;

	if (e == NULL)
		e = &own;
	if (name_file(f, name, e) == 0 && read_text(f, text, e) == 0)
		return 0;
	models_file_release(f);
	return -1;
}

static void release_model(struct models_model *m)
{
	for (size_t i = 0; i < m->version_count; i++) {
		free(m->versions[i].source);
		free(m->versions[i].path);
		for (int option = 0; option < MODELS_OPTION_COUNT; option++)
			free(m->versions[i].options[option]);
	}
	free(m->versions);
}

void models_file_release(struct models_file *f)
{
	for (size_t i = 0; i < f->model_count; i++)
		release_model(&f->models[i]);
	free(f->models);
	free(f->name);
	free(f->folder);
	*f = (struct models_file){0};
}
