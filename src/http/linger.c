/*
 * The end of a connection whose client may still be sending.
 *
 * Closing a socket with bytes unread is a reset, which can take the answer
 * along (RFC 9112 9.6).  So only the sending side is shut down, and what still
 * comes is read and thrown away until the client closes, is silent for
 * lingering_timeout, or lingering_time is over.
 */
#include <errno.h>

#include "base/clock.h"
#include "conn_internal.h"

/* Wait for more to throw away, but not for ever. */
static void
await_end(struct conn *c)
{
	double silence = (double)c->group->conf->lingering_timeout_ms / 1e3;
	double left = c->linger_end - clock_mono_s();

	if (left <= 0)
		conn_on(c, EXPIRED);
	else
		deadline_set(&c->patience, left < silence ? left : silence);
}

void
linger_begin(struct conn *c)
{
	transport_shutdown(&c->transport);
	c->linger_end =
	    clock_mono_s() +
	    (c->turned_away ? CONN_TURNED_AWAY_S
			    : (double)c->group->conf->lingering_time_ms / 1e3);
	ev_io_start(c->group->loop, &c->readable);
	await_end(c);
}

void
linger_discard(struct conn *c)
{
	static char sink[64 * 1024];
	ssize_t n = transport_recv(&c->transport, sink, sizeof(sink));

	if (n == -EAGAIN)
		return;
	if (n <= 0)
		conn_on(c, LEFT);
	else
		await_end(c);
}
