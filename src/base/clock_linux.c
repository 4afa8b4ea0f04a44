#include "base/clock.h"

#include "base/check.h"

/* What the last tick of the kernel has noted: there is no counter to be read. */

double
clock_recent_s(void)
{
	struct timespec ts;

	check(clock_gettime(CLOCK_MONOTONIC_COARSE, &ts) == 0);
	return (double)ts.tv_sec + (double)ts.tv_nsec / (double)NS_PER_S;
}
