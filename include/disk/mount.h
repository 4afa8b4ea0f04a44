/*
 * disk/mount.h - a line of /proc/self/mountinfo (proc(5)).
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

/* Of a mount, what says how much a sync is worth there. */
struct mount {
	unsigned major, minor; /* of its block device; major 0: of none */
	char source[MOUNT_PATH_MAX];
	char upper[MOUNT_PATH_MAX]; /* upperdir of an overlay; "": none */
	bool is_volatile;	    /* an overlay that never syncs */
	bool no_barriers; /* a sync does not empty the cache of the disk */
};

/*
 * mount_parse(line, id, ret):
 * True when the line is about the mount `id`, and *ret is what it says.  A path
 * that is too long is left out ("").
 */
NODISCARD bool mount_parse(
    const char *line, unsigned long id, struct mount *ret);

#endif
