/*
 * store/store.h - the contract of stores: what keeps uploads, of whatever kind.
 *
 *	store_create -> incoming: a sink, then commit or abort
 *	store_open   -> outgoing: a source, then close
 *
 * There is one store for each location and worker.  No call blocks: what takes time ends
 * later, with a call to the owner's put_events or get_events from the loop.  Files below
 * a directory (local/local.h) are one kind of store; others can be added
 * (store/kind.h).  Each has to pass tests/unit/test_store_contract.c, as the one in
 * memory does that unit tests use.
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
#include "store/partial.h"
#include "store/task.h"

struct chunk_account;
struct digest;
struct store;
struct incoming;
struct outgoing;

#define STORE_LENGTH_UNKNOWN UINT64_MAX

/* What has become of the data when the store says that it is stored. */
enum durability {
	DURABLE_SYNCED,	  /* data and name are on stable storage */
	DURABLE_BUFFERED, /* the kernel has them, and will write them later */
	DURABLE_MEMORY,	  /* they are in memory only (tmpfs) */
	DURABLE_COUNT
};

extern const char *const durability_name[DURABLE_COUNT];

/* What to store. */
struct put_request {
	const char *name; /* checked parts, relative; copied */
	uint64_t length;  /* bytes, or STORE_LENGTH_UNKNOWN */
	/* The upload is small, and its client sends the body without waiting for
	 * an answer: the store may collect it in memory and begin when all of it
	 * is there.  Then the put is ready at once. */
	bool collect;
	/* clock_mono_ns() when its head arrived, which decides which of two
	 * overlapping uploads to one name stays; 0: the one that gets the name
	 * last. */
	uint64_t head_ns;
	/* A strong entity-tag: a file that has the name may be replaced, also with
	 * `overwrite` off, if this is its tag; NULL: none may.  Copied. */
	const char *forerunner;
	/*
	 * Conditions on the file that has the name (or on there being none);
	 * NULL: there are none.  The store checks them before the body and again
	 * just before publishing, beside its own `overwrite`.  If they do not hold
	 * the put fails with PRECONDITION.
	 * They come from preconditions_copy() and are the store's from
	 * store_create() on, whatever that returns.
	 */
	struct preconditions *pre;
	/* Begin a partial (store/partial.h): its id, length, client, record and
	 * state, which are copied; its offset is 0.  NULL: the upload lives as
	 * long as its owner.  Not with `collect`. */
	const struct partial *partial;
};

/* What was stored. */
struct stored {
	struct object_info info;
	enum durability durability;
	bool replaced; /* it has replaced a file of that name */
	/* A later upload to that name was faster: this one counts as stored, and
	 * replaced by that at once. */
	bool superseded;
	/* If the data was written after store_commit() only, since it was
	 * collected before: clock_mono_ns() when it was; else 0. */
	uint64_t written_ns;
};

/*
 * Calls to the owner of an incoming file, from the loop.  It may store_abort() the file
 * from within each of them.
 */
struct put_events {
	/* Its sink can be written to. */
	void (*on_ready)(void *owner);
	/* It is stored; `s` is valid during the call. */
	void (*on_stored)(void *owner, const struct stored *s);
	/* It is not stored, and never will be (OUTCOME_UNKNOWN: it may be).
	 * `reason` is a static sentence, if there is more to say than the outcome
	 * does (PRECONDITION: which one does not hold), or NULL.  This may come at
	 * any time, since its storage may fail, and is the last call.  But while
	 * there is a writer, a write that fails is reported by writer_failed(). */
	void (*on_failed)(void *owner, struct failure why, const char *reason);

	/* ---- of a partial; NULL where there are none ---- */

	/* After store_resume(): it is there, and open, and in->partial says what is
	 * known of it.  store_append(), store_remove() or store_abort() is next. */
	void (*on_found)(void *owner);
	/* After store_suspend(): all that was written to it is there for good;
	 * in->partial is up to date.  store_append() may follow, or
	 * store_commit(), or store_abort(). */
	void (*on_suspended)(void *owner);
	/* After store_hash(): the digest has all bytes; or it failed. */
	void (*on_hashed)(void *owner, struct failure why);
	/* After store_remove(): nothing of it is there.  store_abort() is next. */
	void (*on_removed)(void *owner);
};

/* An incoming file. */
struct incoming {
	struct sink *sink; /* for the writer */
	struct store *store;
	struct chunk_account *account; /* for the chunks that go into it */
	const struct put_events *events;
	void *owner;   /* NULL: it was aborted */
	bool is_ready; /* after store_create(): on_ready() will not be called */
	/* From on_ready() or on_found() on; NULL: it is none.  See also
	 * store_resume(), HELD. */
	const struct partial *partial;
};

/* An outgoing file. */
struct outgoing {
	struct source source; /* for the reader */
	struct store *store;
	struct chunk_account *account; /* for the chunks that come from it */
	const struct get_events *events;
	void *owner;
	char name[FILE_NAME_SIZE];
	/* The bytes that are read.  With STORE_CAN_RANGE the caller may narrow
	 * them before its reader starts. */
	uint64_t offset, end;
	/* After on_ready(), until store_close(): a descriptor of the file, if its
	 * bytes are in memory, so that the loop may read them, or have them sent,
	 * without waiting; the caller may do that instead of starting a reader.
	 * -1: only the source has them. */
	int fd;
};

/* Calls to the owner of an outgoing file, from the loop or, when the file is in memory,
 * from within store_open(): one of these, once. */
struct get_events {
	/* It is open: name, offset, end and fd are set; `info` is valid during the
	 * call.  Failures after that are reported by its source to its reader. */
	void (*on_ready)(void *owner, const struct object_info *info);
	/* It cannot be opened, or its storage does not answer. */
	void (*on_failed)(void *owner, struct failure why);
};

/* How a store is. */
enum store_state {
	STORE_READY,
	STORE_CLOSED, /* what it keeps files in is not open: not yet, or any more */
	STORE_STALLED, /* its storage does not answer */
	STORE_FAILED,  /* it answers, and cannot make anything durable */
	STORE_STATES
};

extern const char *const store_state_name[STORE_STATES];

/* The same for those who watch: what is known without asking the storage. */
struct store_view {
	enum store_state state;
	uint64_t in_flight; /* operations of this worker */
	uint64_t buffered;  /* chunks of this worker that are bound for it */
	uint64_t oldest_ns; /* clock_mono_ns() when the oldest operation of this
				worker began; 0: none is in flight */
	uint64_t latency_ns; /* what an operation of this worker took lately */
	bool has_free;	     /* it is known how much is free, and reserved */
	uint64_t free, reserved; /* bytes, for all workers */
};

struct store_ops {
	/* See the functions below.  If create() fails at once, request->pre is
	 * left alone: store_create() frees it. */
	struct failure (*create)(struct store *s,
	    const struct put_request *request, const struct put_events *events,
	    void *owner, struct incoming **ret);
	uint64_t (*offset)(struct incoming *in);
	void (*commit)(struct incoming *in, uint64_t last_ns);
	void (*abort)(struct incoming *in);
	/* with STORE_CAN_TAKE_BACK */
	struct store_task *(*settle)(struct incoming *in);
	struct store_task *(*take_back)(struct store *s, const char *name,
	    const struct object_info *stored);
	/* with STORE_CAN_RESUME */
	struct failure (*resume)(struct store *s, const char *id,
	    const struct put_events *events, void *owner,
	    struct incoming **ret);
	void (*append)(struct incoming *in, const struct put_request *request);
	void (*suspend)(struct incoming *in, const struct partial *what);
	void (*hash)(struct incoming *in, struct digest *d);
	void (*conclude)(
	    struct incoming *in, enum partial_phase phase, struct span answer);
	void (*remove)(struct incoming *in);
	struct failure (*open_partial)(struct store *s, const char *id,
	    const struct get_events *events, void *owner,
	    struct outgoing **ret);

	struct failure (*open)(struct store *s, const char *name,
	    const struct get_events *events, void *owner,
	    struct outgoing **ret);
	void (*close)(struct outgoing *out);
	void (*rest)(struct store *s);
	void (*view)(struct store *s, struct store_view *ret);
	void (*measure)(struct store *s);
	bool (*has_files)(struct store *s);
	bool (*is_idle)(struct store *s);
	void (*free)(struct store *s);
};

/* What only some stores can do. */
enum store_can {
	STORE_CAN_RANGE = 1,  /* read a part of a file, that is narrow
				 outgoing.offset and end */
	STORE_HAS_LATEST = 2, /* open the newest file, whatever its name is */
	STORE_CAN_RESUME = 4, /* partials: store/partial.h */
	STORE_CAN_TAKE_BACK = 8, /* several files are stored, or none */
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
 * Begin a file.  *ret is the caller's until store_abort(); on_ready() follows, or
 * on_failed(), unless it is ready already (request->collect).  A failure that is
 * returned means that nothing was begun: NOT_READY, DISK_UNHEALTHY, NO_MEMORY or DISK_FULL
 * (the store could not even be opened).  request->pre is the store's in any case.
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
 * How many bytes its sink was given so far.  When all are written and their writer has
 * ended, another writer may go on from there.
 */
static inline uint64_t
store_offset(struct incoming *in)
{
	return in->store->ops->offset(in);
}

/*
 * store_commit(in, last_ns):
 * All of it is written: make it durable, as far as the store is to, and visible under
 * its name.  on_stored() follows, or on_failed() (perhaps from within, when out of
 * memory).  `last_ns` is clock_mono_ns() when the last byte arrived; it is used only
 * with put_request.head_ns.
 */
static inline void
store_commit(struct incoming *in, uint64_t last_ns)
{
	in->store->ops->commit(in, last_ns);
}

/*
 * The caller is done with the file, in any state.  Unless it is stored or being
 * committed, nothing of it stays; but a partial stays, at the offset of its last suspend,
 * and others may open it soon.  No event is called any more; operations in flight end
 * by themselves.  Clears the caller's pointer, which may be NULL.
 */
static inline void
store_abort(struct incoming **inp)
{
	if (*inp != NULL)
		(*inp)->store->ops->abort(*inp);
	*inp = NULL;
}

/* ---- several files, or none: of a store with STORE_CAN_TAKE_BACK ---- */

/*
 * store_settle(in, owner, on_done, ret):
 * After on_ready(), of one that does not collect, and when its writer has ended: make durable
 * what is written (as far as the store is to), so that store_commit() has little more to do than
 * to give the name.  on_done() follows; the file may be aborted before.  False: out of memory.
 */
NODISCARD static inline bool
store_settle(struct incoming *in, void *owner,
    void (*on_done)(void *owner, int err), struct store_task **ret)
{
	*ret = in->store->ops->settle(in);
	if (*ret != NULL)
		**ret = (struct store_task){on_done, owner};
	return *ret != NULL;
}

/*
 * store_take_back(s, name, stored, owner, on_done, ret):
 * A file that was stored, and has replaced none, loses its name again (for good, as far as the
 * store is to), unless another one has it by now (-EEXIST), or it is gone (-ENOENT).  on_done()
 * follows.  False: out of memory, or not now.
 */
NODISCARD static inline bool
store_take_back(struct store *s, const char *name,
    const struct object_info *stored, void *owner,
    void (*on_done)(void *owner, int err), struct store_task **ret)
{
	*ret = s->ops->take_back(s, name, stored);
	if (*ret != NULL)
		**ret = (struct store_task){on_done, owner};
	return *ret != NULL;
}

/* ---- partials (store/partial.h), of a store with STORE_CAN_RESUME ---- */

/*
 * store_resume(s, id, events, owner, ret):
 * Open a partial, which nobody else may have open.  *ret is the caller's until
 * store_abort(); on_found() follows, or on_failed(): NO_UPLOAD (there is none with this
 * ID), HELD (another one has it open: it can be asked to let go, upload/takeover.h), or what
 * a disk may say.  A failure that is returned means that nothing was begun.
 * With HELD in->partial says, if that could be read, what never changes: id, client and
 * record; so it can be judged whether the other one is to be asked.  NULL: it could not,
 * since the other one is just making it, say.
 * A partial that has expired is found, with PARTIAL_EXPIRED, as long as it is known.
 */
NODISCARD static inline struct failure
store_resume(struct store *s, const char *id, const struct put_events *events,
    void *owner, struct incoming **ret)
{
	return s->ops->resume(s, id, events, owner, ret);
}

/*
 * store_append(in, request):
 * After on_found() or on_suspended(), while it is PARTIAL_OPEN: more is to be written, from
 * partial->offset on.  `request` is as for store_create(), without `partial` and `collect`:
 * the name and the conditions under which it will be committed, and the `length` that it
 * will have after what comes now (or STORE_LENGTH_UNKNOWN), for which room is reserved.
 * request->pre is the store's.  on_ready() follows, or on_failed() (perhaps from within, when
 * out of memory), after which the partial is as it was.
 */
static inline void
store_append(struct incoming *in, const struct put_request *request)
{
	in->store->ops->append(in, request);
}

/*
 * store_suspend(in, what):
 * After on_ready(), when all is written and the writer has ended: make it durable, and say so
 * beside it.  Of `what` are used: `length`, `state`, and `offset`, at most
 * store_offset(): what is beyond it is not wanted, and as if it had never come.  on_suspended()
 * follows, or on_failed(): then the partial is at the offset that it had before.
 * It may be called as well after a writer that has failed (no space is left, say) or was
 * stopped: what is known to be written counts then, and partial->offset says how much that is.
 */
static inline void
store_suspend(struct incoming *in, const struct partial *what)
{
	in->store->ops->suspend(in, what);
}

/*
 * store_hash(in, d):
 * After on_found(), on_ready() or on_suspended(), and without a writer: have `d`, which has
 * had no bytes yet, read all bytes of a partial from 0 to store_offset().  `d` stays the
 * caller's, and must stay until on_hashed(), or until store_abort() has returned: after that
 * it is not used any more.
 */
static inline void
store_hash(struct incoming *in, struct digest *d)
{
	in->store->ops->hash(in, d);
}

/*
 * store_conclude(in, phase, answer):
 * The last word about it: PARTIAL_STORED after on_stored(), or from within; or
 * PARTIAL_REFUSED after on_found(), on_ready(), on_suspended() or on_failed(): its bytes go.
 * `answer` (at most PARTIAL_ANSWER_MAX, else it is left out) is copied.  No event follows;
 * store_abort() is next, and the partial stays held until the answer is written.  in->partial
 * is NULL from here on: what it said changes while that is done.
 */
static inline void
store_conclude(
    struct incoming *in, enum partial_phase phase, struct span answer)
{
	in->store->ops->conclude(in, phase, answer);
	in->partial = NULL;
}

/* After on_found() or on_suspended(): remove all of it, whatever its phase.  on_removed()
 * follows, or on_failed(). */
static inline void
store_remove(struct incoming *in)
{
	in->store->ops->remove(in);
}

/* As store_open(), of the bytes of a partial up to its offset, without having it alone.
 * on_failed(): NO_UPLOAD, also when it has no bytes (any more), such as one that is stored,
 * which is read by its name; ... */
NODISCARD static inline struct failure
store_open_partial(struct store *s, const char *id,
    const struct get_events *events, void *owner, struct outgoing **ret)
{
	return s->ops->open_partial(s, id, events, owner, ret);
}

/* ---- reading ---- */

/*
 * store_open(s, name, events, owner, ret):
 * Open a file for reading; with `name` NULL the newest one, which only a store with
 * STORE_HAS_LATEST may be asked for.  *ret is the caller's to close, at any time, and one
 * of `events` follows, perhaps from within this call, after *ret was set.  A failure that
 * is returned means that nothing was begun.
 */
NODISCARD static inline struct failure
store_open(struct store *s, const char *name, const struct get_events *events,
    void *owner, struct outgoing **ret)
{
	return s->ops->open(s, name, events, owner, ret);
}

/* The caller is done with the file; operations in flight end by themselves.  Clears the
 * caller's pointer, which may be NULL. */
static inline void
store_close(struct outgoing **outp)
{
	if (*outp != NULL)
		(*outp)->store->ops->close(*outp);
	*outp = NULL;
}

/* No request will come any more: do now, or never, what was postponed (such as removing
 * what `keep latest` could not remove).  May be called again. */
static inline void
store_rest(struct store *s)
{
	s->ops->rest(s);
}

/* How it is now, without asking the storage. */
static inline void
store_view(struct store *s, struct store_view *ret)
{
	*ret = (struct store_view){0};
	s->ops->view(s, ret);
}

/* Have it found out how much room there is, on a thread, unless that was done just before;
 * views have it then. */
static inline void
store_measure(struct store *s)
{
	s->ops->measure(s);
}

/* True while there are incoming or outgoing files, or the store closes what they were
 * in. */
static inline bool
store_has_files(struct store *s)
{
	return s->ops->has_files(s);
}

/* True when no file is open and no operation in flight. */
static inline bool
store_is_idle(struct store *s)
{
	return s->ops->is_idle(s);
}

/* Free the store, which must be idle, and clear the caller's pointer, which may be
 * NULL. */
static inline void
store_free(struct store **sp)
{
	if (*sp != NULL)
		(*sp)->ops->free(*sp);
	*sp = NULL;
}

#endif
