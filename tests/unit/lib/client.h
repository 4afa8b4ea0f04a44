/*
 * lib/client.h - the connections of a server, and clients of them in the same
 * process.
 *
 *	test_client <-- socket pair --> http/connections -> on_request()
 */
#ifndef LIB_CLIENT_H
#define LIB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/connections.h"
#include "lib/loop.h"
#include "shared/request_ids.h"
#include "shared/shm.h"

/* The settings are generous, and may be changed at any time. */
struct test_server {
	struct test_loop *l;
	struct conf_server conf;
	struct connections g;
	struct connections_door door; /* plain HTTP, unless the test sets it */
	struct slot slot;
	struct request_ids_block ids;
	unsigned requests; /* so many have come */
	unsigned opened,
	    closed; /* connections that were not rejected at once */
	void (*on_request)(struct exchange *x);
	/* The fields of all responses; NULL: none. */
	void (*add_fields)(struct str *out);

	struct handler handler;
};

struct test_client {
	int fd;		 /* -1: it has hung up */
	char got[65536]; /* what it has heard, and a NUL */
	size_t len;
	bool ended; /* the server has closed */
};

void test_server_begin(struct test_server *s, struct test_loop *l,
    void (*on_request)(struct exchange *x));

/* Drop all connections: none is left. */
void test_server_end(struct test_server *s);

/* Connect as one who comes by a UNIX socket; or from `peer`. */
void test_client_connect(struct test_client *c, struct test_server *s);
void test_client_connect_from(
    struct test_client *c, struct test_server *s, const struct addr *peer);

/* The server is given this end of a connection. */
void test_server_open(struct test_server *s, int fd, const struct addr *peer);

void test_client_say(struct test_client *c, const char *text);

/* Take what is there. */
void test_client_hear(struct test_client *c);
bool test_client_has_heard(const struct test_client *c, const char *text);

/* What has come behind the first head; fails the test if that is not whole. */
char *test_client_content(struct test_client *c);

/* Idempotent. */
void test_client_hang_up(struct test_client *c);

#endif
