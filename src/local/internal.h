/* A file on its way in, as the files share it that work on it: incoming, create,
 * commit, unlinked, order, parents, name_check. */
#ifndef LOCAL_INTERNAL_H
#define LOCAL_INTERNAL_H

#include <errno.h>
#include <stdatomic.h>

#include "shared/arrivals.h"
#include "shared/reservations.h"
#include "local/dirsync.h"
#include "local/publish.h"
#include "file_version.h"
#include "file_writer.h"
#include "incoming.h"
#include "local_store.h"

enum {
	LOCAL_UNLINKED = 2, /* the file replaced, and the one before it */
	LOCAL_SLOW_BYTES = 1024 * 1024, /* freeing more takes its time */
};

#define INCOMING_MAGIC 0x696e636fU

/* Whether an upload's name may still be kept from appearing. */
enum link_phase {
	LINK_NOT_BEGUN,
	LINK_BEGUN,	 /* it may appear at any time */
	LINK_CALLED_OFF, /* it never will */
	LINK_DURABLE,	 /* it is there for good */
};

struct incoming_file {
	unsigned magic;
	unsigned state; /* enum incoming_state */
	const struct fsm_table *table;
	uint64_t id; /* for the log */
	struct incoming base;
	struct local *local;
	struct local_dir *at;
	/* Its upload's flow may have begun while it was bound for this one, and
	 * charges it to the end; NULL: it is bound for no other now. */
	struct device *charged;
	struct dir_member member;

	struct file_writer writer;

	/* jobs: incoming.c and, on engine threads, create.c and commit.c */
	struct op job; /* the state's */
	int res;       /* what the last one came to, or a job of its writer */
	_Atomic int cause;	       /* the errno behind it, above 0; or 0 */
	enum space_direct says_direct; /* the kernel of it, once it is made */
	const char *why;	       /* LOCAL_REFUSED: what does not hold */
	struct unpublished u;
	int dir;	  /* deepest directory that exists; -1: the root */
	const char *rest; /* the part of `name` below it */
	_Atomic int link_phase; /* no state: engine threads change it, too */
	struct dirsync_wait synced;
	/* the order of those that overlap: order.c */
	uint64_t existing;  /* what has the name now; 0: nothing */
	uint64_t order_key; /* of itself; 0: not yet */
	struct arrival came;
	arrivals_entry place;  /* while it is getting its name */
	uint64_t outlasted_ns; /* when the head of what it replaces came */
	uint64_t ticket;       /* of the newest, from when it got its name */
	/* With `overwrite` off what has this entity-tag may be replaced; NULL:
	 * nothing may.  Behind `name`. */
	const char *forerunner;
	bool replaces;		      /* it will wait for others that replace */
	int unlinked[LOCAL_UNLINKED]; /* what lost its name for it, and is huge;
				       or -1 */
	struct latest_entry *old; /* `keep latest`: to be removed; or NULL */
	struct incoming_follower *follower; /* NULL: it never had to wait so */
	struct preconditions *pre;	    /* NULL: none */
	/* what its owner is told at the end: `struct stored` */
	struct file_version version;
	uint64_t written_ns;
	bool replaced, superseded;
	char name[];
};

/* Something has come to `f`, which may be freed by it. */
static inline void
incoming_on(struct incoming_file *f, enum incoming_event ev)
{
	check_magic(f, INCOMING_MAGIC);
	fsm_on(f->table, &f->state, ev, f->id, f);
}

/* create.c, on engine threads; jobs are given an incoming file. */
int create_job(void *file);
/* Close what is open, and take back a temp name. */
int create_discard_job(void *file);
/* Make the file; `early`: before there is a body. */
NODISCARD int create_file(struct incoming_file *f, bool early);
/* May a file named `name` in `dir` (-1: the root) be made, in place of what is
 * there? */
NODISCARD int create_check_target(
    struct incoming_file *f, int dir, const char *name, bool *ret_exists);
/* What a client can be told before it sends the body. */
NODISCARD int create_check_request(struct incoming_file *f);
/* Close it all; perhaps the directory is gone, and that is behind `err`. */
int create_give_up(struct incoming_file *f, int err);

/* commit.c, on engine threads */
int commit_job(void *file);
int commit_collected_job(void *file); /* make and write it first */
/* On the loop, of a memory file system: would it replace a file? */
bool commit_would_replace(const struct incoming_file *f);

/* unlinked.c, on engine threads */
/*
 * unlinked_hold(dir, name):
 * A file that loses its name is freed when this is closed, and not while others
 * wait for the lock: that may take seconds.  -1: it is freed at once.
 */
int unlinked_hold(int dir, const char *name);
/* Have it freed now; unless it is so huge that `f` has to free it. */
void unlinked_release(struct incoming_file *f, int unlinked);
bool unlinked_is_any(const struct incoming_file *f);
void unlinked_close(struct incoming_file *f);
/* Remove the upload `e`, if it still is the file that it was: 0, LOCAL_REFUSED
 * (it is another) or -errno.  `f` frees it, if that takes time, or NULL. */
NODISCARD int unlinked_remove(struct local_dir *at,
    const struct latest_entry *e, struct incoming_file *f);
int unlinked_remove_before_job(void *file);

/* parents.c, on engine threads */
/*
 * parents_make(f, ret_made, ret_name):
 * Make the directories that its name lacks, have their names on stable storage,
 * and see that they are still where the name leads.  *ret_made and *ret_name as
 * with path_make_parents().
 */
NODISCARD int parents_make(
    struct incoming_file *f, int *ret_made, const char **ret_name);
/* Was it `err`, because its directory (or `made`, -1: none) was removed, by a job
 * that tidies up what is empty, say?  One that was moved away is not lost. */
bool parents_are_lost(const struct incoming_file *f, int made, int err);
/* It was lost, and is looked for again, for the `tries`th time (from 0 on): wait
 * a little first, if that may help. */
void parents_pause(const struct incoming_file *f, int tries);
/* A sync before there is a name failed.  It is never tried again: a second one
 * after one that failed says 0 and lies. */
int parents_not_synced(struct incoming_file *f, int err);

/* order.c: is this version what it may replace with `overwrite` off? */
bool order_is_forerunner(
    const struct incoming_file *f, const struct file_version *v);

/*
 * order.c, on engine threads; `name` is in `dir`.  The file is about to
 * get it, and has got it or not.
 */
void order_announce(struct incoming_file *f, const char *name, bool replaces);
void order_named(struct incoming_file *f, bool named);
/*
 * order_yields(f, dir, name, ret_unsynced):
 * Asked with the lock that all who replace take: does f->existing keep the name?
 * Then the upload is superseded, and *ret_unsynced is for order_end(),
 * which needs no lock: nothing is left of the upload, and what has the name is as
 * durable as the answer will say when the directory is synced, too.  LOCAL_REFUSED
 * if it had preconditions: they were for what was there before.
 */
bool order_yields(
    struct incoming_file *f, int dir, const char *name, int *ret_unsynced);
NODISCARD int order_end(struct incoming_file *f, int unsynced);

/* name_check.c, on engine threads */
/* Giving it a name, or looking for one, said `err`: LOCAL_BAD_NAME, when it is
 * for the name itself. */
int name_check_error(struct incoming_file *f, int err);
/* Before there is a body: can the file system take what is new in its name? */
NODISCARD int name_check_try(struct incoming_file *f);

#endif
