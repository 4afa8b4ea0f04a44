#include "disk/device.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

struct device_traits
device_traits_of(int fd)
{
	struct device_traits t = {.kind = DEVICE_UNKNOWN};
	struct statfs fs;

	if (fstatfs(fd, &fs) == -1)
		return t;
	switch ((unsigned long)fs.f_type) {
	case EXT4_SUPER_MAGIC: /* and ext2, ext3 */
	case XFS_SUPER_MAGIC:
		t.kind = DEVICE_LOCAL;
		t.direct = true;
		break;
	case BTRFS_SUPER_MAGIC:
		t.kind = DEVICE_LOCAL;
		break;
	case TMPFS_MAGIC:
	case RAMFS_MAGIC:
		t.kind = DEVICE_MEMORY;
		break;
	default:
		break;
	}
	return t;
}
