/*
 * experiment_text: A/B tests and their numbers as short texts, with a glyph and a word wherever there is a state.
 *
 * Pure functions; any thread.
 */
#ifndef UI_EXPERIMENT_TEXT_H
#define UI_EXPERIMENT_TEXT_H

#include "core/snapshot.h"
#include "ui/view/view.h"

#define EXPERIMENT_NUMBER_SIZE 24

/* "✓ BETTER", "✕ WORSE", "▲ INVALID"; INCONCLUSIVE and CONTINUE are neither good nor bad. */
enum canvas_role experiment_verdict_text(const struct canvas *c, enum experiment_verdict verdict, char *text,
					 size_t size);
/* "● running", "■ stopped", "▲ invalid". */
enum canvas_role experiment_state_text(const struct canvas *c, const struct snapshot_experiment *s, char *text,
				       size_t size);
bool experiment_is_running(const struct snapshot_experiment *s);
/* Whether arms have one version in common: an A/A test. */
bool experiment_is_same(const struct snapshot_experiment *s);
/* "v3"; of an A/A test "arm 2 (v3)". */
void experiment_arm_text(const struct snapshot_experiment *s, size_t arm, char *text, size_t size);
/* "v1 50%, v3 50%", the control first. */
void experiment_arms_text(const struct snapshot_experiment *s, char *text, size_t size);
/* "12.5%". */
void experiment_share_text(uint32_t share_bp, char text[EXPERIMENT_NUMBER_SIZE]);
/* A value, shares in percent: "4.72%", "0.693"; "-" for none. */
void experiment_value_text(double value, bool is_share, char text[EXPERIMENT_NUMBER_SIZE]);
/* A difference, those of shares in points: "-4.6 pt"; "-" for none. */
void experiment_effect_text(double effect, bool is_share, char text[EXPERIMENT_NUMBER_SIZE]);
/* "[-6.1, -3.2]"; a bound that there is not is "?"; "-" where looks exclude each other. */
void experiment_interval_text(double low, double high, bool is_share, char *text, size_t size);
/* "3 h left"; "running" before the first look, "end not known", "at its size" (the planned one), "ended 2 h ago". */
void experiment_left_text(const struct ui_state *state, const struct snapshot_experiment *s, char *text, size_t size);

/* The selected test of the list, the first one where none is; NULL when there is none. */
const struct snapshot_experiment *experiment_selected(const struct ui_state *state);

#endif
