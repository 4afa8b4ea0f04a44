/*
 * local/local.h - uploads kept as files below a directory: a `store`.
 *
 *	create:  parent, O_TMPFILE, room     one job on an engine thread
 *	write:   chunks, several at once     on the ring, or a thread
 *	commit:  sync, link                  one job
 *	         sync of the directory       shared by all that wait for it
 *
 * Small ones are collected first; then create, write and commit are one job.
 *
 * The directory is opened by the engine, again and again while that fails, so
 * that a dead disk costs its own location only; until then every call says
 * NOT_READY.  When the path leads elsewhere later, it is opened again.
 */
#ifndef LOCAL_LOCAL_H
#define LOCAL_LOCAL_H

#include "store/kind.h"

/* All that is known of it outside. */
extern const struct store_kind local_kind;

#endif
