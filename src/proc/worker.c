#include "proc/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/basic.h"
#include "auth/spent.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/log.h"
#include "disk/chunk.h"
#include "disk/device.h"
#include "disk/engine.h"
#include "http/proxied.h"
#include "net/acceptor.h"
#include "proc/kinds.h"
#include "proc/privileges.h"
#include "proc/refusal.h"
#include "proc/secret_files.h"
#include "proc/verdict.h"
#include "upload/takeover.h"
#include "worker_internal.h"

#define OPEN_MAX_S 1.0 /* how long stores may take before we accept */

/* ---- signals ---- */

/* Without a master there is no process that could start new workers: only check
 * the configuration. */
static void
check_reload(const struct worker *w)
{
	struct str errors = {0};
	struct certificates certificates = {0};
	struct secrets *secrets = NULL;
	struct config *fresh = NULL;

	verdict_begin(w->to->verdict);
	if (config_reload(w->to->conf, &errors, &fresh) < 0)
		log_lines(LEVEL_ERROR, "reload: ", errors.s);
	else if (secret_files_read(fresh, "reload: ", &secrets) &&
		 certificates_load(fresh, NULL, &certificates) == 0)
		log_error("reload: the configuration is good, but "
			  "worker_processes 0 has no master that could apply "
			  "it: restart");
	log_error("reload: nothing was changed");
	verdict_give(w->to->verdict, VERDICT_REFUSED);
	certificates_free(&certificates);
	secrets_free(&secrets);
	config_free(&fresh);
	str_fini(&errors);
}

static void
refuse_upgrade(const struct worker *w)
{
	verdict_begin(w->to->upgraded);
	log_error("upgrade: worker_processes 0 has no master that could hand "
		  "its sockets over: restart");
	verdict_give(w->to->upgraded, VERDICT_REFUSED);
}

static void
worker_on_signal(struct ev_loop *loop, ev_signal *s, int revents)
{
	struct worker *w = s->data;

	(void)loop;
	(void)revents;
	switch (s->signum) {
	case SIGQUIT:
	case SIGTERM:
		worker_stop_on(w, s->signum);
		break;
	case SIGHUP:
		check_reload(w);
		break;
	case SIGUSR1:
		worker_reopen_alone(w);
		break;
	case SIGUSR2:
		refuse_upgrade(w);
		break;
	default:
		worker_stop_fast(w);
		break;
	}
}

static void
on_master_gone(struct ev_loop *loop, ev_io *io, int revents)
{
	struct worker *w = io->data;

	(void)revents;
	ev_io_stop(loop, io);
	log_warn("the master is gone: finishing what was accepted");
	worker_stop_gracefully(w);
}

/* ---- starting ---- */

static void
on_closed(void *arg)
{
	struct server *s = arg;

	acceptor_on_room(s->worker->acceptor);
}

static void
on_accepted(void *arg, void *server, const struct listener *at, int fd,
    const struct addr *peer)
{
	struct entrance *e = server;

	(void)arg;
	(void)at;
	(e->proxied ? proxied_open : connections_open)(
	    &e->server->conns, fd, peer, &e->door);
}

/* Accept: all stores have opened themselves, or have had their time. */
static void
on_opened(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct worker *w = t->data;

	(void)revents;
	ev_timer_stop(loop, t);
	acceptor_start(w->acceptor);
	log_info("worker ready, %s", engine_name(w->engine));
	if (w->to->on_ready != NULL)
		w->to->on_ready(w->to->arg);
}

/* Perhaps while the stores behind it are not made yet: from the loop, later. */
static void
on_settled(void *owner)
{
	struct worker *w = owner;

	check(w->unsettled > 0);
	if (--w->unsettled == 0 && ev_is_active(&w->opening))
		ev_feed_event(w->loop, &w->opening, EV_TIMER);
}

/* Does one of the blocks before it listen there, too? */
static bool
is_shared(const struct worker *w, const struct conf_server *s,
    const struct conf_listen *l)
{
	for (const struct conf_server *o = w->to->conf->servers; o < s; o++)
		for (size_t i = 0; i < o->listen_count; i++)
			if (addr_equal(&o->listens[i].addr, &l->addr))
				return true;
	return false;
}

/* What the limits of a server count in: a reload that leaves its addresses
 * as they are goes on with the same counts.  Those that share an address differ by their
 * names. */
static struct limits_scope
limits_scope_of_names(
    const struct limits_scope *outer, const struct conf_server *s)
{
	struct limits_scope scope = *outer;

	for (size_t i = 0; i < s->server_name.count; i++)
		scope = limits_scope(&scope, s->server_name.values[i],
		    strlen(s->server_name.values[i]));
	return scope;
}

static void
begin_limits(struct worker *w, struct server *s)
{
	struct limits_scope scope = {
	    .limits = w->to->shared->limits,
	    .owner = shm_slot_number(w->to->shared->shm, w->to->slot),
	};
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < s->conf->listen_count; i++) {
		addr_format(&s->conf->listens[i].addr, text);
		scope = limits_scope(&scope, text, strlen(text));
		if (is_shared(w, s->conf, &s->conf->listens[i]))
			scope = limits_scope_of_names(&scope, s->conf);
	}
	s->conns.admission.served = limits_scope(&scope, "served", 6);
	s->conns.admission.rejected = limits_scope(&scope, "turned away", 11);
	s->context.uploads = limits_scope(&scope, "uploads", 7);
}

/* Could one upload replace another? */
static bool
overwrites(const struct conf_server *s)
{
	for (size_t k = 0; k < s->location_count; k++) {
		if (s->locations[k].policy.overwrite)
			return true;
	}
	return false;
}

static struct store *
worker_open_store(struct worker *w, const struct store_policy *policy)
{
	const struct shared *shared = w->to->shared;

	return kinds_of(policy)->open(&(struct store_setup){
	    .policy = policy,
	    .loop = w->loop,
	    .engine = w->engine,
	    .devices = w->devices,
	    .shared = shared,
	    .slot = shm_slot_number(shared->shm, w->to->slot),
	    .chunk_size = w->to->conf->chunk_size,
	    .on_settled = on_settled,
	    .owner = w,
	});
}

static int
begin_stores(struct worker *w, struct server *s)
{
	const struct conf_server *conf = s->conf;

	s->context.stores =
	    calloc(conf->location_count + 1, sizeof(*s->context.stores));
	s->context.failures = calloc(conf->location_count * OUTCOME_COUNT + 1,
	    sizeof(*s->context.failures));
	if (s->context.stores == NULL || s->context.failures == NULL)
		return -ENOMEM;
	w->server_count++;
	for (size_t k = 0; k < conf->location_count; k++) {
		s->context.stores[k] =
		    worker_open_store(w, &conf->locations[k].policy);
		if (s->context.stores[k] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void
begin_connections(struct worker *w, struct server *s)
{
	s->conns.loop = w->loop;
	s->conns.pool = w->pool;
	s->conns.conf = s->conf;
	s->conns.handler =
	    s->conf->admin != NULL ? &s->admin.handler : &s->dispatch.handler;
	s->conns.slot = w->to->slot;
	s->conns.on_closed = on_closed;
	s->conns.arg = s;
	s->conns.ids = &w->ids;
	s->conns.stamped = overwrites(s->conf);
	s->conns.observers = &s->counter.observer;
	if (access_log_is_on(&s->access_log))
		s->counter.observer.next = &s->access_log.observer;
	s->conns.detailed = access_log_is_detailed(&s->access_log);
	connections_init(&s->conns);
}

static int
begin_server(struct worker *w, size_t i)
{
	struct server *s = &w->servers[i];
	int err;

	s->worker = w;
	s->conf = &w->to->conf->servers[i];
	s->context.conf = s->conf;
	s->context.env = (struct upload_env){
	    .loop = w->loop,
	    .pool = w->pool,
	    .engine = w->engine,
	    .compute = w->compute,
	    .traces = &w->traces,
	    .limits = w->to->shared->limits,
	    .takeover = w->takeover,
	};
	dispatch_init(&s->dispatch, &s->context);
	err = worker_watch_server(w, s);
	if (err < 0)
		return err;
	err = worker_logs_of(w, s->conf, &s->access_log);
	if (err < 0)
		return err;
	err = rights_new(s->conf, w->to->secrets, w->basic, &s->rights);
	if (err < 0)
		return err;
	s->context.rights = s->rights;
	s->context.spent = w->spent;
	s->context.attempts = w->to->shared->attempts;
	begin_limits(w, s);
	begin_connections(w, s);
	return begin_stores(w, s);
}

/* Memory, devices, engine: what all servers share. */
static int
begin_shared(struct worker *w)
{
	const struct config *conf = w->to->conf;
	const struct shared *shared = w->to->shared;
	unsigned slot = shm_slot_number(shared->shm, w->to->slot);
	int err;

	w->pool =
	    chunk_pool_new(w->loop, conf->chunk_size, conf->buffer_memory);
	if (w->pool == NULL)
		return -ENOMEM;
	w->devices = device_set_new(w->pool);
	if (w->devices != NULL) {
		device_set_share(w->devices, shared->disk_health, slot);
		device_set_take_turns(
		    w->devices, shared->disk_share, &shared->bell, slot);
	}
	w->compute = w->devices ? device_new_compute(w->devices) : NULL;
	if (w->compute == NULL)
		return -ENOMEM;
	(void)digest_start();
	err = engine_new(w->loop, conf->io_engine, &w->engine);
	if (err < 0) {
		refusal_log(&w->to->conf->io_engine_at, "io_engine", NULL,
		    "cannot be had here: %s", strerror(-err));
		return err;
	}
	if (rights_need_passwords(conf)) {
		w->basic = basic_new(w->engine, w->devices);
		if (w->basic == NULL)
			return -ENOMEM;
	}
	w->spent = spent_new(w->engine, w->devices);
	if (w->spent == NULL)
		return -ENOMEM;
	w->takeover = takeover_new(w->loop, shared->wanted, &shared->bell);
	if (w->takeover == NULL)
		return -ENOMEM;
	engine_watch(w->engine, conf->disk_stall_timeout_s);
	engine_hear(w->engine, &shared->bell);
	err = worker_logs_begin(w);
	if (err < 0)
		return err;
	w->traces = (struct trace_group){.out = w->trace,
	    .active = &w->to->slot->traces,
	    .shm = shared->shm};
	w->ids.from = shared->request_ids;
	w->acceptor = acceptor_new(&(struct acceptor_setup){
	    .loop = w->loop,
	    .shm = shared->shm,
	    .slot = w->to->slot,
	    .connections_max = (uint32_t)conf->worker_connections,
	    .on_accepted = on_accepted,
	    .arg = w,
	});
	return w->acceptor ? 0 : -ENOMEM;
}

static void
worker_on_turn(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct worker *w = t->data;
	int ms = w->to->on_turn(w->to->arg);

	(void)revents;
	if (ms == -1)
		return;
	ev_timer_set(t, (ms + 1) / 1e3, 0.);
	ev_timer_start(loop, t);
}

static void
begin_watching(struct worker *w)
{
	enum { ALONE_FROM = 3 }; /* HUP */
	static const int numbers[WORKER_SIGNALS] = {
	    SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};

	for (size_t i = 0; i < WORKER_SIGNALS; i++) {
		/* Of workers that have a master, these are its business. */
		if (i >= ALONE_FROM && !w->to->alone)
			continue;
		ev_signal_init(&w->signals[i], worker_on_signal, numbers[i]);
		w->signals[i].data = w;
		ev_signal_start(w->loop, &w->signals[i]);
	}
	ev_io_init(&w->master, on_master_gone, w->to->master, EV_READ);
	w->master.data = w;
	if (w->to->master != -1)
		ev_io_start(w->loop, &w->master);
	worker_reopen_begin(w);
	worker_stop_init(w);
	ev_timer_init(&w->turning, worker_on_turn, 0., 0.);
	w->turning.data = w;
	if (w->to->on_turn != NULL)
		ev_timer_start(w->loop, &w->turning);
	ev_timer_init(&w->opening, on_opened, OPEN_MAX_S, 0.);
	w->opening.data = w;
	ev_timer_start(w->loop, &w->opening);
}

static int
worker_begin(struct worker *w)
{
	const struct config *conf = w->to->conf;
	int err;

	err = begin_shared(w);
	if (err < 0)
		return err;
	w->servers = calloc(conf->server_count, sizeof(*w->servers));
	if (w->servers == NULL)
		return -ENOMEM;
	/* Before directories are opened: the loop has to have its descriptors,
	 * or libev ends the process. */
	begin_watching(w);
	err = worker_watch_begin(w);
	if (err < 0)
		return err;
	for (size_t i = 0; i < conf->server_count; i++)
		w->unsettled += conf->servers[i].location_count;
	for (size_t i = 0; i < conf->server_count; i++) {
		err = begin_server(w, i);
		if (err < 0)
			return err;
	}
	return entrances_begin(w);
}

/* ---- ending ---- */

/* Say for the master what keeps this process from ending. */
static void
report_stuck(struct worker *w)
{
	struct slot *slot = w->to->slot;
	const char *dir = "a log";

	for (size_t i = 0; i < w->server_count; i++) {
		struct server *s = &w->servers[i];

		for (size_t k = 0; k < s->conf->location_count; k++)
			if (!store_is_idle(s->context.stores[k]))
				dir = s->context.stores[k]->label;
	}
	snprintf(slot->stuck_dir, sizeof(slot->stuck_dir), "%s", dir);
	atomic_store(&slot->stuck_ops, (uint32_t)engine_in_flight(w->engine));
}

/* Free it all, so that leak checkers find what was lost. */
static void
worker_end(struct worker *w)
{
	for (size_t i = 0; i < w->server_count; i++) {
		struct server *s = &w->servers[i];

		for (size_t k = 0; k < s->conf->location_count; k++)
			store_free(&s->context.stores[k]);
		free(s->context.stores);
		free(s->context.failures);
		free(s->rights);
		access_log_fini(&s->access_log);
	}
	worker_watch_end(w);
	free(w->servers);
	entrances_end(w);
	acceptor_free(&w->acceptor);
	worker_logs_end(w);
	basic_free(&w->basic);
	spent_free(&w->spent);
	takeover_free(&w->takeover);
	engine_free(&w->engine);
	device_set_free(&w->devices);
	chunk_pool_free(&w->pool);
	digest_stop();
	ev_loop_destroy(w->loop);
}

int
worker_run(const struct worker_setup *setup)
{
	struct worker w = {.to = setup};
	sigset_t none;
	int err;

	err = privileges_drop(setup->conf->user);
	if (err < 0) {
		refusal_log(&setup->conf->user_at, "user", setup->conf->user,
		    "cannot become it: %s", strerror(-err));
		return 1;
	}
	err = privileges_give_up_new();
	if (err < 0)
		log_warn("no_new_privs cannot be set: %s", strerror(-err));
	w.loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (w.loop == NULL) {
		log_error("no event loop can be made");
		return 1;
	}
	err = worker_begin(&w);
	if (err < 0) {
		log_via(NULL, NULL);
		log_error("worker cannot start: %s", strerror(-err));
		return 1;
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	ev_run(w.loop, 0);
	worker_logs_report(&w);
	if (engine_in_flight(w.engine) > 0) {
		report_stuck(&w);
		_exit(0);
	}
	worker_end(&w);
	return 0;
}
