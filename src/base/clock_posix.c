#include "base/clock.h"

/* POSIX has no clock but this. */

double
clock_recent_s(void)
{
	return clock_mono_s();
}
