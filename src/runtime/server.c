#include "runtime/server.h"

#include "core/clock.h"
#include "core/fetch_pool.h"
#include "core/users.h"
#include "runtime/http/listener.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SERVER_WORKERS_MS 5000 /* for the predictions that run when everything else has ended */
#define CHANGERS 4
#define CHANGES_MAX 64 /* loads and unloads that wait */
#define FEEDBACK_THREADS 2
#define FEEDBACK_MAX 256 /* requests with outcomes that wait */

/* A drain's deadline has passed: nothing that waits for a worker or another server is waited for any more. */
static void cut(void *context)
{
	struct server *s = context;
	atomic_store(&s->cutting, true);
	fetch_pool_cancel();
}

static int start_data(struct server *s, struct err *e)
{
	const struct config_server *config = &s->config.server;
	struct http_options options = {
	    .thread_count = config_threads(config->threads),
	    .body_max = config->body_max,
	    .header_timeout_ms = config->header_timeout_ms,
	    .body_timeout_ms = config->body_timeout_ms,
	    .answer_timeout_ms = HTTP_ANSWER_MS,
	    .cors = &s->config.cors,
	    .context = s,
	    .handle = data_plane_handle,
	    .cut = cut,
	    .refuse = data_plane_refuse,
	};
	if (listener_tcp(config->listen, &options.listen_fd, s->listen, sizeof s->listen, e) != 0)
		return -1;
	return http_start(&options, &s->data, e);
}

/* The group whose members are let in. */
static int find_group(struct server *s, struct err *e)
{
	const char *group = s->config.control.group;
	size_t length = strlen(s->state);
	s->has_group = group[0] != '\0';
	if (!s->has_group)
		return 0;
	if (!users_find_group(group, &s->control_group))
		return err_set(e, ERR_INPUT, "[control] group: this system has no group `%s`", group);
	if (strncmp(s->socket, s->state, length) == 0 && s->socket[length] == '/')
		return err_set(
		    e, ERR_INPUT,
		    "[control] group: nobody else can reach the socket in the state directory; give --socket "
		    "with another folder, such as /run/mldeck/mldeck.sock");
	return 0;
}

static int start_control(struct server *s, struct err *e)
{
	struct http_options options = {
	    .body_max = SERVER_ARTIFACT_MAX,
	    .context = s,
	    .handle = control_handle,
	    .open_sink = control_open_sink,
	    .refuse = control_refuse,
	};
	if (find_group(s, e) != 0 ||
	    listener_unix(s->socket, s->has_group ? &s->control_group : NULL, &options.listen_fd, e) != 0)
		return -1;
	return http_start(&options, &s->control, e);
}

static int start_scheduler(struct server *s, struct err *e)
{
	if (alerts_new(s->registry, &s->alerts, e) != 0 ||
	    rollouts_new(s->registry, s->router, s->alerts, &s->rollouts, e) != 0)
		return -1;
	if (experiments_new(s->registry, s->router, &s->experiments, e) != 0 ||
	    workers_new(FEEDBACK_THREADS, FEEDBACK_MAX, &s->feedback, e) != 0)
		return -1;
	return scheduler_new(s->router, s->rollouts, &s->scheduler, e);
}

static int start_jobs(struct server *s, struct err *e)
{
	const struct jobs_options options = {
	    .registry = s->registry,
	    .socket = s->socket,
	    .state = s->state,
	};
	return jobs_new(&options, &s->jobs, e);
}

/* Waits for a signal or a stop, and sees to slow clients. */
static void loop(struct server *s, int signal_fd, int timer_fd)
{
	struct pollfd events[] = {{signal_fd, POLLIN, 0}, {s->stop_fd, POLLIN, 0}, {timer_fd, POLLIN, 0}};
	for (;;) {
		if (poll(events, 3, -1) < 0 && errno != EINTR)
			return;
		if (events[0].revents != 0 || events[1].revents != 0)
			return;
		uint64_t expirations;
		if (events[2].revents != 0 && read(timer_fd, &expirations, sizeof expirations) == sizeof expirations)
			http_reap(s->data);
	}
}

static void drain(struct server *s)
{
	fprintf(stderr, "mldeck: draining\n");
	atomic_store(&s->draining, true);
	int64_t until_ms = clock_ms() + SERVER_DRAIN_MS;
	scheduler_stop(s->scheduler);
	jobs_stop(s->jobs);
	shadows_stop(s->shadows, 0); /* nobody will look at what they find */
	unsigned cut_count = http_drain(s->data, SERVER_DRAIN_MS);
	int64_t left_ms = until_ms - clock_ms();
	jobs_wait(s->jobs, left_ms > 0 ? (int)left_ms : 0); /* they still say how far they are */
	/* What other servers still owe nobody waits for any more. */
	fetch_pool_cancel();
	http_drain(s->control, 2000);
	experiments_stop(s->experiments); /* with all that was answered */
	unlink(s->socket);
	if (cut_count > 0)
		fprintf(stderr, "mldeck: %u requests took longer than %d s and were cut off\n", cut_count,
			SERVER_DRAIN_MS / 1000);
	fprintf(stderr, "mldeck: stopped\n");
}

/* Blocks the ending signals in all threads and reads them here instead. */
static int open_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Ticks each second, or four times in the shortest of the timeouts. */
static int open_timer(const struct config_server *config)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	int shortest_ms =
	    config->header_timeout_ms < config->body_timeout_ms ? config->header_timeout_ms : config->body_timeout_ms;
	long period_ns = shortest_ms >= 4000 ? 1000000000L : shortest_ms * 250000L;
	const struct timespec period = {period_ns / 1000000000L, period_ns % 1000000000L};
	if (fd >= 0)
		timerfd_settime(fd, 0, &(struct itimerspec){period, period}, NULL);
	return fd;
}

static void choose_name(struct server *s)
{
	char host[64] = "";
	gethostname(host, sizeof host - 1);
	text_clean(s->name, sizeof s->name, s->config.server.name[0] != '\0' ? s->config.server.name : host);
}

/* Paths may hold anything; a terminal must not. */
static void announce(const struct server *s)
{
	char socket[512], state[512];
	text_clean(socket, sizeof socket, s->socket);
	text_clean(state, sizeof state, s->state);
	fprintf(stderr, "mldeck: predictions on http://%s, control on %s, state in %s\n", s->listen, socket, state);
}

/* Where the audit stands, into whatever keeps standard error: it can be verified against that later. */
static void announce_head(const struct server *s)
{
	struct audit_head head;
	if (registry_audit_head(s->registry, &head, NULL) == 0)
		fprintf(stderr, "mldeck: audit head %" PRId64 ":%s\n", head.id, head.hash);
}

/* As many descriptors as the system allows: connections need them. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int server_run(const struct server_options *options, struct err *e)
{
	struct server *s = calloc(1, sizeof *s);
	int signal_fd = open_signals(), timer_fd = open_timer(&options->config.server), result = -1;

	if (s == NULL)
		return err_set(e, ERR_MEMORY, "memory is out at start");
	raise_descriptor_limit();
	s->socket = options->socket;
	s->state = options->state;
	s->config = options->config;
	s->started_ms = clock_ms();
	s->started_unix_ms = clock_unix_ms();
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	choose_name(s);
	if (s->stop_fd < 0 || signal_fd < 0 || timer_fd < 0) {
		err_errno(e, errno, "cannot make the descriptors that a server needs");
		goto out;
	}
	if (registry_open(options->state, &s->registry, e) != 0 ||
	    router_new(s->registry, &s->config, &s->router, e) != 0 ||
	    workers_new(config_threads(s->config.workers.threads), s->config.workers.queue_max, &s->workers, e) != 0 ||
	    shadows_new(&s->config.shadows, &s->shadows, e) != 0 ||
	    workers_new(CHANGERS, CHANGES_MAX, &s->changers, e) != 0 || start_jobs(s, e) != 0 ||
	    start_scheduler(s, e) != 0 || start_data(s, e) != 0)
		goto out;
	if (start_control(s, e) != 0) {
		http_drain(s->data, 0);
		goto out;
	}
	announce(s);
	announce_head(s);
	loop(s, signal_fd, timer_fd);
	drain(s);
	announce_head(s);
	result = 0;
	/* Nobody can end a prediction that does not end itself. What was promised is on the disk. */
	if (!workers_idle(s->workers, SERVER_WORKERS_MS) || !workers_idle(s->feedback, SERVER_WORKERS_MS) ||
	    !workers_idle(s->changers, SERVER_WORKERS_MS) || !shadows_stop(s->shadows, SERVER_WORKERS_MS)) {
		fputs("mldeck: a prediction does not end; left without it\n", stderr);
		scheduler_free(s->scheduler);
		registry_close(s->registry);
		_exit(0);
	}
out:
	scheduler_free(s->scheduler);
	workers_free(s->feedback);
	experiments_free(s->experiments);
	rollouts_free(s->rollouts);
	alerts_free(s->alerts);
	jobs_free(s->jobs);
	workers_free(s->changers);
	workers_free(s->workers);
	shadows_free(s->shadows);
	router_free(s->router);
	registry_close(s->registry);
	if (s->stop_fd >= 0)
		close(s->stop_fd);
	if (signal_fd >= 0)
		close(signal_fd);
	if (timer_fd >= 0)
		close(timer_fd);
	free(s);
	return result;
}
