/* batch: OUTPUT.progress: what a run is of, and how far it is on the disk. */
#include "core/batch_internal.h"
#include "core/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT 1
#define HEAD_SIZE 65536
#define PROGRESS_MAX ((size_t)1 << 20)
#define BYTES_MAX (INT64_C(1) << 53)

int batch_identity_of_input(struct batch *b, struct batch_identity *identity, struct err *e)
{
	char *head = malloc(HEAD_SIZE);
	struct stat st;
	int result = -1;

	identity->input = realpath(b->options.input, NULL);
	if (head == NULL || identity->input == NULL) {
		err_errno(e, errno, "%s cannot be opened", b->options.input);
		goto out;
	}
	ssize_t size = pread(b->files.input_fd, head, HEAD_SIZE, 0);
	if (size < 0 || fstat(b->files.input_fd, &st) != 0) {
		err_errno(e, errno, "%s cannot be read", b->options.input);
		goto out;
	}
	identity->input_size = (uint64_t)st.st_size;
	identity->input_mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	result = digest_of(head, (size_t)size, identity->head, e);
out:
	free(head);
	return result;
}

/* Everything of the options that shapes the output. */
static void options_text(const struct batch *b, struct buf *text)
{
	const struct batch_options *o = &b->options;

	buf_format(text, "%s; %s to %s; outputs %s; keep", o->model, o->input_format == ROWS_JSON ? "jsonl" : "csv",
		   o->output_format == ROWS_JSON ? "jsonl" : "csv", o->asked_outputs);
	if (o->keep.all)
		buf_add_string(text, " all");
	for (size_t i = 0; i < o->keep.count; i++)
		buf_format(text, " %s", o->keep.names[i]);
	buf_format(text, "; rejects %s", b->files.rejects);
}

static bool add_count(cJSON *json, const char *name, uint64_t count)
{
	return cJSON_AddNumberToObject(json, name, (double)count) != NULL;
}

static bool add_identity(cJSON *json, const struct batch *b)
{
	const struct batch_identity *i = &b->identity;
	struct buf text;
	char mtime[24];

	/* As text: nanoseconds since 1970 are past 2^53. */
	snprintf(mtime, sizeof mtime, "%" PRId64, i->input_mtime_ns);
	buf_init(&text);
	options_text(b, &text);
	bool done =
	    !text.failed && cJSON_AddStringToObject(json, "run", text.data) != NULL &&
	    cJSON_AddStringToObject(json, "input", i->input) != NULL && add_count(json, "input_size", i->input_size) &&
	    cJSON_AddStringToObject(json, "input_mtime_ns", mtime) != NULL &&
	    cJSON_AddStringToObject(json, "input_head", i->head) != NULL && add_count(json, "version", i->version) &&
	    cJSON_AddStringToObject(json, "sha256", i->sha256) != NULL;
	buf_release(&text);
	return done;
}

static bool add_layout(cJSON *json, const struct batch_layout *layout)
{
	cJSON *list = cJSON_AddArrayToObject(json, "outputs");
	bool done = list != NULL;

	for (size_t i = 0; done && i < layout->count; i++) {
		cJSON *output = cJSON_CreateObject();
		done = cJSON_AddItemToArray(list, output) &&
		       cJSON_AddStringToObject(output, "name", layout->outputs[i].name) != NULL &&
		       add_count(output, "width", layout->outputs[i].width);
	}
	return done;
}

static char *progress_text(const struct batch *b, bool finished)
{
	const struct batch_place *p = &b->place;
	cJSON *json = cJSON_CreateObject();
	char *text = NULL;

	if (json != NULL && add_count(json, "mldeck_progress", FORMAT) && add_identity(json, b) &&
	    add_count(json, "offset", p->offset) && add_count(json, "line", p->line) &&
	    add_count(json, "rows", p->rows) && add_count(json, "rejected", p->rejected) &&
	    add_count(json, "output_bytes", p->output_bytes) && add_count(json, "rejects_bytes", p->rejects_bytes) &&
	    cJSON_AddBoolToObject(json, "header_written", b->header_written) != NULL && add_layout(json, &b->layout) &&
	    cJSON_AddBoolToObject(json, "finished", finished) != NULL)
		text = cJSON_Print(json);
	cJSON_Delete(json);
	return text;
}

/* Under a temporary name, on the disk, and renamed: a crash leaves the old one or the new one. */
int batch_progress_write(struct batch *b, bool finished, struct err *e)
{
	const char *name = b->files.progress_new;
	char *text = progress_text(b, finished);
	int fd = -1, result = -1;

	if (text == NULL) {
		err_set(e, ERR_MEMORY, "memory is out");
		goto out;
	}
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0) {
		batch_file_error(errno, name, e);
		goto out;
	}
	if (batch_write_all(fd, text, strlen(text), name, e) != 0)
		goto out;
	if (fdatasync(fd) != 0 || rename(name, b->files.progress) != 0)
		batch_file_error(errno, b->files.progress, e);
	else
		result = 0;
out:
	if (fd >= 0)
		close(fd);
	cJSON_free(text);
	return result;
}

/* The file's text; NULL with ERR_NONE where there is no file. */
static char *read_text(const char *name, struct err *e)
{
	/* Not waiting: a pipe without a writer would. */
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = malloc(PROGRESS_MAX);
	ssize_t size = -1;

	e->code = ERR_NONE;
	if (fd < 0 && errno != ENOENT)
		err_errno(e, errno, "%s cannot be opened", name);
	else if (text == NULL)
		err_set(e, ERR_MEMORY, "memory is out");
	else if (fd >= 0 && (size = read(fd, text, PROGRESS_MAX - 1)) < 0)
		err_errno(e, errno, "%s cannot be read", name);
	if (fd >= 0)
		close(fd);
	if (size < 0) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}

static int read_layout(struct batch *b, const cJSON *json, struct err *e)
{
	const cJSON *list = json_array(json, "outputs", MANIFEST_TENSORS_MAX, e), *item;
	int64_t width;

	if (list == NULL)
		return -1;
	b->layout.outputs = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *b->layout.outputs);
	if (b->layout.outputs == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	cJSON_ArrayForEach(item, list)
	{
		const char *name = json_text(item, "name", e);
		if (name == NULL || json_integer(item, "width", 0, INT32_MAX, &width, e) != 0)
			return -1;
		struct batch_output *output = &b->layout.outputs[b->layout.count];
		output->name = strdup(name);
		output->width = (size_t)width;
		if (output->name == NULL)
			return err_set(e, ERR_MEMORY, "memory is out");
		b->layout.count++;
	}
	return 0;
}

static int read_count(const cJSON *json, const char *name, uint64_t *count, struct err *e)
{
	int64_t number;

	if (json_integer(json, name, 0, BYTES_MAX, &number, e) != 0)
		return -1;
	*count = (uint64_t)number;
	return 0;
}

static int read_place(struct batch *b, const cJSON *json, struct err *e)
{
	struct batch_place *p = &b->place;
	uint64_t version;

	if (read_count(json, "offset", &p->offset, e) != 0 || read_count(json, "line", &p->line, e) != 0 ||
	    read_count(json, "rows", &p->rows, e) != 0 || read_count(json, "rejected", &p->rejected, e) != 0 ||
	    read_count(json, "output_bytes", &p->output_bytes, e) != 0 ||
	    read_count(json, "rejects_bytes", &p->rejects_bytes, e) != 0 ||
	    read_count(json, "version", &version, e) != 0 ||
	    json_boolean(json, "header_written", &b->header_written, e) != 0 ||
	    json_boolean(json, "finished", &b->finished, e) != 0 ||
	    json_string(json, "sha256", b->identity.sha256, sizeof b->identity.sha256, e) != 0)
		return -1;
	b->identity.version = (uint32_t)version;
	return read_layout(b, json, e);
}

/* Whether it is a run of the same: else the sentence says what changed. */
static int check_same(const struct batch *b, const cJSON *json, struct err *e)
{
	const char *run = json_text(json, "run", e), *input = json_text(json, "input", e);
	const char *head = json_text(json, "input_head", e), *mtime = json_text(json, "input_mtime_ns", e);
	uint64_t size;
	struct buf text;
	int result = -1;

	if (run == NULL || input == NULL || head == NULL || mtime == NULL ||
	    read_count(json, "input_size", &size, e) != 0)
		return -1;
	buf_init(&text);
	options_text(b, &text);
	const char *redo = "add --restart to start over, or name another --output";
	if (text.failed)
		err_set(e, ERR_MEMORY, "memory is out");
	else if (strcmp(run, text.data) != 0)
		err_set(e, ERR_CONFLICT, "%s was begun by a run of something else (%s); %s", b->options.output, run,
			redo);
	else if (strcmp(input, b->identity.input) != 0)
		err_set(e, ERR_CONFLICT, "%s was begun with the input %s; %s", b->options.output, input, redo);
	else if (size != b->identity.input_size || strcmp(head, b->identity.head) != 0 ||
		 strtoll(mtime, NULL, 10) != b->identity.input_mtime_ns)
		err_set(e, ERR_CONFLICT, "%s has changed since %s was begun; %s", b->options.input, b->options.output,
			redo);
	else
		result = 0;
	buf_release(&text);
	return result;
}

int batch_progress_read(struct batch *b, struct err *e)
{
	char *text = read_text(b->files.progress, e);
	cJSON *json;
	int64_t format;
	int result = -1;

	if (text == NULL)
		return e->code == ERR_NONE ? 0 : -1;
	json = cJSON_Parse(text);
	if (json == NULL)
		err_set(e, ERR_INPUT, "it is no JSON");
	else if (json_integer(json, "mldeck_progress", FORMAT, FORMAT, &format, e) == 0 &&
		 check_same(b, json, e) == 0 && read_place(b, json, e) == 0)
		result = 0;
	b->resumed = result == 0;
	if (result != 0 && e->code == ERR_INPUT)
		err_set(e, ERR_CONFLICT, "%s is no progress of a run (%.200s); add --restart to start over",
			b->files.progress, e->text);
	cJSON_Delete(json);
	free(text);
	return result;
}
