/*
 * standalone: a main for the fuzz targets without libFuzzer, so that every compiler can run them.
 *
 * usage: fuzz_NAME [-runs=N] [-seconds=S] [-seed=N] [FILE|DIRECTORY …]
 *
 * Gives every file, then N seeded mutations of them, to LLVMFuzzerTestOneInput(), each in an allocation of
 * its exact size so that the address checks see a read past its end. It stops early after S seconds. A crash
 * leaves the input in the file crash-SEED-NUMBER of the working directory. Single thread.
 * Not here: coverage guidance; that is `make fuzz`.
 */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX 4096
#define INPUT_MAX (1 << 20)
#define MUTATIONS_MAX 6
#define CHUNK_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* The sanitizers' hook before they end the process; absent without them. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

struct input {
	uint8_t *bytes;
	size_t size;
};

static struct input corpus[FILES_MAX];
static size_t corpus_count;
static uint8_t scratch[INPUT_MAX];
static struct input current;
static unsigned long long seed = 1, number;
static uint64_t random_state;

/* xorshift64*, Vigna 2016: small, and the same numbers on every machine. */
static uint64_t random_next(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static size_t random_below(size_t limit)
{
	return limit ? (size_t)(random_next() >> 11) % limit : 0;
}

static void save_current(void)
{
	char path[64];
	snprintf(path, sizeof path, "crash-%llu-%llu", seed, number);
	FILE *file = current.bytes ? fopen(path, "wb") : NULL;

	if (!file)
		return;
	fwrite(current.bytes, 1, current.size, file);
	fclose(file);
	fprintf(stderr, "the input is in %s (-seed=%llu, run %llu)\n", path, seed, number);
	current.bytes = NULL;
}

static void on_signal(int signal_number)
{
	save_current();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void try_input(const uint8_t *bytes, size_t size)
{
	current.bytes = malloc(size ? size : 1);
	current.size = size;
	if (!current.bytes)
		exit(2);
	memcpy(current.bytes, bytes, size);
	LLVMFuzzerTestOneInput(current.bytes, size);
	free(current.bytes);
	current.bytes = NULL;
	number++;
}

static void corpus_add_file(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file || corpus_count == FILES_MAX) {
		fprintf(stderr, "%s: cannot be read, or more than %d files\n", path, FILES_MAX);
		exit(2);
	}
	size_t size = fread(scratch, 1, sizeof scratch, file);
	uint8_t *bytes = malloc(size ? size : 1);
	if (!bytes)
		exit(2);
	memcpy(bytes, scratch, size);
	fclose(file);
	corpus[corpus_count++] = (struct input){bytes, size};
}

static int name_compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Sorted by name, so that a seed means the same inputs everywhere. */
static void corpus_add(const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode)) {
		corpus_add_file(path);
		return;
	}
	struct dirent **names;
	int count = scandir(path, &names, NULL, name_compare);
	if (count < 0) {
		fprintf(stderr, "%s: no such file or directory\n", path);
		exit(2);
	}
	for (int i = 0; i < count; i++) {
		char inner[4096];
		snprintf(inner, sizeof inner, "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			corpus_add(inner);
		free(names[i]);
	}
	free(names);
}

/* Puts size bytes at offset of the scratch input in place of its `removed` bytes there. */
static size_t replace(size_t length, size_t offset, size_t removed, const void *bytes, size_t size)
{
	if (length - removed + size > INPUT_MAX)
		return length;
	memmove(scratch + offset + size, scratch + offset + removed, length - offset - removed);
	memcpy(scratch + offset, bytes, size);
	return length - removed + size;
}

/* Numbers and marks that readers of text and JSON trip over. */
static size_t insert_word(size_t length, size_t offset)
{
	static const char *const words[] = {
	    "-1",
	    "0",
	    "1e999",
	    "-1e999",
	    "nan",
	    "inf",
	    "999999999999",
	    "4294967296",
	    "18446744073709551616",
	    "0.1e-400",
	    "null",
	    "[",
	    "{",
	    "\"",
	    "\\u0000",
	    "\\ud800",
	    ",",
	    "]",
	    "}",
	    "=",
	    "\n",
	    "\r\n",
	    "\xff",
	    "\x1b[2J",
	};
	const char *word = words[random_below(sizeof words / sizeof words[0])];
	size_t removed = random_below(2) ? random_below(length - offset + 1) : 0;

	return replace(length, offset, removed > 8 ? 8 : removed, word, strlen(word));
}

static size_t copy_chunk(size_t length, size_t offset)
{
	uint8_t chunk[CHUNK_MAX];
	const struct input *other = &corpus[random_below(corpus_count)];
	size_t from = random_below(other->size);
	size_t size = random_below(CHUNK_MAX) + 1;

	if (size > other->size - from)
		size = other->size - from;
	memcpy(chunk, other->bytes + from, size);
	return replace(length, offset, 0, chunk, size);
}

static size_t mutate(size_t length)
{
	static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '0', '9', '-', '"', ' '};
	size_t offset = random_below(length);

	switch (random_below(7)) {
	case 0: /* one bit */
		if (length)
			scratch[offset] ^= (uint8_t)(1u << random_below(8));
		return length;
	case 1: /* one byte */
		if (length)
			scratch[offset] = edges[random_below(sizeof edges)];
		return length;
	case 2: /* a cut end */
		return offset;
	case 3: /* a hole */
		return replace(length, offset, random_below((length - offset) / 4 + 1), "", 0);
	case 4: /* four bytes of one value, as a count in a binary format */
		if (length - offset < 4)
			return length;
		memset(scratch + offset, edges[random_below(sizeof edges)], 4);
		return length;
	case 5:
		return copy_chunk(length, offset);
	default:
		return insert_word(length, offset);
	}
}

static void run_mutations(unsigned long long runs, time_t end)
{
	for (unsigned long long i = 0; i < runs && time(NULL) <= end; i++) {
		/* Each run is seeded by its own number, so that one can be repeated alone. */
		random_state = (seed * UINT64_C(1000003) + i) * UINT64_C(0x9e3779b97f4a7c15) | 1;
		const struct input *base = &corpus[random_below(corpus_count)];
		size_t length = base->size;
		memcpy(scratch, base->bytes, length);
		for (size_t left = random_below(MUTATIONS_MAX) + 1; left > 0; left--)
			length = mutate(length);
		try_input(scratch, length);
	}
}

static bool option(const char *argument, const char *name, unsigned long long *value)
{
	size_t size = strlen(name);

	if (strncmp(argument, name, size) != 0)
		return false;
	*value = strtoull(argument + size, NULL, 10);
	return true;
}

int main(int argc, char **argv)
{
	unsigned long long runs = 1000, seconds = 3600;
	const int caught[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGALRM};

	for (int i = 1; i < argc; i++) {
		if (!option(argv[i], "-runs=", &runs) && !option(argv[i], "-seconds=", &seconds) &&
		    !option(argv[i], "-seed=", &seed))
			corpus_add(argv[i]);
	}
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(save_current);
	for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) {
		if (!__sanitizer_set_death_callback || caught[i] == SIGABRT)
			signal(caught[i], on_signal);
	}
	try_input(scratch, 0);
	for (size_t i = 0; i < corpus_count; i++)
		try_input(corpus[i].bytes, corpus[i].size);
	if (corpus_count == 0)
		corpus[corpus_count++] = (struct input){(uint8_t *)malloc(1), 0};
	run_mutations(runs, time(NULL) + (time_t)seconds);
	const char *name = strrchr(argv[0], '/');
	printf("ok %s: %llu inputs\n", name ? name + 1 : argv[0], number);
	for (size_t i = 0; i < corpus_count; i++)
		free(corpus[i].bytes);
	return 0;
}
