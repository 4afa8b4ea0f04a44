/*
 * The page for people and scripts: one JSON object.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/version.h"
#include "disks.h"
#include "pages.h"
#include "shared/metrics.h"
#include "shared/shared.h"
#include "workers.h"

/* ,"NAME":"TEXT" */
static void
put_text(struct str *out, const char *name, const char *text, size_t len)
{
	str_printf(out, ",\"%s\":\"", name);
	str_escape(out, text, len);
	str_puts(out, "\"");
}

static void
put_number(struct str *out, const char *name, uint64_t n)
{
	str_printf(out, ",\"%s\":%" PRIu64, name, n);
}

static void
put_ms(struct str *out, const char *name, uint64_t ns)
{
	str_printf(out, ",\"%s\":", name);
	str_add_ms(out, ns);
}

static void
put_readiness(struct str *out, const struct readiness *r)
{
	struct str why = {0};
	bool ready = readiness_judge(r, &why);

	str_printf(out, "{\"ready\":%s", ready ? "true" : "false");
	if (!ready && why.s != NULL)
		put_text(out, "why", why.s, why.len > 0 ? why.len - 1 : 0);
	out->failed |= str_failed(&why);
	str_fini(&why);
}

static void
put_counts(struct str *out, const struct metrics_sum *sum)
{
	uint64_t uploads = 0, received = 0;

	for (size_t i = 0; i < sum->series_count; i++)
		uploads += sum->series[i].count;
	for (size_t i = 0; i <= METRICS_OTHER; i++)
		received += sum->locations[i].received;
	put_number(out, "uploads_ended", uploads);
	put_number(out, "received_bytes", received);
	put_number(out, "requests_ended", sum->counters[METRICS_REQUESTS]);
	put_number(out, "reloads", sum->counters[METRICS_RELOADS]);
	put_number(out, "worker_restarts", sum->counters[METRICS_RESTARTS]);
	put_number(
	    out, "log_lines_dropped", sum->counters[METRICS_LOG_LINES_DROPPED]);
}

static void
put_summary(struct str *out, const struct shared *shared)
{
	struct workers_sum w;

	workers_sum(shared, &w);
	put_text(out, "version", PENSTOCK_VERSION, strlen(PENSTOCK_VERSION));
	put_number(out, "started", w.started_s);
	put_number(out, "generation", w.generation);
	put_number(out, "generations", w.generations);
	put_number(out, "connections", w.connections);
	put_number(out, "uploads", w.uploads);
	put_number(out, "buffer_memory_bytes", w.memory);
	put_number(out, "buffer_memory_limit_bytes", w.memory_max);
}

static void
put_workers(struct str *out, const struct shared *shared)
{
	struct worker_view all[SHM_SLOTS];
	size_t count = workers_list(shared, all);

	str_puts(out, ",\"workers\":[");
	for (size_t i = 0; i < count; i++) {
		str_printf(
		    out, "%s{\"pid\":%" PRIu64, i > 0 ? "," : "", all[i].pid);
		put_number(out, "generation", all[i].generation);
		put_number(out, "started", all[i].started_s);
		put_number(out, "connections", all[i].connections);
		put_number(out, "uploads", all[i].uploads);
		put_number(out, "buffer_memory_bytes", all[i].memory);
		str_puts(out, "}");
	}
	str_puts(out, "]");
}

static void
put_disk(struct str *out, const struct disk *d, uint64_t now)
{
	const struct store_view *v = &d->view;
	bool waits = v->oldest_ns != 0 && v->oldest_ns < now;

	str_printf(out, "{\"state\":\"%s\"", store_state_name[v->state]);
	put_text(out, "output_dir", d->output_dir, strlen(d->output_dir));
	put_number(out, "operations", v->in_flight);
	put_ms(out, "oldest_operation_ms", waits ? now - v->oldest_ns : 0);
	put_ms(out, "latency_ms", v->latency_ns);
	put_number(out, "buffered_bytes", v->buffered);
	if (v->has_free) {
		put_number(out, "free_bytes", v->free);
		put_number(out, "reserved_bytes", v->reserved);
	}
	str_puts(out, "}");
}

bool
status_page(const struct admin_subject *s, struct str *out)
{
	struct metrics_sum *sum = metrics_read(s->shared->metrics);
	uint64_t now = clock_mono_ns();
	struct disk *disks = NULL;
	size_t count = 0;

	if (sum != NULL)
		count = disks_list(s->readiness, s->shared->metrics, &disks);
	if (disks != NULL) {
		put_readiness(out, s->readiness);
		put_summary(out, s->shared);
		put_counts(out, sum);
		put_workers(out, s->shared);
		str_puts(out, ",\"disks\":[");
		for (size_t i = 0; i < count; i++) {
			str_puts(out, i > 0 ? "," : "");
			put_disk(out, &disks[i], now);
		}
		str_puts(out, "]}\n");
	}
	free(sum);
	free(disks);
	return disks != NULL && !str_failed(out);
}
