/* fake_routing: a routing made by hand, without registry or artifacts: what reads one can be tested on it. */
#ifndef TESTS_FAKE_ROUTING_H
#define TESTS_FAKE_ROUTING_H

#include "runtime/router/router.h"

/* Labels that a text format must escape or replace: quote, backslash, newline, escape, C1, a byte of no UTF-8. */
#define FAKE_ROUTING_HOSTILE "a\"b\\c\nd\x1b[31m\xc2\x9b\xff é"

/* Two models by name: `empty` without a version, and `m`: v1 live 75%, v2 canary 25%, v3 shadow 10%, v4 failed,
 * v5 ready and in no route; the server of v3 is away. v1 has a hostile format and engine, and a baseline of 64
 * bins over [0, 1]; nothing is recorded yet. Free it with fake_routing_free(). */
struct routing *fake_routing_new(void);
void fake_routing_free(struct routing *routing);

#endif
