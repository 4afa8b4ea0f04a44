/*
 * The store in memory, as its files share it: memory_store.c, memory_put.c,
 * memory_get.c, memory_partial.c, memory_task.c.
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

struct memory_put;

/* A partial; what it points to is its own. */
struct memory_partial {
	struct list_node node;
	struct partial is;
	bool is_hidden; /* who does not have it cannot read its record */
	struct memory_put *holder; /* NULL: nobody has it open */
	bool is_held;		   /* by somebody elsewhere, says the test */
	unsigned char *bytes;	   /* is.offset of them, while it is OPEN */
};

struct memory {
	struct store base;
	struct store_setup to;
	struct memory_plan plan;
	struct chunk_account account;
	struct deferred settle;
	struct list objects;
	struct list partials;
	struct list puts, gets, tasks; /* struct memory_job */
	uint64_t versions;	       /* that there have been */
	uint64_t last_ns;	       /* of the last commit */
};

/* What a put and a get have in common: they do one step at a time. */
struct memory_job {
	struct memory *m;
	struct list_node node;
	struct deferred end_step;
	enum memory_step step; /* the last one that was begun */
	bool in_flight;	       /* it has not ended */
};

/* A file on its way in. */
struct memory_put {
	unsigned magic;
	struct memory_job job;
	struct incoming base;
	struct sink sink;
	bool told; /* stored, or failed */
	bool called_off;
	bool collects; /* whether it may be made is seen when it is committed */
	struct writer *writer;	   /* NULL: gone */
	struct list writing;	   /* chunks */
	struct preconditions *pre; /* NULL: none */
	char *name, *forerunner;
	const char *reason; /* PRECONDITION: what does not hold */
	unsigned char *bytes;
	size_t len;
	/* ---- of a partial ---- */
	struct memory_partial *partial; /* NULL: it is none, or not yet */
	struct memory_partial *next;	/* what it is to be, or to become */
	char id[PARTIAL_ID_LEN + 1];	/* that is to be opened */
	struct digest *hash;
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
void memory_remove_object(struct memory_object *o);

/* memory_put.c: store/store.h, and memory_store_fail_all() of one. */
struct memory_put *memory_put_of(struct incoming *in);
struct memory_put *memory_put_new(
    struct store *s, const struct put_events *events, void *owner);
void memory_put_name(struct memory_put *p, const struct put_request *request);
struct failure memory_put_judge(struct memory_put *p);
void memory_put_failed(struct memory_put *p, struct failure why);
struct failure memory_create(struct store *s, const struct put_request *request,
    const struct put_events *events, void *owner, struct incoming **ret);
uint64_t memory_offset(struct incoming *in);
void memory_commit(struct incoming *in, uint64_t last_ns);
void memory_abort(struct incoming *in);
void memory_put_fail(struct memory_job *j, struct failure why);

/* memory_partial.c: store/store.h of partials; and how their steps end.  At the end of a
 * put's create and commit there is a partial, and it is stored. */
struct failure memory_resume(struct store *s, const char *id,
    const struct put_events *events, void *owner, struct incoming **ret);
void memory_append(struct incoming *in, const struct put_request *request);
void memory_suspend(struct incoming *in, const struct partial *what);
void memory_hash(struct incoming *in, struct digest *d);
void memory_conclude(
    struct incoming *in, enum partial_phase phase, struct span answer);
void memory_remove(struct incoming *in);
struct memory_partial *memory_partial_find(
    const struct memory *m, const char *id);
struct memory_partial *memory_partial_copy(const struct partial *from);
void memory_partial_free(struct memory_partial **mp);
void memory_partial_created(struct memory_put *p);
void memory_partial_stored(struct memory_put *p, const struct object_info *i);
void memory_partial_let_go(struct memory_put *p);
void memory_partial_end_step(struct memory_put *p, struct failure why);

/* memory_task.c: store/task.h */
struct store_task *memory_settle(struct incoming *in);
struct store_task *memory_take_back(
    struct store *s, const char *name, const struct object_info *stored);

/* memory_get.c */
struct failure memory_open_partial(struct store *s, const char *id,
    const struct get_events *events, void *owner, struct outgoing **ret);
struct failure memory_open_object(struct store *s, const char *name,
    const struct get_events *events, void *owner, struct outgoing **ret);
void memory_close(struct outgoing *out);

#endif
