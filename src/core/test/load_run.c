/* load: its thread: sends what is due, waits for what comes first, and gives up what takes too long. */
#include "core/test/load_internal.h"

#include "core/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256
#define SWEEP_NS UINT64_C(50000000)
/* With nothing but failed connects for so long, nobody is there. */
#define GONE_NS UINT64_C(3000000000)

/* "run-time, time that it waited for a processor, ..." in nanoseconds; Linux only. */
static uint64_t read_delay(int fd)
{
	char text[96], *end;
	ssize_t size = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);

	if (size <= 0)
		return 0;
	text[size] = '\0';
	strtoull(text, &end, 10);
	return strtoull(end, NULL, 10);
}

static void store(uint64_t *counter, uint64_t value)
{
	__atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

static void account(struct load *l, uint64_t now_ns)
{
	struct timespec cpu;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	store(&l->counts.cpu_ns, (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec);
	store(&l->counts.delayed_ns, read_delay(l->delay_fd));
	store(&l->counts.elapsed_ns, now_ns - l->start_ns);
}

static bool stop_asked(struct load *l)
{
	return atomic_load_explicit(&l->stopping, memory_order_relaxed);
}

/* Time-outs, and a target that is gone. */
static void sweep(struct load *l, uint64_t now_ns)
{
	if (now_ns - l->swept_ns < SWEEP_NS)
		return;
	l->swept_ns = now_ns;
	account(l, now_ns);
	for (size_t i = 0; i < l->options.connections; i++) {
		struct load_connection *c = &l->connections[i];
		if (c->taken && now_ns - c->sent_ns > l->options.timeout_ns)
			load_fail(l, c, c->state == LOAD_CONNECTING ? LOAD_ERROR_CONNECT : LOAD_ERROR_TIMEOUT, now_ns);
	}
	if (l->connects_failed > 0 && l->open == 0 && now_ns - l->answered_ns > GONE_NS) {
		atomic_store(&l->gone, true);
		atomic_store(&l->stopping, true);
	}
}

/* Sends what is due, at most a request a connection: events wait meanwhile. Gives the start of the next request,
 * LOAD_SCHEDULE_END when there is none. */
static uint64_t send_due(struct load *l, struct load_schedule *schedule, uint64_t next_ns)
{
	uint64_t now_ns = clock_ns();

	for (size_t i = 0; i < l->options.connections && next_ns <= now_ns && l->ring_count > 0; i++) {
		load_begin(l, next_ns, now_ns);
		uint64_t offset = load_schedule_next(schedule);
		next_ns = offset == LOAD_SCHEDULE_END ? LOAD_SCHEDULE_END : l->start_ns + offset;
		now_ns = clock_ns();
	}
	return next_ns;
}

/* Events that there are, or those that come until a time. The epoll set itself is waited for, as poll() takes
 * nanoseconds and epoll_wait() does not. */
static void wait_events(struct load *l, uint64_t until_ns)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(l->epoll, events, EVENTS, 0);
	uint64_t now_ns = clock_ns();

	if (count == 0 && until_ns > now_ns) {
		struct pollfd set = {.fd = l->epoll, .events = POLLIN};
		uint64_t left = until_ns - now_ns;
		struct timespec time = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
		if (ppoll(&set, 1, &time, NULL) > 0)
			count = epoll_wait(l->epoll, events, EVENTS, 0);
	}
	for (int i = 0; i < count; i++)
		load_event(l, events[i].data.ptr, events[i].events);
}

/* The requests that were due and never sent, and those that got no answer in time: the time that they waited is the
 * least that they would have taken. */
static void count_rest(struct load *l, struct load_schedule *schedule, uint64_t next_ns, uint64_t now_ns)
{
	for (size_t i = 0; i < l->options.connections; i++)
		if (l->connections[i].taken) {
			load_bump(&l->counts.unanswered, 1);
			load_waited(l, l->connections[i].intended_ns, now_ns);
		}
	while (next_ns != LOAD_SCHEDULE_END && next_ns <= now_ns) {
		uint64_t offset = load_schedule_next(schedule);
		load_bump(&l->counts.unsent, 1);
		load_waited(l, next_ns, now_ns);
		next_ns = offset == LOAD_SCHEDULE_END ? LOAD_SCHEDULE_END : l->start_ns + offset;
	}
	store(&l->counts.due, l->counts.sent + l->counts.unsent);
}

void *load_run(void *load)
{
	struct load *l = load;
	struct load_schedule schedule = l->options.schedule;
	uint64_t now_ns = clock_ns();

	prctl(PR_SET_TIMERSLACK, 1UL);
	l->delay_fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	l->start_ns = l->swept_ns = l->answered_ns = now_ns;
	uint64_t end_ns = now_ns + (uint64_t)(schedule.duration_s * 1e9), offset = load_schedule_next(&schedule);
	uint64_t next_ns = offset == LOAD_SCHEDULE_END ? offset : now_ns + offset;
	for (;;) {
		next_ns = send_due(l, &schedule, next_ns);
		now_ns = clock_ns();
		if (stop_asked(l) && now_ns < end_ns)
			end_ns = now_ns;
		if (next_ns != LOAD_SCHEDULE_END && next_ns > end_ns)
			next_ns = LOAD_SCHEDULE_END;
		if ((next_ns == LOAD_SCHEDULE_END && l->under_way == 0 && now_ns >= end_ns) ||
		    now_ns > end_ns + l->options.grace_ns)
			break;
		double expected = load_schedule_expected(&schedule, (double)(now_ns - l->start_ns) / 1e9);
		store(&l->counts.due, expected > (double)l->counts.sent ? (uint64_t)expected : l->counts.sent);
		sweep(l, now_ns);
		uint64_t until_ns = now_ns + SWEEP_NS;
		if (next_ns != LOAD_SCHEDULE_END && l->ring_count > 0 && next_ns < until_ns)
			until_ns = next_ns;
		if (now_ns < end_ns && end_ns < until_ns)
			until_ns = end_ns;
		wait_events(l, until_ns);
	}
	account(l, clock_ns());
	/* What a stop left unsent was not to be sent. */
	count_rest(l, &schedule, stop_asked(l) ? LOAD_SCHEDULE_END : next_ns, now_ns);
	if (l->delay_fd >= 0)
		close(l->delay_fd);
	atomic_store(&l->ended, true);
	return NULL;
}
