/*
 * clock: what time it is, and waits that follow the same clock.
 *
 * Any thread. Monotonic time starts anywhere, never jumps and is for durations and deadlines; Unix time is for
 * people and records. A deadline of pthread_cond_timedwait() is one of the condition's own clock: make it with
 * clock_cond_init().
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Monotonic. */
uint64_t clock_ns(void);
int64_t clock_ms(void);
/* As of the kernel's last tick: a few milliseconds late, and cheaper than the clock itself. */
int64_t clock_coarse_ms(void);

/* Since 1970. */
int64_t clock_unix_ms(void);
int64_t clock_unix_coarse_ms(void);

/* Sleeps; a signal may end it early. */
void clock_pause_ms(int ms);

/* A condition whose deadlines are monotonic. */
void clock_cond_init(pthread_cond_t *condition);
/* Monotonic milliseconds as such a deadline. */
struct timespec clock_deadline(int64_t at_ms);

#endif
