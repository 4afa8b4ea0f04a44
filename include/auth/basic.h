/*
 * auth/basic.h - verifies names and passwords (RFC 7617), without holding up the loop.
 *
 *	name:password -> cache? -> one of few threads: crypt(3) -> basic_wait.on_done()
 *
 * To hash a password takes a tenth of a second or more, on purpose.  So it is done on threads
 * of their own, one at a time in each worker: however many wrong passwords come, they cost no
 * more than that.  Requests with the same name and password wait for the same hash; when
 * more than BASIC_CHECKS_MAX different ones wait, further ones are refused.
 *
 * What was right is remembered for BASIC_KEPT_S, under a keyed hash whose key only this
 * process has: so uploads that follow each other cost a hash of microseconds.
 */
#ifndef AUTH_BASIC_H
#define AUTH_BASIC_H

#include <stdbool.h>

#include "auth/htpasswd.h"
#include "auth/mac.h"
#include "base/check.h"
#include "base/list.h"
#include "base/span.h"

enum {
	BASIC_CHECKS_MAX = 64,
	BASIC_KEPT_S = 60,
	BASIC_TEXT_MAX = 512, /* bytes of name and password together */
};

struct basic;
struct device_set;
struct engine;

/* For one worker, on a device of its own in `devices`.  NULL: out of memory.  The caller owns
 * it until basic_free(), before which nothing of it may be in flight on the engine. */
NODISCARD struct basic *basic_new(struct engine *e, struct device_set *devices);
void basic_free(struct basic **bp);

/* Name and password of a request. */
struct basic_login {
	char text[BASIC_TEXT_MAX +
		  1]; /* the name, and behind its NUL the password */
	struct span name, password; /* there; with a NUL behind each */
};

/* Read what stands behind "Basic " in Authorization.  False: it is malformed.  The caller
 * ends it with basic_login_fini(). */
NODISCARD bool basic_login_read(struct span field, struct basic_login *ret);
void basic_login_fini(struct basic_login *l);

enum basic_answer {
	BASIC_RIGHT,
	BASIC_WRONG,
	BASIC_LATER, /* it has to be computed: basic_begin() */
};

/* What is known at once.  *ret is the user's entry in `h`, if RIGHT. */
enum basic_answer basic_look(struct basic *b, const struct htpasswd *h,
    const struct basic_login *l, const struct htpasswd_user **ret);

/* One who waits; zeroed before.  It may be moved in memory while it does not wait. */
struct basic_wait {
	struct list_node node;
	/* Called from the loop, later, once. */
	void (*on_done)(struct basic_wait *w, const struct htpasswd_user *user);
};

struct basic_trial;

/*
 * basic_find(b, h, l):
 * After LATER: the same is being computed; NULL: it is not.
 *
 * basic_begin(b, h, l):
 * Then: begin to compute it.  `h` stays until that has ended; `l` is copied.  NULL: too many
 * others wait, or memory is short.
 *
 * basic_await(t, w):
 * Before the loop goes on: call w->on_done() when it is computed, with the user; NULL: it is
 * wrong.
 */
struct basic_trial *basic_find(
    struct basic *b, const struct htpasswd *h, const struct basic_login *l);
NODISCARD struct basic_trial *basic_begin(
    struct basic *b, const struct htpasswd *h, const struct basic_login *l);
void basic_await(struct basic_trial *t, struct basic_wait *w);

/* It waits no more: on_done() is not called. */
void basic_forget(struct basic_wait *w);

#endif
