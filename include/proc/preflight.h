/*
 * proc/preflight.h - try what the configuration asks for, before starting.
 *
 * The master must never touch an output directory: its disk may be dead.  So
 * a child becomes `user`, makes the directories, tries to publish in them and
 * to have the engine; it gets five seconds for a directory, and for all of them
 * a tenth of a second each beside that.  When one has hung, those behind it get
 * five seconds more, and one each.
 */
#ifndef PROC_PREFLIGHT_H
#define PROC_PREFLIGHT_H

#include <stdbool.h>

#include "base/check.h"
#include "config/config.h"

struct places;

typedef bool rehearsal_fn(void *arg);

enum rehearsal_depth {
	REHEARSAL_WHOLE,
	REHEARSAL_LOOK, /* make nothing: -t */
};

/*
 * rehearsal_run(conf, depth, places, meanwhile, arg):
 * `places`: where directories were before; NULL at the start.  0 after logging a
 * line for each location (only looking, none); or -1 after logging what cannot be.  A directory that
 * does not answer in time, or that was open before and is gone now, or its disk
 * full, broken or read-only, is a warning, not an error: its location answers
 * 503 until it is well.  meanwhile() is called now and then, also when a signal
 * has come, and may wait for children, the rehearsal's too; once it says true,
 * that is the end of it, -1.
 */
NODISCARD int rehearsal_run(const struct config *conf,
    enum rehearsal_depth depth, struct places *places, rehearsal_fn *meanwhile,
    void *arg);

/* In a process that meanwhile() has forked: close what belongs to it. */
void rehearsal_let_go(void);

#endif
