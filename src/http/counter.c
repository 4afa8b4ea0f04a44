#include "http/counter.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "http/access.h"
#include "http/retrying.h"

_Static_assert((int)METRICS_TIMES == METER_TIMES_MAX, "a histogram for each");
_Static_assert(
    (int)METRICS_UNMEASURED == VERDICT_COUNT, "what comes after verdicts");
_Static_assert((int)METRICS_USERS == USER_NAMES_OTHER + 1, "all of them");

/* How long it took: from head to end, as the meter has it, or the log. */
static uint64_t
duration_ns(const struct access *a)
{
	if (a->upload != NULL)
		return meter_total_ns(&a->upload->meter);
	return a->ended_ns > a->began_ns ? a->ended_ns - a->began_ns : 0;
}

static void
keep(struct live_share *share, const struct exchange_ended *e,
    const struct metrics_upload *u)
{
	const struct access *a = e->record;
	struct live_record r = {.id = a->id,
	    .began_ns = duration_ns(a),
	    .seen_ns = clock_wall_ns(),
	    .bytes = a->in,
	    .length = LIVE_LENGTH_UNKNOWN,
	    .location = (uint16_t)u->location,
	    .outcome = (uint16_t)a->outcome,
	    .status = (uint16_t)(a->answered ? a->status : 0),
	    .stage = LIVE_ENDED_STAGE,
	    .verdict = (uint8_t)u->verdict,
	    .reader = READER_DONE,
	    .writer = WRITER_DONE};

	live_set_client(&r, access_client(a, e->peer));
	live_set_user(&r, access_user(a));
	live_set_name(&r, a->upload != NULL ? a->upload->name : NULL);
	if (a->upload != NULL && a->upload->is_part) {
		r.from = a->upload->from;
		r.length = a->upload->length;
	}
	live_note_ended(share, &r);
}

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
	if (c->users != NULL && access_user(a) != NULL)
		metrics_user_ended(c->share,
		    user_names_take(c->users, access_user(a), a->in), a->in);
	if (c->retries != NULL)
		retrying_note(c->retries, e);
	if (c->ended != NULL && a->id != 0)
		keep(c->ended, e, &u);
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
