#include "ui/view/experiment_text.h"

#include "core/text.h"
#include "ui/view/panes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *glyph, *ascii;
	enum canvas_role role;
} verdicts[EXPERIMENT_VERDICT_COUNT] = {
    [EXPERIMENT_CONTINUE] = {"◐", "%", ROLE_TEXT},
    [EXPERIMENT_BETTER] = {"✓", "+", ROLE_OK},
    [EXPERIMENT_WORSE] = {"✕", "x", ROLE_BAD},
    [EXPERIMENT_EQUIVALENT] = {"≈", "=", ROLE_OK},
    [EXPERIMENT_INCONCLUSIVE] = {"○", "o", ROLE_WARNING},
    [EXPERIMENT_INVALID] = {"▲", "!", ROLE_BAD},
};

enum canvas_role experiment_verdict_text(const struct canvas *c, enum experiment_verdict verdict, char *text,
					 size_t size)
{
	snprintf(text, size, "%s %s", canvas_glyph(c, verdicts[verdict].glyph, verdicts[verdict].ascii),
		 experiment_verdict_name(verdict));
	return verdicts[verdict].role;
}

bool experiment_is_running(const struct snapshot_experiment *s)
{
	return strcmp(s->state, "running") == 0;
}

static bool is_stopped(const struct snapshot_experiment *s)
{
	return strcmp(s->state, "stopped") == 0;
}

enum canvas_role experiment_state_text(const struct canvas *c, const struct snapshot_experiment *s, char *text,
				       size_t size)
{
	bool running = experiment_is_running(s), stopped = is_stopped(s);
	snprintf(text, size, "%s %s",
		 running   ? canvas_glyph(c, "●", "*")
		 : stopped ? canvas_glyph(c, "■", "#")
			   : canvas_glyph(c, "▲", "!"),
		 s->state);
	return running ? ROLE_OK : stopped ? ROLE_DIM : ROLE_BAD;
}

bool experiment_is_same(const struct snapshot_experiment *s)
{
	return s->arm_count > 1 && s->arms[0].version == s->arms[1].version;
}

void experiment_arm_text(const struct snapshot_experiment *s, size_t arm, char *text, size_t size)
{
	if (experiment_is_same(s))
		snprintf(text, size, "arm %zu (v%u)", arm + 1, s->arms[arm].version);
	else
		snprintf(text, size, "v%u", s->arms[arm].version);
}

void experiment_share_text(uint32_t share_bp, char text[EXPERIMENT_NUMBER_SIZE])
{
	snprintf(text, EXPERIMENT_NUMBER_SIZE, "%.4g%%", share_bp / 100.0);
}

void experiment_arms_text(const struct snapshot_experiment *s, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < s->arm_count && used < size; i++) {
		char share[EXPERIMENT_NUMBER_SIZE];
		experiment_share_text(s->arms[i].share_bp, share);
		used += (size_t)snprintf(text + used, size - used, "%sv%u %s", i > 0 ? ", " : "", s->arms[i].version,
					 share);
	}
}

void experiment_value_text(double value, bool is_share, char text[EXPERIMENT_NUMBER_SIZE])
{
	if (!isfinite(value))
		snprintf(text, EXPERIMENT_NUMBER_SIZE, "-");
	else
		snprintf(text, EXPERIMENT_NUMBER_SIZE, is_share ? "%.3g%%" : "%.4g", is_share ? 100 * value : value);
}

void experiment_effect_text(double effect, bool is_share, char text[EXPERIMENT_NUMBER_SIZE])
{
	if (!isfinite(effect))
		snprintf(text, EXPERIMENT_NUMBER_SIZE, "-");
	else
		snprintf(text, EXPERIMENT_NUMBER_SIZE, is_share ? "%+.3g pt" : "%+.3g",
			 is_share ? 100 * effect : effect);
}

static void bound_text(double bound, bool is_share, char text[EXPERIMENT_NUMBER_SIZE])
{
	if (isfinite(bound))
		snprintf(text, EXPERIMENT_NUMBER_SIZE, "%+.3g", is_share ? 100 * bound : bound);
	else
		snprintf(text, EXPERIMENT_NUMBER_SIZE, "?");
}

void experiment_interval_text(double low, double high, bool is_share, char *text, size_t size)
{
	char from[EXPERIMENT_NUMBER_SIZE], to[EXPERIMENT_NUMBER_SIZE];
	bound_text(low, is_share, from);
	bound_text(high, is_share, to);
	bool none = (!isfinite(low) && !isfinite(high)) || low > high;
	snprintf(text, size, none ? "-" : "[%s, %s]", from, to);
}

void experiment_left_text(const struct ui_state *state, const struct snapshot_experiment *s, char *text, size_t size)
{
	char age[TEXT_AGE_SIZE];
	if (!experiment_is_running(s)) {
		panes_ago(state->now_ms, s->stopped_ms, age, sizeof age);
		snprintf(text, size, "%s %s", is_stopped(s) ? "ended" : s->state, s->stopped_ms > 0 ? age : "");
	} else if (s->metric[0] == '\0') {
		snprintf(text, size, "running");
	} else if (!isfinite(s->left_s)) {
		snprintf(text, size, "end not known");
	} else if (s->left_s <= 0) {
		snprintf(text, size, "at its size");
	} else {
		text_age(age, (long long)fmin(s->left_s, 1e9));
		snprintf(text, size, "%s left", age);
	}
}

const struct snapshot_experiment *experiment_selected(const struct ui_state *state)
{
	const struct snapshot *s = state->snapshot;
	if (s == NULL || s->experiment_count == 0)
		return NULL;
	const struct snapshot_experiment *found = snapshot_experiment(s, state->experiment_model, state->experiment);
	return found != NULL ? found : &s->experiments[0];
}
