/*
 * The end of a connection whose client may still be sending.
 *
 * Closing a socket with bytes unread is a reset, which can take the answer
 * along (RFC 9112 9.6).  So only the sending side is shut down, and what still
 * comes is read and thrown away until the client closes, is silent for
 * lingering_timeout, or lingering_time is over.
 *
 * Browsers are another case.  Measured with Chromium: it reads no answer while
 * it sends a body, and goes on sending all of it, for minutes if need be; when
 * the connection is reset it looks at what has come, finds the answer, and
 * shows it.  So one that was answered before its body had come is closed as
 * soon as the client's system has the whole answer and has had a moment to hand
 * it on.  It is no setting, as it has to fit what browsers do and not what an
 * operator wants; lingering_time ends it too, if that is shorter.
 *
 * Not behind a proxy that says so (X-Forwarded-For, Via): that is no browser.
 * Measured with Apache 2.4.71: it sends all of the body, too, but when it is reset
 * meanwhile it looks for no answer, and tells the browser 502.
 */
#include <errno.h>

#include "base/clock.h"
#include "conn_internal.h"

#define LOOK_S 0.25 /* between two looks whether it has the answer */
#define GRACE_S 1.0 /* to hand it on, once its system has it */
#define NEVER_S 1e18
#define SLACK_S 0.001

/* Does it read no answer before it has sent all of its body? */
static bool
is_deaf(const struct conn *c)
{
	return c->from_browser && !c->body.source.ended;
}

/* Wait for more to throw away, but not for ever. */
static void
await_end(struct conn *c)
{
	const struct lingering *l = &c->linger;
	double next = l->end < l->silent ? l->end : l->silent;

	if (next > l->look)
		next = l->look;
	deadline_set(&c->patience, next - clock_mono_s());
}

static double
silent_from(const struct conn *c, double now)
{
	return now + (double)c->group->conf->lingering_timeout_ms / 1e3;
}

void
linger_begin(struct conn *c)
{
	double now = clock_mono_s();

	transport_shutdown(&c->transport);
	c->linger = (struct lingering){
	    .end = now + (double)c->group->conf->lingering_time_ms / 1e3,
	    .silent = silent_from(c, now),
	    .look = is_deaf(c) ? now : NEVER_S,
	};
	/* What came with the head is nobody's any more. */
	body_fini(&c->body);
	head_reader_fini(&c->head_reader);
	str_fini(&c->fields);
	if (c->rejected)
		c->linger.end = now + CONN_REJECTED_S;
	transport_await_recv(&c->transport, c->group->loop, &c->readable);
	await_end(c);
}

void
linger_discard(struct conn *c)
{
	static char sink[64 * 1024];
	ssize_t n = transport_recv(&c->transport, sink, sizeof(sink));

	if (n <= 0 && n != -EAGAIN) {
		conn_on(c, LEFT);
		return;
	}
	transport_await_recv(&c->transport, c->group->loop, &c->readable);
	if (n == -EAGAIN)
		return;
	c->linger.silent = silent_from(c, clock_mono_s());
	await_end(c);
}

void
linger_due(struct conn *c)
{
	struct lingering *l = &c->linger;
	double now = clock_mono_s();

	if (l->has_answer || l->look > now + SLACK_S) {
		conn_on(c, EXPIRED);
		return;
	}
	l->has_answer = transport_is_delivered(&c->transport);
	l->look = now + (l->has_answer ? GRACE_S : LOOK_S);
	await_end(c);
}
