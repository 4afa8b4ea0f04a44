#include "net/acceptor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#define LOOK_AWAY_S 0.002  /* after declining */
#define UNTAKEN_S 0.020	   /* no other worker has accepted it */
#define OUT_OF_FDS_S 0.100 /* accept(2) would fail again at once */

struct watch {
	ev_io io;
	struct acceptor *acceptor;
	const struct listener *listener;
	void *server;
	struct watch *next;
};

struct acceptor {
	struct acceptor_setup to;
	struct watch *watches;
	ev_timer pause;		/* running: the watches are stopped */
	double declining_since; /* 0: not declining */
	double declined_last;
	uint32_t idle_fewest; /* see is_our_turn(); UINT32_MAX: none */
	bool running;
	bool full; /* connections_max reached: waits for room */
};

static void
watch_all(struct acceptor *a, bool on)
{
	for (struct watch *w = a->watches; w != NULL; w = w->next) {
		if (on)
			ev_io_start(a->to.loop, &w->io);
		else
			ev_io_stop(a->to.loop, &w->io);
	}
}

static void
look_away(struct acceptor *a, double seconds)
{
	watch_all(a, false);
	ev_timer_stop(a->to.loop, &a->pause);
	ev_timer_set(&a->pause, seconds, 0.);
	ev_timer_start(a->to.loop, &a->pause);
}

static void
on_pause_over(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct acceptor *a = t->data;

	(void)loop;
	(void)revents;
	if (!a->running || a->full)
		return;
	atomic_store(&a->to.slot->accepting, 1);
	watch_all(a, true);
}

/* Does the rule at the top of the header let this worker accept? */
static bool
is_our_turn(struct acceptor *a)
{
	uint32_t fewest = shm_fewest_connections(a->to.shm, a->to.slot);
	uint32_t mine = atomic_load(&a->to.slot->connections);
	double now = clock_mono_s();

	/* The least loaded worker let a connection wait for UNTAKEN_S.  Do not
	 * wait for it again until its number of connections changes. */
	if (fewest != a->idle_fewest)
		a->idle_fewest = UINT32_MAX;
	if (fewest == UINT32_MAX || fewest == a->idle_fewest ||
	    mine <= fewest + 1 + fewest / 8) {
		a->declining_since = 0;
		return true;
	}
	/* A connection that waits at two successive looks is taken to be the
	 * same one. */
	if (a->declining_since == 0. || now - a->declined_last > 2 * UNTAKEN_S)
		a->declining_since = now;
	a->declined_last = now;
	if (now - a->declining_since < UNTAKEN_S)
		return false;
	a->declining_since = 0;
	a->idle_fewest = fewest;
	return true;
}

enum taken {
	TAKEN_ONE,
	TAKEN_NONE,  /* no connection is queued */
	TAKEN_GONE,  /* the client has left the queue already */
	TAKEN_SHORT, /* out of descriptors or memory: pausing */
};

static enum taken
accept_one(struct watch *w)
{
	static struct log_limit limit;
	struct acceptor *a = w->acceptor;
	struct addr peer = {.len = sizeof(peer.ss)};
	int fd;

	fd = fd_accept(w->io.fd, &peer.ss, &peer.len);
	if (fd >= 0) {
		addr_unmap(&peer);
		a->to.on_accepted(a->to.arg, w->server, w->listener, fd, &peer);
		return TAKEN_ONE;
	}
	switch (-fd) {
	case EAGAIN:
		return TAKEN_NONE;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		if (log_allowed(&limit))
			log_warn("accept: %s: pausing; raise the limit on open "
				 "files (ulimit -n) or lower "
				 "worker_connections",
			    strerror(-fd));
		look_away(a, OUT_OF_FDS_S);
		/* Leave the connections to the other workers. */
		atomic_store(&a->to.slot->accepting, 0);
		return TAKEN_SHORT;
	default:
		return TAKEN_GONE;
	}
}

static bool
is_full(struct acceptor *a)
{
	static struct log_limit limit;

	if (atomic_load(&a->to.slot->connections) < a->to.connections_max)
		return false;
	if (!a->full && log_allowed(&limit))
		log_warn("worker_connections %u reached: new connections "
			 "wait",
		    (unsigned)a->to.connections_max);
	a->full = true;
	watch_all(a, false);
	return true;
}

static void
on_connection(struct ev_loop *loop, ev_io *io, int revents)
{
	struct watch *w = io->data;
	struct acceptor *a = w->acceptor;

	(void)loop;
	(void)revents;
	if (is_full(a))
		return;
	if (!is_our_turn(a))
		look_away(a, LOOK_AWAY_S);
	else
		(void)accept_one(w);
}

struct acceptor *
acceptor_new(const struct acceptor_setup *setup)
{
	struct acceptor *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->to = *setup;
	a->idle_fewest = UINT32_MAX;
	ev_timer_init(&a->pause, on_pause_over, 0., 0.);
	a->pause.data = a;
	return a;
}

int
acceptor_watch(struct acceptor *a, const struct listener *l, void *server)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -ENOMEM;
	w->acceptor = a;
	w->listener = l;
	w->server = server;
	w->next = a->watches;
	a->watches = w;
	ev_io_init(&w->io, on_connection, l->fd, EV_READ);
	w->io.data = w;
	return 0;
}

void
acceptor_start(struct acceptor *a)
{
	a->running = true;
	atomic_store(&a->to.slot->accepting, 1);
	watch_all(a, true);
}

void
acceptor_drain(struct acceptor *a)
{
	if (!a->running)
		return;
	for (struct watch *w = a->watches; w != NULL; w = w->next) {
		enum taken t;

		do
			t = accept_one(w);
		while (t == TAKEN_ONE || t == TAKEN_GONE);
	}
	acceptor_stop(a);
}

void
acceptor_stop(struct acceptor *a)
{
	a->running = false;
	atomic_store(&a->to.slot->accepting, 0);
	watch_all(a, false);
	ev_timer_stop(a->to.loop, &a->pause);
}

void
acceptor_on_room(struct acceptor *a)
{
	if (!a->full)
		return;
	a->full = false;
	if (a->running && !ev_is_active(&a->pause))
		watch_all(a, true);
}

void
acceptor_free(struct acceptor **ap)
{
	struct acceptor *a = *ap;

	if (a == NULL)
		return;
	acceptor_stop(a);
	while (a->watches != NULL) {
		struct watch *w = a->watches;

		a->watches = w->next;
		free(w);
	}
	free(a);
	*ap = NULL;
}
