#include "lib/web_stub.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 512
#define REQUEST_SIZE 65536

struct web_stub {
	int listener;
	int port;
	char url[256];
	pthread_t acceptor;
	pthread_mutex_t lock;
	pthread_cond_t met;
	int meet, waiting;
	int connections, requests;
	int sockets[CONNECTIONS_MAX];
	pthread_t threads[CONNECTIONS_MAX];
	bool ending;
};

struct visit {
	struct web_stub *stub;
	int socket;
};

static void answer(int socket, const char *status, const char *headers, const void *body, size_t size)
{
	char head[512];
	int length = snprintf(head, sizeof head, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, headers, size);

	if (send(socket, head, (size_t)length, MSG_NOSIGNAL) != length)
		return;
	for (const char *at = body; size > 0;) {
		ssize_t sent = send(socket, at, size, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		at += sent;
		size -= (size_t)sent;
	}
}

static void answer_text(int socket, const char *status, const char *headers, const char *text)
{
	answer(socket, status, headers, text, strlen(text));
}

static void meet(struct web_stub *w)
{
	pthread_mutex_lock(&w->lock);
	if (++w->waiting >= w->meet)
		pthread_cond_broadcast(&w->met);
	while (w->waiting < w->meet && !w->ending)
		pthread_cond_wait(&w->met, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

/* False: the connection ends. */
static bool behave(struct web_stub *w, int socket, const char *path, const char *body, size_t size)
{
	char byte;

	if (strcmp(path, "/echo") == 0) {
		answer(socket, "200 OK", "", body, size);
	} else if (strcmp(path, "/hang") == 0) {
		while (recv(socket, &byte, 1, 0) > 0)
			;
		return false;
	} else if (strcmp(path, "/meet") == 0) {
		meet(w);
		answer_text(socket, "200 OK", "", "met");
	} else if (strcmp(path, "/close") == 0) {
		return false;
	} else if (strcmp(path, "/cut") == 0) {
		send(socket, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 42, MSG_NOSIGNAL);
		return false;
	} else if (strcmp(path, "/header") == 0) {
		answer_text(socket, "503 Busy", "Retry-After: 1\r\nretry-after: \t 2 \r\n", "");
	} else if (strcmp(path, "/big") == 0) {
		char *big = calloc(1, 1000000);
		answer(socket, "200 OK", "", big, 1000000);
		free(big);
	} else if (strcmp(path, "/html") == 0) {
		answer_text(socket, "200 OK", "Content-Type: text/html\r\n", "<html>welcome</html>");
	} else {
		answer_text(socket, "404 Not Found", "", "nothing here");
	}
	return true;
}

/* One request out of text, which holds used bytes of it; false at the end. */
static bool receive(int socket, char *text, size_t *used, size_t *head, size_t *body)
{
	for (;;) {
		char *end;
		text[*used] = '\0';
		if ((end = strstr(text, "\r\n\r\n")) != NULL) {
			char *length = strcasestr(text, "\ncontent-length:");
			*head = (size_t)(end - text) + 4;
			*body = length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0;
			if (*used >= *head + *body)
				return true;
		}
		ssize_t got = recv(socket, text + *used, REQUEST_SIZE - 1 - *used, 0);
		if (got <= 0)
			return false;
		*used += (size_t)got;
	}
}

static void *serve(void *context)
{
	struct visit *v = context;
	char *text = malloc(REQUEST_SIZE), path[128];
	size_t used = 0, head, body;

	while (receive(v->socket, text, &used, &head, &body)) {
		pthread_mutex_lock(&v->stub->lock);
		v->stub->requests++;
		pthread_mutex_unlock(&v->stub->lock);
		if (sscanf(text, "%*s %127s", path) != 1 || !behave(v->stub, v->socket, path, text + head, body))
			break;
		used -= head + body;
		memmove(text, text + head + body, used);
	}
	shutdown(v->socket, SHUT_RDWR);
	free(text);
	free(v);
	return NULL;
}

static void *accept_all(void *context)
{
	struct web_stub *w = context;
	int socket;

	while ((socket = accept(w->listener, NULL, NULL)) >= 0) {
		struct visit *v = malloc(sizeof *v);
		*v = (struct visit){w, socket};
		pthread_mutex_lock(&w->lock);
		if (w->connections == CONNECTIONS_MAX)
			abort();
		w->sockets[w->connections] = socket;
		pthread_create(&w->threads[w->connections++], NULL, serve, v);
		pthread_mutex_unlock(&w->lock);
	}
	return NULL;
}

struct web_stub *web_stub_new(void)
{
	struct web_stub *w = calloc(1, sizeof *w);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;

	w->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(w->listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(w->listener, 512) != 0 ||
	    getsockname(w->listener, (struct sockaddr *)&address, &size) != 0)
		abort();
	w->port = ntohs(address.sin_port);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->met, NULL);
	pthread_create(&w->acceptor, NULL, accept_all, w);
	return w;
}

void web_stub_free(struct web_stub *w)
{
	shutdown(w->listener, SHUT_RDWR);
	pthread_join(w->acceptor, NULL);
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	pthread_cond_broadcast(&w->met);
	pthread_mutex_unlock(&w->lock);
	for (int i = 0; i < w->connections; i++) {
		shutdown(w->sockets[i], SHUT_RDWR);
		pthread_join(w->threads[i], NULL);
		close(w->sockets[i]);
	}
	close(w->listener);
	pthread_cond_destroy(&w->met);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

const char *web_stub_url(struct web_stub *w, const char *path)
{
	snprintf(w->url, sizeof w->url, "http://127.0.0.1:%d%s", w->port, path);
	return w->url;
}

void web_stub_meet(struct web_stub *w, int count)
{
	pthread_mutex_lock(&w->lock);
	w->meet = count;
	w->waiting = 0;
	pthread_mutex_unlock(&w->lock);
}

static int read_locked(struct web_stub *w, const int *number)
{
	pthread_mutex_lock(&w->lock);
	int value = *number;
	pthread_mutex_unlock(&w->lock);
	return value;
}

int web_stub_connections(struct web_stub *w)
{
	return read_locked(w, &w->connections);
}

int web_stub_requests(struct web_stub *w)
{
	return read_locked(w, &w->requests);
}
