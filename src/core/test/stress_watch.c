#include "core/test/stress_watch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where no limit is named: so many times what it was before, and never less than this, for an idle model's p99 says
 * little. */
#define P99_FACTOR 10
#define P99_LEAST_NS UINT64_C(20000000)

/* Share of the route, in percent. */
static double route_share(const struct snapshot_model *m, uint32_t version)
{
	for (uint32_t i = 0; i < m->route_count; i++)
		if (m->route[i].version == version && m->route[i].role != ROUTE_SHADOW)
			return (double)m->route[i].weight_bp / 100;
	return 0;
}

static void name_others(const struct snapshot *s, const char *model, struct stress_blast *blast)
{
	double before = INFINITY;

	for (unsigned shown = 0; shown < blast->others && shown < 3; shown++) {
		const struct snapshot_model *busiest = NULL;
		for (size_t i = 0; i < s->model_count; i++) {
			const struct snapshot_model *m = &s->models[i];
			if (strcmp(m->name, model) != 0 && m->stats.rate_rps > 0 && m->stats.rate_rps < before &&
			    (busiest == NULL || m->stats.rate_rps > busiest->stats.rate_rps))
				busiest = m;
		}
		if (busiest == NULL)
			return;
		size_t used = strlen(blast->names);
		snprintf(blast->names + used, sizeof blast->names - used, "%s%.48s", used > 0 ? ", " : "",
			 busiest->name);
		before = busiest->stats.rate_rps;
	}
}

struct stress_blast stress_blast(const struct snapshot *s, const char *model, uint32_t version)
{
	const struct snapshot_model *own = snapshot_find(s, model);
	struct stress_blast blast = {0};

	if (own != NULL) {
		blast.share_percent = version == 0 ? (own->live != 0 ? 100 : 0) : route_share(own, version);
		blast.model_rps = own->stats.rate_rps;
	}
	blast.live = blast.share_percent > 0;
	for (size_t i = 0; i < s->model_count; i++)
		if (strcmp(s->models[i].name, model) != 0 && s->models[i].stats.rate_rps > 0) {
			blast.others++;
			blast.others_rps += s->models[i].stats.rate_rps;
		}
	name_others(s, model, &blast);
	return blast;
}

double stress_blast_cap(const struct stress_blast *blast, double max_percent)
{
	if (!blast->live || blast->model_rps <= 0 || max_percent >= 100)
		return 0;
	return blast->model_rps * max_percent / (100 - max_percent);
}

void stress_blast_text(const struct stress_blast *blast, const char *model, uint32_t version, double rate_rps,
		       char *text, size_t size)
{
	char own[32] = "", others[260] = "no other model has traffic here", now[16], with[16], load[64] = "";

	if (version != 0)
		snprintf(own, sizeof own, "v%u of ", (unsigned)version);
	text_count(now, sizeof now, blast->model_rps);
	text_count(with, sizeof with, blast->others_rps);
	if (rate_rps > 0) {
		char count[16];
		text_count(count, sizeof count, rate_rps);
		snprintf(load, sizeof load, ", and the load adds %s/s", count);
	}
	if (blast->others > 0)
		snprintf(others, sizeof others, "%u other model%s (%s%s) share%s the machine, with %s/s", blast->others,
			 blast->others == 1 ? "" : "s", blast->names, blast->others > 3 ? " ..." : "",
			 blast->others == 1 ? "s" : "", with);
	if (blast->live)
		snprintf(text, size, "%s%s is live with %.4g%% of the model's traffic, which is %s/s%s; %s.", own,
			 model, blast->share_percent, now, load, others);
	else
		snprintf(text, size, "%s%s has no live traffic; the model's is %s/s%s; %s.", own, model, now, load,
			 others);
}

void stress_watch_begin(struct stress_watch *w, const struct snapshot *before, const char *model, uint64_t slo_p99_ns,
			double errors_percent)
{
	*w = (struct stress_watch){.slo_p99_ns = slo_p99_ns, .errors_percent = errors_percent, .model = model};
	for (size_t i = 0; i < before->model_count && w->count < STRESS_WATCHED_MAX; i++) {
		const struct snapshot_model *m = &before->models[i];
		struct stress_watched *watched = &w->models[w->count];
		/* Where nobody else asks the model under test, nobody suffers: the load has its own limits. */
		if (m->live == 0 || (strcmp(m->name, model) == 0 && m->stats.requests == 0))
			continue;
		snprintf(watched->model, sizeof watched->model, "%s", m->name);
		watched->limit_p99_ns = P99_FACTOR * m->stats.latency.p99_ns;
		if (watched->limit_p99_ns < P99_LEAST_NS)
			watched->limit_p99_ns = P99_LEAST_NS;
		if (slo_p99_ns > 0 && strcmp(m->name, model) == 0)
			watched->limit_p99_ns = slo_p99_ns;
		w->count++;
	}
}

/* Whether the last seconds of a model are bad, and the sentence of it. */
static bool is_bad(const struct stress_watch *w, const struct stress_watched *watched,
		   const struct snapshot_stats *stats, char reason[STRESS_REASON_SIZE])
{
	char p99[16], limit[16];
	double percent = snapshot_error_percent(stats);

	if (stats->requests < STRESS_BAD_MIN)
		return false;
	if (percent > w->errors_percent) {
		snprintf(reason, STRESS_REASON_SIZE, "%s answers %.3g%% with an error, the limit is %.3g%%",
			 watched->model, percent, w->errors_percent);
		return true;
	}
	if (stats->latency.p99_ns <= watched->limit_p99_ns)
		return false;
	text_duration(p99, sizeof p99, (double)stats->latency.p99_ns, true);
	text_duration(limit, sizeof limit, (double)watched->limit_p99_ns, true);
	snprintf(reason, STRESS_REASON_SIZE, "the live p99 of %s is %s, the limit is %s", watched->model, p99, limit);
	return true;
}

bool stress_watch_check(struct stress_watch *w, const struct snapshot *now, char reason[STRESS_REASON_SIZE])
{
	if (now == NULL) {
		if (++w->silent < STRESS_POLLS_SILENT)
			return false;
		snprintf(reason, STRESS_REASON_SIZE, "the runtime does not answer on its control socket");
		return true;
	}
	w->silent = 0;
	for (size_t i = 0; i < w->count; i++) {
		struct stress_watched *watched = &w->models[i];
		const struct snapshot_model *m = snapshot_find(now, watched->model);
		watched->bad = m != NULL && is_bad(w, watched, &m->stats, reason) ? watched->bad + 1 : 0;
		if (watched->bad >= STRESS_POLLS_BAD)
			return true;
	}
	return false;
}
