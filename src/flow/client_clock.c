#include "flow/client_clock.h"

#include "base/clock.h"

/* Less than this is now: a timer may run out early by a rounding error. */
#define SLACK_S 0.001

void
client_clock_init(struct client_clock *c, const struct client_limits *l)
{
	double now = clock_mono_s();

	*c =
	    (struct client_clock){.limits = *l, .last_byte = now, .since = now};
}

void
client_clock_run(struct client_clock *c)
{
	if (c->since <= 0)
		c->since = clock_mono_s();
}

void
client_clock_stop(struct client_clock *c)
{
	if (c->since > 0)
		c->waited += clock_mono_s() - c->since;
	c->since = 0;
}

void
client_clock_took(struct client_clock *c, size_t bytes)
{
	c->last_byte = clock_mono_s();
	c->bytes += bytes;
}

/* What is left of the span over which the rate is measured. */
static double
span_left_s(const struct client_clock *c, double now)
{
	return c->limits.rate_min_for_s - c->waited - (now - c->since);
}

static void
begin_span(struct client_clock *c, double now)
{
	c->bytes = 0;
	c->waited = 0;
	c->since = now;
}

double
client_clock_left_s(const struct client_clock *c, double now)
{
	double left = CLIENT_CLOCK_NEVER_S, span;

	if (c->limits.silence_s > 0)
		left = c->limits.silence_s - (now - c->last_byte);
	if (c->limits.rate_min > 0) {
		span = span_left_s(c, now);
		left = span < left ? span : left;
	}
	return left;
}

enum client_verdict
client_clock_judge(struct client_clock *c, double now)
{
	const struct client_limits *l = &c->limits;

	if (l->silence_s > 0 && now - c->last_byte + SLACK_S >= l->silence_s)
		return CLIENT_SILENT;
	if (l->rate_min == 0 || span_left_s(c, now) > SLACK_S)
		return CLIENT_IN_TIME;
	if ((double)c->bytes < (double)l->rate_min * l->rate_min_for_s)
		return CLIENT_SLOW;
	begin_span(c, now);
	return CLIENT_IN_TIME;
}

void
client_clock_forgive(struct client_clock *c)
{
	double now = clock_mono_s();

	begin_span(c, now);
	c->last_byte = now;
}
