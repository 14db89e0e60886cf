#include "core/batch_internal.h"

#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_TENSOR_BYTES ((size_t)8 << 20)
#define FLUSH_BYTES ((size_t)256 << 10)
#define TICK_MS 100
#define HOPELESS_ROWS 100 /* so many at the start without one that could be predicted */
#define NAMED_REASON 200  /* bytes of a row's reason in another sentence */

bool batch_stopping(const struct batch *b)
{
	return (b->options.stop != NULL && *b->options.stop != 0) || atomic_load(&b->stopped);
}

static void get_progress(const struct batch *b, struct batch_progress *p)
{
	*p = (struct batch_progress){.rows = b->place.rows,
				     .rejected = b->place.rejected,
				     .bytes = b->place.offset,
				     .bytes_total = b->files.input_size,
				     .resumed_rows = b->resumed_rows};
}

void batch_tick(struct batch *b)
{
	struct batch_progress progress;
	int64_t now_ms = clock_ms();

	if (b->calls->tick == NULL || now_ms - b->tick_ms < TICK_MS)
		return;
	b->tick_ms = now_ms;
	get_progress(b, &progress);
	if (!b->calls->tick(b->calls->context, &progress))
		atomic_store(&b->stopped, true);
}

bool batch_resumable(const struct batch *b)
{
	return b->files.regular_input && b->files.regular_output;
}

uint32_t batch_version(const struct batch *b)
{
	return b->resumed ? b->identity.version : 0;
}

const char *batch_rejects_path(const struct batch *b)
{
	return b->files.rejects != NULL ? b->files.rejects : "";
}

static int read_state(struct batch *b, struct err *e)
{
	if (!batch_resumable(b))
		return 0;
	if (batch_identity_of_input(b, &b->identity, e) != 0)
		return -1;
	return b->options.restart ? 0 : batch_progress_read(b, e);
}

int batch_open(const struct batch_options *options, struct batch **result, struct err *e)
{
	struct batch *b;

	*result = NULL;
	if (options->keep.all && options->input_format == ROWS_JSON && options->output_format == ROWS_CSV)
		return err_set(e, ERR_USAGE,
			       "--keep all of JSON lines needs an output of JSON lines; name the fields for CSV: "
			       "--keep A,B");
	b = calloc(1, sizeof *b);
	if (b == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	b->options = *options;
	buf_init(&b->out);
	buf_init(&b->rejects);
	pthread_mutex_init(&b->lock, NULL);
	clock_cond_init(&b->changed);
	b->piece = malloc(BATCH_READ_SIZE);
	if (batch_files_open(b, e) != 0 || (b->piece == NULL && err_set(e, ERR_MEMORY, "memory is out") != 0) ||
	    read_state(b, e) != 0) {
		batch_close(b);
		return -1;
	}
	*result = b;
	return 0;
}

/* A run that did not begin leaves no empty file. */
static void remove_unused(const struct batch *b)
{
	struct stat st;

	if (b->files.regular_output && !b->began && b->files.part_fd >= 0 && fstat(b->files.part_fd, &st) == 0 &&
	    st.st_size == 0 && access(b->files.progress, F_OK) != 0)
		unlink(b->files.part);
}

void batch_close(struct batch *b)
{
	if (b == NULL)
		return;
	batch_slots_stop(b);
	remove_unused(b);
	batch_files_close(&b->files);
	rows_release(&b->rows);
	columns_free(b->columns);
	batch_layout_release(&b->layout);
	for (size_t i = 0; i < BATCH_SLOTS; i++) {
		arena_release(&b->slots[i].arena);
		buf_release(&b->slots[i].kept);
		free(b->slots[i].list);
	}
	buf_release(&b->out);
	buf_release(&b->rejects);
	free(b->identity.input);
	free(b->piece);
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static int check_version(struct batch *b, const struct manifest *m, uint32_t version, struct err *e)
{
	if (b->resumed && b->identity.version != version)
		return err_set(e, ERR_CONFLICT,
			       "%s was begun with v%u; go on with --version %u, or add --restart to start over with "
			       "v%u",
			       b->options.output, (unsigned)b->identity.version, (unsigned)b->identity.version,
			       (unsigned)version);
	if (b->resumed && strcmp(b->identity.sha256, m->sha256) != 0)
		return err_set(e, ERR_CONFLICT,
			       "v%u of %s is another file than when %s was begun; add --restart to start over",
			       (unsigned)version, b->options.model, b->options.output);
	b->identity.version = version;
	snprintf(b->identity.sha256, sizeof b->identity.sha256, "%s", m->sha256);
	return 0;
}

/* So many rows that their tensors stay small, however wide a row is. */
static size_t rows_of_chunk(const struct batch *b)
{
	size_t row = 0, rows = b->options.chunk_rows;

	for (size_t i = 0; i < b->columns->input_count; i++)
		row += b->columns->inputs[i].width * datatype_size(b->columns->inputs[i].datatype);
	if (rows > CHUNK_TENSOR_BYTES / row)
		rows = CHUNK_TENSOR_BYTES / row;
	if (rows > b->columns->row_max)
		rows = b->columns->row_max;
	return rows > 0 ? rows : 1;
}

/* Goes to where the run before was. */
static int seek(struct batch *b, struct err *e)
{
	b->resumed_rows = b->place.rows;
	if (batch_files_seek(b, e) != 0)
		return -1;
	if (b->place.line == 0)
		return 0;
	if (b->options.input_format == ROWS_CSV && batch_read_header(b, e) != 0)
		return -1;
	rows_seek(&b->rows, b->place.offset, b->place.line);
	b->read_offset = b->place.offset;
	b->input_ended = false;
	if (lseek(b->files.input_fd, (off_t)b->place.offset, SEEK_SET) < 0)
		return err_errno(e, errno, "%s cannot be read", b->options.input);
	return 0;
}

static int begin(struct batch *b, const struct manifest *m, uint32_t version, struct err *e)
{
	b->manifest = m;
	b->columns = columns_new(m, b->options.model, e);
	if (b->columns == NULL || check_version(b, m, version, e) != 0 ||
	    (!b->resumed && batch_layout_of_manifest(b, e) != 0) || batch_layout_names(&b->layout, e) != 0 ||
	    rows_init(&b->rows, b->options.input_format, b->columns, &b->options.keep, e) != 0)
		return -1;
	if (b->layout.count == 0)
		return err_set(e, ERR_INPUT, "%s has no outputs", b->options.model);
	b->chunk_rows = rows_of_chunk(b);
	if (seek(b, e) != 0 || (batch_resumable(b) && batch_progress_write(b, false, e) != 0))
		return -1;
	b->began = true;
	b->checkpoint_ms = clock_ms();
	return batch_slots_start(b, e);
}

static int checkpoint(struct batch *b, struct err *e)
{
	b->checkpoint_ms = clock_ms();
	if (batch_files_flush(b, batch_resumable(b), e) != 0)
		return -1;
	return batch_resumable(b) ? batch_progress_write(b, false, e) : 0;
}

/* What is wrong with the first row that was rejected. */
static int name_first(const struct batch_slot *slot, const char *what, struct err *e)
{
	size_t i = 0;

	while (slot->list[i].reason == NULL)
		i++;
	const struct batch_row *row = &slot->list[i];
	return err_set(e, ERR_INPUT, "%s; line %llu%s%s%s: %.*s", what, (unsigned long long)row->line,
		       row->column[0] != '\0' ? ", column `" : "", row->column, row->column[0] != '\0' ? "`" : "",
		       NAMED_REASON, row->reason);
}

/* When it is plain that going on makes no sense. open: the header had to be written before its columns were known. */
static int check_rejects(struct batch *b, const struct batch_slot *slot, bool more, bool open, struct err *e)
{
	char what[128];

	if (b->options.rejects_max != BATCH_NO_LIMIT && b->place.rejected > b->options.rejects_max) {
		snprintf(what, sizeof what, "more than %llu rows cannot be predicted",
			 (unsigned long long)b->options.rejects_max);
		return name_first(slot, what, e);
	}
	if (!more || b->place.rejected < b->place.rows)
		return 0;
	if (open || (b->options.rejects_max == BATCH_NO_LIMIT && b->place.rows >= HOPELESS_ROWS)) {
		if (b->place.rows == 1)
			snprintf(what, sizeof what, "the first row cannot be predicted");
		else
			snprintf(what, sizeof what, "none of the first %llu rows can be predicted",
				 (unsigned long long)b->place.rows);
		return name_first(slot, what, e);
	}
	return 0;
}

/* Takes the oldest slot's answer. 0, or -1: *discard says whether what was written is worth nothing. */
static int take(struct batch *b, struct batch_slot *slot, bool more, bool *discard, struct err *e)
{
	while (!batch_slot_wait(b, slot))
		batch_tick(b);
	if (slot->result != 0) {
		*e = slot->e;
		return -1;
	}
	bool open = b->options.output_format == ROWS_CSV && batch_layout_open(&b->layout);
	if (batch_write_slot(b, slot, e) != 0) {
		*discard = e->code == ERR_INPUT;
		return -1;
	}
	*discard = check_rejects(b, slot, more, open, e) != 0;
	if (*discard)
		return -1;
	batch_tick(b);
	if (clock_ms() - b->checkpoint_ms >= b->options.checkpoint_ms)
		return checkpoint(b, e);
	return b->out.size < FLUSH_BYTES ? 0 : batch_files_flush(b, false, e);
}

/* 1: stopped, 0: the input has ended, -1: an error. */
static int go_through(struct batch *b, bool *discard, struct err *e)
{
	size_t head = 0, tail = 0, under_way = 0;
	struct err reading = {0};
	int filled = 1;

	for (;;) {
		while (filled > 0 && under_way < b->slot_count && !batch_stopping(b)) {
			filled = batch_fill(b, &b->slots[tail], &reading);
			if (filled <= 0)
				break;
			batch_slot_fill_done(b, &b->slots[tail]);
			tail = (tail + 1) % b->slot_count;
			under_way++;
		}
		if (under_way == 0)
			break;
		if (take(b, &b->slots[head], filled > 0 || under_way > 1, discard, e) != 0)
			return batch_stopping(b) && !*discard ? 1 : -1;
		head = (head + 1) % b->slot_count;
		under_way--;
	}
	if (filled < 0) {
		*e = reading;
		*discard = e->code == ERR_INPUT || e->code == ERR_TOO_LARGE || e->code == ERR_CONFLICT;
		return -1;
	}
	return batch_stopping(b);
}

static int finish(struct batch *b, struct err *e)
{
	if (b->options.input_format == ROWS_CSV && !b->rows.header_read && !b->finished) {
		batch_files_discard(b);
		return err_set(e, ERR_INPUT, "%s is empty; its first line is to name the columns", b->options.input);
	}
	if (!b->finished && batch_write_header(b, e) != 0)
		return -1;
	return batch_files_finish(b, e);
}

/* The run before had only names left to give. */
static int finish_again(struct batch *b, struct err *e)
{
	struct stat st;

	b->began = true;
	b->resumed_rows = b->place.rows;
	if (fstat(b->files.part_fd, &st) == 0 && st.st_size == 0 && b->place.output_bytes > 0) {
		/* All have them: the part is what taking the lock made. */
		unlink(b->files.part);
		unlink(b->files.progress);
		return 0;
	}
	return batch_files_finish(b, e);
}

int batch_run(struct batch *b, const struct manifest *manifest, uint32_t version, const struct batch_calls *calls,
	      enum batch_outcome *outcome, struct batch_progress *progress, struct err *e)
{
	bool discard = false;
	struct err later;
	int result = -1;

	b->calls = calls;
	*outcome = BATCH_DONE;
	if (b->finished) {
		result = check_version(b, manifest, version, e) == 0 ? finish_again(b, e) : -1;
		goto out;
	}
	if (begin(b, manifest, version, e) != 0)
		goto out;
	int ended = go_through(b, &discard, e);
	batch_slots_stop(b);
	if (ended > 0)
		*outcome = BATCH_STOPPED;
	if (ended == 0)
		result = finish(b, e);
	else if (discard || !batch_resumable(b) || (ended < 0 && b->place.rows == 0))
		batch_files_discard(b);
	else
		/* What could not be written says so itself; what an error interrupted is recorded. */
		ended = checkpoint(b, ended > 0 ? e : &later) != 0 ? -1 : ended;
	if (ended > 0)
		result = 0;
out:
	get_progress(b, progress);
	return result;
}
