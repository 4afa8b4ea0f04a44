/*
 * set_clock.h - time that passes when the test says so, and not before.
 *
 * A unit test that includes this has a clock of its own: clock_gettime() below
 * comes before libc's, for what is tested and for libev.  Both clocks stand still
 * but for set_clock_pass(), for usleep() and nanosleep(), which pass the time
 * instead of waiting for it, for `set_clock_turn_ns` with each turn of a loop, and
 * for a nanosecond with each look, so that what came later is later.
 * A loop that would sleep does for at most REAL_NAP_MS, so that it can be waited
 * for what a thread does, while no time passes at all.
 *
 * It is the program's, so one file of it includes this.  What the kernel counts
 * (timeouts of locks, of sockets) goes on in real time.
 */
#ifndef SET_CLOCK_H
#define SET_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	REAL_NAP_MS = 1,
};

static _Atomic uint64_t set_clock_passed_ns;
static uint64_t set_clock_turn_ns; /* what a turn of a loop takes */
static time_t set_clock_wall_step; /* the wall clock is set by so much */
static struct timespec set_clock_began[2]; /* monotonic, wall */

int clock_gettime(clockid_t id, struct timespec *ts);

__attribute__((constructor)) static void
set_clock_begin(void)
{
	(void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &set_clock_began[0]);
	(void)syscall(SYS_clock_gettime, CLOCK_REALTIME, &set_clock_began[1]);
}

static inline void
set_clock_pass(uint64_t ns)
{
	set_clock_passed_ns += ns;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	const uint64_t s = UINT64_C(1000000000);
	bool wall = id == CLOCK_REALTIME;
	uint64_t ns;

	if (!wall && id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ns = (uint64_t)set_clock_began[wall].tv_nsec + ++set_clock_passed_ns;
	ts->tv_sec = set_clock_began[wall].tv_sec + (time_t)(ns / s) +
		     (wall ? set_clock_wall_step : 0);
	ts->tv_nsec = (long)(ns % s);
	return 0;
}

int
usleep(useconds_t us)
{
	set_clock_pass((uint64_t)us * 1000);
	return 0;
}

int
nanosleep(const struct timespec *for_so_long, struct timespec *ret_left)
{
	(void)ret_left;
	set_clock_pass((uint64_t)for_so_long->tv_sec * UINT64_C(1000000000) +
		       (uint64_t)for_so_long->tv_nsec);
	return 0;
}

/* How libev sleeps, on Linux. */
int
epoll_wait(int fd, struct epoll_event *events, int most, int timeout_ms)
{
	set_clock_pass(set_clock_turn_ns);
	if (timeout_ms < 0 || timeout_ms > REAL_NAP_MS)
		timeout_ms = REAL_NAP_MS;
	return epoll_pwait(fd, events, most, timeout_ms, NULL);
}

#endif
