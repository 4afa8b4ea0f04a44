/*
 * lib/web.h - a server with one location, /file, on a store in memory, and one
 * client of it.
 */
#ifndef LIB_WEB_H
#define LIB_WEB_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/client.h"
#include "lib/loop.h"
#include "lib/memory_store.h"
#include "web/dispatch.h"

enum {
	TEST_WEB_CHUNK = 4096,
	TEST_WEB_LARGE = 5 * TEST_WEB_CHUNK + 123,
};

struct test_web {
	struct test_loop l;
	struct test_server server;
	struct test_client client;
	struct conf_location location;
	struct store *store;
	char body[TEST_WEB_LARGE + 1]; /* a text: what is put, from its front */

	struct store *stores[1];
	struct log_limit failures[OUTCOME_COUNT];
	struct context context;
	struct dispatch dispatch;
	bool is_settled;
};

/* All anew, in `w`, of which there is one at a time. */
void test_web_begin(struct test_web *w);

/* The store is idle then, and has no chunk. */
void test_web_end(struct test_web *w);

/* Turns of the loop, after each of which the client hears what is there. */
void test_web_turn(struct test_web *w, unsigned n);

/* The client has heard it, sooner or later; else the test fails. */
void test_web_await(struct test_web *w, const char *text);

/* Behind the head that it has heard are `body[from]` to `body[to - 1]` and no more. */
void test_web_await_content(struct test_web *w, size_t from, size_t to);

/* A request's head, with these lines more; what was heard before is forgotten.  A PUT
 * has a Content-Length of `len`. */
void test_web_say_head(struct test_web *w, const char *method, const char *path,
    size_t len, const char *lines);
void test_web_say_body(struct test_web *w, size_t from, size_t to);

/* The same with the first `len` bytes of the body. */
void test_web_put(
    struct test_web *w, const char *path, size_t len, const char *lines);

/* It is new, and is stored. */
void test_web_put_ok(struct test_web *w, const char *path, size_t len);

void test_web_get(struct test_web *w, const char *path, const char *lines);

struct memory_plan *test_web_plan(struct test_web *w);

#endif
