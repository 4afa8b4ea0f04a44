/*
 * disk/mount.h - reads a line of /proc/self/mountinfo (proc(5)).
 *
 *	36 35 7:3 / /srv/up rw,relatime shared:1 - ext4 /dev/loop3 rw,nobarrier
 *	id    device                               type source  options
 */
#ifndef DISK_MOUNT_H
#define DISK_MOUNT_H

#include <stdbool.h>

#include "base/check.h"

enum {
	MOUNT_PATH_MAX = 4096,
};

/* What a mount says about how durable a sync is there. */
struct mount {
	unsigned major, minor; /* of its block device; major 0: it has none */
	char source[MOUNT_PATH_MAX];
	char upper[MOUNT_PATH_MAX]; /* upperdir of an overlay; "": none */
	bool is_volatile;	    /* an overlay that never syncs */
	bool no_barriers;	    /* a sync does not flush the disk's cache */
	bool other_disks; /* XFS: its log, or data, are on another disk */
};

/*
 * mount_parse(line, id, ret):
 * True, with *ret set, when `line` is about the mount with that number.  A path that is
 * longer than MOUNT_PATH_MAX is left empty.
 */
NODISCARD bool mount_parse(
    const char *line, unsigned long id, struct mount *ret);

#endif
