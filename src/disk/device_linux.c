#include "disk/device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "disk/mount.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif
#ifndef F2FS_SUPER_MAGIC
#define F2FS_SUPER_MAGIC 0xF2F52010
#endif

enum {
	OVERLAYS_MAX = 3, /* one on another; the kernel stacks two */
};

static struct device_traits traits_of(int fd, int overlays);

/* ---- what the type of the file system says ---- */

static struct device_traits
traits_of_type(const struct statfs *fs)
{
	struct device_traits t = {.kind = DEVICE_UNKNOWN};

	/* Those that count no inodes (btrfs, bcachefs) write each block to a
	 * new place, and never to what was allocated for it; so does what
	 * passes on their answer: an overlay, NFS, FUSE. */
	t.allocates = fs->f_files > 0;
	switch ((unsigned long)fs->f_type) {
	case EXT4_SUPER_MAGIC: /* and ext2, ext3 */
	case XFS_SUPER_MAGIC:
		t.kind = DEVICE_LOCAL;
		t.direct = t.writes_ranges = true;
		break;
	case BTRFS_SUPER_MAGIC:
		t.kind = DEVICE_LOCAL;
		t.writes_ranges = t.logs_names = true;
		t.allocates = false;
		break;
	case F2FS_SUPER_MAGIC:
		t.writes_ranges = true;
		break;
	case TMPFS_MAGIC:
	case RAMFS_MAGIC:
		t.kind = DEVICE_MEMORY;
		t.sync = DEVICE_SYNC_IN_MEMORY;
		break;
	default:
		break;
	}
	return t;
}

/* ---- what its mount says ---- */

static FILE *
open_proc(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	FILE *f = fd == -1 ? NULL : fdopen(fd, "r");

	if (f == NULL)
		fd_close(&fd);
	return f;
}

/* The number of the mount that `fd` was opened in; 0: not known. */
static unsigned long
mount_id_of(int fd)
{
	char path[64], line[128];
	unsigned long id = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = open_proc(path);
	if (f == NULL)
		return 0;
	while (id == 0 && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "mnt_id:", 7) == 0)
			id = strtoul(line + 7, NULL, 10);
	}
	(void)fclose(f);
	return id;
}

/* False: it is not known (no /proc, or a mount of another namespace). */
static bool
find_mount(int fd, struct mount *ret)
{
	unsigned long id = mount_id_of(fd);
	FILE *f = id == 0 ? NULL : open_proc("/proc/self/mountinfo");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	if (f == NULL)
		return false;
	while (!found && getline(&line, &room, f) != -1)
		found = mount_parse(line, id, ret);
	free(line);
	(void)fclose(f);
	return found;
}

/* ---- what its block device says ---- */

/* Where sysfs shows it; false: there is none. */
static bool
find_disk(const struct mount *m, char *ret, size_t room)
{
	unsigned major = m->major, minor = m->minor;
	char link[64], target[512];
	struct stat st;
	ssize_t n;

	/* btrfs has a number of its own; its source is one of its disks. */
	if (major == 0) {
		if (strncmp(m->source, "/dev/", 5) != 0 ||
		    stat(m->source, &st) == -1 || !S_ISBLK(st.st_mode))
			return false;
		major = major(st.st_rdev);
		minor = minor(st.st_rdev);
	}
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major, minor);
	n = readlink(link, target, sizeof(target) - 1);
	if (n == -1)
		return false;
	target[n] = '\0';
	return (size_t)snprintf(ret, room, "/sys/dev/block/%s", target) < room;
}

static bool
is_ram_disk(const char *disk)
{
	return strstr(disk, "/block/zram") != NULL ||
	       strstr(disk, "/block/ram") != NULL;
}

/* What it has taken is not all on stable storage, or may not be. */
static bool
has_cache(const char *disk)
{
	/* The queue of a partition is that of its disk, one up. */
	static const char *const where[] = {"", "/.."};
	char path[600], line[64];

	for (size_t i = 0; i < 2; i++) {
		FILE *f;
		bool got;

		snprintf(path, sizeof(path), "%s%s/queue/write_cache", disk,
		    where[i]);
		f = open_proc(path);
		if (f == NULL)
			continue;
		got = fgets(line, sizeof(line), f) != NULL;
		(void)fclose(f);
		if (got)
			return strncmp(line, "write through", 13) != 0;
	}
	return true;
}

static enum device_sync
sync_of_disk(const struct mount *m)
{
	char disk[560];
	bool known = find_disk(m, disk, sizeof(disk));

	if (known && is_ram_disk(disk))
		return DEVICE_SYNC_RAM_DISK;
	if (m->no_barriers && !(known && !has_cache(disk)))
		return DEVICE_SYNC_NO_BARRIERS;
	return DEVICE_SYNC_DURABLE;
}

/* Of the directory that an overlay writes to, if it can be reached: that of a
 * container seldom can from inside of it, and a path that can may lead to
 * something else there. */
static enum device_sync
sync_of_upper(const struct mount *m, const struct statfs *overlay, int overlays)
{
	enum device_sync sync = DEVICE_SYNC_DURABLE;
	struct statfs fs;
	int fd;

	if (m->upper[0] != '/' || overlays >= OVERLAYS_MAX)
		return sync;
	fd = open(m->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return sync;
	if (fstatfs(fd, &fs) == 0 && fs.f_blocks == overlay->f_blocks &&
	    fs.f_files == overlay->f_files)
		sync = traits_of(fd, overlays + 1).sync;
	fd_close(&fd);
	return sync;
}

static enum device_sync
sync_of_mount(const struct mount *m, const struct statfs *fs, int overlays)
{
	if (m->is_volatile)
		return DEVICE_SYNC_VOLATILE;
	if ((unsigned long)fs->f_type == OVERLAYFS_SUPER_MAGIC)
		return sync_of_upper(m, fs, overlays);
	return sync_of_disk(m);
}

/* ---- whether it has a journal beside its data ---- */

/* ext4 keeps a list of all its options, with that of its journal if there is one;
 * ext2 and ext4 without a journal have no such line.  (Data that are in the
 * journal themselves are written back in another way.) */
static bool
ext4_orders_data(const char *disk)
{
	char path[600], line[128];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/fs/ext4/%s/options", disk);
	f = open_proc(path);
	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = strcmp(line, "data=ordered\n") == 0 ||
			strcmp(line, "data=writeback\n") == 0;
	(void)fclose(f);
	return found;
}

/* That of "sda1" is called "sda1-8", by its inode.  On another disk it has that
 * one's name. */
static bool
is_journal_inside(const char *journal, const char *disk)
{
	size_t len = strlen(disk);

	return strncmp(journal, disk, len) == 0 && journal[len] == '-' &&
	       journal[len + 1] != '\0' &&
	       strspn(journal + len + 1, "0123456789") ==
		   strlen(journal + len + 1);
}

static bool
ext4_has_journal_inside(const char *disk)
{
	DIR *journals = opendir("/proc/fs/jbd2");
	const struct dirent *e;
	bool found = false;

	if (journals == NULL)
		return false;
	while (!found && (e = readdir(journals)) != NULL)
		found = is_journal_inside(e->d_name, disk);
	(void)closedir(journals);
	return found;
}

/* A journal on another disk is flushed apart from the data. */
static bool
ext4_is_journaled(const struct mount *m)
{
	char path[560];
	const char *disk;

	if (!find_disk(m, path, sizeof(path)))
		return false;
	disk = strrchr(path, '/') + 1;
	return ext4_orders_data(disk) && ext4_has_journal_inside(disk);
}

static bool
is_journaled(const struct mount *m, const struct statfs *fs)
{
	switch ((unsigned long)fs->f_type) {
	case XFS_SUPER_MAGIC:
		return !m->other_disks;
	case EXT4_SUPER_MAGIC:
		return ext4_is_journaled(m);
	default:
		return false;
	}
}

/* ---- all of it ---- */

static void
add_traits_of_mount(
    struct device_traits *t, int fd, const struct statfs *fs, int overlays)
{
	struct mount *m = malloc(sizeof(*m)); /* too large for some stacks */

	if (m != NULL && find_mount(fd, m)) {
		t->sync = sync_of_mount(m, fs, overlays);
		t->journaled = is_journaled(m, fs);
	}
	free(m);
}

static struct device_traits
traits_of(int fd, int overlays)
{
	struct device_traits t = {.kind = DEVICE_UNKNOWN};
	struct statfs fs;

	if (fstatfs(fd, &fs) == -1)
		return t;
	t = traits_of_type(&fs);
	if (t.sync == DEVICE_SYNC_DURABLE)
		add_traits_of_mount(&t, fd, &fs, overlays);
	return t;
}

void
device_number(dev_t id, char ret[DEVICE_NUMBER_MAX])
{
	snprintf(ret, DEVICE_NUMBER_MAX, "%u:%u", major(id), minor(id));
}

struct device_traits
device_traits_of(int fd)
{
	struct device_traits t = traits_of(fd, 0);

	if (t.sync == DEVICE_SYNC_DURABLE && device_sync_is_void())
		t.sync = DEVICE_SYNC_VOID;
	return t;
}
