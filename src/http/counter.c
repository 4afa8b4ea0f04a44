#include "http/counter.h"

#include <errno.h>
#include <stdlib.h>

#include "http/access.h"

_Static_assert((int)METRICS_TIMES == METER_TIMES_MAX, "a histogram for each");
_Static_assert(
    (int)METRICS_UNMEASURED == VERDICT_COUNT, "what comes after verdicts");

static void
counter_on_ended(struct observer *o, const struct exchange_ended *e)
{
	struct counter *c = container_of(o, struct counter, observer);
	const struct access *a = e->record;
	struct meter_time times[METER_TIMES_MAX];
	uint64_t ns[METER_TIMES_MAX];
	struct metrics_upload u = {.verdict = METRICS_UNMEASURED, .ns = ns};

	metrics_add(c->share, METRICS_REQUESTS, 1);
	if (!a->stores)
		return;
	u.location = c->numbers[a->location - c->server->locations];
	u.outcome = a->outcome;
	u.received = a->in;
	if (a->upload != NULL) {
		u.verdict = (unsigned)meter_verdict(&a->upload->meter);
		u.times =
		    meter_times(&a->upload->meter, a->upload->hashed, times);
		for (size_t i = 0; i < u.times; i++)
			ns[i] = times[i].ns;
	}
	metrics_ended(c->metrics, c->share, &u);
}

int
counter_init(struct counter *c, struct metrics *m, unsigned slot,
    const struct conf_server *server)
{
	*c = (struct counter){.observer.on_ended = counter_on_ended,
	    .metrics = m,
	    .share = metrics_share_of(m, slot),
	    .server = server};
	c->numbers = calloc(server->location_count + 1, sizeof(*c->numbers));
	if (c->numbers == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < server->location_count; i++)
		c->numbers[i] = metrics_find(
		    m, METRICS_LOCATION, server->locations[i].prefix);
	return 0;
}

void
counter_fini(struct counter *c)
{
	free(c->numbers);
	c->numbers = NULL;
}
