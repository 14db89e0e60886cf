#include "runtime/engine/ort.h"

#include "core/text.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first release that has ORT_API; releases and versions of the interface are numbered alike. */
#define FIRST_MINOR ORT_API
/* A runtime package without its -dev package has only names such as libonnxruntime.so.1.21. */
#define LAST_MINOR 99
#define MESSAGE_SIZE 320

struct api_base {
	const void *(*GetApi)(uint32_t version);
	const char *(*GetVersionString)(void);
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ort loaded; /* complete once env is set; never changed after */

void ort_silence(void)
{
	/* Read by the library when it starts; builds without reporting do not know it. */
	const char *name = "ORT_DISABLE_TELEMETRY", *value = getenv(name);
	if (value == NULL || strcmp(value, "1") != 0)
		setenv(name, "1", 1);
}

/* Its errors come back as statuses; nothing of it may reach a terminal. */
static void log_nothing(void *context, int severity, const char *category, const char *id, const char *place,
			const char *message)
{
	(void)context, (void)severity, (void)category, (void)id, (void)place, (void)message;
}

int ort_check(const struct ort *o, struct ort_status *status, enum err_code code, const char *what, struct err *e)
{
	char message[MESSAGE_SIZE];
	size_t used = 0;

	if (status == NULL)
		return 0;
	/* One line, single blanks. */
	for (const char *from = o->GetErrorMessage(status); *from != '\0' && used < sizeof message - 1; from++) {
		bool blank = *from == ' ' || *from == '\n' || *from == '\t' || *from == '\r';
		if (!blank)
			message[used++] = *from;
		else if (used > 0 && message[used - 1] != ' ')
			message[used++] = ' ';
	}
	while (used > 0 && message[used - 1] == ' ')
		used--;
	message[used] = '\0';
	o->ReleaseStatus(status);
	return err_set(e, code, "%s: %s", what, message);
}

void ort_ignore(const struct ort *o, struct ort_status *status)
{
	if (status != NULL)
		o->ReleaseStatus(status);
}

static void take_functions(struct ort *o, const void *api)
{
	const char *table = api;
#define X(index, name, result, arguments) memcpy(&o->name, table + (size_t)(index) * sizeof(void *), sizeof(void *));
	ORT_FUNCTIONS(X)
#undef X
}

static int start(struct ort *o, struct err *e)
{
	struct ort_env *env = NULL;

	if (ort_check(o, o->CreateEnvWithCustomLogger(log_nothing, NULL, ORT_SEVERITY_ERROR, "mldeck", &env),
		      ERR_SYSTEM, "ONNX Runtime does not start", e) != 0)
		return -1;
	if (ort_check(o, o->DisableTelemetryEvents(env), ERR_SYSTEM, "ONNX Runtime cannot be silenced", e) != 0 ||
	    ort_check(o, o->CreateCpuMemoryInfo(ORT_ARENA_ALLOCATOR, ORT_MEMORY_DEFAULT, &o->memory), ERR_SYSTEM,
		      "ONNX Runtime does not start", e) != 0 ||
	    ort_check(o, o->GetAllocatorWithDefaultOptions(&o->allocator), ERR_SYSTEM, "ONNX Runtime does not start",
		      e) != 0) {
		o->ReleaseEnv(env);
		return -1;
	}
	o->env = env;
	return 0;
}

static bool recent(const char *version)
{
	int major = 0, minor = 0;
	return sscanf(version, "%d.%d", &major, &minor) == 2 && (major > 1 || (major == 1 && minor >= FIRST_MINOR));
}

/* ERR_NOT_FOUND: there is no such library; anything else: it is there and will not do. */
static int open_one(const char *name, struct err *e)
{
	struct ort o = {0};
	const struct api_base *base = NULL;
	const struct api_base *(*get_base)(void);
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL), *symbol;

	if (library == NULL)
		return err_set(e, strchr(name, '/') != NULL && access(name, F_OK) == 0 ? ERR_SYSTEM : ERR_NOT_FOUND,
			       "%s", dlerror());
	symbol = dlsym(library, "OrtGetApiBase");
	if (symbol != NULL) {
		memcpy(&get_base, &symbol, sizeof get_base);
		base = get_base();
	}
	if (base == NULL) {
		dlclose(library);
		return err_set(e, ERR_SYSTEM, "%s is not ONNX Runtime", name);
	}
	text_clean(o.version, sizeof o.version, base->GetVersionString());
	text_clean(o.path, sizeof o.path, name);
	/* Asked before GetApi(), which would complain on stderr. */
	const void *api = recent(o.version) ? base->GetApi(ORT_API) : NULL;
	if (api == NULL) {
		err_set(e, ERR_SYSTEM, "%s is ONNX Runtime %s, and 1.%d or later is needed", name, o.version,
			FIRST_MINOR);
		dlclose(library);
		return -1;
	}
	take_functions(&o, api);
	/* From here on it stays: it may have threads. */
	if (start(&o, e) != 0)
		return -1;
	loaded = o;
	return 0;
}

/* Keeps in e why a library that is there would not do, for the end of the search. */
static int try_one(const char *name, struct err *e)
{
	struct err one;
	if (open_one(name, &one) == 0)
		return 0;
	if (one.code != ERR_NOT_FOUND && e->code == ERR_NOT_FOUND)
		*e = one;
	return -1;
}

/* As the loader finds it: the development name, the upstream's, then each distribution's, newest
 * first. */
static int try_system(struct err *e)
{
	char name[64];

	if (try_one("libonnxruntime.so", e) == 0 || try_one("libonnxruntime.so.1", e) == 0)
		return 0;
	for (int minor = LAST_MINOR; minor >= FIRST_MINOR; minor--) {
		snprintf(name, sizeof name, "libonnxruntime.so.1.%d", minor);
		if (try_one(name, e) == 0)
			return 0;
	}
	return -1;
}

/* Beside an installed executable (PREFIX/bin, PREFIX/lib/mldeck), and in a checkout
 * (build/release/mldeck, build/onnxruntime), where scripts/setup puts what it fetched. */
static int try_fetched(struct err *e)
{
	static const char *const places[] = {"../lib/mldeck", "../onnxruntime"};
	char self[4096], path[4200];
	ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);

	if (size <= 0)
		return -1;
	self[size] = '\0';
	char *slash = strrchr(self, '/');
	if (slash == NULL)
		return -1;
	*slash = '\0';
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(path, sizeof path, "%s/%s/libonnxruntime.so", self, places[i]);
		if (try_one(path, e) == 0)
			return 0;
	}
	return -1;
}

static int search(const char *library, struct err *e)
{
	struct err why = {.code = ERR_NOT_FOUND};

	ort_silence();
	if (library != NULL && library[0] != '\0') {
		if (open_one(library, &why) == 0)
			return 0;
		return err_set(e, ERR_SYSTEM, "the ONNX Runtime library that is configured cannot be used: %s",
			       why.text);
	}
	if (try_system(&why) == 0 || try_fetched(&why) == 0)
		return 0;
	if (why.code != ERR_NOT_FOUND)
		return err_set(e, ERR_SYSTEM, "no ONNX Runtime library that can be used was found: %s", why.text);
	return err_set(e, ERR_SYSTEM,
		       "an ONNX model needs the ONNX Runtime library, and none was found: run scripts/setup, "
		       "or "
		       "install it (Debian 13: libonnxruntime-dev), or name it with --onnxruntime PATH");
}

const struct ort *ort_open(const char *library, struct err *e)
{
	pthread_mutex_lock(&lock);
	int result = loaded.env != NULL ? 0 : search(library, e);
	pthread_mutex_unlock(&lock);
	return result == 0 ? &loaded : NULL;
}
