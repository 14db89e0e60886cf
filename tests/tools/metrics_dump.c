/* metrics_dump: the metrics of a routing with hostile labels, for the judges of the format. */
#include "lib/fake_routing.h"
#include "runtime/telemetry/metrics.h"

#include <math.h>
#include <stdio.h>

int main(void)
{
	const struct telemetry_sample sample = {50000, 1, 20, 300, 4000, 3};
	const double values[] = {0.5, NAN, -INFINITY, INFINITY};
	struct server server = {.name = FAKE_ROUTING_HOSTILE, .listen = FAKE_ROUTING_HOSTILE};
	struct routing *routing = fake_routing_new();
	struct buf out;

	for (size_t i = 0; i < 3; i++) {
		telemetry_record_ok(routing->models[1]->versions[i]->telemetry, &sample, values, 4);
		telemetry_record_error(routing->models[1]->versions[i]->telemetry, ERR_INPUT, 10);
	}
	buf_init(&out);
	metrics_write(&server, routing, &out);
	fwrite(out.data, 1, out.size, stdout);
	buf_release(&out);
	fake_routing_free(routing);
	return 0;
}
