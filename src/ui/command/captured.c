#include "ui/command/captured.h"

#include "core/file.h"
#include "core/json.h"
#include "core/text.h"
#include "ui/command/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FETCH_MS 120000
#define PATH_MAX_SIZE 256

int captured_option(const struct arguments *a, size_t *rows, struct err *e)
{
	const char *text = arguments_value(a, "captured");
	long long number;

	*rows = 0;
	if (text == NULL)
		return 0;
	if (arguments_value(a, "data") != NULL)
		return err_set(e, ERR_USAGE, "rows come from --data or from --captured: leave one out");
	if (!text_integer(text, 1, CAPTURED_MAX, &number))
		return err_set(e, ERR_USAGE, "--captured takes a number of rows from 1 to %d, not `%.40s`",
			       CAPTURED_MAX, text);
	*rows = (size_t)number;
	return 0;
}

static int read_counts(struct captured *c, struct err *e)
{
	int64_t rows, unfit;

	if (json_integer(c->answer, "rows", 0, CAPTURED_MAX, &rows, e) != 0 ||
	    json_integer(c->answer, "unfit", 0, JSON_INTEGER_MAX, &unfit, e) != 0 ||
	    json_integer(c->answer, "from_ms", 0, JSON_INTEGER_MAX, &c->from_ms, e) != 0 ||
	    json_integer(c->answer, "to_ms", 0, JSON_INTEGER_MAX, &c->to_ms, e) != 0 ||
	    (c->csv = json_text(c->answer, "csv", e)) == NULL)
		return -1;
	c->rows = (size_t)rows;
	c->unfit = (size_t)unfit;
	c->size = strlen(c->csv);
	return 0;
}

/* Why there is not one row. */
static int refuse_empty(const struct captured *c, const char *model, struct err *e)
{
	char since[32];
	double lost = json_find_number(c->answer, "dropped") + json_find_number(c->answer, "too_large");

	output_time(since, sizeof since, json_find_number(c->answer, "since_ms"));
	if (c->unfit > 0)
		return err_set(
		    e, ERR_CONFLICT,
		    "none of the %zu rows that are captured of %s can be asked of these versions: their inputs "
		    "differ",
		    c->unfit, model);
	if (lost > 0)
		return err_set(
		    e, ERR_CONFLICT,
		    "no request of %s could be kept since %s: %.0f rows found no room ([capture] memory) or were "
		    "too large",
		    model, since, lost);
	return err_set(e, ERR_CONFLICT, "no request of %s was captured yet, since %s: wait for traffic, or give --data",
		       model, since);
}

static void describe(struct captured *c)
{
	char from[32], to[32];
	size_t used;

	output_time(from, sizeof from, (double)c->from_ms);
	output_time(to, sizeof to, (double)c->to_ms);
	used = (size_t)snprintf(c->text, sizeof c->text, "%zu rows of live requests, %s to %s", c->rows, from, to);
	if (c->rows < c->asked)
		snprintf(c->text + used, sizeof c->text - used, "; %zu were asked for", c->asked);
}

int captured_fetch(struct captured *c, struct client *client, const char *model, const uint32_t *versions, size_t count,
		   size_t rows, struct err *e)
{
	char path[PATH_MAX_SIZE];
	const char *separator = "&versions=";

	*c = (struct captured){.asked = rows, .fd = -1};
	size_t used = (size_t)snprintf(path, sizeof path, "/control/v1/models/%s/captured?limit=%zu", model, rows);
	for (size_t i = 0; i < count; i++) {
		if (versions[i] == 0)
			continue;
		used += (size_t)snprintf(path + used, sizeof path - used, "%s%u", separator, (unsigned)versions[i]);
		separator = ",";
	}
	if (client_get(client, path, FETCH_MS, &c->answer, e) != 0 || read_counts(c, e) != 0)
		return -1;
	if (c->rows == 0)
		return refuse_empty(c, model, e);
	describe(c);
	return 0;
}

void captured_release(struct captured *c)
{
	cJSON_Delete(c->answer);
	if (c->answer != NULL && c->fd >= 0)
		close(c->fd);
	*c = (struct captured){.fd = -1};
}

int captured_empty_file(struct captured *c, struct err *e)
{
	c->fd = memfd_create("captured", MFD_CLOEXEC);
	if (c->fd < 0)
		return err_errno(e, errno, "no file of memory can be made for the captured rows");
	snprintf(c->path, sizeof c->path, "/proc/%ld/fd/%d", (long)getpid(), c->fd);
	return 0;
}

int captured_file(struct captured *c, struct err *e)
{
	if (captured_empty_file(c, e) != 0)
		return -1;
	if (file_write(c->fd, c->csv, c->size) != 0)
		return err_errno(e, errno, "the captured rows cannot be put into memory");
	return 0;
}

void captured_report(const struct captured *c, cJSON *report)
{
	if (c == NULL || c->asked == 0)
		return;
	cJSON *json = cJSON_AddObjectToObject(report, "captured");
	cJSON_AddNumberToObject(json, "asked", (double)c->asked);
	cJSON_AddNumberToObject(json, "rows", (double)c->rows);
	cJSON_AddNumberToObject(json, "unfit", (double)c->unfit);
	cJSON_AddNumberToObject(json, "from_ms", (double)c->from_ms);
	cJSON_AddNumberToObject(json, "to_ms", (double)c->to_ms);
}
