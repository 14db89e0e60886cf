/*
 * commands: the list of all verbs. To add one: write command_<name>.c in src/ui (or src/runtime when it
 * serves), then one line here.
 */
#ifndef CORE_COMMANDS_H
#define CORE_COMMANDS_H

#define COMMANDS(X)   \
	X(serve)      \
	X(demo)       \
	X(stop)       \
	X(status)     \
	X(deploy)     \
	X(versions)   \
	X(history)    \
	X(split)      \
	X(shadow)     \
	X(promote)    \
	X(rollback)   \
	X(rollout)    \
	X(load)       \
	X(predict)    \
	X(measure)    \
	X(bench)      \
	X(train)      \
	X(diff)       \
	X(stress)     \
	X(check)      \
	X(ab)         \
	X(jobs)       \
	X(cancel)     \
	X(policy)     \
	X(approve)    \
	X(tested)     \
	X(tests)      \
	X(audit)      \
	X(alerts)     \
	X(ack)        \
	X(apply)      \
	X(export)     \
	X(snapshot)   \
	X(completion) \
	X(help)       \
	X(version)

#endif
