/*
 * The store in memory, as its files share it: memory_store.c, memory_put.c,
 * memory_get.c.
 */
#ifndef LIB_MEMORY_INTERNAL_H
#define LIB_MEMORY_INTERNAL_H

#include "base/list.h"
#include "lib/memory_store.h"
#include "loop/deferred.h"

struct memory_object {
	struct list_node node; /* the newest is the last */
	char *name;
	unsigned char *bytes;
	size_t len;
	struct object_info info;
};

struct memory {
	struct store base;
	struct store_setup to;
	struct memory_plan plan;
	struct chunk_account account;
	struct deferred settle;
	struct list objects;
	struct list puts, gets; /* struct memory_job */
	uint64_t versions;	/* that there have been */
	uint64_t last_ns;	/* of the last commit */
};

/* What a put and a get have in common: they do one step at a time. */
struct memory_job {
	struct memory *m;
	struct list_node node;
	struct deferred end_step;
	enum memory_step step; /* the last one that was begun */
	bool in_flight;	       /* it has not ended */
};

static inline struct memory *
memory_of(struct store *s)
{
	return container_of(s, struct memory, base);
}

/* `on_step` is called when a step may have ended. */
void memory_job_begin(struct memory_job *j, struct memory *m, struct list *jobs,
    void (*on_step)(struct deferred *d));
void memory_job_end(struct memory_job *j);

void memory_begin_step(struct memory_job *j, enum memory_step step);

/* Has it ended?  Then *ret says how. */
bool memory_end_step(struct memory_job *j, struct failure *ret);

/* `bytes`, and a NUL. */
void *memory_copy(const void *bytes, size_t len);

struct memory_object *memory_find_object(
    const struct memory *m, const char *name);

/* `bytes` are from malloc() and become the object's. */
struct memory_object *memory_add_object(
    struct memory *m, const char *name, unsigned char *bytes, size_t len);

/* memory_put.c: store/store.h, and memory_store_fail_all() of one. */
struct failure memory_create(struct store *s, const struct put_request *request,
    const struct put_events *events, void *owner, struct incoming **ret);
uint64_t memory_offset(struct incoming *in);
void memory_commit(struct incoming *in, uint64_t last_ns);
void memory_abort(struct incoming *in);
void memory_put_fail(struct memory_job *j, struct failure why);

/* memory_get.c */
struct failure memory_open_object(struct store *s, const char *name,
    const struct get_events *events, void *owner, struct outgoing **ret);
void memory_close(struct outgoing *out);

#endif
