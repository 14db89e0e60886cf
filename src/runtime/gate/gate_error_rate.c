#include "runtime/gate/gates.h"

static void judge(const struct gate_case *c, struct finding *f)
{
	gate_analyse(c, "error_rate", f);
}

const struct gate gate_error_rate = {
    .name = "error_rate",
    .summary = "no more errors than the live version beside it",
    .measures = true,
    .applies = gate_measurable,
    .judge = judge,
};
