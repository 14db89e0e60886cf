/*
 * keys: what every key does, in one list; the key bar and the help view are made from it.
 */
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* action, key as typed (curses code or character; 0: see text), text on screen, short label for the key bar
 * ("" = not there), help */
#define KEYS(X)                                                                              \
	X(UP, 'k', "up, k", "", "move up")                                                   \
	X(DOWN, 'j', "down, j", "", "move down")                                             \
	X(OPEN, '\n', "enter", "open", "open the selected model or job")                     \
	X(BACK, 27, "esc", "back", "back; close a dialog; clear the filter")                 \
	X(PROMOTE, 'p', "p", "promote", "promote a version: all requests go to it")          \
	X(ROLLBACK, 'r', "r", "rollback", "go back one step in the route's history")         \
	X(SPLIT, 's', "s", "split", "split the requests between versions")                   \
	X(FILE, 'f', "f", "predict", "predict a file with the selected model")               \
	X(CANCEL, 'x', "x", "cancel", "ask the selected job to stop")                        \
	X(AGAIN, 'A', "A", "start again", "start the selected job again")                    \
	X(FILTER, '/', "/", "filter", "show only models whose name contains a text")         \
	X(COMMAND, ':', ":", "command", "type a command, as after `mldeck`")                 \
	X(COPY, 'y', "y", "copy as command", "show the command that equals the last action") \
	X(THEME, 'T', "T", "", "next theme")                                                 \
	X(REDRAW, 12, "ctrl-l", "", "draw the screen anew")                                  \
	X(HELP, '?', "?", "help", "this help")                                               \
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

#endif
