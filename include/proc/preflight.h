/*
 * proc/preflight.h - can the locations of a configuration be used?  A child finds
 * out before a start or a reload goes on.
 *
 * Opening a directory may hang for ever, and the master must not hang.  So a
 * child becomes `user`, makes the io_engine, and tries each location: its store
 * (store/kind.h) makes the directory and publishes a file in it, and whether marks of links
 * can be made (signed_link_spent).  Each location has five
 * seconds, and all of them together five seconds and a tenth of a second for each.
 * When one has hung, those behind it have one second each, and together five seconds
 * more.
 *
 * A *preflight* (PREFLIGHT_WHOLE) tries for real.  A *dry run* (`-t`, proc/dry_run.h)
 * checks the same locations with PREFLIGHT_LOOK, which makes nothing and works out
 * from permissions what this user could make (base/permit.h).
 */
#ifndef PROC_PREFLIGHT_H
#define PROC_PREFLIGHT_H

#include <stdbool.h>

#include "base/check.h"
#include "config/config.h"

struct shared;

typedef bool preflight_fn(void *arg);

enum preflight_depth {
	PREFLIGHT_WHOLE,
	PREFLIGHT_LOOK, /* make nothing, for a dry run */
};

/*
 * preflight_run(conf, depth, shared, meanwhile, arg):
 * 0 when all locations can be used, after logging a line for each (with
 * PREFLIGHT_LOOK none); -1 after logging why one cannot.  It is a warning and no
 * error when a directory does not answer in time, was open before and is gone now, or
 * has a disk that is full, broken or read-only: its location answers 503 until that is
 * mended.  `shared` knows where directories were before; NULL at the start.
 *
 * While the child runs, meanwhile(arg) is called now and then, and whenever a signal
 * has come.  It may wait for children, also for this one.  When it returns true the
 * preflight is given up: -1.
 */
NODISCARD int preflight_run(const struct config *conf,
    enum preflight_depth depth, const struct shared *shared,
    preflight_fn *meanwhile, void *arg);

/* To be called in a process that meanwhile() has forked: closes the descriptors of
 * the preflight that runs. */
void preflight_release(void);

#endif
