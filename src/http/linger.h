/*
 * The end of a connection whose client may still be sending.
 *
 * Closing a socket while bytes are unread resets the connection, and the client may lose
 * the response (RFC 9112 9.6).  So only the sending side is shut down, and what still
 * arrives is discarded, until the client closes, is silent for lingering_timeout, or
 * lingering_time is over.
 *
 * Browsers differ.  Measured with Chromium: while it sends a body it reads no response,
 * and it sends all of the body, even for minutes; when the connection is reset it looks
 * at what has arrived, finds the response, and shows it.  So a browser that was answered
 * before its whole body had arrived is disconnected as soon as its system has the whole
 * response and has had a moment to pass it on.  There is no directive for this, since it
 * depends on what browsers do and not on what an operator wants; lingering_time still
 * counts, if that is shorter.
 *
 * This is not done behind a proxy that says so (X-Forwarded-For, Via).  Measured with
 * Apache 2.4.71: it sends all of the body, too, but when it is reset meanwhile it looks
 * for no response, and answers the browser with 502.
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
	double end;    /* when lingering_time is over */
	double silent; /* when lingering_timeout is over, if nothing comes */
	/* For a browser: the next look whether its system has the response, or the
	 * end of the moment after that. */
	double look;
	bool has_answer; /* its system has acknowledged the whole response */
};

enum linger_verdict {
	LINGER_ON,   /* ask again in linger_left_s() */
	LINGER_LEFT, /* the client has closed, or is gone */
	LINGER_OVER, /* its time is up */
};

/* Shut down the sending side of `t`, and begin to linger for `time_s` at most, and for
 * `silence_s` without a byte.  `deaf`: a browser, which reads no response before it has
 * sent all of its body. */
void linger_begin(struct lingering *l, struct transport *t, double time_s,
    double silence_s, bool deaf);

/* The transport may have bytes: discard them. */
NODISCARD enum linger_verdict linger_discard(
    struct lingering *l, struct transport *t, double silence_s);

/* To be called when linger_left_s() is over. */
NODISCARD enum linger_verdict linger_due(
    struct lingering *l, const struct transport *t);

/* Seconds until linger_due() is to be called. */
double linger_left_s(const struct lingering *l);

#endif
