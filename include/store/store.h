/*
 * store/store.h - where uploads are kept, whatever keeps them.
 *
 *	store_create -> incoming: a sink, then commit or abort
 *	store_open   -> outgoing: a source, then close
 *
 * One store per location and worker.  Every call returns at once; what may
 * wait is done by the engine and told to the `done` of the caller, later, from
 * the loop.  Local files (local.c) are one kind; others can stand beside it.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/failure.h"
#include "base/object_info.h"
#include "base/preconditions.h"
#include "base/name_limits.h"
#include "flow/sink.h"
#include "flow/source.h"

struct chunk_account;
struct store;
struct incoming;
struct outgoing;

#define STORE_LENGTH_UNKNOWN UINT64_MAX

/* What a 201 stands for. */
enum durability {
	DURABLE_SYNCED,	  /* data and name are on stable storage */
	DURABLE_BUFFERED, /* the kernel has them */
	DURABLE_MEMORY,	  /* and has nowhere else to put them */
	DURABLE_COUNT
};

extern const char *const durability_name[DURABLE_COUNT];

/* What to store. */
struct put_request {
	const char *name; /* checked parts, relative; copied */
	uint64_t length;  /* bytes, or STORE_LENGTH_UNKNOWN */
	/* It is small, and its client does not wait for an answer before it
	 * sends the body: the store may begin when all of it is there.  The put
	 * is ready at once. */
	bool collect;
	/* When its head came, by clock_mono_ns(), where that decides which of two
	 * uploads to one name stays; 0: they count by when they get the name. */
	uint64_t head_ns;
	/* What has the name may be replaced also with `overwrite` off, if it has
	 * this entity-tag (a strong one); NULL: it may not.  Copied. */
	const char *forerunner;
	/*
	 * Beside the store's own `overwrite`; NULL: none.  What has that name is
	 * held against them before the body, and again just before publishing;
	 * else it fails with PRECONDITION.
	 * From preconditions_copy(): store_create() takes them, whatever it
	 * returns, and the store frees them with what it has begun.
	 */
	struct preconditions *pre;
};

/* What was stored. */
struct stored {
	struct object_info info;
	/* Of this file; the store's path may lead elsewhere by now. */
	enum durability durability;
	bool replaced; /* there was one of that name */
	/* It is as if it had got its name, and been replaced at once by a later
	 * one. */
	bool superseded;
	/* When it was written, by clock_mono_ns(), if that was after commit, since
	 * it was collected before; else 0. */
	uint64_t written_ns;
};

/*
 * What the owner of a file on its way in is told, from the loop.  It may
 * store_abort() the file from within each of them.
 */
struct put_events {
	/* It can be written to. */
	void (*on_ready)(void *owner);
	/* It is stored; `s` is good during the call. */
	void (*on_stored)(void *owner, const struct stored *s);
	/* It is not, and never will be (OUTCOME_UNKNOWN: it may be).  `reason` is
	 * a static sentence where there is more to say than the outcome does
	 * (PRECONDITION: which one does not hold), or NULL.  At any time, since
	 * its disk may fall sick, and nothing comes after it.  While there is a
	 * writer, trouble with what it wrote is told by writer_failed(). */
	void (*on_failed)(void *owner, struct failure why, const char *reason);
};

/* A file on its way in. */
struct incoming {
	struct sink *sink; /* for the writer */
	struct store *store;
	struct chunk_account *account; /* the device it is bound for */
	const struct put_events *events;
	void *owner;   /* NULL: it was aborted */
	bool is_ready; /* after store_create(): on_ready() does not follow */
};

/* A file on its way out. */
struct outgoing {
	struct source source; /* for the reader */
	struct store *store;
	struct chunk_account *account;
	const struct get_events *events;
	void *owner;		   /* of these */
	char name[FILE_NAME_SIZE]; /* which file it is */
	uint64_t offset,
	    end; /* what is read; with STORE_CAN_RANGE the caller may
				 narrow it before it reads */
};

/* What is told, on the loop, about a file that is to be read: one of these,
 * once. */
struct get_events {
	/* It is open: `name`, `offset` and `end` are known; `info` is good during
	 * the call.  What goes wrong later its source tells its reader. */
	void (*on_ready)(void *owner, const struct object_info *info);
	/* It cannot be opened, or its disk does not answer. */
	void (*on_failed)(void *owner, struct failure why);
};

struct store_ops {
	/* See the functions below; `request->pre` is the store's unless it
	 * fails at once. */
	struct failure (*create)(struct store *s,
	    const struct put_request *request, const struct put_events *events,
	    void *owner, struct incoming **ret);
	uint64_t (*offset)(struct incoming *in);
	void (*commit)(struct incoming *in, uint64_t last_ns);
	void (*abort)(struct incoming *in);
	struct failure (*open)(struct store *s, const char *name,
	    const struct get_events *events, void *owner,
	    struct outgoing **ret);
	void (*close)(struct outgoing *out);
	void (*rest)(struct store *s);
	bool (*has_files)(struct store *s);
	bool (*is_idle)(struct store *s);
	void (*free)(struct store *s);
};

/* What not every store can do. */
enum store_can {
	STORE_CAN_RANGE = 1,  /* read a part of a file, that is narrow
				 outgoing.offset and end */
	STORE_HAS_LATEST = 2, /* open the newest file, whatever its name is */
};

struct store {
	const struct store_ops *ops;
	const char *label; /* what messages call it: its directory, say */
	unsigned can;	   /* enum store_can, combined with |; for good */
};

static inline bool
store_can(const struct store *s, enum store_can what)
{
	return (s->can & what) != 0;
}

/*
 * store_create(s, request, events, owner, ret):
 * Begin a file, which is the caller's until store_abort().  on_ready() follows, and
 * then it can be written to, or on_failed(); unless it is ready already
 * (request->collect).  Or it fails at once: NOT_READY, DISK_SICK, NO_MEMORY or
 * DISK_FULL (the store cannot even be opened), and nothing was begun (request->pre
 * is freed all the same).
 */
NODISCARD static inline struct failure
store_create(struct store *s, const struct put_request *request,
    const struct put_events *events, void *owner, struct incoming **ret)
{
	struct failure why = s->ops->create(s, request, events, owner, ret);

	if (failure_is(why))
		free(request->pre);
	return why;
}

/*
 * Bytes that its sink was given so far.  When they are written and their writer has
 * gone, another one may go on there.
 */
static inline uint64_t
store_offset(struct incoming *in)
{
	return in->store->ops->offset(in);
}

/*
 * store_commit(in, last_ns):
 * All of it is written: make it durable as the store does, and visible.
 * on_stored() follows, or on_failed() (from within, when out of memory).
 * `last_ns`: when its last byte came, where put_request.head_ns says when its head
 * did; else it is not looked at.
 */
static inline void
store_commit(struct incoming *in, uint64_t last_ns)
{
	in->store->ops->commit(in, last_ns);
}

/*
 * The caller is done with it, whatever it is doing, and whatever it was told:
 * unless it is committed or being committed, nothing of it stays.  Operations in flight are waited for
 * without the caller, whose pointer is cleared.
 */
static inline void
store_abort(struct incoming **inp)
{
	if (*inp != NULL)
		(*inp)->store->ops->abort(*inp);
	*inp = NULL;
}

/*
 * store_open(s, name, events, owner, ret):
 * Open a file for reading, the newest one when `name` is NULL (STORE_HAS_LATEST: to ask
 * another store for it is a bug in the caller).  One of `events`
 * follows, and *ret is the caller's to close, before that or after; or it fails at
 * once, and nothing was begun.
 */
NODISCARD static inline struct failure
store_open(struct store *s, const char *name, const struct get_events *events,
    void *owner, struct outgoing **ret)
{
	return s->ops->open(s, name, events, owner, ret);
}

/* The caller is done with it; operations in flight are waited for. */
static inline void
store_close(struct outgoing **outp)
{
	if (*outp != NULL)
		(*outp)->store->ops->close(*outp);
	*outp = NULL;
}

/* No request will come any more: what the store has postponed (removing what
 * `keep latest` could not remove, say) is done now or never.  May be called
 * again. */
static inline void
store_rest(struct store *s)
{
	s->ops->rest(s);
}

/* Files are on their way in or out, or a directory that they were in is being
 * closed. */
static inline bool
store_has_files(struct store *s)
{
	return s->ops->has_files(s);
}

/* The store waits for nothing any more: no file open, no operation in flight. */
static inline bool
store_is_idle(struct store *s)
{
	return s->ops->is_idle(s);
}

/* Free it, which must be idle, and clear the pointer. */
static inline void
store_free(struct store **sp)
{
	if (*sp != NULL)
		(*sp)->ops->free(*sp);
	*sp = NULL;
}

#endif
