#include "disk/device.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

enum device_kind
device_kind_of(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == -1)
		return DEVICE_UNKNOWN;
	switch ((unsigned long)fs.f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
		return DEVICE_LOCAL;
	case TMPFS_MAGIC:
	case RAMFS_MAGIC:
		return DEVICE_MEMORY;
	default:
		return DEVICE_UNKNOWN;
	}
}
