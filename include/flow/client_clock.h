/*
 * flow/client_clock.h - the time that a client takes: how long it is silent,
 * and how fast its bytes come (body_timeout, min_rate).
 *
 * The clock runs only while the reader waits for the client: time that passes while
 * the queue is full, the pool is empty or limit_rate holds us back does not count.
 * The rate is measured over spans of that time, each `rate_min_for_s` long.  Silence is
 * measured from the last byte, or from client_clock_took(c, 0) after a pause of ours.
 * Times are seconds of clock_mono_s().
 */
#ifndef FLOW_CLIENT_CLOCK_H
#define FLOW_CLIENT_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_limits {
	double silence_s;      /* the longest silence; 0: no limit */
	uint64_t rate_min;     /* bytes per second; 0: no limit */
	double rate_min_for_s; /* the length of a span; above 0 */
};

enum client_verdict {
	CLIENT_IN_TIME,
	CLIENT_SILENT,
	CLIENT_SLOW,
};

struct client_clock {
	struct client_limits limits;
	double last_byte; /* when it came */
	double since;	  /* when the clock was last started; 0: it stands */
	double waited;	  /* time it ran before that, in this span */
	uint64_t bytes;	  /* received in this span */
};

/* Start it, as if a byte had just come. */
void client_clock_init(struct client_clock *c, const struct client_limits *l);

/* The reader waits for the client from now on.  Idempotent. */
void client_clock_run(struct client_clock *c);

/* The reader does not wait for the client any more. */
void client_clock_stop(struct client_clock *c);

/* `bytes` have come.  With 0 only the silence begins anew. */
void client_clock_took(struct client_clock *c, size_t bytes);

#define CLIENT_CLOCK_NEVER_S 1e9

/* Seconds until client_clock_judge() is to be asked again; CLIENT_CLOCK_NEVER_S: there is
 * no limit. */
double client_clock_left_s(const struct client_clock *c, double now);

/* While the clock runs: has the client passed a limit?  Begins a new span when one is
 * over. */
enum client_verdict client_clock_judge(struct client_clock *c, double now);

/* The delay was not the client's: silence and span begin anew. */
void client_clock_forgive(struct client_clock *c);

#endif
