/*
 * How the server stops.
 *
 *	DELAYING    clients are served, and told that it will stop (shutdown_delay)
 *	FINISHING   no new ones; uploads go on (QUIT)
 *	STOPPING    uploads are cut (TERM)
 *	KILLING     what did not end by itself
 */
#include <signal.h>
#include <stdatomic.h>

#include "base/log.h"
#include "master_internal.h"
#include "proc/signals.h"

enum {
	TERM_MS = 2000, /* from TERM to KILL */
	KILL_MS = 1000, /* from KILL to giving up */
};

bool
master_is_serving(const struct master *m)
{
	return m->phase <= MASTER_DELAYING;
}

/* Those who may send us clients, or start us, hear that there is an end; once. */
static void
announce(struct master *m, const char *what)
{
	if (m->phase != MASTER_RUNNING)
		return;
	if (m->upgrade.pid != 0 && m->upgrade.up)
		notify_main(&m->notify, m->upgrade.pid);
	if (upgrade_has_other(m))
		return; /* there is none: the other one goes on */
	notify_stopping(&m->notify, "%s", what);
	children_announce_stop(&m->children);
}

void
master_enter(struct master *m, enum master_phase phase)
{
	static const struct {
		const char *what;
		int signal;
		unsigned ms; /* until the next phase; 0: as long as it takes */
	} of[] = {
	    [MASTER_FINISHING] = {"finishing uploads", SIGQUIT, 0},
	    [MASTER_STOPPING] = {"stopping", SIGTERM, TERM_MS},
	    [MASTER_KILLING] = {"stopping", SIGKILL, KILL_MS},
	};

	check(phase >= MASTER_FINISHING);
	if (m->phase >= phase)
		return;
	reload_give_up(m);
	upgrade_give_up(m);
	announce(m, of[phase].what);
	m->phase = phase;
	m->phase_end_ns = of[phase].ms > 0
			      ? clock_mono_ns() + of[phase].ms * NS_PER_MS
			      : UINT64_MAX;
	m->listen_end_ns = clock_mono_ns() + TERM_MS * NS_PER_MS;
	children_signal(&m->children, of[phase].signal);
}

static void
begin_delay(struct master *m, enum master_phase then)
{
	double seconds = (*m->conf)->shutdown_delay_s;

	log_notice("shutdown_delay: for %g seconds clients are still served; "
		   "/readyz says 503",
	    seconds);
	reload_give_up(m);
	upgrade_give_up(m);
	announce(m, "still serving, about to stop");
	m->phase = MASTER_DELAYING;
	m->phase_after = then;
	m->phase_end_ns = clock_mono_ns() + (uint64_t)(seconds * NS_PER_S);
}

/* Before any worker accepts, and while none does, there is nobody to be told. */
static bool
is_delayed(const struct master *m, bool at_once)
{
	return m->phase == MASTER_RUNNING && !at_once &&
	       (*m->conf)->shutdown_delay_s > 0 && !upgrade_has_other(m) &&
	       children_accept(&m->children);
}

/* A second signal ends the delay; QUIT behind TERM does not make it a gentle stop. */
static void
stop(struct master *m, enum master_phase phase, bool at_once)
{
	log_notice(phase == MASTER_STOPPING
		       ? "stopping"
		       : "stopping when all uploads are finished");
	if (is_delayed(m, at_once))
		begin_delay(m, phase);
	else
		master_enter(
		    m, m->phase == MASTER_DELAYING && m->phase_after > phase
			   ? m->phase_after
			   : phase);
}

void
master_stop_on_signals(struct master *m)
{
	bool at_once = signals_take(SIGNAL_INT);

	if (signals_take(SIGNAL_TERM))
		stop(m, MASTER_STOPPING, at_once);
	if (signals_take(SIGNAL_QUIT))
		stop(m, MASTER_FINISHING, false);
	if (m->phase == MASTER_DELAYING && clock_mono_ns() >= m->phase_end_ns)
		master_enter(m, m->phase_after);
}

/* A graceful stop: once the workers have accepted what was queued, connecting must
 * fail, since no process accepts any more; but for that of another master. */
static void
stop_listening(struct master *m)
{
	if (m->phase != MASTER_FINISHING || m->sockets.count == 0 ||
	    (children_accept(&m->children) &&
		clock_mono_ns() < m->listen_end_ns))
		return;
	if (!upgrade_has_other(m))
		sockets_shutdown(&m->sockets);
	sockets_close(&m->sockets, NULL, !upgrade_has_other(m));
}

int
master_stop_tend(struct master *m)
{
	if (master_is_serving(m))
		return MASTER_GOES_ON;
	stop_listening(m);
	if (children_are_gone(&m->children))
		return 0;
	if (clock_mono_ns() < m->phase_end_ns &&
	    (m->phase == MASTER_KILLING || !children_are_stuck(&m->children)))
		return MASTER_GOES_ON;
	if (m->phase == MASTER_KILLING)
		return 1;
	master_enter(m, MASTER_KILLING);
	return MASTER_GOES_ON;
}
