#include "proc/master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "proc/children.h"
#include "proc/detach.h"
#include "proc/inherit.h"
#include "proc/logs.h"
#include "proc/needs.h"
#include "proc/pidfile.h"
#include "proc/preflight.h"
#include "proc/privileges.h"
#include "proc/signals.h"
#include "proc/sockets.h"
#include "proc/title.h"
#include "proc/verdict.h"

enum {
	READY_MS = 3000, /* for new workers to come up */
	SLOW_MS = 12000, /* and more, if none of them has ended */
	TERM_MS = 2000,	 /* from TERM to KILL */
	KILL_MS = 1000,	 /* from KILL to giving up */
	LOOK_MS = 10,	 /* how often while something is awaited */
};

enum phase {
	RUNNING,
	FINISHING, /* QUIT was sent */
	STOPPING,  /* TERM was sent */
	KILLING,   /* and KILL */
};

struct master {
	struct config **conf;
	struct sockets sockets;
	struct logs logs;
	struct shared shared;
	struct children children;
	int pidfile;
	unsigned generation;
	bool reloading;	   /* new workers are starting, old ones run still */
	uint64_t ready_ns; /* when the new ones should be up */
	enum phase phase;
	uint64_t phase_end_ns;
	uint64_t listen_end_ns; /* FINISHING: workers drain the queue */
	int detach;		/* daemonize: tell here that we are up; -1 */
	bool failed;		/* the start did, after all */
	struct verdict verdict;
	/* Of the reload that is under way, until they are taken over. */
	struct sockets *fresh_sockets;
	struct logs *fresh_logs;
};

/* ---- starting ---- */

/* Does the system let us have what `conf` asks for?  `c`: and a master that runs
 * already, with these workers; or NULL. */
static bool
can_be_had(const struct config *conf, const struct children *c)
{
	struct str errors = {0};
	bool can = c != NULL ? needs_fit(conf, c, &errors)
			     : needs_are_met(conf, &errors);

	if (!can)
		log_lines(LEVEL_ERROR, c != NULL ? "reload: " : "", errors.s);
	str_fini(&errors);
	return can;
}

/* What waits for a disk must not keep us from stopping. */
static bool
is_to_stop(void *arg)
{
	(void)arg;
	return signals_has(SIGNAL_TERM) || signals_has(SIGNAL_QUIT);
}

static int
start(struct master *m)
{
	struct config *conf = *m->conf;
	int err = privileges_check(conf);

	/* What is wrong with one does not hide what is with the next. */
	if (!can_be_had(conf, NULL))
		err = -1;
	if (logs_open(conf, &m->logs) < 0)
		return -1;
	if (err < 0)
		goto close_logs;
	log_to(STDERR_FILENO, conf->error_level);
	if (pidfile_take(conf, &m->pidfile) < 0)
		goto close_logs;
	verdict_open(&m->verdict, conf->pid_file, m->pidfile, conf->file);
	needs_raise_limit(conf);
	if (sockets_open(conf, NULL, &m->sockets) < 0)
		goto drop_pidfile;
	if (preflight_run(conf, PREFLIGHT_WHOLE, NULL, is_to_stop, NULL) < 0)
		goto close_sockets;
	sockets_log(&m->sockets);
	if (m->detach != -1)
		detach_leave_terminal(m->logs.error <= STDERR_FILENO);
	logs_use(&m->logs, conf);
	return 0;

close_sockets:
	sockets_close(&m->sockets, NULL, true);
drop_pidfile:
	verdict_close(&m->verdict, true);
	pidfile_drop(conf->pid_file, &m->pidfile);
close_logs:
	logs_close(&m->logs);
	return -1;
}

static void
finish(struct master *m, bool remove_sockets)
{
	sockets_close(&m->sockets, NULL, remove_sockets);
	verdict_close(&m->verdict, true);
	pidfile_drop((*m->conf)->pid_file, &m->pidfile);
	logs_close(&m->logs);
}

/* ---- reload ---- */

/* `restart`: what it changes in vain, which stays as it was. */
static bool
load(const struct config *old, struct config **ret, struct str *restart)
{
	struct str text = {0};
	int err = config_reload(old, &text, ret);

	if (err == 0)
		err = config_keep_until_restart(old, *ret, restart);
	if (err < 0)
		log_lines(LEVEL_ERROR, "reload: ", text.s);
	str_fini(&text);
	return err >= 0;
}

static int
tend_children(struct master *m)
{
	return children_tend(&m->children,
	    &(struct worker_setup){
		.conf = *m->conf, .sockets = &m->sockets, .logs = &m->logs});
}

static void
reap(struct master *m)
{
	if (signals_take(SIGNAL_CHLD))
		children_reap(&m->children, m->phase != RUNNING);
}

/* While a reload waits for a disk, the workers of now go on: who ends is
 * restarted.  That is none of what the reload says. */
static bool
mind_children(void *arg)
{
	struct master *m = arg;

	verdict_hear(&m->verdict, false);
	reap(m);
	(void)tend_children(m);
	verdict_hear(&m->verdict, true);
	return is_to_stop(NULL);
}

static bool
try_out(struct master *m, const struct config *fresh, struct sockets *sockets,
    struct logs *logs)
{
	int err;

	m->fresh_sockets = sockets;
	m->fresh_logs = logs;
	err =
	    preflight_run(fresh, PREFLIGHT_WHOLE, &m->shared, mind_children, m);
	m->fresh_sockets = NULL;
	m->fresh_logs = NULL;
	if (err < 0 && is_to_stop(NULL))
		log_error("reload: given up: this server is to stop");
	return err == 0;
}

/*
 * Everything that can fail is done before anything is changed: a bad file,
 * an address in use, a directory that cannot be written leave the workers of
 * now as they are.
 */
static void
reload(struct master *m)
{
	struct config *old = *m->conf, *fresh = NULL;
	struct sockets sockets = {0};
	struct logs logs = {.error = -1};
	struct str restart = {0};

	log_notice("reloading");
	verdict_begin(&m->verdict);
	if (!load(old, &fresh, &restart))
		goto give_up;
	if (!can_be_had(fresh, &m->children))
		goto give_up;
	if (logs_open(fresh, &logs) < 0)
		goto give_up;
	if (sockets_open(fresh, &m->sockets, &sockets) < 0)
		goto close_logs;
	if (!try_out(m, fresh, &sockets, &logs))
		goto close_sockets;
	if (children_add(&m->children, m->generation + 1,
		(size_t)fresh->worker_processes) < 0) {
		log_error("reload: out of memory");
		goto close_sockets;
	}
	m->generation++;
	logs_use(&logs, fresh);
	sockets_close(&m->sockets, &sockets, true);
	logs_close(&m->logs);
	m->sockets = sockets;
	m->logs = logs;
	logs_use(&m->logs, fresh);
	config_free(&old);
	*m->conf = fresh;
	needs_raise_limit(fresh);
	needs_warn(fresh, &m->children);
	sockets_adjust(fresh, &m->sockets);
	/* Last: it must not be lost among what each location says. */
	if (restart.len > 0)
		log_lines(LEVEL_WARN, "reload: ", restart.s);
	str_fini(&restart);
	m->reloading = true;
	m->ready_ns = clock_mono_ns() + READY_MS * NS_PER_MS;
	verdict_hear(&m->verdict, false);
	return;

close_sockets:
	sockets_close(&sockets, &m->sockets, true);
close_logs:
	logs_close(&logs);
	logs_use(&m->logs, old);
give_up:
	str_fini(&restart);
	config_free(&fresh);
	log_error("reload: nothing was changed");
	verdict_give(&m->verdict, VERDICT_REFUSED);
}

/* The newest workers have had their time; and not only because the machine is
 * slow, unless it was a long time. */
static bool
are_overdue(const struct master *m)
{
	uint64_t now = clock_mono_ns();

	return now >= m->ready_ns &&
	       (children_keep_outcome(&m->children, m->generation) ||
		   now - m->ready_ns >= SLOW_MS * NS_PER_MS);
}

/* As soon as the new workers accept, the old ones finish. */
static void
end_reload(struct master *m)
{
	if (!m->reloading || m->phase != RUNNING)
		return;
	if (!children_are_ready(&m->children, m->generation)) {
		if (!are_overdue(m))
			return;
		verdict_hear(&m->verdict, true);
		log_error("reload: the new workers do not come up; the old "
			  "ones go on until they do");
		verdict_give(&m->verdict, VERDICT_LATE);
		m->ready_ns = UINT64_MAX;
		return;
	}
	m->reloading = false;
	children_retire(&m->children, m->generation);
	log_notice("reloaded: generation %u", m->generation);
	verdict_give(&m->verdict, VERDICT_APPLIED);
}

/* ---- stopping ---- */

static void
enter(struct master *m, enum phase phase, int sig, unsigned ms)
{
	if (m->phase >= phase)
		return;
	if (m->verdict.pending) {
		verdict_hear(&m->verdict, true);
		log_warn("reload: this server is stopping");
		verdict_give(&m->verdict, VERDICT_REFUSED);
	}
	m->phase = phase;
	m->phase_end_ns = ms ? clock_mono_ns() + ms * NS_PER_MS : UINT64_MAX;
	m->listen_end_ns = clock_mono_ns() + TERM_MS * NS_PER_MS;
	children_signal(&m->children, sig);
}

/* `daemonize on`: the command that started us ends when it is known how that
 * went.  Workers that end as soon as they have started are no server. */
static void
end_start(struct master *m)
{
	if (m->detach == -1 || m->phase != RUNNING)
		return;
	if (children_are_ready(&m->children, m->generation)) {
		detach_end(&m->detach, DETACH_UP);
	} else if (are_overdue(m)) {
		log_error("daemonize: the workers do not come up: stopping");
		m->failed = true;
		enter(m, STOPPING, SIGTERM, TERM_MS);
	}
}

/* While new workers come up it waits: each has a verdict of its own, which the
 * next one may follow at once.  If they never do, it is a chance to mend the
 * file. */
static void
act_on_hup(struct master *m)
{
	if (!signals_has(SIGNAL_HUP) ||
	    (m->reloading && m->ready_ns != UINT64_MAX && m->phase == RUNNING))
		return;
	(void)signals_take(SIGNAL_HUP);
	if (m->phase == RUNNING) {
		reload(m);
		return;
	}
	verdict_begin(&m->verdict);
	log_warn("reload: this server is stopping");
	verdict_give(&m->verdict, VERDICT_REFUSED);
}

static void
act_on_signals(struct master *m)
{
	reap(m);
	if (signals_take(SIGNAL_TERM)) {
		log_notice("stopping");
		enter(m, STOPPING, SIGTERM, TERM_MS);
	}
	if (signals_take(SIGNAL_QUIT)) {
		log_notice("stopping when all uploads are finished");
		enter(m, FINISHING, SIGQUIT, 0);
	}
	act_on_hup(m);
}

/* A graceful stop: when the workers have taken what was queued, nobody is to
 * connect to sockets that nobody looks at. */
static void
stop_listening(struct master *m)
{
	if (m->phase != FINISHING || m->sockets.count == 0 ||
	    (children_accept(&m->children) &&
		clock_mono_ns() < m->listen_end_ns))
		return;
	sockets_shutdown(&m->sockets);
	sockets_close(&m->sockets, NULL, true);
}

/* How long to sleep: until somebody is due.  A HUP may wait for the end of the
 * reload before it; nothing else wakes us for it. */
static int
patience(const struct master *m, int due_ms)
{
	if (m->phase != RUNNING || m->reloading || signals_has(SIGNAL_HUP))
		return LOOK_MS;
	return due_ms;
}

/* 0 when all workers are gone, 1 when one cannot be made to. */
static int
serve(struct master *m)
{
	for (;;) {
		int due = -1;

		if (m->phase == RUNNING)
			due = tend_children(m);
		end_reload(m);
		end_start(m);
		signals_await(patience(m, m->detach != -1 ? LOOK_MS : due));
		act_on_signals(m);
		if (m->phase == RUNNING)
			continue;
		stop_listening(m);
		if (children_are_gone(&m->children))
			return 0;
		if (clock_mono_ns() < m->phase_end_ns &&
		    (m->phase == KILLING || !children_are_stuck(&m->children)))
			continue;
		if (m->phase == KILLING)
			return 1;
		enter(m, KILLING, SIGKILL, KILL_MS);
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
	verdict_close(&m->verdict, false);
}

static void
on_ready(void *arg)
{
	struct master *m = arg;

	detach_end(&m->detach, DETACH_UP);
}

/* worker_processes 0: this process is the worker. */
static int
run_alone(struct master *m)
{
	struct worker_setup setup = {.conf = *m->conf,
	    .master = -1,
	    .shared = &m->shared,
	    .slot = shm_slot_take(m->shared.shm),
	    .sockets = &m->sockets,
	    .logs = &m->logs,
	    .verdict = &m->verdict,
	    .alone = true,
	    .on_ready = on_ready,
	    .arg = m};

	signals_pass_on();
	check(setup.slot != NULL);
	return worker_run(&setup);
}

static int
run_with_workers(struct master *m)
{
	int status;

	m->generation = 1;
	m->ready_ns = clock_mono_ns() + READY_MS * NS_PER_MS;
	m->children.in_child = close_own;
	m->children.arg = m;
	if (children_add(&m->children, m->generation,
		(size_t)(*m->conf)->worker_processes) < 0) {
		log_error("out of memory");
		return 1;
	}
	status = serve(m);
	if (status != 0) {
		/* Its port is free at once, whatever still holds it. */
		sockets_shutdown(&m->sockets);
		children_log_stuck(&m->children);
	}
	return m->failed ? 1 : status;
}

static enum detach
how_it_failed(const struct master *m, int status)
{
	if (m->failed || (status != 0 && m->phase == RUNNING))
		return DETACH_FAILED;
	return DETACH_STOPPED;
}

int
master_run(struct config **conf)
{
	struct master m = {.conf = conf, .pidfile = -1, .detach = -1};
	int status, err;

	signals_ignore();
	inherit_close(*conf);
	inherit_report();
	err = (*conf)->daemonize ? detach_begin(&m.detach) : 0;
	if (err < 0) {
		log_error("daemonize: %s", strerror(-err));
		return 1;
	}
	title_set_command((*conf)->worker_processes == 0 ? "single process"
							 : "master process");
	if (!needs_share(*conf, &m.shared))
		return 1;
	err = children_init(&m.children, &m.shared);
	if (err < 0) {
		log_error("pipe: %s", strerror(-err));
		return 1;
	}
	err = signals_watch();
	if (err < 0) {
		log_error("signals cannot be watched: %s", strerror(-err));
		children_fini(&m.children);
		return 1;
	}
	if (start(&m) < 0) {
		status = is_to_stop(NULL) ? 0 : 1;
		if (status == 0)
			log_notice("stopped");
		else
			fd_close(&m.detach); /* it was said why */
		goto free_children;
	}
	if ((*conf)->worker_processes == 0)
		status = run_alone(&m);
	else
		status = run_with_workers(&m);
	if (status == 0)
		log_notice("stopped");
	finish(&m, true);
free_children:
	/* If it did not even start. */
	detach_end(&m.detach, how_it_failed(&m, status));
	signals_restore();
	children_fini(&m.children);
	return status;
}
