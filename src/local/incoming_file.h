/* A file on its way in, put together from its parts: for incoming.c and
 * incoming_moves.c. */
#ifndef LOCAL_INCOMING_FILE_H
#define LOCAL_INCOMING_FILE_H

#include "file_writer.h"
#include "incoming.h"
#include "incoming_job.h"
#include "incoming_partial.h"
#include "local_store.h"
#include "target.h"

#define INCOMING_MAGIC 0x696e636fU

struct incoming_file {
	unsigned magic;
	unsigned state; /* enum incoming_state */
	const struct fsm_table *table;
	uint64_t id; /* for the log */
	struct incoming base;
	struct local *local;
	/* Its upload's flow may have begun while it was bound for this one, and
	 * charges it to the end; NULL: it is bound for no other now. */
	struct device *charged;
	struct dir_member member;

	struct file_writer writer;

	struct target target;
	struct incoming_partial
	    *partial;		  /* NULL: it lives as long as its owner */
	struct incoming_job *job; /* NULL: it has none to do */
	int res;   /* what the last one came to, or one beside the writes */
	int cause; /* the errno behind it, above 0; or 0 */
	struct arrival came;
	char name[];
};

static inline struct incoming_file *
incoming_of(struct incoming *in)
{
	struct incoming_file *f = container_of(in, struct incoming_file, base);

	check_magic(f, INCOMING_MAGIC);
	return f;
}

/*
 * incoming_new(local, request, collect, ret):
 * A new one, in its first state, in the directory that is open now; its owner and events
 * are the caller's to set.  0, -errno, LOCAL_NOT_READY or LOCAL_UNHEALTHY.
 */
NODISCARD int incoming_new(struct local *local,
    const struct put_request *request, bool collect,
    struct incoming_file **ret);

/* Something has come to `f`, which may be freed by it. */
static inline void
incoming_on(struct incoming_file *f, enum incoming_event ev)
{
	check_magic(f, INCOMING_MAGIC);
	fsm_on(f->table, &f->state, ev, f->id, f);
}

#endif
