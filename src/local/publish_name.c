/*
 * Names that a file system cannot take: FAT and NTFS know no colon, some want
 * UTF-8, some have shorter names than 255 bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "publish_internal.h"

enum {
	PLAIN_MAX = 100, /* bytes; file systems that encrypt names take 143 */
};

/* Names of DOS's devices, whatever follows a dot. */
static bool
is_device_name(const char *part, size_t len)
{
	static const char *const names[] = {"con", "prn", "aux", "nul"};
	size_t stem = 0;

	while (stem < len && part[stem] != '.')
		stem++;
	if (stem == 4 && (strncasecmp(part, "com", 3) == 0 ||
			     strncasecmp(part, "lpt", 3) == 0))
		return true;
	for (size_t i = 0; stem == 3 && i < COUNT_OF(names); i++)
		if (strncasecmp(part, names[i], 3) == 0)
			return true;
	return false;
}

bool
publish_is_plain_name(const char *part, size_t len)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789._-";

	return len > 0 && len <= PLAIN_MAX && strspn(part, plain) >= len &&
	       part[len - 1] != '.' && !is_device_name(part, len);
}

bool
publish_is_bad_name(int err)
{
	return err == -EINVAL || err == -EILSEQ || err == -ENAMETOOLONG;
}

void
publish_sweep_tried(int dir, const char *name)
{
	struct stat st;

	if (!publish_is_plain_name(name, strlen(name)) &&
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_size == 0)
		(void)unlinkat(dir, name, 0);
}

int
publish_try_name(struct publish *p, const char *part)
{
	int dir, fd;

	if (!p->is_known || p->nameless)
		return 0;
	dir = publish_temp_dir(p);
	if (dir < 0)
		return 0;
	fd = openat(dir, part,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return publish_is_bad_name(-errno) ? -errno : 0;
	fd_close(&fd);
	(void)unlinkat(dir, part, 0);
	return 0;
}
