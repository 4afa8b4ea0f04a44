/*
 * The page for Prometheus.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "admin/exposition.h"
#include "base/clock.h"
#include "base/version.h"
#include "disks.h"
#include "metrics_uploads.h"
#include "pages.h"
#include "shared/shared.h"
#include "shared/warnings.h"
#include "web/context.h"
#include "workers.h"

/* ---- disks ---- */

struct disk_row {
	const char *name, *help;
	uint64_t (*of)(const struct store_view *v, uint64_t now_ns);
	bool is_time;  /* nanoseconds */
	bool of_space; /* there, if that is known */
};

static uint64_t
in_flight(const struct store_view *v, uint64_t now_ns)
{
	(void)now_ns;
	return v->in_flight;
}

static uint64_t
buffered(const struct store_view *v, uint64_t now_ns)
{
	(void)now_ns;
	return v->buffered;
}

static uint64_t
oldest(const struct store_view *v, uint64_t now_ns)
{
	return v->oldest_ns != 0 && v->oldest_ns < now_ns
		   ? now_ns - v->oldest_ns
		   : 0;
}

static uint64_t
latency(const struct store_view *v, uint64_t now_ns)
{
	(void)now_ns;
	return v->latency_ns;
}

static uint64_t
free_bytes(const struct store_view *v, uint64_t now_ns)
{
	(void)now_ns;
	return v->free;
}

static uint64_t
reserved(const struct store_view *v, uint64_t now_ns)
{
	(void)now_ns;
	return v->reserved;
}

static const struct disk_row disk_rows[] = {
    {"penstock_disk_operations", "Operations that the disk has in hand",
	in_flight, false, false},
    {"penstock_disk_buffered_bytes",
	"Memory that holds what is to be written to the disk", buffered, false,
	false},
    {"penstock_disk_oldest_operation_seconds",
	"How long the disk has had its oldest operation in hand", oldest, true,
	false},
    {"penstock_disk_latency_seconds",
	"How long operations on the disk took lately, in the slowest worker",
	latency, true, false},
    {"penstock_disk_free_bytes", "Room on the disk, as it was measured last",
	free_bytes, false, true},
    {"penstock_disk_reserved_bytes",
	"Room on the disk that uploads which have begun still need", reserved,
	false, true},
};

static void
put_disk_states(struct exposition *e, const struct disk *disks, size_t count)
{
	exposition_family(e, "penstock_disk_state", EXPOSITION_GAUGE,
	    "1 for the state that the disk is in");
	for (size_t i = 0; i < count; i++)
		for (size_t s = 0; s < STORE_STATES; s++)
			exposition_sample(e,
			    (struct exposition_label[]){
				{"output_dir", disks[i].output_dir},
				{"state", store_state_name[s]}, {0}},
			    disks[i].view.state == s);
}

static void
put_disks(struct exposition *e, const struct disk *disks, size_t count)
{
	uint64_t now = clock_mono_ns();

	put_disk_states(e, disks, count);
	for (size_t r = 0; r < COUNT_OF(disk_rows); r++) {
		const struct disk_row *row = &disk_rows[r];

		exposition_family(e, row->name, EXPOSITION_GAUGE, row->help);
		for (size_t i = 0; i < count; i++) {
			const struct store_view *v = &disks[i].view;

			if (row->of_space && !v->has_free)
				continue;
			(row->is_time ? exposition_sample_ns
				      : exposition_sample)(e,
			    (struct exposition_label[]){
				{"output_dir", disks[i].output_dir}, {0}},
			    row->of(v, now));
		}
	}
}

/* ---- the rest ---- */

static void
put_gauge(struct exposition *e, const char *name, const char *help, uint64_t n)
{
	exposition_family(e, name, EXPOSITION_GAUGE, help);
	exposition_sample(e, NULL, n);
}

static void
put_workers(struct exposition *e, const struct shared *shared)
{
	struct workers_sum w;

	workers_sum(shared, &w);
	put_gauge(e, "penstock_workers", "Workers that live", w.count);
	put_gauge(e, "penstock_generation",
	    "How often a configuration was applied, the first included",
	    w.generation);
	put_gauge(e, "penstock_generations",
	    "Generations of which workers live", w.generations);
	put_gauge(e, "penstock_connections", "Connections that are open",
	    w.connections);
	put_gauge(
	    e, "penstock_uploads_in_progress", "Uploads that run", w.uploads);
	put_gauge(e, "penstock_buffer_memory_bytes",
	    "Memory that holds parts of uploads and downloads", w.memory);
	put_gauge(e, "penstock_buffer_memory_limit_bytes",
	    "How much of it there may be, in all workers", w.memory_max);
	put_gauge(e, "penstock_start_time_seconds",
	    "When the server was started, since 1970", w.started_s);
}

struct counter_row {
	const char *name, *help, *label;
	struct {
		const char *value;
		enum metrics_counter counter;
	} of[2];
};

static const struct counter_row counter_rows[] = {
    {"penstock_requests", "Requests that have ended, of any kind", NULL,
	{{NULL, METRICS_REQUESTS}}},
    {"penstock_connections_accepted", "Connections that were accepted", NULL,
	{{NULL, METRICS_CONNECTIONS}}},
    {"penstock_tls_handshakes", "Handshakes of TLS that have ended", "result",
	{{"done", METRICS_HANDSHAKES}, {"failed", METRICS_HANDSHAKES_FAILED}}},
    {"penstock_reloads", "Reloads that were asked for", "result",
	{{"applied", METRICS_RELOADS}, {"refused", METRICS_RELOADS_REFUSED}}},
    {"penstock_worker_restarts", "Workers that ended and were started again",
	NULL, {{NULL, METRICS_RESTARTS}}},
    {"penstock_log_lines_dropped",
	"Lines that no log took, since its file did not keep up", NULL,
	{{NULL, METRICS_LOG_LINES_DROPPED}}},
};

static void
put_counters(struct exposition *e, const struct metrics_sum *sum)
{
	for (size_t i = 0; i < COUNT_OF(counter_rows); i++) {
		const struct counter_row *row = &counter_rows[i];

		exposition_family(e, row->name, EXPOSITION_COUNTER, row->help);
		for (size_t k = 0; k < (row->label != NULL ? 2 : 1); k++)
			exposition_sample(e,
			    row->label == NULL
				? NULL
				: (struct exposition_label[]){{row->label,
								  row->of[k]
								      .value},
				      {0}},
			    sum->counters[row->of[k].counter]);
	}
}

/* Of those that have any level. */
static void
put_levels(struct exposition *e, const struct admin_subject *s)
{
	static const char *const names[] = {"warning", "alarm"};
	bool seen[METRICS_NAMES] = {false};

	exposition_family(e, "penstock_disk_low", EXPOSITION_GAUGE,
	    "1 while less is free than warn_free (warning), or alarm_free");
	for (size_t i = 0; i < s->readiness->count; i++) {
		const struct conf_server *c = s->readiness->contexts[i]->conf;

		for (size_t k = 0; k < c->location_count; k++) {
			const struct conf_location *l = &c->locations[k];
			unsigned n = metrics_find(
			    s->shared->metrics, METRICS_LOCATION, l->prefix);

			if (n == METRICS_OTHER || seen[n] ||
			    (l->warn_free == 0 && l->alarm_free == 0))
				continue;
			seen[n] = true;
			for (unsigned v = 0; v < 2; v++)
				exposition_sample(e,
				    (struct exposition_label[]){
					{"location", l->prefix},
					{"level", names[v]}, {0}},
				    warnings_level(s->shared->warnings,
					WARNINGS_FREE, n) > v);
		}
	}
}

/* Until when they are good; of several blocks, each file once. */
static void
put_certificates(struct exposition *e, const struct admin_subject *s)
{
	exposition_family(e, "penstock_certificate_expires_timestamp_seconds",
	    EXPOSITION_GAUGE,
	    "When a certificate expires, or the next revocation list is due, "
	    "since 1970");
	for (size_t i = 0; i < s->term_count; i++)
		exposition_sample(e,
		    (struct exposition_label[]){{"file", s->terms[i].file},
			{"kind", s->terms[i].of_list ? "crl" : "certificate"},
			{0}},
		    s->terms[i].ends_s > 0 ? (uint64_t)s->terms[i].ends_s : 0);
}

bool
metrics_page(const struct admin_subject *s, bool open_metrics, struct str *out)
{
	struct exposition e = {.out = out, .open_metrics = open_metrics};
	struct metrics *m = s->shared->metrics;
	struct metrics_sum *sum = metrics_read(m);
	struct disk *disks = NULL;
	size_t count = 0;

	if (sum != NULL)
		count = disks_list(s->readiness, m, &disks);
	if (disks != NULL) {
		exposition_family(&e, "penstock_build_info", EXPOSITION_GAUGE,
		    "1, and which penstock this is");
		exposition_sample(&e,
		    (struct exposition_label[]){
			{"version", PENSTOCK_VERSION}, {0}},
		    1);
		put_workers(&e, s->shared);
		put_counters(&e, sum);
		metrics_uploads(&e, s->shared, sum);
		put_certificates(&e, s);
		put_disks(&e, disks, count);
		put_levels(&e, s);
		exposition_end(&e);
	}
	free(sum);
	free(disks);
	return disks != NULL && !str_failed(out);
}
