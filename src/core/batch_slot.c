/* batch: slots: chunks that are predicted by threads of their own, and rows that cannot be, found by halving. */
#include "core/batch_internal.h"

#include "core/clock.h"

#include <string.h>
#include <time.h>

#define RETRY_FIRST_MS 50
#define RETRY_MOST_MS 2000
#define WAIT_MS 100
#define STEP_MS 20 /* of a pause, between looks at whether to stop */

/* What one row may be to blame for: fewer rows may then be predicted. */
static bool is_of_rows(enum err_code code)
{
	return code == ERR_INPUT || code == ERR_TOO_LARGE || code == ERR_UNSUPPORTED || code == ERR_SYSTEM;
}

/* What may pass if one waits: a runtime that starts again, a queue that is full, a server that is away. */
static bool is_passing(enum err_code code)
{
	return code == ERR_BUSY || code == ERR_UNREACHABLE || code == ERR_UPSTREAM || code == ERR_TIMEOUT;
}

/* Whether nobody waits for an answer any more: a run that failed does not ask on for the chunks behind. */
static bool is_over(const struct batch *b)
{
	return batch_stopping(b) || atomic_load(&b->closing);
}

static void pause_ms(const struct batch *b, int64_t ms)
{
	for (int64_t until = clock_ms() + ms; !is_over(b) && clock_ms() < until;)
		clock_pause_ms(STEP_MS);
}

/* Good rows of a slot, asked again while the model does not answer. */
static int ask(struct batch *b, size_t thread, struct batch_slot *slot, struct batch_part *part, struct err *e)
{
	struct tensor *inputs = arena_array(&slot->arena, b->columns->input_count, sizeof *inputs);
	struct batch_question question = {.inputs = inputs,
					  .rows = part->count,
					  .output_names = b->layout.names,
					  .output_count = b->layout.count,
					  .arena = &slot->arena};
	int64_t since_ms = clock_ms(), wait_ms = RETRY_FIRST_MS;

	if (inputs == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for rows");
	columns_rows_tensors(&slot->rows, part->first, part->count, inputs);
	for (;;) {
		if (b->calls->predict(b->calls->context, thread, &question, e) == 0) {
			part->outputs = question.outputs;
			return 0;
		}
		/* Fewer rows may be answered in time. */
		if (!is_passing(e->code) || (e->code == ERR_TIMEOUT && part->count > 1) || is_over(b) ||
		    clock_ms() - since_ms >= b->options.retry_ms)
			return -1;
		pause_ms(b, wait_ms);
		wait_ms = wait_ms * 2 < RETRY_MOST_MS ? wait_ms * 2 : RETRY_MOST_MS;
	}
}

static int add_part(struct batch_slot *slot, const struct batch_part *part, struct err *e)
{
	if (slot->part_count == slot->part_capacity) {
		size_t capacity = slot->part_capacity == 0 ? 8 : slot->part_capacity * 2;
		struct batch_part *more = arena_array(&slot->arena, capacity, sizeof *more);
		if (more == NULL)
			return err_set(e, ERR_MEMORY, "memory is out for an answer");
		if (slot->part_count > 0)
			memcpy(more, slot->parts, slot->part_count * sizeof *more);
		slot->parts = more;
		slot->part_capacity = capacity;
	}
	slot->parts[slot->part_count++] = *part;
	return 0;
}

static int reject_good(struct batch_slot *slot, size_t good, const struct err *e)
{
	const char *reason = arena_copy(&slot->arena, e->text, strlen(e->text));

	if (reason == NULL)
		return -1;
	for (size_t i = good; i < slot->row_count; i++)
		if (slot->list[i].good == good) {
			batch_row_reject(slot, &slot->list[i], "", reason);
			break;
		}
	return 0;
}

/* Predicts good rows; where they are refused together, each half of them, down to the row at fault. */
static int predict(struct batch *b, size_t thread, struct batch_slot *slot, size_t first, size_t count, struct err *e)
{
	struct batch_part part = {.first = first, .count = count};

	if (ask(b, thread, slot, &part, e) == 0)
		return add_part(slot, &part, e);
	if (count == 1 && is_of_rows(e->code)) {
		const struct err refusal = *e;
		return reject_good(slot, first, &refusal) == 0 ? 0
							       : err_set(e, ERR_MEMORY, "memory is out for a reject");
	}
	if (count == 1 || (!is_of_rows(e->code) && e->code != ERR_TIMEOUT) || is_over(b))
		return -1;
	if (predict(b, thread, slot, first, count / 2, e) != 0)
		return -1;
	return predict(b, thread, slot, first + count / 2, count - count / 2, e);
}

static void *run_thread(void *argument)
{
	struct batch_thread *thread = argument;
	struct batch *b = thread->batch;

	pthread_mutex_lock(&b->lock);
	for (;;) {
		struct batch_slot *slot = &b->slots[b->next_predicted];
		if (atomic_load(&b->closing))
			break;
		if (slot->state != SLOT_FILLED) {
			pthread_cond_wait(&b->changed, &b->lock);
			continue;
		}
		slot->state = SLOT_BUSY;
		b->next_predicted = (b->next_predicted + 1) % b->slot_count;
		pthread_mutex_unlock(&b->lock);
		slot->result =
		    slot->rows.count == 0 ? 0 : predict(b, thread->number, slot, 0, slot->rows.count, &slot->e);
		pthread_mutex_lock(&b->lock);
		slot->state = SLOT_DONE;
		pthread_cond_broadcast(&b->changed);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

int batch_slots_start(struct batch *b, struct err *e)
{
	size_t wanted = b->options.in_flight;

	if (wanted < 1 || wanted > BATCH_IN_FLIGHT_MAX)
		wanted = 1;
	/* One more than are predicted: the next is read meanwhile. */
	b->slot_count = wanted + 1;
	for (b->thread_count = 0; b->thread_count < wanted; b->thread_count++) {
		struct batch_thread *thread = &b->threads[b->thread_count];
		*thread = (struct batch_thread){.batch = b, .number = b->thread_count};
		if (pthread_create(&thread->thread, NULL, run_thread, thread) != 0)
			return err_set(e, ERR_SYSTEM, "no thread could be started; the system allows no more");
	}
	return 0;
}

void batch_slots_stop(struct batch *b)
{
	pthread_mutex_lock(&b->lock);
	atomic_store(&b->closing, true);
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	while (b->thread_count > 0)
		pthread_join(b->threads[--b->thread_count].thread, NULL);
}

void batch_slot_fill_done(struct batch *b, struct batch_slot *slot)
{
	pthread_mutex_lock(&b->lock);
	slot->state = SLOT_FILLED;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

bool batch_slot_wait(struct batch *b, struct batch_slot *slot)
{
	const struct timespec until = clock_deadline(clock_ms() + WAIT_MS);

	pthread_mutex_lock(&b->lock);
	if (slot->state != SLOT_DONE)
		pthread_cond_timedwait(&b->changed, &b->lock, &until);
	bool done = slot->state == SLOT_DONE;
	if (done)
		slot->state = SLOT_FREE;
	pthread_mutex_unlock(&b->lock);
	return done;
}
