#include "publish_temp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "publish_beside.h"
#include "publish_name.h"
#include "publish_stage.h"
#include "publish_sys.h"

int
publish_temp_dir_of(const struct publish *p, const struct unpublished *u)
{
	return u->is_beside ? u->beside : p->temp_dir;
}

void
publish_end_temp(struct publish *p, struct unpublished *u)
{
	if (u->is_beside)
		publish_end_beside(p, u);
	u->temp[0] = '\0';
}

void
publish_discard(struct publish *p, struct unpublished *u)
{
	bool is_gone;

	if (u->temp[0] == '\0')
		return;
	is_gone = unlinkat(publish_temp_dir_of(p, u), u->temp, 0) == 0 ||
		  errno == ENOENT;
	if (u->is_beside && !is_gone)
		publish_leave_beside(u);
	publish_end_temp(p, u);
}

/* ---- in the directory that it is bound for ---- */

/* Move it to `.penstock`.  Where that is not possible it stays beside, and
 * the note is synced, so that a crash of the system does not lose it. */
static int
hide(struct publish *p, struct unpublished *u)
{
	char temp[PUBLISH_TEMP_MAX];

	publish_make_temp_name(p, temp);
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
fitting_key_of(const struct stat *st)
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
		atomic_store(slot_of(p, fitting_key_of(&st)), 0);
}

/* Whether a file in `.penstock` can be moved to `dir`: tried with a name
 * beside, which is removed again; with the file, if that cannot be moved
 * back. */
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
	key = fitting_key_of(&st);
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
