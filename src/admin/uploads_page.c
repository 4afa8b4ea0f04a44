/*
 * The uploads that run, as JSON: all of them, or one, which may have ended.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "flow/meter.h"
#include "json.h"
#include "pages.h"
#include "shared/live.h"
#include "shared/metrics.h"
#include "shared/shared.h"
#include "shared/shm.h"
#include "uploads_query.h"

/* ---- one ---- */

static const char *
location_of(const struct admin_subject *s, const struct live_record *r)
{
	return metrics_name(s->shared->metrics, METRICS_LOCATION, r->location);
}

/* The process that has it; 0: it has ended meanwhile. */
static uint64_t
worker_of(const struct admin_subject *s, const struct live_found *f)
{
	return atomic_load(&s->shared->shm->slots[f->slot].pid);
}

/* Text, or null when there is none. */
static void
put_known(struct str *out, const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_text(out, name, text, strlen(text));
	else
		json_null(out, name);
}

static void
put_name(struct str *out, const struct live_record *r)
{
	char name[LIVE_NAME_MAX + sizeof("...")];

	memcpy(name, r->name, sizeof(r->name));
	name[sizeof(r->name) - 1] = '\0';
	if (r->clipped)
		memcpy(name + strlen(name), "...", sizeof("..."));
	put_known(out, "name", name);
}

/* What is known of any. */
static void
put_upload(
    struct str *out, const struct admin_subject *s, const struct live_record *r)
{
	char client[ADDR_TEXT_MAX];

	live_format_client(&r->client, true, client);
	str_puts(out, "{\"id\":");
	str_add_u64(out, r->id);
	put_known(out, "client", r->client.family != 0 ? client : NULL);
	put_known(out, "user", r->user);
	put_known(out, "location", location_of(s, r));
	put_name(out, r);
	put_known(out, "stage",
	    r->stage < LIVE_STAGES ? live_stage_name[r->stage] : NULL);
	put_known(out, "verdict",
	    r->verdict < VERDICT_COUNT ? verdict_name[r->verdict] : NULL);
	json_number(out, "from", r->from);
	json_number(out, "bytes", r->bytes);
	if (r->length == LIVE_LENGTH_UNKNOWN)
		json_null(out, "length");
	else
		json_number(out, "length", r->length);
}

static uint64_t
rate_overall(const struct live_record *r)
{
	uint64_t ns = r->seen_ns - r->began_ns;

	return ns > 0 ? (uint64_t)((double)r->bytes * (double)NS_PER_S /
				   (double)ns)
		      : 0;
}

static void
put_running(struct str *out, const struct admin_subject *s,
    const struct live_found *f, uint64_t now)
{
	const struct live_record *r = &f->record;

	put_upload(out, s, r);
	json_number(out, "rate", r->rate);
	json_number(out, "rate_overall", rate_overall(r));
	json_ms(out, "age_ms", now > r->began_ns ? now - r->began_ns : 0);
	json_number(out, "queued", r->queued);
	json_number(out, "queue_depth", r->queue_depth);
	put_known(out, "reader",
	    r->reader < READER_STATE_COUNT ? meter_reader_name[r->reader]
					   : NULL);
	put_known(out, "writer",
	    r->writer < WRITER_STATE_COUNT ? meter_writer_name[r->writer]
					   : NULL);
	str_puts(out, r->form ? ",\"form\":true" : ",\"form\":false");
	json_number(out, "worker", worker_of(s, f));
	str_puts(out, "}");
}

static void
put_ended(
    struct str *out, const struct admin_subject *s, const struct live_record *r)
{
	char stamp[CLOCK_STAMP_MAX];

	put_upload(out, s, r);
	put_known(out, "outcome",
	    r->outcome != OUTCOME_NONE && r->outcome < OUTCOME_COUNT
		? outcome_word((enum outcome)r->outcome)
		: NULL);
	json_number(out, "status", r->status);
	json_ms(out, "took_ms", r->began_ns);
	clock_stamp_iso(r->seen_ns, stamp);
	json_text(out, "ended", stamp, strlen(stamp));
	str_puts(out, "}\n");
}

enum upload_page
upload_page(const struct admin_subject *s, uint64_t id, struct str *out)
{
	struct live_found f;

	if (live_find(s->shared->live, id, &f)) {
		put_running(out, s, &f, clock_mono_ns());
		str_puts(out, "\n");
		return f.record.stage == LIVE_COMMITTING ? UPLOAD_PAGE_COMMITS
							 : UPLOAD_PAGE_RUNS;
	}
	if (!live_find_ended(s->shared->live, id, &f))
		return UPLOAD_PAGE_NONE;
	put_ended(out, s, &f.record);
	return UPLOAD_PAGE_ENDED;
}

/* ---- all ---- */

/* The oldest first. */
static int
by_age(const void *a, const void *b)
{
	uint64_t x = ((const struct live_found *)a)->record.began_ns;
	uint64_t y = ((const struct live_found *)b)->record.began_ns;

	return x < y ? -1 : x > y;
}

static size_t
keep_wanted(const struct admin_subject *s, const struct uploads_query *q,
    struct live_found *all, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (uploads_query_wants(q, &all[i].record,
			location_of(s, &all[i].record), worker_of(s, &all[i])))
			all[kept++] = all[i];
	return kept;
}

bool
uploads_page(const struct admin_subject *s, const struct uploads_query *q,
    struct str *out)
{
	uint64_t now = clock_mono_ns();
	struct live_found *all;
	size_t count = live_list(s->shared->live, &all), found;

	if (all == NULL)
		return false;
	str_puts(out, "{\"in_flight\":");
	str_add_u64(out, count + live_unlisted(s->shared->live));
	json_number(out, "listed", count);
	found = keep_wanted(s, q, all, count);
	json_number(out, "found", found);
	str_puts(out, ",\"uploads\":[");
	qsort(all, found, sizeof(*all), by_age);
	for (size_t i = 0; i < found && i < q->limit; i++) {
		str_puts(out, i > 0 ? ",\n" : "\n");
		put_running(out, s, &all[i], now);
	}
	str_puts(out, "]}\n");
	free(all);
	return !str_failed(out);
}
