#include "proc/needs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "shared/mount_history.h"
#include "config/lexer.h"
#include "disk/chunk.h"
#include "proc/kinds.h"
#include "proc/owners.h"
#include "proc/refusal.h"

enum {
	DIRECTORIES_MIN = 1024, /* what reloads may bring, and time */
	DISKS_MIN = 256,
	/* standard ones, error log, epoll, ring, wake-ups, the master's pipe; and
	 * those that bodies pass through */
	FDS_OF_WORKER = 16 + 2 * CHUNK_PIPES_MAX,
	/* what is opened and closed again by jobs of a disk, or kept open for
	 * the next one (PUBLISH_SPARE_MAX) */
	FDS_AT_WORK = 80,
	FDS_PER_CONNECTION = 4, /* socket, file, directory, and a spare */
	CONNECTIONS_MIN = 16,	/* with fewer it is no server */
	THREADS_MIN = 2,	/* of a worker: for a disk, and for a log */
};

/* What is open for as long as a worker lives. */
struct open_files {
	size_t directories; /* descriptors of output directories */
	size_t locations;
	size_t listens, access_logs;
};

/* Those that are files, as many as there may be: most are equal. */
static size_t
count_logs(const struct config *conf)
{
	struct conf_log_walk walk = {0};
	const struct conf_access_log *l;
	const struct conf_place *at;
	const char *before = "";
	size_t count = 0;

	while ((l = config_next_access_log(conf, &walk, &at)) != NULL) {
		if (strcmp(l->target, before) != 0)
			count += l->socket != NULL || l->target[0] == '/';
		before = l->target;
	}
	return count;
}

static struct open_files
count_open(const struct config *conf)
{
	struct open_files n = {.access_logs = count_logs(conf)};

	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		n.listens += s->listen_count;
		n.locations += s->location_count;
		for (size_t k = 0; k < s->location_count; k++) {
			const struct store_policy *policy =
			    &s->locations[k].policy;

			n.directories += kinds_of(policy)->descriptors(policy);
		}
	}
	return n;
}

static size_t
sum(const struct open_files *n)
{
	return FDS_OF_WORKER + FDS_AT_WORK + n->directories + n->listens +
	       n->access_logs;
}

/* Room in shared memory for this configuration and for those that reloads
 * bring; directories come and go beneath one path, too. */
static struct shared_room
needs_room(const struct config *conf)
{
	size_t locations = count_open(conf).locations;

	return (struct shared_room){
	    .connections =
		(conf->worker_processes + 1) * conf->worker_connections,
	    /* of this generation, and of the one before or after it */
	    .directories = locations * 2 > DIRECTORIES_MIN ? locations * 2
							   : DIRECTORIES_MIN,
	    .disks = locations * 2 > DISKS_MIN ? locations * 2 : DISKS_MIN,
	};
}

bool
needs_share(const struct config *conf, struct shared *s)
{
	struct shared_room room = needs_room(conf);
	int err = shared_init(s, &room);

	if (err < 0)
		log_error("shared memory for %zu connections, and for %zu "
			  "output directories, cannot be had: %s; lower "
			  "worker_connections, or have fewer locations",
		    room.connections, room.directories, strerror(-err));
	return err == 0;
}

void
needs_raise_limit(const struct config *conf)
{
	struct open_files n = count_open(conf);
	size_t want = sum(&n) + conf->worker_connections * FDS_PER_CONNECTION;
	size_t have = 0;

	if (fd_raise_limit(want, &have) < 0 || have < want) {
		char value[NUM_TEXT_MAX];

		snprintf(value, sizeof(value), "%zu",
		    (size_t)conf->worker_connections);
		refusal_warn(&conf->worker_connections_at, "worker_connections",
		    value,
		    "they may need %zu open files, the limit is %zu: raise it "
		    "(ulimit -Hn), or connections beyond it will wait",
		    want, have);
	}
}

/* Where the file says it for the last time. */
static const struct conf_place *
last_place(const struct config *conf, bool of_locations)
{
	const struct conf_server *s = &conf->servers[conf->server_count - 1];
	const struct conf_place *last = NULL;

	if (!of_locations)
		return &s->listens[s->listen_count - 1].place;
	while (s->location_count == 0) /* one block `server` is there */
		s--;
	for (size_t k = 0; k < s->location_count; k++)
		if (last == NULL || s->locations[k].place.line > last->line)
			last = &s->locations[k].place;
	return last;
}

static void
blame_file(const struct config *conf, struct str *errors)
{
	if (conf->worker_processes_at.line != 0)
		lexer_place(errors, &conf->worker_processes_at);
	else
		str_puts(errors, conf->file ? conf->file : "built-in");
	str_puts(errors, ": worker_processes: ");
}

/* Without a thread a worker cannot even log what it lacks.  The limit is on all
 * that its user has; root has none. */
static bool
threads_are_enough(const struct config *conf, struct str *errors)
{
#ifdef RLIMIT_NPROC
	size_t workers = (size_t)conf->worker_processes, need;
	struct rlimit rl;

	need = (workers > 0 ? workers : 1) * (1 + THREADS_MIN);
	if ((geteuid() == 0 && conf->user == NULL) ||
	    getrlimit(RLIMIT_NPROC, &rl) == -1 ||
	    rl.rlim_cur == RLIM_INFINITY || rl.rlim_cur >= need)
		return true;
	blame_file(conf, errors);
	str_printf(errors,
	    "workers need %zu processes and threads at least, and the limit on "
	    "those of a user is %zu: raise it (ulimit -u, LimitNPROC= of a "
	    "systemd unit), or have fewer workers\n",
	    need, (size_t)rl.rlim_cur);
	return false;
#else
	(void)conf;
	(void)errors;
	return true;
#endif
}

static bool
descriptors_are_enough(const struct config *conf, struct str *errors)
{
	struct open_files n = count_open(conf);
	size_t connections = conf->worker_connections, need, have;
	bool of_locations = n.directories >= n.listens + n.access_logs;

	if (connections > CONNECTIONS_MIN)
		connections = CONNECTIONS_MIN;
	need = sum(&n) + connections * FDS_PER_CONNECTION;
	have = fd_limit_max();
	if (need <= have)
		return true;
	lexer_mistake(errors, last_place(conf, of_locations),
	    of_locations ? "location" : "listen",
	    "a worker needs %zu open files, and the hard limit is %zu: %zu for "
	    "the directories of %zu locations, %zu for %zu listen and %zu "
	    "access_log, %d for itself and %zu for no more than %zu "
	    "connections; raise the limit (ulimit -Hn, LimitNOFILE= of a "
	    "systemd unit), or have fewer %s",
	    need, have, n.directories, n.locations, n.listens + n.access_logs,
	    n.listens, n.access_logs, FDS_OF_WORKER + FDS_AT_WORK,
	    connections * FDS_PER_CONNECTION, connections,
	    of_locations ? "locations" : "of those");
	return false;
}

static bool
are_met(const struct config *conf, struct str *errors)
{
	bool threads = threads_are_enough(conf, errors);
	bool owners = owners_are_known(conf, errors);

	return descriptors_are_enough(conf, errors) && threads && owners;
}

/* Log what is lacking; nothing if `good`. */
static bool
needs_tell(const char *what, bool good, struct str *errors)
{
	if (!good)
		log_lines(LEVEL_ERROR, what, errors->s);
	str_fini(errors);
	return good;
}

bool
needs_are_met(const struct config *conf)
{
	struct str errors = {0};
	bool met = are_met(conf, &errors);

	return needs_tell("", met, &errors);
}

static int
compare(const void *a, const void *b)
{
	const struct conf_location *const *x = a, *const *y = b;
	int by_dir = strcmp((*x)->policy.output_dir, (*y)->policy.output_dir);

	if (by_dir != 0)
		return by_dir;
	return ((*x)->place.line > (*y)->place.line) -
	       ((*x)->place.line < (*y)->place.line);
}

/* How many paths there are, and of those that no worker has open; false: out of
 * memory. */
static bool
count_directories(const struct config *conf,
    const struct mount_history *mount_history, size_t *ret_distinct,
    size_t *ret_closed)
{
	size_t count = count_open(conf).locations, at = 0;
	const struct conf_location **all;

	*ret_distinct = *ret_closed = 0;
	all = calloc(count + 1, sizeof(const struct conf_location *));
	if (all == NULL)
		return false;
	for (size_t i = 0; i < conf->server_count; i++)
		for (size_t k = 0; k < conf->servers[i].location_count; k++)
			all[at++] = &conf->servers[i].locations[k];
	qsort(all, count, sizeof(const struct conf_location *), compare);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && strcmp(all[i - 1]->policy.output_dir,
				 all[i]->policy.output_dir) == 0)
			continue;
		++*ret_distinct;
		*ret_closed += !mount_history_is_open(
		    mount_history, all[i]->policy.output_dir);
	}
	free(all);
	return true;
}

static bool
directories_fit(
    const struct config *conf, const struct children *c, struct str *errors)
{
	size_t room = c->shared->room.directories, distinct, closed;

	if (count_open(conf).locations <= room)
		return true;
	if (!count_directories(
		conf, c->shared->mount_history, &distinct, &closed))
		return false; /* the caller says out of memory: no text */
	if (distinct <= room)
		return true;
	lexer_mistake(errors, last_place(conf, true), "output_dir",
	    "there are %zu of them, and this penstock was started with room "
	    "for "
	    "%zu: restart it, or have fewer",
	    distinct, room);
	return false;
}

static bool
workers_fit(
    const struct config *conf, const struct children *c, struct str *errors)
{
	size_t left = children_slots_left(c);

	if (conf->worker_processes <= left)
		return true;
	blame_file(conf, errors);
	str_printf(errors,
	    "there are to be %" PRIu64 " new ones, and beside those that live, "
	    "or still finish uploads of before the last reloads, %zu can: try "
	    "again when some have ended (shutdown_timeout ends them), have "
	    "fewer, or restart\n",
	    conf->worker_processes, left);
	return false;
}

static bool
generations_fit(
    const struct config *conf, const struct children *c, struct str *errors)
{
	size_t now = children_generations(c);

	if (now < conf->max_generations)
		return true;
	if (conf->max_generations_at.line != 0)
		lexer_place(errors, &conf->max_generations_at);
	else
		str_puts(errors, conf->file ? conf->file : "built-in");
	str_printf(errors,
	    ": max_generations %" PRIu64
	    ": workers of %zu generations live, since "
	    "those of before the last reloads still finish what they have: try "
	    "again when some have ended (shutdown_timeout ends them), or allow "
	    "more\n",
	    conf->max_generations, now);
	return false;
}

bool
needs_fit(const char *what, const struct config *conf, const struct children *c)
{
	struct str errors = {0};
	bool directories = directories_fit(conf, c, &errors);
	bool workers = workers_fit(conf, c, &errors);
	bool generations = generations_fit(conf, c, &errors);
	bool met = are_met(conf, &errors);

	return needs_tell(
	    what, met && directories && workers && generations, &errors);
}

/* What workers of before still have open counts, too. */
static void
warn_of_directories(const struct config *conf, const struct children *c)
{
	size_t open = mount_history_count_open(c->shared->mount_history),
	       distinct, closed;

	if (open + count_open(conf).locations <= c->shared->room.directories ||
	    !count_directories(
		conf, c->shared->mount_history, &distinct, &closed) ||
	    open + closed <= c->shared->room.directories)
		return;
	log_warn("reload: %zu output directories beside %zu that earlier "
		 "workers have open are more than the %zu that there is room "
		 "for: some locations may get 503 until those have ended "
		 "(shutdown_timeout ends them)",
	    closed, open, c->shared->room.directories);
}

void
needs_warn(const struct config *conf, const struct children *c)
{
	warn_of_directories(conf, c);
	if (needs_room(conf).connections > c->shared->room.connections)
		log_warn(
		    "reload: %zu workers of worker_connections %zu, and one "
		    "for workers of before, are %zu connections; this "
		    "penstock was started with room for %zu: with more "
		    "than those at once, max_connections_per_ip and "
		    "max_uploads may let through more than they say; "
		    "restart it",
		    (size_t)conf->worker_processes,
		    (size_t)conf->worker_connections,
		    needs_room(conf).connections, c->shared->room.connections);
}
