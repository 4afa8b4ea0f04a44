/*
 * base/clock.h - what time it is, and how long things took.
 *
 * Durations are measured with the monotonic clock in nanoseconds; the wall
 * clock is for people and for names.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

enum {
	CLOCK_STAMP_MAX = 32, /* room for any stamp below, with its NUL */
	CLOCK_AGO_MAX_S = 60,
};

/* Nanoseconds on a clock that never jumps (CLOCK_MONOTONIC). */
uint64_t clock_mono_ns(void);

/* The same in seconds, for calculations in seconds.  The loop's ev_now() is no
 * substitute: it is the wall clock, which can be set. */
static inline double
clock_mono_s(void)
{
	return (double)clock_mono_ns() / (double)NS_PER_S;
}

/* The same in seconds, or up to 10 ms before: for times of seconds, where each request
 * would look at the clock.  Costs a quarter.  It never goes back, but compare it with
 * itself only. */
double clock_recent_s(void);

/* Nanoseconds since 1970, UTC (CLOCK_REALTIME). */
uint64_t clock_wall_ns(void);

/* The same in seconds.  What was stored before is never later, as it is by time(): that
 * says what the last tick of the kernel noted, and Linux stamps files with finer times
 * since 6.13. */
static inline time_t
clock_wall_s(void)
{
	return (time_t)(clock_wall_ns() / NS_PER_S);
}

/*
 * Convert a recent time of the wall clock to the monotonic clock, accurate to a
 * few microseconds unless the wall clock was set in between.  Never later than
 * now, nor more than CLOCK_AGO_MAX_S ago.
 */
uint64_t clock_mono_of_wall(uint64_t wall_ns);

/* "2026-11-22T12:00:00.123Z": for logs. */
void clock_stamp_iso(uint64_t wall_ns, char ret_stamp[CLOCK_STAMP_MAX]);

/* "20261122T120000123Z": sorts as text, for generated names. */
void clock_stamp_name(uint64_t wall_ns, char ret_stamp[CLOCK_STAMP_MAX]);

/* "Sun, 22 Nov 2026 12:00:00 GMT": IMF-fixdate, RFC 9110 section 5.6.7. */
void clock_stamp_http(time_t wall_s, char ret_stamp[CLOCK_STAMP_MAX]);

/*
 * clock_parse_http(text, len, ret_s):
 * Read an HTTP date in any of its three forms (RFC 9110 section 5.6.7).
 * 0, or -EINVAL.
 */
int clock_parse_http(const char *text, size_t len, time_t *ret_s);

#endif
