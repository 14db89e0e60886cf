/* bench_capture: nanoseconds that a request of one row takes to be looked at for the sample of live requests: where
 * none is kept, in steady traffic where one is, and of first rows, which all are kept. */
#include "runtime/capture/capture.h"
#include "core/clock.h"

#include <stdio.h>

#define REQUESTS 2000000
#define KEPT 200000 /* first rows, each of which takes memory of its own */
#define FEATURES 14
#define LIMIT 5000

/* What infer.c does. */
static double measure(struct capture *c, struct capture_request *request, int count)
{
	struct capture *volatile slot = c; /* of the routing, which may change */
	uint64_t begun_ns = clock_ns();

	for (int i = 0; i < count; i++) {
		c = slot;
		if (c == NULL)
			continue;
		request->at_ms = clock_unix_coarse_ms();
		capture_offer(c, request);
	}
	return (double)(clock_ns() - begun_ns) / count;
}

int main(void)
{
	double features[FEATURES] = {0};
	struct tensor input = {DATATYPE_FP64, 2, {1, FEATURES}, FEATURES, features};
	struct capture_request request = {.version = 1, .input_count = 1, .inputs = &input};
	struct capture_pool pool = {.bytes_max = (size_t)4 << 30, .window_ms = 86400000}, other = pool;
	struct capture *steady = NULL, *first = NULL;
	struct err e;

	if (capture_new(&pool, LIMIT, 0, 1, &steady, &e) != 0 || capture_new(&other, KEPT, 0, 1, &first, &e) != 0)
		return 1;
	double none_ns = measure(NULL, &request, REQUESTS);
	/* The first rows fill it, and are not steady. */
	measure(steady, &request, REQUESTS);
	double steady_ns = measure(steady, &request, REQUESTS), first_ns = measure(first, &request, KEPT);
	printf("{\"none_ns\":%.1f,\"steady_ns\":%.1f,\"first_ns\":%.1f}\n", none_ns, steady_ns, first_ns);
	capture_release(steady);
	capture_release(first);
	return 0;
}
