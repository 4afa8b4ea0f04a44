/*
 * local/opener.h - which directory the path of a store leads to.
 *
 * It opens that directory, again and again while that fails.  Those that were
 * open before stay on its list until their last file is gone.
 */
#ifndef LOCAL_OPENER_H
#define LOCAL_OPENER_H

#include "dir.h"
#include "retry.h"

struct opener_events {
	/* `current` is open, instead of `before` (NULL: none was), which is the
	 * callee's to release. */
	void (*on_opened)(void *owner, struct local_dir *before);
	/* It could not be opened, and not only for a moment, or `awaited`. */
	void (*on_failed)(void *owner);
};

struct opener {
	const struct store_setup *to;
	const struct dir_events *dir_events; /* of those that it opens */
	const struct opener_events *events;
	void *owner; /* of all these events */

	struct local_dir *current; /* NULL: none is open */
	struct list dirs;	   /* it, and those before it that are in use */
	int err;		   /* of the last attempt; 0: none has failed */
	bool awaited;		   /* requests wait until it is opened again */

	struct op op;		   /* opens ... */
	struct local_dir *opening; /* ... this one */
	struct device *unknown;	   /* for that */
	struct retry retry;
	struct str trouble; /* what is known of a failure, beside its number */
	int said;	    /* the last error logged */
	bool was_open;
	enum device_sync synced; /* of the directory that was open last */

	struct mount_record *mount; /* where it was, for all workers; NULL: not
				       looked up yet */
	struct mount_record own_mount; /* there are too many for that */
};

/* -ENOMEM, or 0.  `owner` is the one of `events` and of `dir_events`. */
NODISCARD int opener_init(struct opener *o, const struct store_setup *to,
    const struct opener_events *events, const struct dir_events *dir_events,
    void *owner);

/* Open what the path leads to, unless that is being done: an event follows, at
 * once perhaps. */
void opener_begin(struct opener *o);

/* Let the current directory go: none is open. */
void opener_close(struct opener *o);

/* No directory but the current one is open, and none is being opened. */
bool opener_is_idle(const struct opener *o);

/* Idle, it closes the current directory, too. */
void opener_fini(struct opener *o);

#endif
