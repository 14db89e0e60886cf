#include "runtime/capture/capture.h"

#include "core/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Pieces of memory are so many bytes apart, so that one fits rows of about a size. */
#define GRAIN 64
/* A piece that is so many times larger than its row is given back. */
#define SLACK 4

__extension__ typedef unsigned __int128 wide;

struct half {
	_Alignas(64) _Atomic uint64_t seen;
	_Alignas(64) _Atomic size_t capacity; /* of this half window: at most the limit */
	_Atomic int64_t since_ms;             /* Unix */
	_Atomic uint64_t salt;                /* of its draws */
	_Atomic size_t *pool_bytes;           /* its side of the pool */
	_Atomic(struct capture_row *) *slots; /* [limit]; NULL: empty, or somebody works on it just now */
};

struct capture {
	struct half halves[2];
	_Alignas(64) atomic_uint current;
	atomic_uint holds;
	struct capture_pool *pool;
	size_t limit;
	uint64_t seed;
	int64_t turned_ms; /* clock_ms(); of the thread that ticks, as are the turns */
	uint64_t turns;
	_Atomic uint64_t seen_before; /* by halves that were emptied */
	_Atomic uint64_t rows, bytes, dropped, too_large;
	pthread_mutex_t reading; /* of readers, and of whoever empties a half; who offers never takes it */
	uint64_t reads;
};

/* --- draws --- */

/* The finaliser of SplitMix64: number n of a stream. */
static uint64_t draw(uint64_t seed, uint64_t n)
{
	uint64_t z = seed + (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Of 0 .. count - 1, each for an equal range of draws. */
static uint64_t below(uint64_t drawn, uint64_t count)
{
	return (uint64_t)(((wide)drawn * count) >> 64);
}

/* --- memory --- */

static bool pool_take(struct capture *c, struct half *h, size_t size)
{
	if (atomic_fetch_add(h->pool_bytes, size) + size <= c->pool->bytes_max / 2) {
		atomic_fetch_add(&c->bytes, size);
		return true;
	}
	atomic_fetch_sub(h->pool_bytes, size);
	return false;
}

static void pool_give(struct capture *c, struct half *h, size_t size)
{
	atomic_fetch_sub(h->pool_bytes, size);
	atomic_fetch_sub(&c->bytes, size);
}

static void piece_free(struct capture *c, struct half *h, struct capture_row *piece)
{
	pool_give(c, h, piece->capacity);
	free(piece);
}

static struct capture_row *piece_new(struct capture *c, struct half *h, size_t size)
{
	size_t capacity = (size + GRAIN - 1) / GRAIN * GRAIN;

	if (!pool_take(c, h, capacity))
		return NULL;
	struct capture_row *piece = malloc(capacity);
	if (piece == NULL)
		pool_give(c, h, capacity);
	else
		piece->capacity = capacity;
	return piece;
}

/* The old piece where it fits, else another in its place. old may be NULL; NULL when there is no room. */
static struct capture_row *piece_for(struct capture *c, struct half *h, struct capture_row *old, size_t size)
{
	if (old != NULL && old->capacity >= size && old->capacity <= SLACK * size + GRAIN)
		return old;
	if (old != NULL)
		piece_free(c, h, old);
	return piece_new(c, h, size);
}

/* --- offering --- */

/* While a half fills, row n is at place n. Its first row without room ends that: what follows is drawn for the places
 * that there are. */
static void shrink(struct half *h, size_t place)
{
	size_t capacity = atomic_load(&h->capacity);
	while (place < capacity && !atomic_compare_exchange_weak(&h->capacity, &capacity, place))
		;
}

/* Puts the row into its place, in the old one's memory where it fits; false when it could not be kept. Then the place
 * is empty: with its old row in it, that one would have had two chances. */
static bool put(struct capture *c, struct half *h, size_t place, const struct capture_request *request, size_t row,
		size_t rows, bool *large)
{
	size_t size = capture_row_size(request, row, rows);
	struct capture_row *old = atomic_exchange(&h->slots[place], NULL), *piece = NULL;

	*large = size > CAPTURE_ROW_MAX;
	if (old != NULL)
		atomic_fetch_sub(&c->rows, 1);
	if (!*large)
		piece = piece_for(c, h, old, size);
	else if (old != NULL)
		piece_free(c, h, old);
	if (piece == NULL)
		return false;
	capture_row_fill(piece, request, row, rows);
	struct capture_row *other = atomic_exchange(&h->slots[place], piece);
	if (other != NULL)
		piece_free(c, h, other);
	else
		atomic_fetch_add(&c->rows, 1);
	return true;
}

void capture_offer(struct capture *c, const struct capture_request *request)
{
	struct half *h = &c->halves[atomic_load_explicit(&c->current, memory_order_acquire)];
	size_t rows = capture_row_count(request);
	uint64_t salt = atomic_load_explicit(&h->salt, memory_order_relaxed);
	uint64_t first = atomic_fetch_add_explicit(&h->seen, rows, memory_order_relaxed);

	for (size_t row = 0; row < rows; row++) {
		uint64_t n = first + row;
		size_t capacity = atomic_load_explicit(&h->capacity, memory_order_relaxed);
		bool filling = n < capacity;
		uint64_t place = filling ? n : below(draw(salt, n), n + 1);
		bool large;
		if (place >= capacity || put(c, h, (size_t)place, request, row, rows, &large))
			continue;
		atomic_fetch_add(large ? &c->too_large : &c->dropped, 1);
		if (filling && !large)
			shrink(h, (size_t)place);
	}
}

/* --- the halves --- */

static void empty(struct capture *c, struct half *h)
{
	for (size_t i = 0; i < c->limit; i++) {
		struct capture_row *row = atomic_exchange(&h->slots[i], NULL);
		if (row == NULL)
			continue;
		piece_free(c, h, row);
		atomic_fetch_sub(&c->rows, 1);
	}
}

void capture_tick(struct capture *c, int64_t now_ms)
{
	unsigned next = 1 - atomic_load(&c->current);
	struct half *h = &c->halves[next];

	/* Whoever reads is done in a moment, and the next second will do. */
	if (now_ms - c->turned_ms < c->pool->window_ms / 2 || pthread_mutex_trylock(&c->reading) != 0)
		return;
	empty(c, h);
	atomic_fetch_add(&c->seen_before, atomic_exchange(&h->seen, 0));
	atomic_store(&h->capacity, c->limit);
	atomic_store(&h->since_ms, clock_unix_ms());
	atomic_store(&h->salt, draw(c->seed, ++c->turns));
	atomic_store(&c->current, next);
	c->turned_ms = now_ms;
	pthread_mutex_unlock(&c->reading);
}

/* --- life --- */

static int half_init(struct capture *c, size_t i, struct err *e)
{
	struct half *h = &c->halves[i];

	h->pool_bytes = &c->pool->bytes[i];
	atomic_init(&h->capacity, c->limit);
	atomic_init(&h->salt, draw(c->seed, i));
	c->turns = i;
	if (!pool_take(c, h, c->limit * sizeof *h->slots))
		return err_set(e, ERR_TOO_LARGE,
			       "[capture] memory is %zu KiB for all models, which has no room for %zu rows more",
			       c->pool->bytes_max >> 10, c->limit);
	h->slots = calloc(c->limit, sizeof *h->slots);
	if (h->slots != NULL)
		return 0;
	pool_give(c, h, c->limit * sizeof *h->slots);
	return err_set(e, ERR_MEMORY, "memory is out for captured rows");
}

int capture_new(struct capture_pool *pool, size_t limit, int64_t now_ms, uint64_t seed, struct capture **result,
		struct err *e)
{
	struct capture *c = aligned_alloc(64, sizeof *c);

	if (c == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for captured rows");
	memset(c, 0, sizeof *c);
	c->pool = pool;
	c->limit = limit;
	c->seed = seed;
	c->turned_ms = now_ms;
	atomic_init(&c->holds, 1);
	pthread_mutex_init(&c->reading, NULL);
	if (half_init(c, 0, e) != 0 || half_init(c, 1, e) != 0) {
		capture_release(c);
		return -1;
	}
	atomic_init(&c->halves[0].since_ms, clock_unix_ms());
	*result = c;
	return 0;
}

void capture_hold(struct capture *c)
{
	if (c != NULL)
		atomic_fetch_add(&c->holds, 1);
}

void capture_release(struct capture *c)
{
	if (c == NULL || atomic_fetch_sub(&c->holds, 1) > 1)
		return;
	for (size_t i = 0; i < 2; i++) {
		struct half *h = &c->halves[i];
		if (h->slots == NULL)
			continue;
		empty(c, h);
		free(h->slots);
		pool_give(c, h, c->limit * sizeof *h->slots);
	}
	pthread_mutex_destroy(&c->reading);
	free(c);
}

/* --- reading --- */

/* One half, its places in an order that is drawn as it is needed. */
struct deck {
	struct half *half;
	uint64_t left;      /* rows that it stands for and that were not drawn yet */
	size_t size, drawn; /* places */
	uint32_t *order;
};

static int deck_init(struct deck *d, struct half *h, struct err *e)
{
	size_t capacity = atomic_load(&h->capacity);

	d->half = h;
	d->left = atomic_load(&h->seen);
	d->size = d->left < capacity ? (size_t)d->left : capacity;
	d->order = malloc((d->size + 1) * sizeof *d->order);
	for (size_t i = 0; d->order != NULL && i < d->size; i++)
		d->order[i] = (uint32_t)i;
	return d->order != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out for captured rows");
}

/* The next place: Fisher and Yates. */
static size_t deck_draw(struct deck *d, uint64_t drawn)
{
	size_t other = d->drawn + (size_t)below(drawn, d->size - d->drawn);
	uint32_t place = d->order[other];

	d->order[other] = d->order[d->drawn];
	d->order[d->drawn++] = place;
	d->left--;
	return place;
}

/* Takes the row out of its place for the call, so that nobody overwrites it; whoever fills the place meanwhile wins. */
static bool visit_place(struct capture *c, struct half *h, size_t place,
			bool (*visit)(void *context, const struct capture_row *row), void *context)
{
	struct capture_row *row = atomic_exchange(&h->slots[place], NULL), *none = NULL;

	if (row == NULL)
		return false;
	bool counts = visit(context, row);
	if (!atomic_compare_exchange_strong(&h->slots[place], &none, row)) {
		piece_free(c, h, row);
		atomic_fetch_sub(&c->rows, 1);
	}
	return counts;
}

int capture_read(struct capture *c, size_t limit, bool (*visit)(void *context, const struct capture_row *row),
		 void *context, struct err *e)
{
	struct deck decks[2] = {0};
	size_t count = 0;

	pthread_mutex_lock(&c->reading);
	uint64_t seed = draw(c->seed, UINT64_MAX / 2 + c->reads++), n = 0;
	int result =
	    deck_init(&decks[0], &c->halves[0], e) != 0 || deck_init(&decks[1], &c->halves[1], e) != 0 ? -1 : 0;
	while (result == 0 && count < limit && decks[0].left + decks[1].left > 0) {
		bool second = below(draw(seed, n++), decks[0].left + decks[1].left) >= decks[0].left;
		struct deck *d = &decks[second];
		/* A half whose places are used up has no further row of those that it stands for. */
		if (d->drawn == d->size)
			break;
		size_t place = deck_draw(d, draw(seed, n++));
		count += visit_place(c, d->half, place, visit, context);
	}
	pthread_mutex_unlock(&c->reading);
	free(decks[0].order);
	free(decks[1].order);
	return result;
}

size_t capture_limit(const struct capture *c)
{
	return c == NULL ? 0 : c->limit;
}

void capture_facts(const struct capture *c, struct capture_facts *facts)
{
	const struct half *now = &c->halves[atomic_load(&c->current)];
	const struct half *before = &c->halves[1 - atomic_load(&c->current)];
	bool turned = atomic_load(&before->since_ms) > 0;

	*facts = (struct capture_facts){.limit = c->limit,
					.rows = atomic_load(&c->rows),
					.bytes = atomic_load(&c->bytes),
					.seen = atomic_load(&c->seen_before) + atomic_load(&now->seen) +
						atomic_load(&before->seen),
					.dropped = atomic_load(&c->dropped),
					.too_large = atomic_load(&c->too_large),
					.since_ms = atomic_load(turned ? &before->since_ms : &now->since_ms)};
}
