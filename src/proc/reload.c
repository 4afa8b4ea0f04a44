/*
 * A reload: what the master does on HUP.
 */
#include <stdatomic.h>

#include "base/log.h"
#include "master_internal.h"
#include "proc/counted.h"
#include "proc/needs.h"
#include "proc/preflight.h"
#include "proc/secret_files.h"
#include "proc/signals.h"

/* The configuration that a reload applies, until it is the master's. */
struct fresh {
	struct config *conf;
	unsigned generation; /* of its workers */
	struct secrets *secrets;
	struct str restart; /* lines: what only a restart would change */
	struct logs logs;
	struct sockets sockets;
	struct certificates certificates;
};

static void
count(struct master *m, enum metrics_counter what)
{
	metrics_add(metrics_share_of_master(m->shared.metrics), what, 1);
}

static bool
fresh_load(struct fresh *f, const struct config *old)
{
	struct str text = {0};
	int err = config_reload(old, &text, &f->conf);

	if (err == 0)
		err = config_keep_until_restart(old, f->conf, &f->restart);
	if (err < 0)
		log_lines(LEVEL_ERROR, "reload: ", text.s);
	str_fini(&text);
	return err >= 0;
}

static bool
fresh_preflight(struct fresh *f, struct master *m, bool (*meanwhile)(void *m))
{
	int err;

	m->fresh_sockets = &f->sockets;
	m->fresh_logs = &f->logs;
	err = preflight_run(f->conf, PREFLIGHT_WHOLE, &m->shared, meanwhile, m);
	m->fresh_sockets = NULL;
	m->fresh_logs = NULL;
	if (err < 0 && signals_want_stop())
		log_error("reload: given up: this server is to stop");
	return err == 0;
}

/* All that may fail.  False: it was logged why, and nothing is changed. */
static bool
fresh_prepare(struct fresh *f, struct master *m, bool (*meanwhile)(void *m))
{
	f->generation = atomic_load(&m->shared.shm->generation) + 1;
	if (!fresh_load(f, *m->conf) ||
	    !secret_files_read(f->conf, "reload: ", &f->secrets) ||
	    !needs_fit("reload: ", f->conf, &m->children) ||
	    certificates_load(
		f->conf, m->shared.ticket_keys, &f->certificates) < 0)
		return false;
	if (logs_open(f->conf, &f->logs) < 0)
		goto free_certificates;
	if (sockets_open(f->conf, &m->sockets, &f->sockets) < 0)
		goto close_logs;
	if (!fresh_preflight(f, m, meanwhile))
		goto close_sockets;
	if (log_handover_note(&m->reopen, f->generation, f->conf) < 0)
		goto out_of_memory;
	if (children_add(&m->children, f->generation,
		(size_t)f->conf->worker_processes) == 0)
		return true;
	log_handover_forget_last(&m->reopen);
out_of_memory:
	log_error("reload: out of memory");
close_sockets:
	sockets_close(&f->sockets, &m->sockets, true);
close_logs:
	logs_close(&f->logs);
	logs_use(&m->logs, *m->conf);
free_certificates:
	certificates_free(&f->certificates);
	return false;
}

/* Its workers are listed, and are forked next. */
static void
begin_generation(
    struct master *m, unsigned generation, const struct config *conf)
{
	m->generation = generation;
	atomic_store(&m->shared.shm->generation, generation);
	counted_begin(m->shared.metrics, conf, generation);
	m->paused = false;
	m->reloading = true;
	m->ready_ns = clock_mono_ns() + MASTER_READY_MS * NS_PER_MS;
}

/* It becomes the master's; the new workers are forked next. */
static void
fresh_apply(struct fresh *f, struct master *m)
{
	begin_generation(m, f->generation, f->conf);
	logs_replace(&m->logs, &f->logs, f->conf);
	sockets_close(&m->sockets, &f->sockets, true);
	m->sockets = f->sockets;
	certificates_free(&m->certificates);
	m->certificates = f->certificates;
	secrets_free(&m->secrets);
	m->secrets = f->secrets;
	config_free(m->conf);
	*m->conf = f->conf;
	needs_raise_limit(f->conf);
	needs_warn(f->conf, &m->children);
	sockets_adjust(f->conf, &m->sockets);
	certificates_log(&m->certificates);
	/* Last: it must not be lost among what each location says. */
	if (f->restart.len > 0)
		log_lines(LEVEL_WARN, "reload: ", f->restart.s);
}

static void
reload(struct master *m, bool (*meanwhile)(void *m))
{
	struct fresh f = {.logs = {.error = -1}};

	log_notice("reloading");
	notify_reloading(&m->notify);
	verdict_begin(&m->verdict);
	if (fresh_prepare(&f, m, meanwhile)) {
		fresh_apply(&f, m);
		verdict_hear(&m->verdict, false);
	} else {
		count(m, METRICS_RELOADS_REFUSED);
		secrets_free(&f.secrets);
		config_free(&f.conf);
		log_error("reload: nothing was changed");
		/* Before the verdict, which ends the command that is waited for. */
		master_tell_ready(m, m->status.generation);
		verdict_give(&m->verdict, VERDICT_REFUSED);
	}
	str_fini(&f.restart);
}

void
reload_resume(struct master *m)
{
	unsigned generation = atomic_load(&m->shared.shm->generation) + 1;

	log_notice("going on with the configuration as it was");
	if (log_handover_note(&m->reopen, generation, *m->conf) < 0 ||
	    children_add(&m->children, generation,
		(size_t)(*m->conf)->worker_processes) < 0) {
		log_error("reload: out of memory: HUP tries again");
		verdict_give(&m->verdict, VERDICT_REFUSED);
		return;
	}
	begin_generation(m, generation, *m->conf);
	verdict_hear(&m->verdict, false);
}

void
reload_end(struct master *m)
{
	if (!m->reloading || m->phase != MASTER_RUNNING)
		return;
	if (!children_are_ready(&m->children, m->generation)) {
		if (!master_is_overdue(m))
			return;
		verdict_hear(&m->verdict, true);
		log_error("reload: the new workers do not come up; the old "
			  "ones go on until they do");
		master_tell_ready(m, m->status.generation);
		verdict_give(&m->verdict, VERDICT_LATE);
		m->ready_ns = UINT64_MAX;
		return;
	}
	m->reloading = false;
	count(m, METRICS_RELOADS);
	children_retire(&m->children, m->generation);
	master_tell_status(m);
	log_notice("reloaded: generation %u", m->generation);
	verdict_give(&m->verdict, VERDICT_APPLIED);
}

static void
refuse_since_stopping(struct master *m)
{
	log_error("reload: this server is stopping");
	verdict_give(&m->verdict, VERDICT_REFUSED);
}

void
reload_give_up(struct master *m)
{
	if (!m->verdict.pending)
		return;
	verdict_hear(&m->verdict, true);
	refuse_since_stopping(m);
}

bool
reload_is_busy(const struct master *m)
{
	return m->reloading && m->ready_ns != UINT64_MAX &&
	       m->phase == MASTER_RUNNING;
}

void
reload_on_hup(struct master *m, bool (*meanwhile)(void *m))
{
	if (!signals_has(SIGNAL_HUP) || reload_is_busy(m) ||
	    upgrade_is_starting(m))
		return;
	(void)signals_take(SIGNAL_HUP);
	if (m->phase == MASTER_RUNNING && m->paused && m->upgrade.pid != 0) {
		verdict_begin(&m->verdict);
		reload_resume(m);
		return;
	}
	if (m->phase == MASTER_RUNNING) {
		reload(m, meanwhile);
		return;
	}
	verdict_begin(&m->verdict);
	refuse_since_stopping(m);
}
