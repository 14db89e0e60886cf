/*
 * shadow_copy: one request with its answer, in one piece of memory.
 *
 * Owner: whoever holds the pointer; one thread at a time. The memory is used again for other requests.
 * Not here: when one is made and who asks the shadow (shadows).
 */
#ifndef RUNTIME_SHADOW_COPY_H
#define RUNTIME_SHADOW_COPY_H

#include "runtime/shadow/shadows.h"

struct shadow_copy {
	size_t capacity; /* bytes of this piece */
	struct served_version *version;
	struct comparison *comparison;
	uint64_t made_ns;
	uint64_t infer_ns;
	struct shadow_answer live;
	struct tensor *inputs; /* [version->manifest.input_count], in its order */
};

/* Bytes that a copy for this version takes; 0: the version lacks one of its inputs. */
size_t shadow_copy_size(const struct shadow_offer *offer, const struct served_version *version);
/* Fills a piece of at least so many bytes; capacity stays. version and comparison are the caller's to set. */
void shadow_copy_fill(struct shadow_copy *copy, const struct shadow_offer *offer, const struct served_version *version);
/* Asks the version, within timeout_ms where its engine can be told, and gives what is counted of its answer: values of
 * the arena. -1 with the reason. */
int shadow_copy_ask(const struct shadow_copy *copy, int timeout_ms, struct arena *arena, struct shadow_answer *answer,
		    struct err *e);

#endif
