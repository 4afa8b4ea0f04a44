/*
 * Temp names outside of `.penstock`: in the directory that the file is bound
 * for, so that the file is what that directory makes of it.
 *
 *	OUTPUT_DIR/.penstock/RANDOM.note       says: a/b/name
 *	OUTPUT_DIR/a/b/.penstock-RANDOM.part   the file
 *
 * The note comes first and goes last, and its maker holds a lock on it: so a
 * sweep finds what a crash has left without looking through the directories.
 * Of a name in OUTPUT_DIR itself it says nothing: there is no need to write.
 */
#include "local/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "publish_internal.h"
#include "local/path.h"

enum {
	NOTE_MAX = 1100, /* bytes of a name */
};
_Static_assert(NOTE_MAX >= FILE_NAME_MAX + PUBLISH_TEMP_MAX, "or it is cut");

static const char note_suffix[] = ".note";

/* ---- names ---- */

/* What stands behind: nothing, a temp name's number, or what FAT drops. */
bool
publish_is_reserved(const char *name, size_t len)
{
	const size_t own = sizeof(PUBLISH_RESERVED) - 1;

	if (len < own || strncasecmp(name, PUBLISH_RESERVED, own) != 0)
		return false;
	if (len > own && name[own] == '-')
		return true;
	while (len > own && (name[len - 1] == '.' || name[len - 1] == ' '))
		len--;
	return len == own;
}

/* ---- notes ---- */

bool
publish_is_note_name(const char *name)
{
	return publish_is_numbered(name, note_suffix);
}

/* The name beside, for a note or a temp name with these digits. */
static void
name_beside(const char *digits, char ret[PUBLISH_TEMP_MAX])
{
	snprintf(ret, PUBLISH_TEMP_MAX, "%s-%.*s.part", PUBLISH_RESERVED,
	    PUBLISH_DIGITS, digits);
}

static void
name_note(const char *beside, char ret[PUBLISH_TEMP_MAX])
{
	snprintf(ret, PUBLISH_TEMP_MAX, "%.*s%s", PUBLISH_DIGITS,
	    beside + sizeof(PUBLISH_RESERVED), note_suffix);
}

int
publish_begin_beside(struct publish *p, int dir, struct unpublished *u)
{
	char temp[PUBLISH_TEMP_MAX], note[PUBLISH_TEMP_MAX];
	int err;

	check(!u->is_beside);
	err = publish_temp_dir(p);
	if (err >= 0)
		err = publish_make_temp(p, note_suffix, note, &u->note);
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

/* One directory of those that the note may mean. */
static int
remove_beside(int root, const char *dir, const char *temp, unsigned *ret_swept)
{
	int fd = path_open_dir(root, dir), err = 0;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EXDEV)
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

/* The file was made in the deepest directory that there was. */
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

/* Hide it in `.penstock`; where that cannot be it stays, and a crash of the
 * system must not lose the note. */
static int
hide(struct publish *p, struct unpublished *u)
{
	char temp[PUBLISH_TEMP_MAX];

	publish_make_temp_name(temp);
	if (renameat(u->beside, u->temp, p->temp_dir, temp) == 0) {
		publish_end_beside(p, u);
		memcpy(u->temp, temp, sizeof(temp));
		return 0;
	}
	return fsync(u->note) == -1 && errno != EINVAL ? -errno : 0;
}

static int
make_beside(struct publish *p, int dir, struct unpublished *u)
{
	int err = publish_begin_beside(p, dir, u);

	if (err < 0)
		return err;
	u->fd = openat(dir, u->temp,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    PUBLISH_FILE_MODE);
	if (u->fd == -1) {
		err = -errno;
		publish_end_beside(p, u);
		return err;
	}
	err = publish_lock(u->fd);
	if (err == 0)
		err = hide(p, u);
	if (err < 0) {
		publish_discard(p, u);
		fd_close(&u->fd);
	}
	return err;
}

/* ---- where to make a file ---- */

static uint64_t
key_of(const struct stat *st)
{
	return hash_mix((uint64_t)st->st_dev ^ hash_mix((uint64_t)st->st_ino)) |
	       1;
}

static _Atomic uint64_t *
slot_of(struct publish *p, uint64_t key)
{
	return &p->fitting[key / 2 % PUBLISH_FITTING];
}

void
publish_forget_fitting(struct publish *p, int dir)
{
	struct stat st;

	if (fstat(dir, &st) == 0)
		atomic_store(slot_of(p, key_of(&st)), 0);
}

/* Can a file of `.penstock` have a name in `dir`?  Tried with one beside.  The
 * file may then be there: with a rename it is hard to say. */
static int
try_to_move(struct publish *p, int dir, struct unpublished *u)
{
	struct unpublished to = {.fd = -1, .path = u->path};
	int err = publish_begin_beside(p, dir, &to);

	if (err < 0)
		return err;
	if (p->by_link) {
		if (linkat(p->temp_dir, u->temp, dir, to.temp, 0) == -1)
			err = -errno;
	} else if (renameat(p->temp_dir, u->temp, dir, to.temp) == -1) {
		err = -errno;
	} else if (renameat(dir, to.temp, p->temp_dir, u->temp) == -1) {
		err = -errno;
	}
	publish_discard(p, &to);
	return err;
}

int
publish_make_bound(struct publish *p, int dir, struct unpublished *u)
{
	struct stat st;
	uint64_t key;
	int err;

	if (fstat(dir, &st) == -1)
		return -errno;
	if ((st.st_mode & S_ISGID) || publish_hands_down_acl(dir))
		return make_beside(p, dir, u);
	err = publish_make_temp(p, NULL, u->temp, &u->fd);
	key = key_of(&st);
	if (err < 0 || atomic_load(slot_of(p, key)) == key)
		return err;
	err = try_to_move(p, dir, u);
	if (err == 0) {
		atomic_store(slot_of(p, key), key);
		return 0;
	}
	publish_discard(p, u);
	fd_close(&u->fd);
	return err == -EXDEV ? make_beside(p, dir, u) : err;
}
