/* acks: what fault_work tells fault_drive through a pipe, one write each, after something was done. */
#ifndef TESTS_FAULT_ACKS_H
#define TESTS_FAULT_ACKS_H

#include "core/registry/registry.h"

#define ACK_FD 3
#define WORK_MODEL "m"

struct ack {
	struct audit_head head;
	uint32_t version;  /* deployed; else 0 */
	uint32_t revision; /* of the route */
	char route[128];   /* of that revision */
	int64_t rollout;   /* 0: none was touched */
	int rollout_state;
	uint32_t rollout_step;
	int64_t experiment; /* 0: none was touched */
	uint64_t units;     /* of it, then */
	uint64_t looks;
};

#endif
