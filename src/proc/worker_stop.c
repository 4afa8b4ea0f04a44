/*
 * How a worker ends.
 *
 *	delayed:    shutdown_delay, without a master: clients are served as before
 *	gracefully: the connections that are queued are accepted, and no more;
 *	            idle ones are closed after a moment; requests in progress are
 *	            answered.  When shutdown_timeout is over:
 *	fast:       requests in progress are answered 503, except those being
 *	            committed, all within FAST_STOP_S; then connections are cut, and
 *	            the logs have LAST_LINES_S to take their lines
 *	at rest:    a graceful stop without connections: the disks have some time
 *	            for what no client waits for
 */
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/log.h"
#include "disk/engine.h"
#include "http/proxied.h"
#include "net/acceptor.h"
#include "proc/title.h"
#include "worker_internal.h"

#define FAST_STOP_S 0.5	  /* for operations in flight at a fast stop */
#define LAST_LINES_S 0.25 /* then, for the log lines of what was cut */

/* No file is being stored or read; with `at_rest` no other operation is in flight
 * either. */
static bool
stores_are_idle(struct worker *w, bool at_rest)
{
	for (size_t i = 0; i < w->server_count; i++) {
		struct server *s = &w->servers[i];

		for (size_t k = 0; k < s->conf->location_count; k++) {
			struct store *store = s->context.stores[k];

			if (store_has_files(store) ||
			    (at_rest && !store_is_idle(store)))
				return false;
		}
	}
	return true;
}

/* No request will come any more: the stores do what they had put off. */
static void
rest_stores(struct worker *w)
{
	for (size_t i = 0; i < w->server_count; i++) {
		struct server *s = &w->servers[i];

		for (size_t k = 0; k < s->conf->location_count; k++)
			store_rest(s->context.stores[k]);
	}
}

static bool
conns_are_closed(const struct worker *w)
{
	return atomic_load(&w->to->slot->connections) == 0;
}

static void set_stop_timer(struct worker *w, double seconds);

/* Seconds for the disks, when all connections are closed. */
static double
last_patience_s(struct worker *w)
{
	const struct config *conf = w->to->conf;
	double patience = conf->disk_stall_timeout_s;

	/* What is left may hang for good: a directory that is being opened, log
	 * lines, files that are removed. */
	if (stores_are_idle(w, false) || engine_is_stuck(w->engine))
		return FAST_STOP_S;
	/* Uploads whose clients are gone are still being committed. */
	if (conf->shutdown_timeout_s > 0 && conf->shutdown_timeout_s < patience)
		patience = conf->shutdown_timeout_s;
	return patience;
}

/* In each iteration while stopping: end the loop when nothing is left to do. */
static void
on_rest(struct ev_loop *loop, ev_prepare *p, int revents)
{
	struct worker *w = p->data;
	double patience;

	(void)revents;
	if (!conns_are_closed(w))
		return;
	rest_stores(w);
	if (worker_logs_are_idle(w) &&
	    (w->dropped || (stores_are_idle(w, true) &&
			       engine_in_flight(w->engine) == 0))) {
		ev_break(loop, EVBREAK_ALL);
		return;
	}
	if (w->fast || w->dropped)
		return; /* the timer runs already */
	patience = last_patience_s(w);
	if (w->leaving_in <= 0 || patience < w->leaving_in) {
		w->leaving_in = patience;
		set_stop_timer(w, patience);
	}
}

/* The time for what is in flight is over, or shutdown_timeout is. */
static void
on_patience(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct worker *w = t->data;

	(void)revents;
	if (w->dropped) {
		ev_break(loop, EVBREAK_ALL); /* no log takes the lines */
		return;
	}
	if (w->fast || w->leaving_in > 0) {
		for (size_t i = 0; i < w->server_count; i++) {
			proxied_drop(&w->servers[i].conns);
			connections_drop(&w->servers[i].conns);
		}
		w->dropped = true; /* on_rest() ends the loop */
		set_stop_timer(w, LAST_LINES_S);
		return;
	}
	log_notice("shutdown_timeout is over: cutting what is left");
	worker_stop_fast(w);
}

static void
set_stop_timer(struct worker *w, double seconds)
{
	ev_timer_stop(w->loop, &w->patience);
	if (seconds <= 0)
		return;
	ev_timer_set(&w->patience, seconds, 0.);
	ev_timer_start(w->loop, &w->patience);
}

/* Accept no more, and close the sockets now: this process may last long, if a disk
 * hangs. */
static void
close_sockets(struct worker *w)
{
	ev_timer_stop(w->loop, &w->opening);
	acceptor_stop(w->acceptor);
	for (size_t i = 0; i < w->to->sockets->count; i++) {
		const struct listener *l = &w->to->sockets->bound[i].listener;

		/* Alone, their descriptors are closed with all else. */
		if (w->to->alone)
			listener_shutdown(l);
		else
			close(l->fd);
	}
	/* Others have the sockets still, so an epoll set goes on telling of
	 * them by their old numbers, which may be another file's by then
	 * (epoll(7), Q6): have the loop make a new one. */
	if (!w->to->alone)
		ev_loop_fork(w->loop);
}

/* To people who look: it may take long. */
static void
show(const struct worker *w, const char *what)
{
	if (w->to->alone)
		title_set(NULL, "single process is %s", what);
	else
		title_set(NULL, "worker process is %s (generation %u)", what,
		    w->to->generation);
	if (w->to->on_stopping != NULL)
		w->to->on_stopping(w->to->arg, what);
}

void
worker_stop_fast(struct worker *w)
{
	if (w->fast)
		return;
	show(w, "stopping");
	if (!w->stopping) {
		acceptor_drain(w->acceptor);
		close_sockets(w);
	}
	w->stopping = w->fast = true;
	w->watch.readiness.stopping = true;
	for (size_t i = 0; i < w->server_count; i++) {
		proxied_drop(&w->servers[i].conns);
		connections_cut(&w->servers[i].conns);
	}
	set_stop_timer(w, FAST_STOP_S);
	ev_prepare_start(w->loop, &w->rest);
}

void
worker_stop_gracefully(struct worker *w)
{
	if (w->stopping)
		return;
	show(w, "finishing");
	acceptor_drain(w->acceptor);
	close_sockets(w);
	w->stopping = true;
	w->watch.readiness.stopping = true;
	for (size_t i = 0; i < w->server_count; i++) {
		proxied_stop(&w->servers[i].conns);
		connections_stop(&w->servers[i].conns);
	}
	set_stop_timer(w, w->to->conf->shutdown_timeout_s);
	ev_prepare_start(w->loop, &w->rest);
}

static void
end_delay(struct worker *w, int signal)
{
	ev_timer_stop(w->loop, &w->delay);
	if (signal == SIGTERM || w->delayed == SIGTERM)
		worker_stop_fast(w);
	else
		worker_stop_gracefully(w);
}

static void
on_delay_over(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct worker *w = t->data;

	(void)loop;
	(void)revents;
	end_delay(w, w->delayed);
}

void
worker_stop_on(struct worker *w, int signal)
{
	double seconds = w->to->conf->shutdown_delay_s;

	if (!w->to->alone || seconds <= 0 || w->delayed != 0 || w->stopping ||
	    ev_is_active(&w->opening)) {
		end_delay(w, signal);
		return;
	}
	log_notice("shutdown_delay: for %g seconds clients are still served; "
		   "/readyz says 503",
	    seconds);
	w->delayed = signal;
	w->watch.readiness.stopping = true;
	show(w, "draining");
	ev_timer_set(&w->delay, seconds, 0.);
	ev_timer_start(w->loop, &w->delay);
}

void
worker_stop_init(struct worker *w)
{
	ev_prepare_init(&w->rest, on_rest);
	w->rest.data = w;
	ev_timer_init(&w->patience, on_patience, 0., 0.);
	w->patience.data = w;
	ev_timer_init(&w->delay, on_delay_over, 0., 0.);
	w->delay.data = w;
}
