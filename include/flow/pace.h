/*
 * flow/pace.h - at most so many bytes per second (limit_rate).
 *
 * A token bucket: the bytes that may be taken grow with time, up to the bytes of
 * 100 ms, so that a reader which was paused cannot catch up all at once.  Times are
 * seconds of clock_mono_s().
 */
#ifndef FLOW_PACE_H
#define FLOW_PACE_H

#include <stddef.h>
#include <stdint.h>

struct pace {
	double rate;	  /* bytes per second; 0: no limit */
	double allowance; /* bytes that could be taken at the time `at`; below
			     0: more were taken than allowed */
	double at;
};

/* Begin with an allowance of 100 ms. */
void pace_init(struct pace *p, uint64_t rate, double now);

/* pace_allowed() for a pace that has a rate. */
size_t pace_reckon(struct pace *p);

/* Bytes that may be taken now: 0, or at least those of 50 ms; SIZE_MAX: no limit. */
static inline size_t
pace_allowed(struct pace *p)
{
	return p->rate <= 0 ? SIZE_MAX : pace_reckon(p);
}

/* `bytes` were taken. */
static inline void
pace_took(struct pace *p, size_t bytes)
{
	p->allowance -= (double)bytes;
}

/* Seconds to wait after pace_allowed() has returned 0: at least 0.05. */
double pace_pause_s(const struct pace *p);

#endif
