#include "linger.h"

#include <errno.h>

#include "base/clock.h"
#include "net/transport.h"

#define LOOK_S 0.25 /* between two looks whether it has the response */
#define GRACE_S 1.0 /* to hand it on, once its system has it */
#define NEVER_S 1e18
#define SLACK_S 0.001

void
linger_begin(struct lingering *l, struct transport *t, double time_s,
    double silence_s, bool deaf)
{
	double now = clock_mono_s();

	transport_shutdown(t);
	*l = (struct lingering){
	    .end = now + time_s,
	    .silent = now + silence_s,
	    .look = deaf ? now : NEVER_S,
	};
}

enum linger_verdict
linger_discard(struct lingering *l, struct transport *t, double silence_s)
{
	static char discarded[64 * 1024];
	ssize_t n = transport_recv(t, discarded, sizeof(discarded));

	if (n == -EAGAIN)
		return LINGER_ON;
	if (n <= 0)
		return LINGER_LEFT;
	l->silent = clock_mono_s() + silence_s;
	return LINGER_ON;
}

enum linger_verdict
linger_due(struct lingering *l, const struct transport *t)
{
	double now = clock_mono_s();

	if (l->has_answer || l->look > now + SLACK_S)
		return LINGER_OVER;
	l->has_answer = transport_is_delivered(t);
	l->look = now + (l->has_answer ? GRACE_S : LOOK_S);
	return LINGER_ON;
}

double
linger_left_s(const struct lingering *l)
{
	double next = l->end < l->silent ? l->end : l->silent;

	if (next > l->look)
		next = l->look;
	return next - clock_mono_s();
}
