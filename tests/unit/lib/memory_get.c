/* A file on its way out of the store in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow/reader.h"
#include "lib/memory_internal.h"

#define MEMORY_GET_MAGIC 0x6d676574U

struct memory_get {
	unsigned magic;
	struct memory_job job;
	struct outgoing base;
	bool is_closed;
	bool is_latest;	       /* whatever it is called */
	bool is_partial;       /* base.name is an ID */
	struct reader *reader; /* NULL: gone */
	struct chunk *reading;
	size_t reading_max;
	unsigned char *bytes; /* a copy: it may be replaced meanwhile */
};

static void
free_get(struct memory_get *g)
{
	memory_job_end(&g->job);
	g->magic = 0;
	if (g->base.fd != -1)
		close(g->base.fd);
	free(g->bytes);
	free(g);
}

static struct memory_get *
get_of(struct outgoing *out)
{
	struct memory_get *g = container_of(out, struct memory_get, base);

	check_magic(g, MEMORY_GET_MAGIC);
	return g;
}

static void
get_ready(struct memory_get *g, const void *bytes, size_t len,
    const struct object_info *info)
{
	g->bytes = memory_copy(bytes, len);
	g->base.end = len;
	g->base.events->on_ready(g->base.owner, info); /* may close `g` */
}

static void
end_open_partial(struct memory_get *g, struct failure why)
{
	const struct memory *m = g->job.m;
	const struct memory_partial *mp = memory_partial_find(m, g->base.name);
	struct object_info info = {0};

	if (failure_is(why)) {
		g->base.events->on_failed(g->base.owner, why);
	} else if (mp != NULL && mp->is.phase == PARTIAL_OPEN) {
		info.size = mp->is.offset;
		get_ready(g, mp->bytes, (size_t)mp->is.offset, &info);
	} else {
		g->base.events->on_failed(
		    g->base.owner, failure_of(OUTCOME_NO_UPLOAD, 0));
	}
}

static const struct memory_object *
object_to_read(const struct memory_get *g)
{
	const struct list *all = &g->job.m->objects;

	if (!g->is_latest)
		return memory_find_object(g->job.m, g->base.name);
	return list_is_empty(all)
		   ? NULL
		   : container_of(all->head.prev, struct memory_object, node);
}

/* A descriptor of its bytes, and of fewer where a read is to fail. */
static int
file_of(const struct memory *m, const struct memory_object *o)
{
	char path[] = "/tmp/memory_get.XXXXXX";
	size_t len = o->len;
	int fd = mkstemp(path);

	check(fd != -1 && unlink(path) == 0);
	if (failure_is(m->plan.why[MEMORY_READ]))
		len = len / 2;
	check(write(fd, o->bytes, len) == (ssize_t)len);
	return fd;
}

static void
end_open(struct memory_get *g, struct failure why)
{
	const struct memory_object *o = object_to_read(g);

	if (!failure_is(why) && o == NULL)
		why = g->is_latest ? failure_of(OUTCOME_NONE_YET, 0)
				   : failure_of_errno(-ENOENT);
	if (failure_is(why)) {
		/* may close `g` */
		g->base.events->on_failed(g->base.owner, why);
		return;
	}
	check(o != NULL);
	memcpy(g->base.name, o->name, strlen(o->name) + 1);
	if (g->job.m->plan.in_files)
		g->base.fd = file_of(g->job.m, o);
	get_ready(g, o->bytes, o->len, &o->info); /* may close `g` */
}

static void
end_read(struct memory_get *g, struct failure why)
{
	struct chunk *c = g->reading;
	uint64_t left = g->base.end - g->base.offset;
	size_t n = left < g->reading_max ? (size_t)left : g->reading_max;

	g->reading = NULL;
	if (g->reader == NULL) {
		chunk_give(c);
		return;
	}
	if (!failure_is(why)) {
		memcpy(c->data, g->bytes + g->base.offset, n);
		c->len = n;
		g->base.offset += n;
		g->base.source.ended = g->base.offset == g->base.end;
	}
	reader_filled(g->reader, c, why); /* may close `g` */
}

static void
on_get_step(struct deferred *d)
{
	struct memory_get *g = container_of(d, struct memory_get, job.end_step);
	struct failure why;

	check_magic(g, MEMORY_GET_MAGIC);
	if (!memory_end_step(&g->job, &why))
		return;
	if (g->is_closed) {
		if (g->reading != NULL)
			chunk_give(g->reading);
		free_get(g);
	} else if (g->job.step == MEMORY_OPEN && g->is_partial) {
		end_open_partial(g, why);
	} else if (g->job.step == MEMORY_OPEN) {
		end_open(g, why);
	} else {
		end_read(g, why);
	}
}

static enum source_result
memory_read(struct source *s, struct chunk *c, size_t size, struct reader *r)
{
	struct memory_get *g = get_of(container_of(s, struct outgoing, source));

	check(c->len == 0);
	if (g->base.offset == g->base.end) {
		s->ended = true;
		return SOURCE_BYTES;
	}
	g->reader = r;
	g->reading = c;
	g->reading_max = size;
	memory_begin_step(&g->job, MEMORY_READ);
	return SOURCE_TAKEN;
}

static void
memory_source_abandon(struct source *s)
{
	struct memory_get *g = get_of(container_of(s, struct outgoing, source));

	g->reader = NULL;
	if (g->reading != NULL)
		chunk_disown(g->reading);
}

static const struct source_ops memory_source_ops = {
    .read = memory_read,
    .abandon = memory_source_abandon,
};

static struct failure
open_get(struct store *s, const char *name, bool is_partial,
    const struct get_events *events, void *owner, struct outgoing **ret)
{
	struct memory *m = memory_of(s);
	struct memory_get *g;

	if (failure_is(m->plan.why[MEMORY_BEGIN_GET]))
		return m->plan.why[MEMORY_BEGIN_GET];
	g = calloc(1, sizeof(*g));
	check(g != NULL);
	g->magic = MEMORY_GET_MAGIC;
	g->base.source.ops = &memory_source_ops;
	g->base.source.fd = g->base.fd = -1;
	g->base.store = s;
	g->base.account = &m->account;
	g->base.events = events;
	g->base.owner = owner;
	g->is_latest = name == NULL;
	g->is_partial = is_partial;
	if (name != NULL)
		memcpy(g->base.name, name, strlen(name) + 1);
	memory_job_begin(&g->job, m, &m->gets, on_get_step);
	*ret = &g->base;
	memory_begin_step(&g->job, MEMORY_OPEN);
	return failure_none();
}

struct failure
memory_open_object(struct store *s, const char *name,
    const struct get_events *events, void *owner, struct outgoing **ret)
{
	return open_get(s, name, false, events, owner, ret);
}

struct failure
memory_open_partial(struct store *s, const char *id,
    const struct get_events *events, void *owner, struct outgoing **ret)
{
	return open_get(s, id, true, events, owner, ret);
}

void
memory_close(struct outgoing *out)
{
	struct memory_get *g = get_of(out);

	g->is_closed = true;
	g->reader = NULL;
	if (!g->job.in_flight)
		free_get(g);
}
