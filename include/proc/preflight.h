/*
 * proc/preflight.h - can the locations of a configuration be used?  Asked by a
 * child, before a start or a reload goes on.
 *
 * Opening a directory may hang for ever, and the master must not hang.  So a
 * child becomes `user`, makes the io_engine, and tries each location: its store
 * (store/kind.h) makes the directory and publishes a file in it.  It has five
 * seconds for a location, and for all of them a tenth of a second each beside
 * that.  When one has hung, those behind it get five seconds more, and one each.
 *
 * A *preflight* tries for real.  A *dry run* (`-t`, proc/dry_run.h) asks the
 * same and much else without making anything, PREFLIGHT_LOOK for the locations;
 * what this user may make it knows from base/permit.h.
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
 * `shared` knows where directories were before; NULL at the start.  0 after logging a
 * line for each location (only looking, none); or -1 after logging what cannot be.  A directory that
 * does not answer in time, or that was open before and is gone now, or its disk
 * full, broken or read-only, is a warning, not an error: its location answers
 * 503 until it is well.  meanwhile() is called now and then, also when a signal
 * has come, and may wait for children, the preflight's too; once it says true,
 * that is the end of it, -1.
 */
NODISCARD int preflight_run(const struct config *conf,
    enum preflight_depth depth, const struct shared *shared,
    preflight_fn *meanwhile, void *arg);

/* In a process that meanwhile() has forked: close what belongs to it. */
void preflight_release(void);

#endif
