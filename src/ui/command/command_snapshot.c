#include "core/buf.h"
#include "core/json.h"
#include "core/snapshot.h"
#include "ui/command/output.h"
#include "ui/view/picture.h"
#include "ui/view/render.h"
#include "ui/view/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX ((size_t)256 << 20)

extern const struct command command_snapshot;

enum format { FORMAT_TEXT, FORMAT_ANSI, FORMAT_SVG, FORMAT_JSON };

struct request {
	struct picture picture;
	enum format format;
	struct theme theme;
};

/* The index of text in names (ends with NULL), or ERR_INPUT with all of them. */
static int choice(const char *option, const char *text, const char *const *names, int *index, struct err *e)
{
	char list[128] = "";

	for (int i = 0; names[i]; i++) {
		if (strcmp(text, names[i]) == 0) {
			*index = i;
			return 0;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "", names[i]);
	}
	return err_set(e, ERR_INPUT, "--%s is one of %s, not %s", option, list, *text ? text : "\"\"");
}

static int size_parse(const char *text, struct picture *p, struct err *e)
{
	char columns_text[16];
	const char *x = strchr(text, 'x');
	long long columns = 0, rows = 0;

	if (x && (size_t)(x - text) < sizeof(columns_text)) {
		snprintf(columns_text, sizeof(columns_text), "%.*s", (int)(x - text), text);
		if (text_integer(columns_text, 20, CANVAS_COLUMNS_MAX, &columns) &&
		    text_integer(x + 1, 5, CANVAS_ROWS_MAX, &rows)) {
			p->columns = (int)columns;
			p->rows = (int)rows;
			return 0;
		}
	}
	return err_set(e, ERR_INPUT, "--size is COLUMNSxROWS from 20x5 to %dx%d, as in 80x24, not %s",
		       CANVAS_COLUMNS_MAX, CANVAS_ROWS_MAX, *text ? text : "\"\"");
}

static int view_check(const char *name, struct err *e)
{
	char list[256] = "";

	if (view_find(name))
		return 0;
	for (size_t i = 0; i < view_count; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "", view_table[i]->name);
	return err_set(e, ERR_INPUT, "there is no view %s; there are %s", *name ? name : "\"\"", list);
}

static int request_read(const struct arguments *a, struct request *r, struct err *e)
{
	static const char *const formats[] = {"text", "ansi", "svg", "json", NULL};
	static const char *const charsets[] = {"braille", "blocks", "ascii", NULL};
	const char *format = arguments_value(a, "format");
	const char *charset = arguments_value(a, "charset");
	const char *size = arguments_value(a, "size");
	const char *theme = arguments_value(a, "theme");
	const char *no_color = getenv("NO_COLOR");
	int number = 0;
	long long job, test, with;

	*r = (struct request){.picture = {.view = arguments_at(a, 0),
					  .model = arguments_value(a, "model"),
					  .columns = 80,
					  .rows = 24,
					  .charset = output_ascii() ? CHARSET_ASCII : CHARSET_BRAILLE}};
	if (view_check(r->picture.view, e) != 0 || output_number(a, "job", 1, INT64_MAX, 0, &job, e) != 0 ||
	    output_number(a, "test", 1, JSON_INTEGER_MAX, 0, &test, e) != 0 ||
	    output_number(a, "with", 1, JSON_INTEGER_MAX, 0, &with, e) != 0 ||
	    (r->picture.model && output_model(r->picture.model, e) != 0) ||
	    (size && size_parse(size, &r->picture, e) != 0))
		return -1;
	r->picture.experiment = arguments_value(a, "experiment");
	if (r->picture.experiment && !r->picture.model)
		return err_set(e, ERR_USAGE, "--experiment needs the --model that it is of");
	if (r->picture.experiment && !text_name_valid(r->picture.experiment))
		return err_set(e, ERR_INPUT, "%s is no name of an A/B test", r->picture.experiment);
	if (with == test && with != 0)
		return err_set(e, ERR_USAGE, "--test and --with are the same test");
	r->picture.job = job;
	r->picture.test = test;
	r->picture.with = with;
	if (format && choice("format", format, formats, &number, e) != 0)
		return -1;
	r->format = arguments_flag(a, "json") ? FORMAT_JSON : (enum format)number;
	number = (int)r->picture.charset;
	if (charset && choice("charset", charset, charsets, &number, e) != 0)
		return -1;
	r->picture.charset = (enum charset)number;
	if (r->format == FORMAT_ANSI && no_color && *no_color)
		r->format = FORMAT_TEXT;
	return theme_load(theme ? theme : THEME_DEFAULT, &r->theme, e);
}

static int input_read(const char *path, cJSON **json, struct err *e)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char chunk[65536];
	struct buf b;
	size_t got;
	int result = -1;

	if (!file)
		return err_errno(e, errno, "%s cannot be opened", path);
	buf_init(&b);
	while (b.size <= INPUT_MAX && (got = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&b, chunk, got);
	if (ferror(file))
		err_errno(e, errno, "%s cannot be read", path);
	else if (b.size > INPUT_MAX)
		err_set(e, ERR_TOO_LARGE, "%s is larger than %zu MiB", path, INPUT_MAX >> 20);
	else if (b.failed)
		err_set(e, ERR_MEMORY, "memory is out");
	else if (!b.data || !(*json = cJSON_ParseWithLength(b.data, b.size)))
		err_set(e, ERR_INPUT, "%s is no JSON text", path);
	else
		result = 0;
	buf_release(&b);
	if (file != stdin)
		fclose(file);
	return result;
}

/* The first model's name, where a view of one model was asked for without a name; "" where there is none. */
static void first_model(const cJSON *json, char *name, size_t size)
{
	const cJSON *model = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "models"), 0);

	snprintf(name, size, "%s", json_find_text(model, "name"));
	if (!text_name_valid(name))
		name[0] = '\0';
}

/* A picture with what the path asks for replaces the one that is there. */
static int picture_get(struct client *client, const char *path, cJSON **json, struct err *e)
{
	cJSON_Delete(*json);
	*json = NULL;
	return client_get(client, path, CLIENT_TIMEOUT_MS, json, e);
}

/* A view of one model, whose revisions it needs. */
static int model_get(struct client *client, const struct request *r, cJSON **json, struct err *e)
{
	char path[192], model[TEXT_NAME_MAX + 1] = "";

	if (r->picture.model)
		snprintf(model, sizeof(model), "%s", r->picture.model);
	else if (picture_get(client, "/control/v1/snapshot", json, e) != 0)
		return -1;
	else
		first_model(*json, model, sizeof(model));
	if (!*model)
		return 0;
	snprintf(path, sizeof(path), "/control/v1/snapshot?detail=%s", model);
	return picture_get(client, path, json, e);
}

/* The history of tests, of one model when it is named. */
static int tests_get(struct client *client, const struct request *r, int limit, cJSON **json, struct err *e)
{
	char path[192];
	const char *model = r->picture.model;

	snprintf(path, sizeof(path), "/control/v1/snapshot?tests=%d%s%s", limit, model ? "&detail=" : "",
		 model ? model : "");
	return picture_get(client, path, json, e);
}

/* One test in full, or two; the newest where none is named. */
static int test_get(struct client *client, const struct request *r, cJSON **json, struct err *e)
{
	char path[192];
	double id = (double)r->picture.test;

	if (r->picture.test == 0 && tests_get(client, r, 1, json, e) != 0)
		return -1;
	if (r->picture.test == 0)
		id = json_find_number(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(*json, "tests"), 0), "id");
	if (id == 0)
		return 0; /* there is none at all: the view says so */
	snprintf(path, sizeof(path), "/control/v1/snapshot?test=%.0f&with=%lld", id, (long long)r->picture.with);
	return picture_get(client, path, json, e);
}

/* The first in the list, of the model when it is named; NULL when there is none. */
static const cJSON *experiment_first(const cJSON *json, const char *model)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "experiments"), *item;

	cJSON_ArrayForEach(item, list)
	{
		if (!model || strcmp(json_find_text(item, "model"), model) == 0)
			return item;
	}
	return NULL;
}

/* One A/B test in full; the first where none is named. */
static int experiment_get(struct client *client, const struct request *r, cJSON **json, struct err *e)
{
	char path[256], model[TEXT_NAME_MAX + 1], name[TEXT_NAME_MAX + 1];
	const cJSON *first;

	if (r->picture.experiment) {
		snprintf(model, sizeof(model), "%s", r->picture.model);
		snprintf(name, sizeof(name), "%s", r->picture.experiment);
	} else {
		if (picture_get(client, "/control/v1/snapshot?experiments=1", json, e) != 0)
			return -1;
		if (!(first = experiment_first(*json, r->picture.model)))
			return 0; /* there is none at all: the view says so */
		snprintf(model, sizeof(model), "%s", json_find_text(first, "model"));
		snprintf(name, sizeof(name), "%s", json_find_text(first, "name"));
		if (!text_name_valid(model) || !text_name_valid(name))
			return err_set(e, ERR_UPSTREAM, "the runtime named an A/B test by what is no name");
	}
	snprintf(path, sizeof(path), "/control/v1/snapshot?experiment=%s&detail=%s", name, model);
	return picture_get(client, path, json, e);
}

/* With what the view needs beyond the usual. */
static int snapshot_get(struct client *client, const struct request *r, cJSON **json, struct err *e)
{
	const struct view *v = view_find(r->picture.view);
	char path[64];

	if (v->detail)
		return model_get(client, r, json, e);
	if (v->tests)
		return tests_get(client, r, SNAPSHOT_TESTS_MAX, json, e);
	if (v->experiments)
		return picture_get(client, "/control/v1/snapshot?experiments=1", json, e);
	if (v->experiment)
		return experiment_get(client, r, json, e);
	if (v->report)
		return test_get(client, r, json, e);
	snprintf(path, sizeof(path), "/control/v1/snapshot?audit=%d", v->audits ? SNAPSHOT_AUDITS_MAX : 0);
	return picture_get(client, path, json, e);
}

static int snapshot_read(const struct arguments *a, const struct request *r, cJSON **json, struct err *e)
{
	const char *input = arguments_value(a, "input");
	struct client *client;
	int result;

	if (input)
		return input_read(input, json, e);
	if (output_client(a, "snapshot", &client, e) != 0)
		return -1;
	result = snapshot_get(client, r, json, e);
	client_free(client);
	return result;
}

/* Whether the tests that were named are there, and of the model that was. */
static int test_check(const struct request *r, const struct snapshot *s, struct err *e)
{
	const int64_t named[] = {r->picture.test, r->picture.with};

	for (size_t i = 0; i < 2 && view_find(r->picture.view)->report; i++) {
		const struct snapshot_report *report = snapshot_report(s, named[i]);

		if (named[i] == 0)
			continue;
		if (!report || report->missing)
			return err_set(e, ERR_NOT_FOUND,
				       "there is no test %lld; mldeck snapshot tests shows those there are",
				       (long long)named[i]);
		if (r->picture.model && strcmp(report->test.model, r->picture.model) != 0)
			return err_set(e, ERR_NOT_FOUND, "test %lld is of %s, not of %s", (long long)named[i],
				       report->test.model, r->picture.model);
	}
	return 0;
}

static int request_draw(const struct request *r, const struct snapshot *s, struct buf *b, struct err *e)
{
	struct canvas *c;

	if (r->picture.model && !snapshot_find(s, r->picture.model))
		return err_set(e, ERR_NOT_FOUND, "there is no model %s", r->picture.model);
	if (r->picture.job && !snapshot_job(s, r->picture.job))
		return err_set(e, ERR_NOT_FOUND, "job %lld is not in the picture; mldeck jobs %lld shows it",
			       (long long)r->picture.job, (long long)r->picture.job);
	if (r->picture.experiment &&
	    (view_find(r->picture.view)->experiments || view_find(r->picture.view)->experiment) &&
	    !snapshot_experiment(s, r->picture.model, r->picture.experiment))
		return err_set(e, ERR_NOT_FOUND,
			       "%s has no A/B test %s; mldeck snapshot experiments shows those there are",
			       r->picture.model, r->picture.experiment);
	if (test_check(r, s, e) != 0)
		return -1;
	if (r->format == FORMAT_JSON) {
		cJSON *json = snapshot_to_json(s);
		char *text = cJSON_Print(json);

		buf_format(b, "%s\n", text ? text : "");
		b->failed = b->failed || !text;
		cJSON_free(text);
		cJSON_Delete(json);
	} else {
		c = picture_draw(&r->picture, s);
		if (c && r->format == FORMAT_TEXT)
			render_text(c, b);
		else if (c && r->format == FORMAT_ANSI)
			render_ansi(c, &r->theme, b);
		else if (c)
			render_svg(c, &r->theme, b);
		b->failed = b->failed || !c;
		canvas_free(c);
	}
	return b->failed ? err_set(e, ERR_MEMORY, "memory is out") : 0;
}

static int picture_write(const char *path, const struct buf *b, struct err *e)
{
	FILE *file = path ? fopen(path, "we") : stdout;
	bool whole;

	if (!file)
		return err_errno(e, errno, "%s cannot be written", path);
	whole = fwrite(b->data, 1, b->size, file) == b->size;
	if (!path)
		return output_end(e);
	if (fclose(file) == 0 && whole)
		return 0;
	return err_errno(e, errno, "%s cannot be written", path);
}

static int snapshot(const struct arguments *a, struct err *e)
{
	struct request r;
	struct snapshot *s = NULL;
	cJSON *json = NULL;
	struct buf b;
	int result = -1;

	buf_init(&b);
	if (request_read(a, &r, e) == 0 && snapshot_read(a, &r, &json, e) == 0 &&
	    snapshot_from_json(json, &s, e) == 0 && request_draw(&r, s, &b, e) == 0)
		result = picture_write(arguments_value(a, "output"), &b, e);
	buf_release(&b);
	snapshot_free(s);
	cJSON_Delete(json);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return snapshot(a, &e) == 0 ? 0 : command_fail(&command_snapshot, &e);
}

static const struct option_spec options[] = {
    {"format", "text|ansi|svg|json", "text is the default"},
    {"size", "80x24", "columns and rows"},
    {"model", "MODEL", "the model to select or open"},
    {"job", "ID", "the job to select or open"},
    {"test", "ID", "the test to select or open (default: the newest, of the model with --model)"},
    {"with", "ID", "the test to show beside it (default: the one before it of the same kind and versions)"},
    {"experiment", "NAME", "the A/B test of --model to select or open (default: the first)"},
    {"theme", "NAME", "a built-in theme, or a theme file's path"},
    {"charset", "NAME", "braille, blocks or ascii (default: by the locale)"},
    {"input", "FILE", "draw this JSON snapshot instead of the runtime's; - is standard input"},
    {"output", "FILE", "write to a file instead of standard output"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_snapshot = {
    .name = "snapshot",
    .arguments = "VIEW",
    .summary = "print a screen of the console as text, ANSI, SVG or JSON",
    .options = options,
    .run = run,
};
