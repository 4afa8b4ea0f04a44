/*
 * The page for people and scripts: one JSON object.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/version.h"
#include "disks.h"
#include "json.h"
#include "pages.h"
#include "shared/metrics.h"
#include "shared/shared.h"
#include "workers.h"

static void
put_readiness(struct str *out, const struct readiness *r)
{
	struct str why = {0};
	bool ready = readiness_judge(r, &why);

	str_printf(out, "{\"ready\":%s", ready ? "true" : "false");
	if (!ready && why.s != NULL)
		json_text(out, "why", why.s, why.len > 0 ? why.len - 1 : 0);
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
	json_number(out, "uploads_ended", uploads);
	json_number(out, "received_bytes", received);
	json_number(out, "requests_ended", sum->counters[METRICS_REQUESTS]);
	json_number(out, "reloads", sum->counters[METRICS_RELOADS]);
	json_number(out, "worker_restarts", sum->counters[METRICS_RESTARTS]);
	json_number(
	    out, "log_lines_dropped", sum->counters[METRICS_LOG_LINES_DROPPED]);
}

static void
put_summary(struct str *out, const struct shared *shared)
{
	struct workers_sum w;

	workers_sum(shared, &w);
	json_text(out, "version", PENSTOCK_VERSION, strlen(PENSTOCK_VERSION));
	json_number(out, "started", w.started_s);
	json_number(out, "generation", w.generation);
	json_number(out, "generations", w.generations);
	json_number(out, "connections", w.connections);
	json_number(out, "uploads", w.uploads);
	json_number(out, "buffer_memory_bytes", w.memory);
	json_number(out, "buffer_memory_limit_bytes", w.memory_max);
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
		json_number(out, "generation", all[i].generation);
		json_number(out, "started", all[i].started_s);
		json_number(out, "connections", all[i].connections);
		json_number(out, "uploads", all[i].uploads);
		json_number(out, "buffer_memory_bytes", all[i].memory);
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
	json_text(out, "output_dir", d->output_dir, strlen(d->output_dir));
	json_number(out, "operations", v->in_flight);
	json_ms(out, "oldest_operation_ms", waits ? now - v->oldest_ns : 0);
	json_ms(out, "latency_ms", v->latency_ns);
	json_number(out, "buffered_bytes", v->buffered);
	if (v->has_free) {
		json_number(out, "free_bytes", v->free);
		json_number(out, "reserved_bytes", v->reserved);
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
