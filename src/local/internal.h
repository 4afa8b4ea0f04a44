/* What the store's own files share; nobody else includes it. */
#ifndef LOCAL_INTERNAL_H
#define LOCAL_INTERNAL_H

#include <errno.h>
#include <ev.h>
#include <stdatomic.h>

#include "shared/arrivals.h"
#include "shared/latest.h"
#include "shared/mount_history.h"
#include "shared/reservations.h"
#include "shared/shared.h"
#include "disk/device.h"
#include "disk/engine.h"
#include "local/dirsync.h"
#include "local/local.h"
#include "local/publish.h"
#include "local/space.h"

enum {
	LOCAL_SYNCED_DIRS = 256,
	LOCAL_UNLINKED = 2, /* the file replaced, and the one before it */
	LOCAL_SLOW_BYTES = 1024 * 1024, /* freeing more takes its time */
	LOCAL_ALIGN = 4096,		/* of direct writes */
};

#define INCOMING_MAGIC 0x696e636fU

/*
 * A directory that is open.  A file holds on to the one it began in, also
 * when the path leads to another one meanwhile.
 */
struct local_dir {
	struct list_node node; /* of the store's `dirs` */
	struct local *local;
	size_t users; /* files in it, and the store itself */
	int fd;
	struct stat st;
	uint64_t identity; /* path_identity() */
	bool stamps;	   /* files have no birth time: give them a stamp */
	struct device_traits traits;
	struct publish publish;
	struct device *device;
	struct device_listener health;
	struct dirsync *dirsync;
	struct latest *latest;
	struct reservations_disk *reservations; /* NULL: too many disks */
	struct op close_op;
	struct list incoming, outgoing;
	/* files to be ended when the disk answers again */
	struct list held_incoming, held_outgoing;
	struct op probe_op;
	struct op scan_op;
	struct latest_entry scanned;
	/* `keep latest`: what could not be removed (unlinked.c) */
	struct list old;
	unsigned old_count; /* with the one that is being tried */
	int old_said;	    /* the last error logged about it */
	struct op old_op;
	struct op sweep_op;
	unsigned swept, living; /* what the last sweep found */
	unsigned sweeps;	/* that found none in use */

	/* Directories (path_identity) whose way down from the root is on
	 * stable storage; engine threads look and store. */
	_Atomic uint64_t synced_dirs[LOCAL_SYNCED_DIRS];
};

/*
 * An upload or a download that found the path leading elsewhere, and waits until
 * the directory that is there now is open: on_reopened(w, to) is told which one
 * that is, or NULL when it cannot be opened.
 */
struct reopen_follower {
	struct list_node node; /* of the store's `followers` */
	void (*on_reopened)(struct reopen_follower *w, struct local_dir *to);
	unsigned times; /* it has waited */
};

/* A download of the newest upload that waits until it is known which one that
 * is: on_known(w) comes then, or (with `late`) after some seconds. */
struct scan_seeker {
	struct list_node node; /* of the store's `seekers` */
	struct local_dir *at;
	double until;
	void (*on_known)(struct scan_seeker *w, bool late);
};

struct local {
	struct store base;
	struct local_setup to;
	struct local_dir *at;	/* NULL: not open */
	struct list dirs;	/* it, and those before it that are in use */
	struct device *unknown; /* for opening it */
	int said;		/* the last error logged about opening */
	struct str trouble; /* what is known of why that was, more than err */
	bool was_open;
	enum device_sync synced; /* of the directory that was open */
	bool reopening; /* `at` is not where the path leads; we look where */
	struct list followers;
	ev_timer patience;	    /* of those */
	struct mount_record *place; /* where it was, for all workers; NULL: not
				   looked up yet */
	struct mount_record own_mounts; /* there are too many for that */
	bool direct_refused; /* O_DIRECT does not work here after all */

	struct op open_op;
	struct local_dir *opening; /* what that job makes */
	unsigned short_tries;	   /* of opening or scanning, one after another,
				      that found us short of something */
	ev_timer retry;
	ev_timer sweep_again;
	struct list seekers;
	ev_timer seek;	    /* runs while there are such */
	ev_timer old_again; /* runs while there is something to remove */
	ev_timer sick_look; /* runs while there is something to look after */
	struct op place_op; /* does the path still lead there? */
};

/* Whether an upload's name may still be kept from appearing. */
enum link_phase {
	LINK_NOT_BEGUN,
	LINK_BEGUN,	 /* it may appear at any time */
	LINK_CALLED_OFF, /* it never will */
	LINK_DURABLE,	 /* it is there for good */
};

/* hash.c */
struct incoming_hash {
	struct digest *digest;
	struct digest_claims claims;	 /* what it has to be, if anything */
	_Atomic(struct chunk *) waiting; /* to be hashed, the last one first */
	_Atomic(struct chunk *) hashed;	 /* of which the loop is to know */
	ev_async progress;		 /* there are such */
	struct list moved; /* written, or given up, but not hashed yet */
	int err;	   /* of the job: then there are no values */
	struct op op;	   /* the job, while there is something to hash */
};

struct incoming_file {
	unsigned magic;
	struct incoming base;
	struct local *local;
	struct local_dir *at;
	/* Its upload's flow may have begun while it was bound for this one, and
	 * charges it to the end; NULL: it is bound for no other now. */
	struct device *charged;
	struct list_node node;	    /* of the directory's `incoming` */
	struct list_node held_node; /* of its `held` */

	/* writing: file_writer.c */
	struct writer *writer; /* NULL: gone */
	struct list pending;   /* chunks that wait to be written */
	struct list writing;   /* first chunks of the writes in flight */
	unsigned in_flight;    /* such writes */
	uint64_t offset;       /* where the next chunk goes */
	uint64_t written;      /* all before it is */
	uint64_t length;       /* when known */
	bool collecting;       /* there is no file yet */
	bool direct_wanted;    /* from direct_from on */
	bool direct;	       /* O_DIRECT is set */
	enum space_direct says_direct; /* the kernel of it, once it is made */
	uint64_t direct_from;	       /* offset */
	uint64_t granted;     /* it was reserved, or is allocated, up to here */
	uint64_t reserved;    /* of that, what is still reserved */
	uint64_t allocated;   /* space is allocated up to it */
	bool allocates;	      /* ahead of what is written */
	bool is_longer;	      /* than what was written, perhaps */
	uint64_t behind_from; /* all before it was written back */
	/* the job beside writes (room ahead, or writing back) */
	uint64_t background_from, background_to;
	uint64_t background_need; /* less than background_to will do */
	ev_prepare on_collected;  /* never started, only fed */

	struct incoming_hash *hash; /* digests, beside the writes; NULL: none */

	/* jobs: incoming.c and, on engine threads, jobs.c */
	struct op job; /* one at a time */
	bool opening;  /* it makes the file */
	struct unpublished u;
	int dir;	  /* deepest directory that exists; -1: the root */
	const char *rest; /* the part of `name` below it */
	bool committing;
	bool abandoned; /* by its upload: end when nothing is in flight */
	_Atomic int link_phase;
	struct dirsync_wait synced;
	/* the order of those that overlap: order.c */
	uint64_t existing;	/* what has the name now; 0: nothing */
	uint64_t order_key;	/* of itself; 0: not yet */
	arrivals_entry place;	/* while it is getting its name */
	uint64_t outlasted_ns;	/* when the head of what it replaces came */
	uint64_t ticket;	/* of the newest, from when it got its name */
	bool has_forerunner;	/* with `overwrite` off, one version may ... */
	uint64_t forerunner[2]; /* ... be replaced: file_version_digest() */
	bool replaces;		/* it will wait for others that replace */
	int unlinked[LOCAL_UNLINKED]; /* what lost its name for it, and is huge;
				       or -1 */
	struct latest_entry *old; /* `keep latest`: to be removed; or NULL */
	struct incoming_follower *follower; /* NULL: it never had to wait so */
	bool (*terms_hold)(const void *terms,
	    const struct file_version *existing, const char **ret_why);
	void *terms;
	char name[];
};

static inline struct local *
local_of(struct store *s)
{
	return container_of(s, struct local, base);
}

static inline bool
local_dir_syncs(const struct local_dir *at)
{
	return at->local->to.sync && at->device->kind != DEVICE_MEMORY;
}

/* Of the room it was promised, so much needs no promise any more. */
static inline void
room_release(struct incoming_file *f, uint64_t bytes)
{
	if (bytes > f->reserved)
		bytes = f->reserved;
	if (bytes > 0)
		reservations_release(
		    f->at->reservations, f->local->to.slot, bytes);
	f->reserved -= bytes;
}

/* local.c: an upload, a download or a job begins in the directory, or has
 * ended. */
void local_dir_enter(struct local_dir *at);
void local_dir_leave(struct local_dir *at);

/*
 * local.c: an attempt to open the directory, or to look through it, failed with
 * `err`; it is made again.  True: that is worth a line in the log.  It is not
 * when it is we who are short of something for a moment, such as descriptors
 * while many directories are opened.
 */
bool local_try_later(struct local *local, int err);

/* What was for want of memory, threads or descriptors says nothing of a disk. */
static inline bool
local_is_our_lack(int cause)
{
	return cause == EAGAIN || cause == ENOMEM || cause == EMFILE ||
	       cause == ENFILE;
}

/* local.c: open what the path leads to; reopen_done() follows, either way. */
void local_begin_opening(struct local *local);

/*
 * open_dir.c: open_dir_make(dir, place):
 * On an engine thread: open it; make it, when it is not there and never was.
 * Once it was, its disk may have been unmounted: what we made in its place, or
 * what was hidden below that disk, is not to be used.  And take note in `place`
 * of where it is.  A descriptor, or -errno or STORE_UNMOUNTED.
 */
NODISCARD int open_dir_make(const char *dir, struct mount_record *place);

/* reopen.c */
void reopen_init(struct local *local);
void reopen_fini(struct local *local);
/* The path does not lead to `at` any more: have it opened where it leads. */
void reopen_begin(struct local_dir *at);
/* That has come to an end; `old` is what was open before, or NULL. */
void reopen_done(struct local *local, struct local_dir *old);
/*
 * reopen_follow(at, w):
 * The path does not lead to `at` any more, as `w` has found.  True: it is told
 * when that is open, perhaps at once; false: it need not wait.
 */
NODISCARD bool reopen_follow(struct local_dir *at, struct reopen_follower *w);

/* report.c: what a start-up line says of a directory that can be used by
 * `way`; `file` is a new one in it, -1: there is no room for one. */
void report_describe(const struct local_setup *setup, const char *way, int file,
    const struct device_traits *t, struct str *report);
/* The path leads to where a sync is worth less, or more, than it was; at the
 * start the master says so. */
void report_doubt(const struct local *local);

/* health.c */
void health_init(struct local *local);
void health_fini(struct local *local);
void health_changed(struct device_listener *l, struct device *d, bool news);
/* The directory was opened; its disk may be known to have failed. */
void health_opened(struct local *local);
/* An upload ended in `err`: does that say something of the directory? */
void health_learn(struct local_dir *at, int err, int cause);

/* Look after what is held or sick, again and again, until nothing is. */
void health_watch(struct local *local);

/* sweep.c: what workers that died left behind. */
void sweep_init(struct local *local);
void sweep_fini(struct local *local);
/* There was a sweep; others may be due. */
void sweep_done(struct local_dir *at);

/* unlinked.c: `keep latest` */
void removals_init(struct local *local);
void removals_fini(struct local *local);
/* jobs_remove() said `res`: it is tried again, if that may help. */
void removals_tried(
    struct local_dir *at, const struct latest_entry *e, int res);
/* On an engine thread: the directory is about to be closed. */
void removals_last_try(struct local_dir *at);
/* Those that are left stay. */
void removals_give_up(struct local_dir *at);
/* store_rest(): the directory is closed, if there are any. */
void removals_rest(struct store *s);

/* scan.c: find the newest upload, unless it is known. */
void scan_begin(struct local *local);
void scan_init(struct local *local);
void scan_fini(struct local *local);
/* Wait until the newest upload of `at` is known, which is found out, if need be;
 * until list_remove(&w->node). */
void scan_seek(struct local_dir *at, struct scan_seeker *w);

/* jobs.c, on engine threads: arguments are incoming files. */
int jobs_create(void *file);
int jobs_commit(void *file);
int jobs_commit_collected(void *file);
int jobs_remove_before(void *file);
/* Remove the upload `e`, if it still is the file that it was: 0, STORE_REFUSED
 * (it is another) or -errno.  `f` frees it, if that takes time, or NULL. */
NODISCARD int jobs_remove(struct local_dir *at, const struct latest_entry *e,
    struct incoming_file *f);
int jobs_discard(void *file);
/* On the loop, of a memory file system: would it replace a file? */
bool jobs_would_replace(const struct incoming_file *f);
/* Is the path still `at`?  0 or STORE_VANISHED. */
int jobs_check_path(const struct local_dir *at);

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
 * durable as the answer will say when the directory is synced, too.  STORE_REFUSED
 * if it had terms: they were for what was there before.
 */
bool order_yields(
    struct incoming_file *f, int dir, const char *name, int *ret_unsynced);
NODISCARD int order_end(struct incoming_file *f, int unsynced);

/* names.c, on engine threads */
/* Giving it a name, or looking for one, said `err`: STORE_BAD_NAME, when it is
 * for the name itself. */
int name_check_error(struct incoming_file *f, int err);
/* Before there is a body: can the file system take what is new in its name? */
NODISCARD int name_check_try(struct incoming_file *f);

/* room.c, on engine threads */
NODISCARD int room_reserve(struct incoming_file *f);
int room_extend(void *file); /* an incoming file */

/* file_writer.c */
extern const struct sink_ops file_writer_ops;
void file_writer_init(struct incoming_file *f);
/* Nothing is written yet: how to, on the device that it is bound for. */
void file_writer_adapt(struct incoming_file *f);
/* The job that makes the file has ended: is it written as was wished? */
void file_writer_created(struct incoming_file *f);
/* The file is made, or could not be. */
void file_writer_opened(struct incoming_file *f, int err);
/* No operation of the sink is in flight. */
bool file_writer_is_idle(const struct incoming_file *f);
/* Call off what has not begun yet. */
void file_writer_cancel(struct incoming_file *f);
/* Chunks that were collected go back. */
void file_writer_drop(struct incoming_file *f);

/* hash.c */
int incoming_hash_init(struct incoming_file *f, const struct store_wish *wish);
void incoming_hash_fini(struct incoming_file *f);
/* Of a collected file: forget what was hashed. */
NODISCARD int incoming_hash_restart(struct incoming_file *f);
/* The next chunk of the file. */
void incoming_hash_add(struct incoming_file *f, struct chunk *c);
/* It is written or given up: back to the pool, now (true) or when it is
 * hashed. */
bool incoming_hash_release(struct incoming_file *f, struct chunk *c);
/* Begin no more. */
void incoming_hash_abandon(struct incoming_file *f);
/* On an engine thread: the next bytes of a collected file. */
int incoming_hash_now(struct incoming_file *f, const void *bytes, size_t len);
/* A job runs, or chunks that are written wait for one. */
bool incoming_hash_is_busy(const struct incoming_file *f);
bool incoming_hash_has_moved(const struct incoming_file *f);
/* On an engine thread: the values; do they differ from what was claimed? */
int incoming_hash_finish(struct incoming_file *f);

/* incoming.c */
int incoming_create(struct store *s, const struct store_wish *wish, void *owner,
    void (*done)(void *owner, int err), struct incoming **ret);
void incoming_commit(struct incoming *in);
void incoming_abort(struct incoming *in);
void incoming_create_late(struct incoming_file *f);
void incoming_end(struct incoming_file *f);
void incoming_background_done(struct incoming_file *f, int err);
/* Its disk is sick. */
void incoming_fail(struct incoming_file *f);

/* outgoing.c */
int outgoing_open(struct store *s, const char *name, void *owner,
    void (*done)(void *owner, int err), struct outgoing **ret);
void outgoing_close(struct outgoing *out);
/* Its disk is sick. */
void outgoing_fail(struct list_node *n);
/* The disk answers again: end what is held. */
void outgoing_end(struct list_node *held);

#endif
