/*
 * keys: what every key does, in one list; the key bar and the help view are made from it.
 */
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* action, key as typed (curses code or character; 0: see text), text on screen, short label for the key bar
 * ("" = not there), help */
#define KEYS(X)                                                                                \
	X(UP, 'k', "up, k", "", "move up")                                                     \
	X(DOWN, 'j', "down, j", "", "move down")                                               \
	X(OPEN, '\n', "enter", "open", "open the selected one; edit a setting")                \
	X(BACK, 27, "esc", "back", "back; close a dialog; clear the filter")                   \
	X(UNDO, 'u', "u", "undo", "undo the last change, while it counts down")                \
	X(PROMOTE, 'p', "p", "promote", "promote a version: all requests go to it")            \
	X(ROLLBACK, 'r', "r", "rollback", "go back in the history of the route")               \
	X(SPLIT, 's', "s", "split", "edit shares and shadows in the route editor")             \
	X(ROLLOUT, 'o', "o", "rollout", "start a rollout, or look at the open one")            \
	X(PAUSE, ' ', "space", "pause", "pause or resume the rollout")                         \
	X(SKIP, 'n', "n", "skip", "skip the rollout to its next step")                         \
	X(CANCEL, 'x', "x", "cancel", "cancel the selected job; abort the rollout")            \
	X(AGAIN, 'A', "A", "start again", "start the selected job again")                      \
	X(ACKNOWLEDGE, 'a', "a", "acknowledge", "say that the selected alert is looked after") \
	X(HISTORY, 'h', "h", "history", "who changed the route, when and why")                 \
	X(FILE, 'f', "f", "predict", "predict a file with the selected model")                 \
	X(DIFF, 'd', "d", "diff", "compare answers with another version's")                    \
	X(BENCH, 'b', "b", "bench", "compare time and memory with another's")                  \
	X(STRESS, 't', "t", "stress", "load a version, and see what it holds")                 \
	X(POLICY, 'P', "P", "policy", "what must hold before a version serves")                \
	X(MARK, 'm', "m", "mark", "mark a test; a second one opens both side by side")         \
	X(TESTS, 'v', "v", "tests", "what tests of the model gave; of all models again")       \
	X(FORCE, 6, "ctrl-f", "", "in a dialog: override gates that do not pass")              \
	X(COPY_SHOWN, 25, "ctrl-y", "", "in a dialog: copy the command that it equals")        \
	X(EDITOR, 0, "← → pgup", "", "in the route editor: a share by 1%, by 10%")             \
	X(FILTER, '/', "/", "filter", "show only what contains a text")                        \
	X(COMMAND, ':', ":", "command", "type a command, as after `mldeck`")                   \
	X(COPY, 'y', "y", "copy as command", "show the command that equals the last action")   \
	X(THEME, 'T', "T", "", "next theme")                                                   \
	X(REDRAW, 12, "ctrl-l", "", "draw the screen anew")                                    \
	X(HELP, '?', "?", "help", "this help")                                                 \
	X(QUIT, 'q', "q", "quit", "leave the console")

enum key_action {
	ACT_NOTHING,
#define X(action, key, text, label, help) ACT_##action,
	KEYS(X)
#undef X
};

struct key {
	enum key_action action;
	int key;
	const char *text;
	const char *label;
	const char *help;
};

extern const struct key key_table[];
extern const size_t key_count;

int key_of_action(enum key_action action);
struct ui_state;
/* Whether a key that changes something means anything in the view that is shown; its dialog says why it cannot be done.
 */
bool key_acts(const struct key *k, const struct ui_state *state);
/* Whether a key does something now, and what the key bar calls it there. */
bool key_shown(const struct key *k, const struct ui_state *state);
const char *key_label(const struct key *k, const struct ui_state *state);

#endif
