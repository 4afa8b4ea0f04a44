/*
 * flow/client_clock.h - the time that a client takes: how long it is silent,
 * and how fast its bytes come (body_timeout, min_rate).
 *
 * The rate is measured over spans of a fixed length, in which the clock runs
 * only while the reader waits for the client: what a full queue, a dry pool or
 * our own pace take is not the client's time.  Silence counts from the last
 * byte; after a pause of ours client_clock_took() begins it anew.  Times are
 * seconds of clock_mono_s().
 */
#ifndef FLOW_CLIENT_CLOCK_H
#define FLOW_CLIENT_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_limits {
	double silence_s;      /* longest; 0: any */
	uint64_t rate_min;     /* bytes per second; 0: any */
	double rate_min_for_s; /* measured over so long, above 0 */
};

enum client_verdict {
	CLIENT_IN_TIME,
	CLIENT_SILENT,
	CLIENT_SLOW,
};

struct client_clock {
	struct client_limits limits;
	double last_byte; /* when it came */
	double since;	  /* when the clock last went on; 0: it stands */
	double waited;	  /* before that, in this span of rate_min */
	uint64_t bytes;	  /* that came in this span */
};

/* It runs, as if a byte had come just now. */
void client_clock_init(struct client_clock *c, const struct client_limits *l);

/* The reader waits for the client from now on; nothing if it does already. */
void client_clock_run(struct client_clock *c);

/* It does not any more. */
void client_clock_stop(struct client_clock *c);

/* So many bytes have come; with 0 the silence begins anew. */
void client_clock_took(struct client_clock *c, size_t bytes);

#define CLIENT_CLOCK_NEVER_S 1e9

/* Seconds until client_clock_judge() may say something else;
 * CLIENT_CLOCK_NEVER_S: nothing is limited. */
double client_clock_left_s(const struct client_clock *c, double now);

/* While it runs: is a limit passed?  Begins the next span when one is over. */
enum client_verdict client_clock_judge(struct client_clock *c, double now);

/* The client was not to blame: silence and span begin anew. */
void client_clock_forgive(struct client_clock *c);

#endif
