#include "runtime/gate/gates.h"

static void judge(const struct gate_case *c, struct finding *f)
{
	gate_analyse(c, "latency_p99", f);
}

const struct gate gate_latency_p99 = {
    .name = "latency_p99",
    .summary = "not slower than the live version beside it",
    .measures = true,
    .applies = gate_measurable,
    .judge = judge,
};
