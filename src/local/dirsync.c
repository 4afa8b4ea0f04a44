#include "local/dirsync.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "disk/engine.h"
#include "local/path.h"

struct dirsync {
	struct engine *engine;
	struct device *device;
	struct list groups;
};

/* The waits for one directory. */
struct group {
	struct list_node node;
	struct dirsync *of;
	ino_t inode;
	int dir, disk; /* of one of the waits that are covered */
	struct op op;
	struct list covered; /* by the sync that runs */
	struct list waiting; /* for the next one */
	bool running;
};

static void dirsync_begin(struct group *g);

static void
close_covered(struct group *g)
{
	LIST_FOREACH(struct dirsync_wait, w, &g->covered, node) {
		if (!w->keep_dir)
			fd_close(&w->dir);
	}
}

/* On an engine thread.  Their descriptors are closed here, since closing may
 * wait for the disk too. */
static int
sync_job(void *arg)
{
	struct group *g = arg;
	int err = path_sync_dir(g->dir);

	if (err == -EBADF)
		err = path_sync_disk(g->disk);
	close_covered(g);
	return err;
}

static void
dirsync_on_synced(struct op *op, int res)
{
	struct group *g = op->owner;
	struct list_node *n;

	close_covered(g); /* there may have been no thread for the job */
	while ((n = list_shift(&g->covered)) != NULL) {
		struct dirsync_wait *w =
		    container_of(n, struct dirsync_wait, node);

		w->on_done(w, res);
	}
	g->running = false;
	if (!list_is_empty(&g->waiting)) {
		dirsync_begin(g);
		return;
	}
	list_remove(&g->node);
	free(g);
}

/* Sync for all that wait so far. */
static void
dirsync_begin(struct group *g)
{
	struct list_node *n;
	bool small = false;

	g->running = true;
	while ((n = list_shift(&g->waiting)) != NULL) {
		const struct dirsync_wait *w =
		    container_of(n, struct dirsync_wait, node);

		g->dir = w->dir;
		g->disk = w->disk;
		small |= w->small;
		list_append(&g->covered, n);
	}
	engine_call(g->of->engine, g->of->device, &g->op, sync_job, g,
	    CALL_FLUSHES | (small ? CALL_SMALL : 0), dirsync_on_synced);
}

static struct group *
group_of(struct dirsync *s, ino_t inode)
{
	struct group *g;

	LIST_FOREACH(struct group, known, &s->groups, node) {
		if (known->inode == inode)
			return known;
	}
	g = calloc(1, sizeof(*g));
	if (g == NULL)
		return NULL;
	g->of = s;
	g->inode = inode;
	list_init(&g->covered);
	list_init(&g->waiting);
	list_append(&s->groups, &g->node);
	return g;
}

int
dirsync_join(struct dirsync *s, struct dirsync_wait *w)
{
	struct group *g = group_of(s, w->inode);

	if (g == NULL)
		return -ENOMEM;
	if (engine_is_waiting(&g->op)) {
		list_append(&g->covered, &w->node);
		return 0;
	}
	list_append(&g->waiting, &w->node);
	if (!g->running)
		dirsync_begin(g);
	return 0;
}

struct dirsync *
dirsync_new(struct engine *e, struct device *d)
{
	struct dirsync *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->engine = e;
	s->device = d;
	list_init(&s->groups);
	return s;
}

void
dirsync_free(struct dirsync **sp)
{
	struct dirsync *s = *sp;

	if (s == NULL)
		return;
	check(list_is_empty(&s->groups));
	free(s);
	*sp = NULL;
}
