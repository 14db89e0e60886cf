#include "runtime/gate/gates.h"

static void judge(const struct gate_case *c, struct finding *f)
{
	gate_analyse(c, "prediction_drift", f);
}

const struct gate gate_prediction_drift = {
    .name = "prediction_drift",
    .summary = "predictions are spread as those of the live version beside it",
    .measures = true,
    .applies = gate_measurable,
    .judge = judge,
};
