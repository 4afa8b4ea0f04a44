/*
 * The end of a connection whose client may still be sending.
 *
 * Closing a socket with bytes unread is a reset, which can take the response
 * along (RFC 9112 9.6).  So only the sending side is shut down, and what still
 * comes is read and thrown away until the client closes, is silent for
 * lingering_timeout, or lingering_time is over.
 *
 * Browsers are another case.  Measured with Chromium: it reads no response while
 * it sends a body, and goes on sending all of it, for minutes if need be; when
 * the connection is reset it looks at what has come, finds the response, and
 * shows it.  So one that was answered before its body had come is closed as
 * soon as the client's system has the whole response and has had a moment to
 * hand it on.  It is no setting, as it has to fit what browsers do and not what
 * an operator wants; lingering_time ends it too, if that is shorter.
 *
 * Not behind a proxy that says so (X-Forwarded-For, Via): that is no browser.
 * Measured with Apache 2.4.71: it sends all of the body, too, but when it is reset
 * meanwhile it looks for no response, and tells the browser 502.
 *
 * Times are by clock_mono_s(); the owner has the timer.
 */
#ifndef LINGER_H
#define LINGER_H

#include <stdbool.h>

#include "base/check.h"

struct transport;

/* The fields are the module's. */
struct lingering {
	double end;    /* lingering_time is over */
	double silent; /* lingering_timeout is over, if nothing comes */
	double
	    look; /* the next look whether the client has the response, or the
			end of the grace after that */
	bool has_answer; /* its system has acknowledged all of it */
};

enum linger_verdict {
	LINGER_ON,   /* ask again in linger_left_s() */
	LINGER_LEFT, /* the client has closed, or is gone */
	LINGER_OVER, /* it had its time */
};

/* Shut down the sending side of `t`.  `deaf`: the client reads no response before
 * it has sent all of its body. */
void linger_begin(struct lingering *l, struct transport *t, double time_s,
    double silence_s, bool deaf);

/* Something may have come: throw it away. */
NODISCARD enum linger_verdict linger_discard(
    struct lingering *l, struct transport *t, double silence_s);

/* linger_left_s() is over. */
NODISCARD enum linger_verdict linger_due(
    struct lingering *l, const struct transport *t);

/* Seconds until linger_due() is to be called. */
double linger_left_s(const struct lingering *l);

#endif
