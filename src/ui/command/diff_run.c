#include "ui/command/diff_run.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/text.h"
#include "core/version_client.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORTION 97     /* rows of a question that asks for noise: no divisor of a chunk */
#define RETRY_MS 30000 /* a runtime that is started again is back by then */
#define PAUSE_MS 100
#define CURL_SIZE 8192

/* --- opening --- */

static int find_side(struct diff_run *r, size_t side, struct client *client, struct err *e)
{
	cJSON *record = NULL;
	int result = version_client_load(client, r->options.model, r->versions[side], &r->manifests[side], &record, e);

	snprintf(r->names[side], sizeof r->names[side], "v%u", (unsigned)r->versions[side]);
	if (result == 0)
		result = score_kind_from_json(record, &r->kinds[side], e);
	cJSON_Delete(record);
	return result;
}

/* Where applications ask, for the lines to try. */
static void find_listen(struct diff_run *r, struct client *client)
{
	cJSON *json = NULL;
	struct err ignored;

	if (client_get(client, "/control/v1/snapshot?window_s=1", CLIENT_TIMEOUT_MS, &json, &ignored) == 0)
		text_clean(r->listen, sizeof r->listen,
			   json_find_text(cJSON_GetObjectItemCaseSensitive(json, "server"), "listen"));
	cJSON_Delete(json);
}

static int find_versions(struct diff_run *r, struct client *client, struct err *e)
{
	uint32_t live;

	r->versions[DIFF_NEW] = r->options.version;
	if (version_client_live(client, r->options.model, &live, e) != 0)
		return -1;
	r->versions[DIFF_OLD] = r->options.against != 0 ? r->options.against : live;
	if (r->versions[DIFF_OLD] == 0)
		return err_set(e, ERR_CONFLICT, "%s has no live version; name one with --against N", r->options.model);
	if (r->versions[DIFF_OLD] == r->versions[DIFF_NEW])
		return err_set(e, ERR_CONFLICT, "v%u is %s; name another version to compare it with (--against N)",
			       (unsigned)r->versions[DIFF_NEW], r->options.against != 0 ? "both" : "the live one");
	find_listen(r, client);
	return find_side(r, DIFF_NEW, client, e) != 0 || find_side(r, DIFF_OLD, client, e) != 0 ? -1 : 0;
}

static int take_memory(struct diff_run *r, struct err *e)
{
	size_t width = score_width(&r->kinds[0]);

	r->chunk = calloc(1, sizeof *r->chunk);
	for (size_t side = 0; r->chunk != NULL && side < DIFF_SIDES; side++) {
		r->inputs[side] = calloc(r->manifests[side].input_count, sizeof *r->inputs[side]);
		r->values[side] = calloc(DIFF_CHUNK_ROWS * width, sizeof *r->values[side]);
		r->classes[side] = calloc(DIFF_CHUNK_ROWS, sizeof *r->classes[side]);
		if (r->inputs[side] == NULL || r->values[side] == NULL || r->classes[side] == NULL)
			return err_set(e, ERR_MEMORY, "memory is out");
	}
	return r->chunk != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out");
}

int diff_run_open(struct diff_run *r, const struct diff_options *options, struct client *client, struct err *e)
{
	*r = (struct diff_run){.options = *options, .client = client};
	for (size_t side = 0; side < DIFF_SIDES; side++)
		manifest_init(&r->manifests[side]);
	if (find_versions(r, client, e) != 0 ||
	    score_kinds_comparable(&r->kinds[DIFF_NEW], r->names[DIFF_NEW], &r->kinds[DIFF_OLD], r->names[DIFF_OLD],
				   e) != 0 ||
	    take_memory(r, e) != 0)
		return -1;
	for (size_t side = 0; side < DIFF_SIDES; side++) {
		r->askers[side] = batch_client_new(options->socket_path, options->model, r->versions[side],
						   &r->manifests[side], 1, e);
		if (r->askers[side] == NULL)
			return -1;
	}
	r->data = diff_data_open(options->data, options->model, r->manifests, &options->columns, e);
	return r->data == NULL ? -1 : 0;
}

void diff_run_close(struct diff_run *r)
{
	diff_data_close(r->data);
	if (r->chunk != NULL)
		diff_chunk_release(r->chunk);
	free(r->chunk);
	for (size_t side = 0; side < DIFF_SIDES; side++) {
		batch_client_free(r->askers[side]);
		manifest_release(&r->manifests[side]);
		free(r->inputs[side]);
		free(r->values[side]);
		free(r->classes[side]);
	}
}

/* --- asking --- */

/* What may pass if one waits: a runtime that starts again, a queue that is full. */
static bool is_passing(enum err_code code)
{
	return code == ERR_BUSY || code == ERR_UNREACHABLE || code == ERR_UPSTREAM || code == ERR_TIMEOUT;
}

/* Whether it is worth waiting. A version that was unloaded meanwhile, for nobody asked it, is loaded again. */
static bool try_again(struct diff_run *r, size_t side, const struct err *e)
{
	struct manifest manifest;
	cJSON *record = NULL;
	struct err ignored;

	if (!is_passing(e->code))
		return false;
	version_client_load(r->client, r->options.model, r->versions[side], &manifest, &record, &ignored);
	cJSON_Delete(record);
	manifest_release(&manifest);
	return true;
}

/* Rows of tensors into values and classes from `first` on. */
static int ask(struct diff_run *r, size_t side, const struct tensor *inputs, size_t rows, size_t first, struct err *e)
{
	const char *const name = r->kinds[side].output;
	struct batch_question question = {
	    .inputs = inputs, .rows = rows, .output_names = &name, .output_count = 1, .arena = &r->chunk->arena};
	int64_t until_ms = clock_ms() + RETRY_MS;

	while (batch_client_predict(r->askers[side], 0, &question, e) != 0) {
		if (*r->options.stop != 0 || clock_ms() >= until_ms || !try_again(r, side, e))
			return err_set(e, e->code, "%s, lines %llu to %llu: %.400s", r->names[side],
				       (unsigned long long)r->chunk->notes[first].line,
				       (unsigned long long)r->chunk->notes[first + rows - 1].line, e->text);
		clock_pause_ms(PAUSE_MS);
	}
	return score_read(&r->kinds[side], &question.outputs[0].tensor, rows,
			  r->values[side] + first * score_width(&r->kinds[side]), r->classes[side] + first, e);
}

static int ask_chunk(struct diff_run *r, size_t side, struct err *e)
{
	const struct columns_rows *rows = &r->chunk->sides[side];
	size_t most = rows->columns->row_max < DIFF_CHUNK_ROWS ? rows->columns->row_max : DIFF_CHUNK_ROWS;

	for (size_t first = 0; first < r->chunk->rows; first += most) {
		size_t left = r->chunk->rows - first, count = left < most ? left : most;
		columns_rows_tensors(rows, first, count, r->inputs[side]);
		if (ask(r, side, r->inputs[side], count, first, e) != 0)
			return -1;
	}
	return 0;
}

/* --- noise --- */

/* The tensor of the rows in the opposite order, in the chunk's arena. */
static int turn(struct diff_run *r, struct tensor *t, size_t rows, struct err *e)
{
	size_t row_size = t->count / rows * datatype_size(t->datatype);
	const char *from = t->data;
	char *to = arena_take(&r->chunk->arena, row_size * rows);

	if (to == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for rows");
	for (size_t i = 0; i < rows; i++)
		memcpy(to + i * row_size, from + (rows - 1 - i) * row_size, row_size);
	t->data = to;
	return 0;
}

static int ask_backwards(struct diff_run *r, struct err *e)
{
	const struct columns_rows *rows = &r->chunk->sides[DIFF_OLD];
	size_t count = r->manifests[DIFF_OLD].input_count;
	size_t most = rows->columns->row_max < PORTION ? rows->columns->row_max : PORTION;
	struct tensor *inputs = r->inputs[DIFF_OLD];

	for (size_t end = r->chunk->rows; end > 0;) {
		size_t portion = end < most ? end : most;
		columns_rows_tensors(rows, end - portion, portion, inputs);
		for (size_t i = 0; i < count; i++)
			if (turn(r, &inputs[i], portion, e) != 0)
				return -1;
		if (ask(r, DIFF_OLD, inputs, portion, end - portion, e) != 0)
			return -1;
		end -= portion;
	}
	return 0;
}

/* The values of a portion were answered backwards: those of a row are found from its portion's end. */
static size_t turned_place(const struct diff_run *r, size_t row)
{
	size_t row_max = r->chunk->sides[DIFF_OLD].columns->row_max;
	size_t most = row_max < PORTION ? row_max : PORTION, from_end = r->chunk->rows - 1 - row;
	size_t portion_end = r->chunk->rows - from_end / most * most;
	size_t portion_start = portion_end > most ? portion_end - most : 0;

	return portion_start + (portion_end - 1 - row);
}

static int add_noise(struct diff_run *r, struct diff_noise *noise, struct stat_moments *first, struct err *e)
{
	size_t width = score_width(&r->kinds[DIFF_OLD]), count = r->chunk->rows * width;
	double *once = arena_array(&r->chunk->arena, count, sizeof *once);

	if (once == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for rows");
	memcpy(once, r->values[DIFF_OLD], count * sizeof *once);
	if (ask_backwards(r, e) != 0)
		return -1;
	for (size_t row = 0; row < r->chunk->rows; row++) {
		const double *twice = r->values[DIFF_OLD] + turned_place(r, row) * width;
		bool differs = false;
		for (size_t i = 0; i < width; i++) {
			double a = once[row * width + i], b = twice[i];
			differs = differs || (a != b && !(isnan(a) && isnan(b)));
			if (isfinite(a - b))
				noise->greatest = fmax(noise->greatest, fabs(a - b));
		}
		noise->rows++;
		noise->differing += differs;
		if (isfinite(once[row * width]))
			stat_moments_add(first, once[row * width]);
	}
	return 0;
}

int diff_run_noise(struct diff_run *r, struct diff_noise *noise, struct err *e)
{
	struct stat_moments first = {0};

	*noise = (struct diff_noise){0};
	while (noise->rows < DIFF_NOISE_ROWS && *r->options.stop == 0) {
		if (diff_data_next(r->data, r->chunk, e) != 0)
			return -1;
		if (r->chunk->rows == 0)
			break;
		if (ask_chunk(r, DIFF_OLD, e) != 0 || add_noise(r, noise, &first, e) != 0)
			return -1;
	}
	if (noise->rows == 0 && *r->options.stop == 0)
		return err_set(e, ERR_INPUT, "there are no rows in %.300s", r->options.data);
	noise->old_sd = sqrt(stat_moments_variance(&first));
	return diff_data_rewind(r->data, e);
}

/* --- comparing --- */

/* Beyond 2^53 a JSON number is another one to most who read it, so it is text. */
static bool is_exact(const struct tensor *t, size_t place)
{
	enum datatype_kind kind = datatype_kind(t->datatype);

	return (kind != KIND_SIGNED && kind != KIND_UNSIGNED) || fabs(tensor_double(t, place)) < 0x1p53;
}

static void write_inputs(const struct diff_run *r, struct buf *out)
{
	const struct columns *columns = r->chunk->sides[DIFF_NEW].columns;

	columns_rows_tensors(&r->chunk->sides[DIFF_NEW], r->at, 1, r->inputs[DIFF_NEW]);
	buf_add_string(out, "{\"inputs\":{");
	for (size_t i = 0; i < columns->count; i++) {
		const struct column *column = &columns->list[i];
		if (i > 0)
			buf_add_char(out, ',');
		v2_write_string(out, column->name);
		buf_add_char(out, ':');
		const struct tensor *t = &r->inputs[DIFF_NEW][column->input];
		if (!is_exact(t, column->index))
			buf_add_char(out, '"');
		columns_write_json(out, t, column->index);
		if (!is_exact(t, column->index))
			buf_add_char(out, '"');
	}
	buf_add_char(out, '}');
}

/* A line for a shell that asks one version for the row; left out where it would be too long. */
static void write_curl(const struct diff_run *r, size_t side, const char *name, struct buf *out)
{
	char command[CURL_SIZE] = "", url[512];
	size_t ignored;
	struct buf body;

	buf_init(&body);
	columns_rows_tensors(&r->chunk->sides[side], r->at, 1, r->inputs[side]);
	v2_client_write(&body, &r->manifests[side], r->inputs[side], NULL, 0, false, &ignored);
	snprintf(url, sizeof url, "http://%s/v2/models/%s/versions/%u/infer", *r->listen ? r->listen : "127.0.0.1:8080",
		 r->options.model, (unsigned)r->versions[side]);
	if (!body.failed && text_quote(command, sizeof command, "curl") && text_quote(command, sizeof command, "-d") &&
	    text_quote(command, sizeof command, body.data) && text_quote(command, sizeof command, url)) {
		buf_format(out, ",\"%s\":", name);
		v2_write_string(out, command);
	}
	buf_release(&body);
}

/* For the differential: a row as JSON. */
static char *describe(void *context)
{
	const struct diff_run *r = context;
	struct buf out;

	buf_init(&out);
	write_inputs(r, &out);
	write_curl(r, DIFF_NEW, "curl", &out);
	write_curl(r, DIFF_OLD, "curl_old", &out);
	buf_add_char(&out, '}');
	if (out.failed)
		buf_release(&out);
	return buf_take(&out);
}

int diff_run_next(struct diff_run *r, struct differential *d, bool *more, struct err *e)
{
	if (diff_data_next(r->data, r->chunk, e) != 0)
		return -1;
	*more = r->chunk->rows > 0;
	if (*more && (ask_chunk(r, DIFF_OLD, e) != 0 || ask_chunk(r, DIFF_NEW, e) != 0))
		return -1;
	d->describe = r->options.bare ? NULL : describe;
	d->context = r;
	for (r->at = 0; r->at < r->chunk->rows; r->at++) {
		const struct diff_note *note = &r->chunk->notes[r->at];
		struct differential_row row = {.line = note->line,
					       .old_values = r->values[DIFF_OLD] + r->at * d->width,
					       .new_values = r->values[DIFF_NEW] + r->at * d->width,
					       .old_class = r->classes[DIFF_OLD][r->at],
					       .new_class = r->classes[DIFF_NEW][r->at],
					       .label = note->label};
		if (r->options.columns.segment != NULL)
			row.segment = differential_segment(
			    d, note->segment_size > 0 ? r->chunk->segments.data + note->segment : "",
			    note->segment_size);
		differential_add(d, &row);
	}
	r->rows += r->chunk->rows;
	return 0;
}
