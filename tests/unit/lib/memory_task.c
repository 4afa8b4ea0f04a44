/* What the store in memory does beside a file's way in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory_internal.h"

struct memory_task {
	struct store_task base;
	struct memory_job job;
	char *name; /* to be taken back */
	char etag[OBJECT_ETAG_SIZE];
};

/* It has its name still, and loses it. */
static int
take_back(const struct memory_task *t)
{
	struct memory_object *o = memory_find_object(t->job.m, t->name);

	if (o == NULL)
		return -ENOENT;
	if (strcmp(o->info.etag, t->etag) != 0)
		return -EEXIST;
	memory_remove_object(o);
	return 0;
}

static void
on_task_step(struct deferred *d)
{
	struct memory_task *t =
	    container_of(d, struct memory_task, job.end_step);
	struct store_task base;
	struct failure why;
	int err;

	if (!memory_end_step(&t->job, &why))
		return;
	err = why.err;
	if (err == 0 && t->job.step == MEMORY_TAKE_BACK)
		err = take_back(t);
	base = t->base;
	memory_job_end(&t->job);
	free(t->name);
	free(t);
	if (base.owner != NULL)
		base.on_done(base.owner, err);
}

static struct memory_task *
task_new(struct memory *m, const char *name)
{
	struct memory_task *t = calloc(1, sizeof(*t));

	check(t != NULL);
	t->name = memory_copy(name, strlen(name));
	memory_job_begin(&t->job, m, &m->tasks, on_task_step);
	return t;
}

struct store_task *
memory_settle(struct incoming *in)
{
	const struct memory_put *p = memory_put_of(in);
	struct memory_task *t = task_new(p->job.m, "");

	check(!p->job.in_flight && !p->told && !p->collects);
	memory_begin_step(&t->job, MEMORY_SETTLE);
	return &t->base;
}

struct store_task *
memory_take_back(
    struct store *s, const char *name, const struct object_info *stored)
{
	struct memory_task *t = task_new(memory_of(s), name);

	memcpy(t->etag, stored->etag, sizeof(t->etag));
	memory_begin_step(&t->job, MEMORY_TAKE_BACK);
	return &t->base;
}
