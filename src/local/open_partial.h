/*
 * local/open_partial.h - a partial that this process has open, and so alone.
 *
 * One side uses it at a time: a job on an engine thread, or the loop that waits for it.
 */
#ifndef LOCAL_OPEN_PARTIAL_H
#define LOCAL_OPEN_PARTIAL_H

#include "partial_file.h"
#include "target.h"

struct open_partial {
	struct partial_file file;
	char data[PARTIAL_NAME_SIZE]; /* the name of its bytes */
	int info;		      /* its ID.info, locked; or -1 */
	bool is_elsewhere;	      /* others have it, or may have it */
	bool is_stored, is_removed;
	/* What all workers know of it (shared/partials.h): it is among those that
	 * are counted, in this directory; NULL: it is not, or no longer this
	 * one's to say so. */
	struct local_dir *counted;
	bool is_new; /* it was just made, and its owner was not told: it goes
			when it is closed */
	/* What the next job is to write into it: phase, offset, length, state,
	 * answer.  At a beginning, the new partial itself. */
	struct partial next;
	char next_state[PARTIAL_STATE_MAX];
	char *next_rest; /* what `next` has of record or answer; owned */
};

/* Of this ID, not open yet. */
void open_partial_init(struct open_partial *p, const char *id);

/* Free what it owns; it is closed. */
void open_partial_fini(struct open_partial *p);

/* next.state is a copy of `state`; and what is returned is one of `rest`, a record or an answer,
 * owned by `p` until the next: empty when out of memory. */
void open_partial_set_state(struct open_partial *p, struct span state);
NODISCARD struct span open_partial_keep_rest(
    struct open_partial *p, struct span rest);

/* ---- on engine threads ---- */

/*
 * open_partial_write(p, sync, ret_cause):
 * Its ID.info is open, locked and empty: write p->next into it; `sync`: it is to be
 * durable.  0, -errno, or LOCAL_SYNC_FAILED, with the errno behind that in *ret_cause.
 */
NODISCARD int open_partial_write(
    struct open_partial *p, bool sync, int *ret_cause);

/* Note that all its `size` bytes are there (`sync`: for good), and whether it is about to
 * get its name (`is_committing`); the same. */
NODISCARD int open_partial_note_whole(struct open_partial *p, uint64_t size,
    bool is_committing, bool sync, int *ret_cause);

/* Its commit has ended without its name, if it had begun: note that it is open again, so
 * that nobody takes another name that its bytes are given for that of a commit. */
void open_partial_end_commit(struct open_partial *p, bool sync);

/* Note `p->next`; 0 and errors as of open_partial_write(). */
NODISCARD int open_partial_note(
    struct open_partial *p, bool sync, int *ret_cause);

/* The new partial p->next is counted, if it may be there: 0 or LOCAL_TOO_MANY. */
NODISCARD int open_partial_enter(struct open_partial *p, struct local_dir *at);

/* It was found, and is open: what it waits for is its worker's from now on. */
void open_partial_go_on(struct open_partial *p, struct local_dir *at);

/* It is about to be closed: it waits, or is no more.  Any thread.  Idempotent. */
void open_partial_account(struct open_partial *p);

/* Its owner has done with it: close it, but for the target.  What lies behind its offset
 * is cut off. */
void open_partial_end(struct open_partial *p, struct target *t);

#endif
