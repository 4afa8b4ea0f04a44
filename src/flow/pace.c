#include "flow/pace.h"

#include "base/clock.h"

/* How far it may be ahead of its time, and how long it pauses at least. */
#define BURST_S 0.100
#define PAUSE_S 0.050

/* What is taken at once: what a pause brings.  With less, a reader would take
 * the few bytes of each iteration of the loop, in a system call each. */
static double
quantum(const struct pace *p)
{
	double bytes = p->rate * PAUSE_S;

	return bytes < 1 ? 1 : bytes;
}

void
pace_init(struct pace *p, uint64_t rate, double now)
{
	*p = (struct pace){
	    .rate = (double)rate,
	    .allowance = (double)rate * BURST_S,
	    .at = now,
	};
}

size_t
pace_reckon(struct pace *p)
{
	double burst = p->rate * BURST_S, now = clock_mono_s();

	p->allowance += p->rate * (now - p->at);
	if (burst < 1)
		burst = 1;
	if (p->allowance > burst)
		p->allowance = burst;
	p->at = now;
	return p->allowance < quantum(p) ? 0 : (size_t)p->allowance;
}

double
pace_pause_s(const struct pace *p)
{
	double wait = (quantum(p) - p->allowance) / p->rate;

	return wait < PAUSE_S ? PAUSE_S : wait;
}
