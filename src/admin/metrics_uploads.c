#include "metrics_uploads.h"

#include <stdlib.h>

#include "flow/meter.h"
#include "shared/live.h"
#include "shared/shared.h"
#include "shared/user_names.h"

static const char none[] = "none", other[] = "other";

static const char *
location_name(const struct metrics *m, unsigned number)
{
	const char *name = metrics_name(m, METRICS_LOCATION, number);

	return name != NULL ? name : other;
}

static const char *
outcome_label(enum outcome o)
{
	return o == OUTCOME_NONE ? none : outcome_word(o);
}

static const char *
verdict_label(unsigned verdict)
{
	return verdict < VERDICT_COUNT ? verdict_name[verdict] : none;
}

/* ---- uploads ---- */

static void
put_uploads(struct exposition *e, const struct metrics *m,
    const struct metrics_sum *sum)
{
	exposition_family(e, "penstock_uploads", EXPOSITION_COUNTER,
	    "Requests that were to store something, by what came of them");
	for (size_t i = 0; i < sum->series_count; i++) {
		const struct metrics_series *s = &sum->series[i];

		if (s->count == 0)
			continue;
		exposition_sample(e,
		    (struct exposition_label[]){
			{"location", location_name(m, s->location)},
			{"outcome", outcome_label(s->outcome)},
			{"verdict", verdict_label(s->verdict)}, {0}},
		    s->count);
	}
	exposition_family(e, "penstock_upload_received_bytes",
	    EXPOSITION_COUNTER, "Bytes of their bodies that were read");
	for (unsigned i = 0; i <= METRICS_OTHER; i++)
		if (sum->used[i])
			exposition_sample(e,
			    (struct exposition_label[]){
				{"location", location_name(m, i)}, {0}},
			    sum->locations[i].received);
}

/* Of a side of an upload, what it waited for. */
static const struct {
	const char *side, *wait;
} waits[METER_TIMES_MAX] = {
    [METER_NETWORK] = {"reader", "network"},
    [METER_QUEUE] = {"reader", "queue"},
    [METER_MEMORY] = {"reader", "memory"},
    [METER_DATA] = {"writer", "data"},
    [METER_WRITE] = {"writer", "write"},
    [METER_SYNC] = {"writer", "sync"},
    [METER_HASH] = {"digester", "hash"},
};

static void
put_times(struct exposition *e, const struct metrics *m,
    const struct metrics_sum *sum)
{
	exposition_family(e, "penstock_upload_duration_seconds",
	    EXPOSITION_HISTOGRAM, "How long uploads took, from head to end");
	for (unsigned i = 0; i <= METRICS_OTHER; i++)
		if (sum->used[i])
			exposition_histogram(e,
			    (struct exposition_label[]){
				{"location", location_name(m, i)}, {0}},
			    &sum->locations[i].times[METER_TOTAL]);
	exposition_family(e, "penstock_upload_wait_seconds",
	    EXPOSITION_HISTOGRAM,
	    "How long the sides of uploads waited, and for what");
	for (unsigned i = 0; i <= METRICS_OTHER; i++)
		for (size_t t = 0; sum->used[i] && t < METER_TIMES_MAX; t++)
			if (waits[t].side != NULL)
				exposition_histogram(e,
				    (struct exposition_label[]){
					{"location", location_name(m, i)},
					{"side", waits[t].side},
					{"wait", waits[t].wait}, {0}},
				    &sum->locations[i].times[t]);
}

/* ---- users ---- */

static void
put_of_users(struct exposition *e, const struct user_names *names,
    const uint64_t counts[METRICS_USERS])
{
	for (unsigned i = 0; i < METRICS_USERS; i++) {
		const char *name =
		    i == USER_NAMES_OTHER ? other : user_names_of(names, i);

		if (name != NULL && counts[i] > 0)
			exposition_sample(e,
			    (struct exposition_label[]){{"user", name}, {0}},
			    counts[i]);
	}
}

static void
put_users(struct exposition *e, const struct user_names *names,
    const struct metrics_sum *sum)
{
	exposition_family(e, "penstock_user_uploads", EXPOSITION_COUNTER,
	    "Requests that were to store something, by who sent them");
	put_of_users(e, names, sum->user_uploads);
	exposition_family(e, "penstock_user_received_bytes", EXPOSITION_COUNTER,
	    "Bytes of their bodies that were read");
	put_of_users(e, names, sum->user_received);
}

/* ---- those that run ---- */

struct running {
	uint64_t verdicts[VERDICT_COUNT], queued, places;
};

static void
put_running(struct exposition *e, const struct metrics *m,
    const struct metrics_sum *sum, const struct running *all)
{
	exposition_family(e, "penstock_uploads_running", EXPOSITION_GAUGE,
	    "Uploads that run, by their verdict so far; at most 1024 of each "
	    "worker");
	for (unsigned i = 0; i <= METRICS_OTHER; i++)
		for (unsigned v = 0; v < VERDICT_COUNT; v++)
			if (sum->used[i] || all[i].places > 0)
				exposition_sample(e,
				    (struct exposition_label[]){
					{"location", location_name(m, i)},
					{"verdict", verdict_name[v]}, {0}},
				    all[i].verdicts[v]);
}

static void
put_queues(struct exposition *e, const struct metrics *m,
    const struct metrics_sum *sum, const struct running *all)
{
	exposition_family(e, "penstock_upload_queue_chunks", EXPOSITION_GAUGE,
	    "Chunks in the queues of uploads that run");
	for (unsigned i = 0; i <= METRICS_OTHER; i++)
		if (sum->used[i] || all[i].places > 0)
			exposition_sample(e,
			    (struct exposition_label[]){
				{"location", location_name(m, i)}, {0}},
			    all[i].queued);
	exposition_family(e, "penstock_upload_queue_places", EXPOSITION_GAUGE,
	    "How many there is room for in these queues");
	for (unsigned i = 0; i <= METRICS_OTHER; i++)
		if (sum->used[i] || all[i].places > 0)
			exposition_sample(e,
			    (struct exposition_label[]){
				{"location", location_name(m, i)}, {0}},
			    all[i].places);
}

static void
add_up(struct running *all, const struct live_found *found, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct live_record *r = &found[i].record;
		struct running *at = &all[r->location <= METRICS_OTHER
					      ? r->location
					      : (unsigned)METRICS_OTHER];

		if (r->verdict < VERDICT_COUNT)
			at->verdicts[r->verdict]++;
		at->queued += r->queued;
		at->places += r->queue_depth;
	}
}

void
metrics_uploads(struct exposition *e, const struct shared *shared,
    const struct metrics_sum *sum)
{
	struct running all[METRICS_NAMES + 1] = {{.queued = 0}};
	struct live_found *found;
	size_t count = live_list(shared->live, &found);

	put_uploads(e, shared->metrics, sum);
	put_times(e, shared->metrics, sum);
	put_users(e, shared->user_names, sum);
	e->out->failed |= found == NULL;
	if (found != NULL)
		add_up(all, found, count);
	put_running(e, shared->metrics, sum, all);
	put_queues(e, shared->metrics, sum, all);
	free(found);
}
