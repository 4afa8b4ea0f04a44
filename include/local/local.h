/*
 * local/local.h - uploads kept as files below a directory: a `store`.
 *
 *	create:  parent, O_TMPFILE, room     one job on an engine thread
 *	write:   chunks, several at once     on the ring, or a thread
 *	commit:  sync, link                  one job
 *	         sync of the directory       shared by all that wait for it (btrfs: a
 *	                                     small file is synced again instead)
 *
 * Small uploads are collected in memory first; then create, write and commit are one
 * job.
 *
 * The engine opens the directory, and tries again as long as that fails, so that a dead
 * disk affects its own location only.  Until it is open every call fails with NOT_READY.
 * When the path leads to another directory later, that is opened instead.
 */
#ifndef LOCAL_LOCAL_H
#define LOCAL_LOCAL_H

#include "store/kind.h"

/* The only name that other folders know. */
extern const struct store_kind local_kind;

#endif
