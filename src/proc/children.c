#include "proc/children.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fd_pass.h"
#include "base/log.h"
#include "shared/metrics.h"
#include "proc/inherit.h"
#include "proc/signals.h"
#include "proc/title.h"

enum {
	HEALTHY_MS = 5000, /* a worker that lived so long restarts at once */
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 10000,
};

int
children_init(struct children *c, struct shared *shared)
{
	int err;

	list_init(&c->list);
	c->shared = shared;
	if (pipe(c->alive) == -1)
		return -errno;
	for (int i = 0; i < 2; i++) {
		err = fd_set_cloexec(c->alive[i]);
		if (err < 0)
			return err;
	}
	return 0;
}

void
children_fini(struct children *c)
{
	struct list_node *n;

	while ((n = list_shift(&c->list)) != NULL)
		free(container_of(n, struct child, node));
	fd_close(&c->alive[0]);
	fd_close(&c->alive[1]);
}

/* Forget those of a generation that was not forked yet. */
static void
take_off(struct children *c, unsigned generation)
{
	LIST_FOREACH(struct child, ch, &c->list, node) {
		if (ch->generation != generation || ch->pid != 0)
			continue;
		list_remove(&ch->node);
		free(ch);
	}
}

int
children_add(struct children *c, unsigned generation, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct child *ch = calloc(1, sizeof(*ch));

		if (ch == NULL) {
			take_off(c, generation);
			return -ENOMEM;
		}
		ch->control = -1;
		ch->index = (unsigned)i;
		ch->generation = generation;
		list_append(&c->list, &ch->node);
	}
	return 0;
}

/* (They are listed in the order of their generations.) */
size_t
children_generations(const struct children *c)
{
	unsigned last = 0;
	size_t n = 0;

	LIST_FOREACH(const struct child, ch, &c->list, node) {
		n += ch->generation != last;
		last = ch->generation;
	}
	return n;
}

size_t
children_slots_left(const struct children *c)
{
	size_t free = shm_slots_free(c->shared->shm), due = 0;

	LIST_FOREACH(const struct child, ch, &c->list, node) {
		due += ch->slot == NULL;
	}
	return free > due ? free - due : 0;
}

/* In the child, signals still blocked: forget what is the master's, and work.
 * The worker unblocks them when it has its own handlers. */
static void
be_worker(struct children *c, const struct child *ch, int control,
    const struct worker_setup *setup)
{
	struct worker_setup own = *setup;
	char who[16];

	inherit_from_master();
	snprintf(who, sizeof(who), "%u.%u", ch->index, ch->generation);
	log_set_who(who);
	title_set("penstock-worker", "worker process");
	fd_close(&c->alive[1]);
	LIST_FOREACH(struct child, other, &c->list, node)
		fd_close(&other->control);
	c->in_child(c->arg);
	own.shared = c->shared;
	own.slot = ch->slot;
	own.number = ch->index;
	own.generation = ch->generation;
	own.master = c->alive[0];
	own.control = control;
	exit(worker_run(&own));
}

static void
children_schedule(struct child *ch, uint64_t now)
{
	ch->backoff_ms =
	    ch->backoff_ms == 0 ? BACKOFF_FIRST_MS : ch->backoff_ms * 2;
	if (ch->backoff_ms > BACKOFF_MAX_MS)
		ch->backoff_ms = BACKOFF_MAX_MS;
	ch->due_ns = now + ch->backoff_ms * NS_PER_MS;
}

/* As fork(2), with a pair of sockets between both; in the child it does not return. */
static pid_t
fork_with_control(
    struct children *c, struct child *ch, const struct worker_setup *setup)
{
	int pair[2], err = fd_pass_pair(pair);
	pid_t pid;

	if (err < 0) {
		errno = -err;
		return -1;
	}
	ch->control = pair[0];
	pid = signals_fork();
	if (pid == 0)
		be_worker(c, ch, pair[1], setup);
	err = errno;
	fd_close(&pair[1]);
	if (pid == -1)
		fd_close(&ch->control);
	errno = err;
	return pid;
}

static void
fork_one(struct children *c, struct child *ch, const struct worker_setup *setup)
{
	uint64_t now = clock_mono_ns();
	pid_t pid;

	ch->slot = shm_slot_take(c->shared->shm);
	if (ch->slot == NULL) {
		log_error("%d workers live: too many reloads with uploads that "
			  "still run; one is missing",
		    (int)SHM_SLOTS);
		children_schedule(ch, now);
		return;
	}
	atomic_store(&ch->slot->stopping, c->stopping);
	pid = fork_with_control(c, ch, setup);
	if (pid == -1) {
		log_error("fork: %s", strerror(errno));
		shm_slot_wipe(ch->slot);
		ch->slot = NULL;
		children_schedule(ch, now);
		return;
	}
	atomic_store(&ch->slot->pid, (uint32_t)pid);
	ch->pid = pid;
	ch->born_ns = now;
}

int
children_tend(struct children *c, const struct worker_setup *setup)
{
	uint64_t now = clock_mono_ns(), soonest = UINT64_MAX;

	LIST_FOREACH(struct child, ch, &c->list, node) {
		if (ch->pid != 0)
			continue;
		if (ch->due_ns <= now)
			fork_one(c, ch, setup);
		if (ch->pid == 0 && ch->due_ns < soonest)
			soonest = ch->due_ns;
	}
	if (soonest == UINT64_MAX)
		return -1;
	return soonest <= now ? 0 : (int)((soonest - now) / NS_PER_MS) + 1;
}

static struct child *
children_find(const struct children *c, pid_t pid)
{
	LIST_FOREACH(struct child, ch, &c->list, node) {
		if (ch->pid == pid)
			return ch;
	}
	return NULL;
}

static void
log_end(const struct child *ch, int status, bool again)
{
	const char *then = again ? ": restarting it" : "";

	if (WIFSIGNALED(status))
		log_error("worker %ld (%u.%u) was ended by signal %d (%s)%s",
		    (long)ch->pid, ch->index, ch->generation, WTERMSIG(status),
		    strsignal(WTERMSIG(status)), then);
	else if (WEXITSTATUS(status) != 0 || again)
		log_error("worker %ld (%u.%u) ended with status %d%s",
		    (long)ch->pid, ch->index, ch->generation,
		    WEXITSTATUS(status), then);
	else
		log_info("worker %ld (%u.%u) is done", (long)ch->pid, ch->index,
		    ch->generation);
}

/* Take back all that is shared of a worker that has ended. */
static void
children_forget(struct children *c, struct child *ch, bool stopping)
{
	if (shared_forget(c->shared, ch->slot, ch->pid) && !stopping)
		log_notice("worker %ld (%u.%u) was the last that had "
			   "found a disk sick: uploads try it again",
		    (long)ch->pid, ch->index, ch->generation);
	fd_close(&ch->control);
	ch->slot = NULL;
	ch->pid = 0;
}

void
children_reap(struct children *c, bool stopping)
{
	uint64_t now = clock_mono_ns();
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *ch = children_find(c, pid);
		bool again;

		if (ch == NULL) {
			c->on_other(c->arg, pid, status);
			continue;
		}
		again = !stopping && !ch->retired;
		if (again)
			metrics_add(metrics_share_of_master(c->shared->metrics),
			    METRICS_RESTARTS, 1);
		log_end(ch, status, again);
		children_forget(c, ch, stopping);
		if (!again) {
			list_remove(&ch->node);
			free(ch);
			continue;
		}
		if (now - ch->born_ns > HEALTHY_MS * NS_PER_MS) {
			ch->backoff_ms = 0;
			ch->due_ns = now;
		} else {
			children_schedule(ch, now);
		}
	}
}

void
children_announce_stop(struct children *c)
{
	c->stopping = true;
	LIST_FOREACH(const struct child, ch, &c->list, node) {
		if (ch->slot != NULL)
			atomic_store(&ch->slot->stopping, 1);
	}
}

void
children_signal(struct children *c, int sig)
{
	LIST_FOREACH(struct child, ch, &c->list, node) {
		if (ch->pid == 0) {
			list_remove(&ch->node);
			free(ch);
			continue;
		}
		(void)kill(ch->pid, sig);
	}
}

void
children_retire(struct children *c, unsigned generation)
{
	LIST_FOREACH(struct child, ch, &c->list, node) {
		if (ch->generation >= generation || ch->retired)
			continue;
		ch->retired = true;
		if (ch->pid != 0) {
			(void)kill(ch->pid, SIGQUIT);
		} else {
			list_remove(&ch->node);
			free(ch);
		}
	}
}

bool
children_has_generation(const struct children *c, unsigned generation)
{
	LIST_FOREACH(const struct child, ch, &c->list, node) {
		if (ch->generation == generation)
			return true;
	}
	return false;
}

bool
children_are_ready(const struct children *c, unsigned generation)
{
	LIST_FOREACH(const struct child, ch, &c->list, node) {
		if (ch->generation == generation &&
		    (ch->slot == NULL || !atomic_load(&ch->slot->accepting)))
			return false;
	}
	return true;
}

bool
children_die_early(const struct children *c, unsigned generation)
{
	LIST_FOREACH(const struct child, ch, &c->list, node) {
		if (ch->generation == generation && ch->backoff_ms > 0)
			return true;
	}
	return false;
}

bool
children_accept(const struct children *c)
{
	LIST_FOREACH(const struct child, ch, &c->list, node) {
		if (ch->slot != NULL && atomic_load(&ch->slot->accepting))
			return true;
	}
	return false;
}

bool
children_are_gone(const struct children *c)
{
	return list_is_empty(&c->list);
}

bool
children_are_stuck(const struct children *c)
{
	LIST_FOREACH(const struct child, ch, &c->list, node) {
		if (ch->slot == NULL || atomic_load(&ch->slot->stuck_ops) == 0)
			return false;
	}
	return true;
}

void
children_log_stuck(const struct children *c)
{
	LIST_FOREACH(const struct child, ch, &c->list, node) {
		unsigned ops = atomic_load(&ch->slot->stuck_ops);

		log_error("worker %ld cannot end: %u operations wait for the "
			  "disk under %s",
		    (long)ch->pid, ops,
		    ops > 0 ? ch->slot->stuck_dir : "an output_dir");
	}
}
