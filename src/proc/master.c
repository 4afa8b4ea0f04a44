#include "proc/master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "master_internal.h"
#include "proc/activation.h"
#include "proc/counted.h"
#include "proc/detach.h"
#include "proc/inherit.h"
#include "proc/needs.h"
#include "proc/notify.h"
#include "proc/pidfile.h"
#include "proc/preflight.h"
#include "proc/privileges.h"
#include "proc/program.h"
#include "proc/secret_files.h"
#include "proc/signals.h"
#include "proc/title.h"

enum {
	LOOK_MS = 10,  /* how often while something is awaited */
	START_MS = 50, /* how often while workers come up */
	HOUR_MS = 3600 * 1000,
};

/* ---- starting ---- */

/* What waits for a disk must not keep us from stopping. */
static bool
is_to_stop(void *arg)
{
	(void)arg;
	return signals_want_stop();
}

/* The pid file, and what lies beside it. */
static void
drop_files(struct master *m)
{
	status_close(&m->status, true);
	verdict_close(&m->verdict, true);
	verdict_close(&m->reopen.verdict, true);
	verdict_close(&m->upgrade.verdict, true);
	pidfile_drop(m->pid_path, &m->pidfile);
}

static int
master_start(struct master *m)
{
	struct config *conf = *m->conf;
	int err = privileges_check(conf);

	/* What is wrong with one does not hide what is with the next. */
	if (!needs_are_met(conf))
		err = -1;
	if (!secret_files_read(conf, "", &m->secrets))
		err = -1;
	if (certificates_load(conf, m->shared.ticket_keys, &m->certificates) <
	    0)
		err = -1;
	if (logs_open(conf, &m->logs) < 0)
		goto free_certificates;
	if (err < 0)
		goto close_logs;
	log_to(STDERR_FILENO, conf->error_level);
	if (m->from.from != 0 && m->from.not_shared == 0 &&
	    !needs_fit("upgrade: ", conf, &m->children))
		goto close_logs;
	if (pidfile_take(conf, &m->pidfile) < 0)
		goto close_logs;
	verdict_open(&m->verdict, &verdict_of_reload, conf->pid_file,
	    m->pidfile, conf->file);
	verdict_open(&m->reopen.verdict, &verdict_of_reopen, conf->pid_file,
	    m->pidfile, NULL);
	verdict_open(&m->upgrade.verdict, &verdict_of_upgrade, conf->pid_file,
	    m->pidfile, NULL);
	status_open(
	    &m->status, conf->pid_file, m->pidfile, conf->file, m->shared.fd);
	needs_raise_limit(conf);
	if (sockets_open(conf, &m->given, &m->sockets) < 0)
		goto drop_pidfile;
	/* All are taken; or they are an old master's. */
	sockets_close(&m->given, &m->sockets, false);
	if (preflight_run(conf, PREFLIGHT_WHOLE, NULL, is_to_stop, NULL) < 0)
		goto close_sockets;
	sockets_log(&m->sockets);
	certificates_log(&m->certificates);
	upgrade_begin_serving(m);
	if (m->detach != -1 && m->from.from == 0)
		detach_leave_terminal(m->logs.error <= STDERR_FILENO);
	logs_use(&m->logs, conf);
	upgrade_log_memory(m);
	return 0;

close_sockets:
	sockets_close(&m->sockets, NULL, !upgrade_has_other(m));
drop_pidfile:
	drop_files(m);
close_logs:
	logs_close(&m->logs);
free_certificates:
	certificates_free(&m->certificates);
	return -1;
}

static void
master_finish(struct master *m)
{
	sockets_close(&m->sockets, NULL, !upgrade_has_other(m));
	drop_files(m);
	logs_close(&m->logs);
	certificates_free(&m->certificates);
}

/* ---- workers ---- */

static int
tend_children(struct master *m)
{
	return children_tend(
	    &m->children, &(struct worker_setup){.conf = *m->conf,
			      .secrets = m->secrets,
			      .sockets = &m->sockets,
			      .logs = &m->logs,
			      .certificates = &m->certificates});
}

static void
reap(struct master *m)
{
	if (signals_take(SIGNAL_CHLD))
		children_reap(&m->children, !master_is_serving(m));
}

/* While a reload waits for a disk, the present workers go on, and those that end
 * are restarted.  What is logged about that is not part of the reload's verdict. */
static bool
mind_children(void *arg)
{
	struct master *m = arg;

	verdict_hear(&m->verdict, false);
	reap(m);
	(void)tend_children(m);
	(void)notify_watchdog(&m->notify);
	verdict_hear(&m->verdict, true);
	return is_to_stop(NULL);
}

/* ---- the loop ---- */

/* `daemonize on`: the command that started us ends when it is known how that
 * went.  Workers that end as soon as they have started are no server. */
static void
end_start(struct master *m)
{
	if (m->detach == -1 || m->phase != MASTER_RUNNING)
		return;
	if (children_are_ready(&m->children, m->generation)) {
		detach_end(&m->detach, DETACH_UP);
	} else if (master_is_overdue(m)) {
		log_error("%s: the workers do not come up: stopping",
		    m->from.from != 0 ? "upgrade" : "daemonize");
		m->failed = true;
		master_enter(m, MASTER_STOPPING);
	}
}

/* WINCH: no client is taken any more, but connecting works, and HUP goes on. */
static void
pause_on_winch(struct master *m)
{
	if (!signals_has(SIGNAL_WINCH) || reload_is_busy(m))
		return;
	(void)signals_take(SIGNAL_WINCH);
	if (m->phase != MASTER_RUNNING || m->paused)
		return;
	log_notice("paused: the workers finish what they have, and clients "
		   "wait, until HUP");
	m->paused = true;
	m->reloading = false;
	children_retire(&m->children, m->generation + 1);
}

static void
act_on_signals(struct master *m)
{
	reap(m);
	master_stop_on_signals(m);
	pause_on_winch(m);
	upgrade_on_usr2(m);
	reload_on_hup(m, mind_children);
	if (!m->reopen.running && signals_take(SIGNAL_USR1))
		log_handover_begin(
		    &m->reopen, &m->children, &m->logs, *m->conf);
}

/* How long to sleep: until the next restart is due.  A HUP that waits for the end
 * of the reload before it does not wake us again. */
static int
patience(const struct master *m, int due_ms)
{
	if (m->phase != MASTER_RUNNING || m->reloading || m->reopen.running ||
	    signals_has(SIGNAL_HUP) || signals_has(SIGNAL_WINCH))
		return LOOK_MS;
	if (m->status.generation != m->generation)
		return START_MS;
	if (due_ms == -1 && m->certificates.term_count > 0)
		return HOUR_MS;
	return due_ms;
}

/* Of two times to sleep, of which -1 is for ever. */
static int
sooner(int a, int b)
{
	if (a == -1 || b == -1)
		return a == -1 ? b : a;
	return a < b ? a : b;
}

/* 0 when all workers are gone, 1 when one cannot be made to. */
static int
master_serve(struct master *m)
{
	for (;;) {
		int due = -1, end;

		if (master_is_serving(m))
			due = tend_children(m);
		reload_end(m);
		log_handover_tend(&m->reopen, &m->children);
		end_start(m);
		master_tell_status(m);
		master_look_at_certificates(m);
		due = sooner(due, upgrade_tend(m));
		signals_await(sooner(notify_watchdog(&m->notify),
		    patience(m, m->detach != -1 ? LOOK_MS : due)));
		act_on_signals(m);
		end = master_stop_tend(m);
		if (end != MASTER_GOES_ON)
			return end;
	}
}

/* In a fresh worker: what only the master may use. */
static void
close_own(void *arg)
{
	struct master *m = arg;

	signals_restore();
	if (m->fresh_sockets != NULL)
		sockets_close(m->fresh_sockets, &m->sockets, false);
	if (m->fresh_logs != NULL)
		logs_close(m->fresh_logs);
	preflight_release();
	fd_close(&m->pidfile);
	fd_close(&m->detach);
	notify_close(&m->notify);
	status_close(&m->status, false);
	verdict_close(&m->verdict, false);
	verdict_close(&m->reopen.verdict, false);
	verdict_close(&m->upgrade.verdict, false);
	log_handover_fini(&m->reopen);
	fd_close(&m->shared.fd);
	fd_close(&m->upgrade.tell);
	upgrade_said_end(&m->upgrade.said);
}

static void
master_on_ready(void *arg)
{
	struct master *m = arg;

	detach_end(&m->detach, DETACH_UP);
	status_say(&m->status, "running", 1, &m->certificates);
	notify_ready(&m->notify, "serving, in one process");
}

static void
master_on_stopping(void *arg, const char *what)
{
	struct master *m = arg;

	status_say(&m->status, what, 1, &m->certificates);
	notify_stopping(&m->notify, "%s", what);
}

static int
master_on_turn(void *arg)
{
	struct master *m = arg;

	return notify_watchdog(&m->notify);
}

/* worker_processes 0: this process is the worker. */
static int
run_alone(struct master *m)
{
	struct worker_setup setup = {.conf = *m->conf,
	    .secrets = m->secrets,
	    .master = -1,
	    .shared = &m->shared,
	    .slot = shm_slot_take(m->shared.shm),
	    .sockets = &m->sockets,
	    .logs = &m->logs,
	    .certificates = &m->certificates,
	    .verdict = &m->verdict,
	    .reopened = &m->reopen.verdict,
	    .upgraded = &m->upgrade.verdict,
	    .control = -1,
	    .generation = 1,
	    .alone = true,
	    .on_ready = master_on_ready,
	    .on_stopping = master_on_stopping,
	    .on_turn = master_on_turn,
	    .arg = m};

	signals_pass_on();
	check(setup.slot != NULL);
	return worker_run(&setup);
}

static int
run_with_workers(struct master *m)
{
	int status;

	m->ready_ns = clock_mono_ns() + MASTER_READY_MS * NS_PER_MS;
	m->children.in_child = close_own;
	m->children.on_other = upgrade_on_end;
	m->children.arg = m;
	if (log_handover_note(&m->reopen, m->generation, *m->conf) < 0 ||
	    children_add(&m->children, m->generation,
		(size_t)(*m->conf)->worker_processes) < 0) {
		log_error("out of memory");
		return 1;
	}
	status = master_serve(m);
	if (status != 0) {
		/* Its port is free at once, whatever still holds it. */
		if (!upgrade_has_other(m))
			sockets_shutdown(&m->sockets);
		children_log_stuck(&m->children);
	}
	return m->failed ? 1 : status;
}

static enum detach
how_it_failed(const struct master *m, int status)
{
	if (m->failed || (status != 0 && m->phase == MASTER_RUNNING))
		return DETACH_FAILED;
	return DETACH_STOPPED;
}

/* The memory of all workers; those of the old master, too, if there is one. */
static bool
share(struct master *m)
{
	struct shm *shm;

	if (!upgrade_take_memory(m)) {
		if (!needs_share(*m->conf, &m->shared))
			return false;
		atomic_store(&m->shared.shm->generation, m->from.generation);
	}
	shm = m->shared.shm;
	m->generation = atomic_fetch_add(&shm->generation, 1) + 1;
	return true;
}

/* Without a master nobody would see the old one end. */
static bool
can_succeed(const struct master *m)
{
	if (m->from.from == 0 || (*m->conf)->worker_processes > 0)
		return true;
	log_error("worker_processes 0 has no master that could take over: "
		  "restart instead");
	return false;
}

/* Start, serve and end: the exit status. */
static int
run(struct master *m)
{
	int status, err;

	inherit_close(*m->conf, &m->given, &m->from);
	inherit_report();
	/* A successor is in the background already, or need not be. */
	m->detach = m->from.tell;
	m->from.tell = -1;
	err = (*m->conf)->daemonize && m->from.from == 0
		  ? detach_begin(&m->detach)
		  : 0;
	if (err < 0) {
		log_error("daemonize: %s", strerror(-err));
		return 1;
	}
	notify_open(&m->notify);
	title_set_command((*m->conf)->worker_processes == 0 ? "single process"
							    : "master process");
	if (!share(m))
		return 1;
	err = children_init(&m->children, &m->shared);
	if (err < 0) {
		log_error("pipe: %s", strerror(-err));
		return 1;
	}
	err = signals_watch();
	if (err < 0) {
		log_error("signals cannot be watched: %s", strerror(-err));
		children_fini(&m->children);
		return 1;
	}
	if (master_start(m) < 0) {
		status = is_to_stop(NULL) ? 0 : 1;
		if (status == 0)
			log_notice("stopped");
		else
			fd_close(&m->detach); /* it was said why */
		goto free_children;
	}
	counted_begin(m->shared.metrics, *m->conf, m->generation);
	if ((*m->conf)->worker_processes == 0)
		status = run_alone(m);
	else
		status = run_with_workers(m);
	if (status == 0)
		log_notice("stopped");
	master_finish(m);
free_children:
	/* If it did not even start. */
	detach_end(&m->detach, how_it_failed(m, status));
	signals_restore();
	children_fini(&m->children);
	log_handover_fini(&m->reopen);
	secrets_free(&m->secrets);
	return status;
}

int
master_run(struct config **conf)
{
	struct master m = {.conf = conf,
	    .program = program_path(title_command()[0]),
	    .pid_path = strdup((*conf)->pid_file),
	    .pidfile = -1,
	    .detach = -1,
	    .notify = {.fd = -1},
	    .upgrade = {.tell = -1, .said = {.fd = -1}}};
	int status = 1;

	check(m.pid_path != NULL);
	log_handover_init(&m.reopen);
	signals_ignore();
	if (activation_take(&m.given) == 0 &&
	    succession_take(&m.from, &m.given) == 0 && can_succeed(&m))
		status = run(&m);
	sockets_close(&m.given, NULL, false);
	succession_close(&m.from);
	notify_close(&m.notify);
	fd_close(&m.upgrade.tell);
	upgrade_said_end(&m.upgrade.said);
	free(m.pid_path);
	free(m.program);
	return status;
}
