/*
 * config: what an operator sets once for a runtime, in a file and on the command line.
 *
 * A plain value, constant while the runtime runs. The file is INI: --config FILE, else $MLDECK_CONFIG, else
 * mldeck.ini in the state directory when there is one. A key that is unknown, twice, or out of range is refused
 * with the file's line. inih is included here, by the themes and by models_file.
 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_PATH_SIZE 256

/* [server] */
struct config_server {
	char listen[64];       /* listen = 127.0.0.1:8080 */
	char name[64];         /* name = what consoles call it; "": the host's */
	unsigned threads;      /* threads = 0 (one a core) .. 256 */
	int header_timeout_ms; /* header_timeout = 90s: absolute, however steadily it drips */
	int body_timeout_ms;   /* body_timeout = 60s */
	size_t body_max;       /* body_max = 64M: of a request, inflated too */
	bool model_control;    /* model_control = no: whether V2 clients may load and unload models */
};

/* [cors] */
struct config_cors {
	char origins[512];  /* origins = https://app.example, https://b.example, or *; "": no CORS */
	bool credentials;   /* credentials = no; not with * */
	unsigned max_age_s; /* max_age = 600 */
};

/* [onnx] */
struct config_onnx {
	char library[CONFIG_PATH_SIZE]; /* library = path of libonnxruntime.so; "": searched */
	unsigned threads;               /* threads = 1: of one prediction, inside the model; 0: one a core */
	bool arena;                     /* arena = yes: ONNX Runtime keeps freed memory */
	unsigned optimization;          /* optimization = 0 none, 1 basic, 2 extended, 3 all (the default) */
};

/* [remote]: the defaults of remote versions; a version's own settings win */
struct config_remote {
	int timeout_ms;                 /* timeout = 10s: of one prediction, retries included */
	int connect_timeout_ms;         /* connect_timeout = 2s */
	unsigned retries;               /* retries = 1: only where nothing can have been done */
	unsigned in_flight_max;         /* in_flight = 256: of one version; one more is answered 429 */
	char ca_file[CONFIG_PATH_SIZE]; /* ca_file = PEM of the authorities in place of the system's */
};

/* [workers]: models that are too slow for a data plane thread */
struct config_workers {
	unsigned threads;   /* threads = 0 (one a core) */
	unsigned queue_max; /* queue = 1024: waiting predictions; one more is answered 429 */
	unsigned inline_us; /* inline = 1ms: a model that takes longer is run by the workers */
};

/* [shadows]: copies of requests to shadow versions */
struct config_shadows {
	unsigned threads;   /* threads = 2: that ask the shadows */
	unsigned queue_max; /* queue = 1024: copies that wait; one more is dropped */
	size_t bytes_max;   /* bytes = 64M: of memory for copies; one that finds no room is dropped */
	int timeout_ms;     /* timeout = 5s: that a copy may wait, and then that another server may take */
};

/* [capture]: rows of live requests, of models whose policy says so */
struct config_capture {
	size_t memory_max; /* memory = 64M: for all models; a row that finds no room is dropped */
	unsigned window_s; /* window = 24h: the sample is of the last half to whole of it */
};

/* [control]: who is let in on the control socket, besides the owner and root */
struct config_control {
	char group[64]; /* group = of the system; "": nobody */
};

/* [routes]: how long versions that are in no route stay loaded */
struct config_routes {
	unsigned keep_warm_s;   /* keep_warm = 24h: after it was live or a canary */
	unsigned idle_unload_s; /* idle_unload = 1h: after it was deployed, loaded or last asked */
};

/* [train]: of training commands on this machine */
struct config_train {
	double rate; /* rate = what an hour costs, in whatever currency; NaN: not said */
};

struct config {
	struct config_server server;
	struct config_control control;
	struct config_cors cors;
	struct config_onnx onnx;
	struct config_remote remote;
	struct config_workers workers;
	struct config_shadows shadows;
	struct config_routes routes;
	struct config_capture capture;
	struct config_train train;
};

/* Every default. */
void config_init(struct config *c);
/* The threads that such a setting means: 0 is one a core. */
unsigned config_threads(unsigned setting);
/* A cost as it is written, "2.50": finite and not negative, else false. */
bool config_cost(const char *text, double *cost);
/* Reads a file over what is there. ERR_INPUT "mldeck.ini, line 3: ..."; ERR_NOT_FOUND when it is not there. */
int config_read(struct config *c, const char *path, struct err *e);
/* The same with text in memory; name is for sentences. A refusal changes nothing. */
int config_parse(struct config *c, const char *name, const char *text, struct err *e);
/* The file that applies: path unless it is NULL, else $MLDECK_CONFIG, else mldeck.ini in the state directory
 * when there is one. */
int config_load(struct config *c, const char *path, const char *state, struct err *e);
/* One setting by its name, "onnx.threads", as a command line sets it. */
int config_set(struct config *c, const char *section, const char *key, const char *value, struct err *e);

#endif
