#include "publish_beside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "local/path.h"
#include "publish_name.h"
#include "publish_stage.h"
#include "publish_sys.h"

enum {
	NOTE_MAX = 1100, /* bytes of a name */
};
_Static_assert(NOTE_MAX >= FILE_NAME_MAX + PUBLISH_TEMP_MAX, "or it is cut");

/* ---- notes ---- */

/* The name beside, for a note or a temp name with these digits. */
static void
name_beside(const char *digits, char ret[PUBLISH_TEMP_MAX])
{
	snprintf(ret, PUBLISH_TEMP_MAX, "%s-%.*s.part", FILE_NAME_RESERVED,
	    PUBLISH_DIGITS, digits);
}

static void
name_note(const char *beside, char ret[PUBLISH_TEMP_MAX])
{
	snprintf(ret, PUBLISH_TEMP_MAX, "%.*s%s", PUBLISH_DIGITS,
	    beside + sizeof(FILE_NAME_RESERVED), publish_note_suffix);
}

int
publish_begin_beside(struct publish *p, int dir, struct unpublished *u)
{
	char temp[PUBLISH_TEMP_MAX], note[PUBLISH_TEMP_MAX];
	int err;

	check(!u->is_beside);
	err = publish_temp_dir(p);
	if (err >= 0)
		err = publish_make_temp(p, publish_note_suffix, note, &u->note);
	if (err < 0)
		return err;
	name_beside(note, temp);
	u->beside = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	if (u->beside == -1)
		err = -errno;
	else if (u->path != NULL && strchr(u->path, '/') != NULL)
		err = fd_write_all(u->note, u->path, strlen(u->path));
	if (err < 0) {
		(void)unlinkat(p->temp_dir, note, 0);
		fd_close(&u->note);
		fd_close(&u->beside);
		return err;
	}
	memcpy(u->temp, temp, sizeof(temp));
	u->is_beside = true;
	return 0;
}

void
publish_end_beside(struct publish *p, struct unpublished *u)
{
	char note[PUBLISH_TEMP_MAX];

	check(u->is_beside);
	name_note(u->temp, note);
	(void)unlinkat(p->temp_dir, note, 0);
	fd_close(&u->note);
	fd_close(&u->beside);
	u->temp[0] = '\0';
	u->is_beside = false;
}

void
publish_leave_beside(struct unpublished *u)
{
	fd_close(&u->note);
	fd_close(&u->beside);
	u->is_beside = false;
}

/* Remove the file from one of the directories that the note may mean. */
static int
remove_beside(int root, const char *dir, const char *temp, unsigned *ret_swept)
{
	int fd = path_open_dir(root, dir), err = 0;

	if (errno_is_not_below(fd))
		return 0; /* it is not in this store any more */
	if (fd < 0)
		return fd;
	if (unlinkat(fd, temp, 0) == 0)
		++*ret_swept;
	else if (errno != ENOENT)
		err = -errno;
	fd_close(&fd);
	return err;
}

/* The file is in the deepest directory that existed when it was made. */
int
publish_heed_note(int root, int note, const char *name, unsigned *ret_swept)
{
	char temp[PUBLISH_TEMP_MAX], path[NOTE_MAX + 1];
	ssize_t n = pread(note, path, NOTE_MAX, 0);
	int err = 0;
	char *slash;

	if (n == -1)
		return -errno;
	path[n] = '\0';
	name_beside(name, temp);
	while (err == 0 && (slash = strrchr(path, '/')) != NULL) {
		*slash = '\0';
		err = remove_beside(root, path, temp, ret_swept);
	}
	return err < 0 ? err : remove_beside(root, ".", temp, ret_swept);
}

/* ---- files that have a name beside ---- */

int
publish_link_beside(struct publish *p, int dir, struct unpublished *u)
{
	int err = publish_begin_beside(p, dir, u);

	if (err < 0)
		return err;
	err = publish_link_nameless(u->fd, dir, u->temp);
	if (err < 0)
		publish_end_beside(p, u);
	return err;
}
