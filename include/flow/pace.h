/*
 * flow/pace.h - at most so many bytes per second (limit_rate).
 *
 * A token bucket: what may be taken grows with time, up to what 100 ms bring;
 * so one that was paused cannot catch up all at once.  Times are seconds of
 * clock_mono_s().
 */
#ifndef FLOW_PACE_H
#define FLOW_PACE_H

#include <stddef.h>
#include <stdint.h>

struct pace {
	double rate;	  /* bytes per second; 0: as fast as can be */
	double allowance; /* bytes that may be taken; below 0: too many were */
	double at;	  /* when it was that */
};

/* Begins with a whole burst. */
void pace_init(struct pace *p, uint64_t rate, double now);

/* As pace_allowed(), of a pace that has a rate. */
size_t pace_reckon(struct pace *p);

/* Bytes that may be taken now: 0, or as many as 50 ms bring, or more; SIZE_MAX:
 * any number. */
static inline size_t
pace_allowed(struct pace *p)
{
	return p->rate <= 0 ? SIZE_MAX : pace_reckon(p);
}

/* So many were taken. */
static inline void
pace_took(struct pace *p, size_t bytes)
{
	p->allowance -= (double)bytes;
}

/* Seconds to wait after pace_allowed() was 0, 50 ms at least. */
double pace_pause_s(const struct pace *p);

#endif
