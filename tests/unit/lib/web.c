#include "lib/web.h"

#include <stdio.h>
#include <string.h>

#include "lib/cmocka_with.h"
#include "lib/flow.h"

enum {
	TURNS = 20000,
};

static struct test_web *web; /* the one that there is */

/* ---- the server ---- */

static void
on_request(struct exchange *x)
{
	web->dispatch.handler.on_request(&web->dispatch.handler, x);
}

static void
on_settled(void *owner)
{
	struct test_web *w = owner;

	w->is_settled = true;
}

static void
set_up_context(struct test_web *w)
{
	static char prefix[] = "/file", dir[] = "/in/memory";

	w->location.prefix = prefix;
	w->location.policy.output_dir = dir;
	w->location.policy.overwrite = true;
	w->location.read = true;
	w->location.queue_depth = 4;
	w->location.write_depth = 2;
	w->store = memory_kind.open(&(struct store_setup){
	    .policy = &w->location.policy,
	    .loop = w->l.loop,
	    .chunk_size = TEST_WEB_CHUNK,
	    .on_settled = on_settled,
	    .owner = w,
	});
	assert_non_null(w->store);
	w->stores[0] = w->store;
	w->server.conf.locations = &w->location;
	w->server.conf.location_count = 1;
	w->context = (struct context){
	    .conf = &w->server.conf,
	    .env = {.loop = w->l.loop, .pool = w->l.pool},
	    .stores = w->stores,
	    .failures = w->failures,
	};
	dispatch_init(&w->dispatch, &w->context);
}

void
test_web_begin(struct test_web *w)
{
	memset(w, 0, sizeof(*w));
	web = w;
	test_loop_begin(&w->l, TEST_WEB_CHUNK, 64);
	test_server_begin(&w->server, &w->l, on_request);
	set_up_context(w);
	chunk_account_add(w->l.pool, memory_store_account(w->store));
	for (size_t i = 0; i < TEST_WEB_LARGE; i++)
		w->body[i] = (char)('a' + fake_byte(i) % 26);
	test_client_connect(&w->client, &w->server);
	test_web_turn(w, 3);
	assert_true(w->is_settled);
}

void
test_web_end(struct test_web *w)
{
	test_client_hang_up(&w->client);
	test_server_end(&w->server);
	for (int step = 0; step < MEMORY_STEPS; step++)
		memory_store_release(w->store, step);
	test_web_turn(w, 5);
	assert_true(store_is_idle(w->store));
	assert_int_equal(chunk_pool_held(w->l.pool), 0);
	chunk_account_remove(w->l.pool, memory_store_account(w->store));
	store_free(&w->store);
	test_loop_end(&w->l);
}

/* ---- the client ---- */

void
test_web_turn(struct test_web *w, unsigned n)
{
	while (n-- > 0) {
		test_loop_turn(&w->l, 1);
		test_client_hear(&w->client);
	}
}

void
test_web_await(struct test_web *w, const char *text)
{
	for (unsigned i = 0;
	     i < TURNS && !test_client_has_heard(&w->client, text); i++)
		test_web_turn(w, 1);
	if (!test_client_has_heard(&w->client, text))
		fail_msg("instead of %s: %s", text, w->client.got);
}

struct memory_plan *
test_web_plan(struct test_web *w)
{
	return memory_store_plan(w->store);
}

void
test_web_await_content(struct test_web *w, size_t from, size_t to)
{
	test_web_await(w, "\r\n\r\n");
	for (unsigned i = 0;
	     i < TURNS && strlen(test_client_content(&w->client)) < to - from;
	     i++)
		test_web_turn(w, 1);
	assert_int_equal(strlen(test_client_content(&w->client)), to - from);
	assert_memory_equal(
	    test_client_content(&w->client), w->body + from, to - from);
}

static void
forget_answer(struct test_web *w)
{
	w->client.len = 0;
	w->client.got[0] = '\0';
}

void
test_web_say_head(struct test_web *w, const char *method, const char *path,
    size_t len, const char *lines)
{
	char head[1000];

	forget_answer(w);
	snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: localhost\r\n%s",
	    method, path, lines);
	test_client_say(&w->client, head);
	if (strcmp(method, "PUT") == 0) {
		snprintf(head, sizeof(head), "Content-Length: %zu\r\n", len);
		test_client_say(&w->client, head);
	}
	test_client_say(&w->client, "\r\n");
}

void
test_web_say_body(struct test_web *w, size_t from, size_t to)
{
	char last = w->body[to];

	w->body[to] = '\0';
	test_client_say(&w->client, w->body + from);
	w->body[to] = last;
}

void
test_web_put(
    struct test_web *w, const char *path, size_t len, const char *lines)
{
	test_web_say_head(w, "PUT", path, len, lines);
	test_web_say_body(w, 0, len);
}

void
test_web_put_ok(struct test_web *w, const char *path, size_t len)
{
	test_web_put(w, path, len, "");
	test_web_await(w, "HTTP/1.1 201 Created\r\n");
	test_web_await(w, "\"durability\":\"synced\"");
}

void
test_web_get(struct test_web *w, const char *path, const char *lines)
{
	test_web_say_head(w, "GET", path, 0, lines);
}
