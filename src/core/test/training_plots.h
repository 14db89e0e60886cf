/*
 * training_plots: the charts of a training run, while it runs and in its report: processor, memory and cost over time,
 * with what earlier runs took.
 *
 * A plain value; one thread. Not here: running it (timed_run), drawing (ui/view/plot_pane).
 */
#ifndef CORE_TEST_TRAINING_PLOTS_H
#define CORE_TEST_TRAINING_PLOTS_H

#include "core/plot_track.h"
#include "core/test/training.h"

struct training_tracks {
	struct plot_rate cpu;
	struct plot_track memory;
	double before_s;        /* of the last figures */
	double usual_s, last_s; /* what earlier runs took: the median, and the newest of them; NaN: none */
};

void training_tracks_begin(struct training_tracks *t, double usual_s, double last_s);
/* What the run has taken by now. */
void training_tracks_add(struct training_tracks *t, const struct timed_run *now);
/* Returns how many plots there are. */
size_t training_plots(const struct training_tracks *t, const struct training_run *run, struct plot plots[PLOTS_MAX]);

#endif
