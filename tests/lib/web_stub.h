/*
 * web_stub: a small HTTP server on a loopback port of its own that behaves, well or badly, as a
 * path says.
 *
 * A thread a connection. Paths: /echo answers the body; /hang never answers; /meet answers once as
 * many requests as web_stub_meet() said wait there; /close ends the connection before an answer;
 * /cut ends it within one; /header answers with two Retry-After headers; /big answers 1,000,000
 * bytes; /html a page; anything else is a 404.
 */
#ifndef TESTS_WEB_STUB_H
#define TESTS_WEB_STUB_H

struct web_stub;

struct web_stub *web_stub_new(void);
void web_stub_free(struct web_stub *w);
/* "http://127.0.0.1:PORT" and the path; good until the next call. */
const char *web_stub_url(struct web_stub *w, const char *path);
void web_stub_meet(struct web_stub *w, int count);
int web_stub_connections(struct web_stub *w);
int web_stub_requests(struct web_stub *w);

#endif
