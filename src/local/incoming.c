/*
 * A file on its way in: what the store, its owner and its directory say to it.
 */
#include "incoming.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "incoming_file.h"
#include "local_error.h"

enum {
	/* On a memory file system: larger ones are not collected. */
	WRITTEN_AT_ONCE = 128 * 1024,
};

static void
on_unhealthy(struct dir_member *m, bool stalled)
{
	(void)stalled;
	incoming_on(
	    container_of(m, struct incoming_file, member), INCOMING_UNHEALTHY);
}

static void
on_healthy(struct dir_member *m)
{
	incoming_on(
	    container_of(m, struct incoming_file, member), INCOMING_HEALTHY);
}

static const struct dir_member_ops member_ops = {
    .on_unhealthy = on_unhealthy,
    .on_healthy = on_healthy,
};

static struct incoming_file *
incoming_of_writer(struct file_writer *w)
{
	return container_of(w, struct incoming_file, writer);
}

static void
on_background(struct file_writer *w, int err, int cause)
{
	struct incoming_file *f = incoming_of_writer(w);

	f->res = err;
	if (cause != 0)
		f->cause = cause;
	incoming_on(
	    f, err < 0 ? INCOMING_BACKGROUND_FAILED : INCOMING_BACKGROUND_DONE);
}

static void
incoming_on_written(struct file_writer *w)
{
	incoming_on(incoming_of_writer(w), INCOMING_WRITTEN);
}

static void
on_late(struct file_writer *w)
{
	incoming_on(incoming_of_writer(w), INCOMING_LATE);
}

static const struct file_writer_events writer_events = {
    .on_background = on_background,
    .on_written = incoming_on_written,
    .on_late = on_late,
};

uint64_t
incoming_offset(struct incoming *in)
{
	return incoming_of(in)->writer.offset;
}

void
incoming_commit(struct incoming *in, uint64_t last_ns)
{
	struct incoming_file *f = incoming_of(in);

	check(f->writer.in_flight == 0);
	f->came.last_ns = last_ns;
	incoming_on(f, file_writer_is_busy(&f->writer) ? INCOMING_COMMIT_BUSY
						       : INCOMING_COMMIT);
}

void
incoming_abort(struct incoming *in)
{
	struct incoming_file *f = incoming_of(in);

	f->base.owner = NULL;
	file_writer_hold(&f->writer);
	file_writer_forget(&f->writer);
	incoming_on(f, INCOMING_ABORT);
}

/* All of it is zeroed, but for what is copied. */
static int
new_file(struct local *local, const struct put_request *request,
    struct incoming_file **ret)
{
	size_t len = strlen(request->name) + 1;
	size_t etag_len =
	    request->forerunner != NULL ? strlen(request->forerunner) + 1 : 0;
	struct incoming_file *f;

	check(len <= FILE_NAME_SIZE);
	if (local->opener.current == NULL && local->opener.err == -EDQUOT)
		return -EDQUOT; /* there is no room to make it */
	if (local->opener.current == NULL)
		return local->opener.err == -ENOSPC ? -ENOSPC
						    : (int)LOCAL_NOT_READY;
	if (!device_accepts_writes(local->opener.current->device)) {
		health_watch(&local->health); /* the path may lead elsewhere */
		return LOCAL_UNHEALTHY;
	}
	f = calloc(1, sizeof(*f) + len + etag_len);
	if (f == NULL)
		return -ENOMEM;
	memcpy(f->name, request->name, len);
	if (etag_len > 0)
		f->target.forerunner =
		    memcpy(f->name + len, request->forerunner, etag_len);
	*ret = f;
	return 0;
}

/* Collecting saves a hop to a thread and back.  On a memory file system there is none to
 * save, and what is not quite small is better written as it comes. */
static bool
collects(const struct local *local, const struct put_request *request)
{
	bool memory = local->opener.current != NULL &&
		      local->opener.current->device->kind == DEVICE_MEMORY;

	return request->collect && request->length <= local->to.chunk_size &&
	       (!memory || request->length < WRITTEN_AT_ONCE);
}

int
incoming_new(struct local *local, const struct put_request *request,
    bool collect, struct incoming_file **ret)
{
	struct local_dir *at = local->opener.current;
	struct incoming_file *f;
	static uint64_t id;
	int err;

	err = new_file(local, request, &f);
	if (err < 0)
		return err;
	if (!collect) {
		f->job = incoming_job_take(&local->jobs, f);
		if (f->job == NULL) {
			free(f);
			return -ENOMEM;
		}
	}
	f->magic = INCOMING_MAGIC;
	f->table = &incoming_table;
	f->state = incoming_table.first;
	f->id = ++id;
	f->local = local;
	f->target.at = at;
	f->target.name = f->name;
	f->target.u.fd = f->target.dir = -1;
	f->target.pre = request->pre;
	f->base.store = &local->base;
	f->base.account = &at->device->account;
	f->came.head_ns = request->head_ns;
	file_writer_init(&f->writer, &local->writers, at, request->length,
	    collect, &writer_events);
	f->base.sink = &f->writer.sink;
	f->member.ops = &member_ops;
	dir_join(at, &f->member);
	f->base.is_ready = collect;
	*ret = f;
	return 0;
}

struct failure
incoming_create(struct store *s, const struct put_request *request,
    const struct put_events *events, void *owner, struct incoming **ret)
{
	struct local *local = local_of(s);
	struct incoming_partial *partial = NULL;
	struct incoming_file *f = NULL;
	bool collect = collects(local, request);
	int err = 0;

	check(request->partial == NULL || !request->collect);
	if (request->partial != NULL) {
		partial = incoming_partial_begin(request->partial);
		err = partial == NULL ? -ENOMEM : 0;
	}
	if (err == 0)
		err = incoming_new(local, request, collect, &f);
	if (err < 0) {
		incoming_partial_free(&partial);
		return local_error_in_put(err, 0);
	}
	f->base.events = events;
	f->base.owner = owner;
	f->partial = partial;
	*ret = &f->base;
	incoming_on(f, collect		 ? INCOMING_COLLECT
		       : partial != NULL ? INCOMING_CREATE_PARTIAL
					 : INCOMING_CREATE);
	return failure_none();
}
