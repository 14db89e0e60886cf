/*
 * load_schedule: when each request of an open loop is meant to start, whatever the answers do.
 *
 * A plain value; one thread; no allocation, so that a second schedule of the same plan (a copy) can run behind or ahead
 * of the first. Offsets are nanoseconds from the start of the load. The rate goes from one end to the other in a
 * straight line; from == to is a steady one. Constant arrivals are evenly spaced in the expected count; Poisson ones
 * have exponential gaps in it (Lewis and Shedler, Naval Research Logistics 26, 1979: a process of any rate is one of
 * rate 1 on the inverse of its expected count).
 * Not here: sending (load).
 */
#ifndef CORE_TEST_LOAD_SCHEDULE_H
#define CORE_TEST_LOAD_SCHEDULE_H

#include <stdint.h>

#define LOAD_SCHEDULE_END UINT64_MAX

#define LOAD_ARRIVALS(X) X(CONSTANT, "constant") X(POISSON, "poisson")

enum load_arrivals {
#define X(name, text) LOAD_##name,
	LOAD_ARRIVALS(X)
#undef X
	    LOAD_ARRIVALS_COUNT
};

struct load_schedule {
	double from_rps, to_rps; /* at the start and the end; >= 0, one of them > 0 */
	double duration_s;       /* > 0 */
	enum load_arrivals arrivals;

	uint64_t index;  /* private, as is the rest: requests so far */
	double expected; /* of the arrival that is next, in requests */
	uint64_t state;  /* of the random numbers */
};

const char *load_arrivals_name(enum load_arrivals arrivals);
/* LOAD_ARRIVALS_COUNT for a name that is none. */
enum load_arrivals load_arrivals_by_name(const char *name);

struct load_schedule load_schedule_make(double from_rps, double to_rps, double duration_s, enum load_arrivals arrivals,
					uint64_t seed);
/* The next start, ascending; LOAD_SCHEDULE_END once all have been given. */
uint64_t load_schedule_next(struct load_schedule *s);
/* Requests that are expected to have started by an offset. */
double load_schedule_expected(const struct load_schedule *s, double at_s);

#endif
