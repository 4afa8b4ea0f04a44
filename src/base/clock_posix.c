#include "base/clock.h"

/* POSIX has no clocks but these. */

double
clock_recent_s(void)
{
	return clock_mono_s();
}

time_t
clock_stamping_s(void)
{
	return (time_t)(clock_wall_ns() / NS_PER_S);
}
