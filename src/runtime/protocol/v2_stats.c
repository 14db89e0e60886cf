#include "runtime/protocol/v2_stats.h"

#include "runtime/protocol/v2.h"

#include <inttypes.h>

static void write_duration(struct buf *out, const char *name, uint64_t count, uint64_t ns, const char *behind)
{
	buf_format(out, "\"%s\":{\"count\":%" PRIu64 ",\"ns\":%" PRIu64 "}%s", name, count, ns, behind);
}

void v2_stats_write(struct buf *out, const struct served_model *m, const struct served_version *v)
{
	struct telemetry_totals t;
	telemetry_read_totals(v->telemetry, &t, NULL);
	buf_add_string(out, "{\"name\":");
	v2_write_string(out, m->name);
	buf_format(out,
		   ",\"version\":\"%" PRIu32 "\",\"last_inference\":%" PRId64 ",\"inference_count\":%" PRIu64
		   ",\"execution_count\":%" PRIu64 ",\"inference_stats\":{",
		   v->version, t.last_ms, t.rows, t.ok);
	write_duration(out, "success", t.ok, t.latency_ns, ",");
	write_duration(out, "fail", t.errors, t.error_ns, ",");
	write_duration(out, "queue", t.ok, t.queue_ns, ",");
	write_duration(out, "compute_input", t.ok, t.input_ns, ",");
	write_duration(out, "compute_infer", t.ok, t.infer_ns, ",");
	write_duration(out, "compute_output", t.ok, t.output_ns, ",");
	/* Clients of Triton look for these; there is no cache of answers. */
	write_duration(out, "cache_hit", 0, 0, ",");
	write_duration(out, "cache_miss", 0, 0, "},\"batch_stats\":[]}");
}
