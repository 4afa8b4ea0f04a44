#include "partial_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "local/path.h"
#include "commit.h"
#include "local_error.h"
#include "name_check.h"
#include "publish_stage.h"
#include "publish_sys.h"

/* `.penstock`, when it is known to be open. */
static int
dir_of(const struct commit *c)
{
	return c->create.target->at->publish.temp_dir;
}

static bool
syncs(const struct commit *c)
{
	return dir_syncs(c->create.target->at);
}

static void
info_name(const struct commit *c, char ret[PARTIAL_NAME_SIZE])
{
	partial_file_name(c->partial->file.shown.id, partial_info_suffix, ret);
}

static int
remove_name(const struct commit *c, const char *name)
{
	return unlinkat(dir_of(c), name, 0) == -1 && errno != ENOENT ? -errno
								     : 0;
}

/* ---- making one ---- */

/* Its ID.info, locked before it says anything. */
static int
make_info(struct commit *c, const char *name)
{
	struct open_partial *p = c->partial;
	int err;

	p->info = openat(dir_of(c), name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (p->info == -1)
		return -errno;
	/* Nobody knows of it but a sweep, which holds it for a moment. */
	err = publish_wait_lock(p->info, false);
	if (err == 0)
		err = open_partial_write(p, syncs(c), &c->create.target->cause);
	return err;
}

/* What it says that it will need is kept from others; if bytes come with its beginning,
 * create_file() has reserved room for them. */
static int
look_for_room(const struct commit *c)
{
	uint64_t now = c->create.length, length = c->partial->next.length;

	if (length == STORE_LENGTH_UNKNOWN)
		length = 0;
	return now == 0 || (now != STORE_LENGTH_UNKNOWN && length > now)
		   ? room_look(c->create.room, length)
		   : 0;
}

/* The directory that is to be synced. */
static int
prepare_listing(struct commit *c)
{
	struct stat st;

	if (fstat(dir_of(c), &st) == -1)
		return -errno;
	c->synced.dir = dir_of(c);
	c->synced.inode = st.st_ino;
	return 0;
}

static int
make_both(struct commit *c)
{
	struct target *t = c->create.target;
	char name[PARTIAL_NAME_SIZE];
	int err;

	info_name(c, name);
	c->create.kept = c->partial->data;
	err = create_file(&c->create, true);
	if (t->u.fd == -1)
		return err;
	if (err == 0)
		err = look_for_room(c);
	if (err == 0)
		err = make_info(c, name);
	if (err == 0 && syncs(c))
		err = prepare_listing(c);
	if (err != 0)
		open_partial_end(c->partial, t); /* it is new */
	return err;
}

int
partial_create_job(void *arg)
{
	struct commit *c = arg;
	int err = open_partial_enter(c->partial, c->create.target->at);

	if (err == 0)
		err = make_both(c);
	if (err < 0)
		open_partial_account(c->partial); /* it never was */
	return err < 0 ? target_give_up(c->create.target, err) : 0;
}

/* ---- finding one ---- */

/* Others may have had it between open and lock, and removed it. */
static int
check_name(int dir, const char *name, int fd)
{
	struct stat st, own;

	if (fstat(fd, &own) == -1)
		return -errno;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? (int)LOCAL_NO_UPLOAD : -errno;
	return st.st_dev == own.st_dev && st.st_ino == own.st_ino
		   ? 0
		   : (int)LOCAL_NO_UPLOAD;
}

static int
lock_info(int fd)
{
	int err = publish_lock(fd);

	return err == -EWOULDBLOCK || err == -EAGAIN || err == -EACCES
		   ? (int)LOCAL_HELD
		   : err;
}

/* Nothing has that name, or something that is not of this server's making. */
static bool
is_no_info(int err)
{
	return err == ENOENT || err == ELOOP || err == EISDIR || err == ENXIO;
}

static int
open_info(int dir, const char *name, int *ret_fd)
{
	int err;

	*ret_fd =
	    openat(dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*ret_fd == -1)
		return is_no_info(errno) ? (int)LOCAL_NO_UPLOAD : -errno;
	err = lock_info(*ret_fd);
	return err < 0 ? err : check_name(dir, name, *ret_fd);
}

/* In `.penstock`, also when that was made anew since it was opened. */
static int
find_info(struct commit *c)
{
	struct publish *p = &c->create.target->at->publish;
	char name[PARTIAL_NAME_SIZE];
	int err =
	    c->partial->is_elsewhere ? (int)LOCAL_HELD : publish_temp_dir(p);

	info_name(c, name);
	if (err >= 0)
		err = open_info(dir_of(c), name, &c->partial->info);
	if (err != LOCAL_NO_UPLOAD || publish_is_intact(p))
		return err;
	fd_close(&c->partial->info);
	err = publish_renew(p);
	return err < 0 ? err : open_info(dir_of(c), name, &c->partial->info);
}

/* Another one has it: what never changes of it can be read without the lock.  (Of what
 * does change one slot is whole at any time.) */
static void
read_held(struct open_partial *p, const char *id)
{
	if (p->info != -1 && partial_file_read(p->info, id, &p->file) < 0)
		partial_file_fini(&p->file); /* it is just being made */
}

static int
find(struct commit *c)
{
	struct open_partial *p = c->partial;
	char id[PARTIAL_ID_LEN + 1];
	int err = dir_check_path(c->create.target->at);

	memcpy(id, p->file.shown.id, sizeof(id));
	if (err == 0)
		err = find_info(c);
	if (err == LOCAL_HELD)
		read_held(p, id);
	if (err < 0)
		return err;
	err = partial_file_read(p->info, id, &p->file);
	if (err == 0)
		err = partial_file_settle(&p->file, dir_of(c));
	if (err == 0 && p->file.shown.phase == PARTIAL_OPEN)
		open_partial_end_commit(p, syncs(c)); /* a crash cut it off */
	/* Then there are its bytes, and nothing that says of what. */
	return err == -EBADMSG || err == -EPROTONOSUPPORT ? (int)LOCAL_GARBLED
							  : err;
}

int
partial_find_job(void *arg)
{
	struct commit *c = arg;
	int err = find(c);

	if (err == 0) {
		open_partial_go_on(c->partial, c->create.target->at);
		return 0;
	}
	fd_close(&c->partial->info);
	if (err != LOCAL_HELD)
		partial_file_fini(&c->partial->file);
	return err == LOCAL_VANISHED || err == LOCAL_NO_UPLOAD
		   ? err
		   : target_give_up(c->create.target, err);
}

/* ---- more of one ---- */

int
partial_open_data(struct commit *c)
{
	struct target *t = c->create.target;
	struct stat st;

	if (t->u.fd != -1)
		return 0; /* it was cut off at its offset */
	t->u.fd = openat(dir_of(c), c->partial->data,
	    O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (t->u.fd == -1 || fstat(t->u.fd, &st) == -1)
		return errno == ENOENT ? (int)LOCAL_NO_UPLOAD : -errno;
	if (!S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size < c->partial->file.shown.offset)
		return LOCAL_GARBLED;
	/* A crash may have left more. */
	c->create.room->is_longer =
	    (uint64_t)st.st_size > c->partial->file.shown.offset;
	return 0;
}

/* What may have been found out for the part before may have changed. */
static int
find_target(struct target *t)
{
	int err;

	fd_close(&t->dir);
	t->cause = 0;
	t->existing = 0;
	t->why = NULL;
	t->u.path = t->name;
	err = name_check_error(
	    t, path_open_parent(t->at->fd, t->name, &t->dir, &t->rest));
	return err < 0 ? err : target_check_early(t);
}

static int
append(struct commit *c)
{
	struct create *create = &c->create;
	struct target *t = create->target;
	int err = dir_check_path(t->at);

	if (err == 0)
		err = partial_open_data(c);
	if (err == 0)
		err = find_target(t);
	if (err < 0)
		return err;
	if (create->direct_wanted)
		create->says_direct = space_direct_of(t->u.fd, SPACE_ALIGN);
	if (create->says_direct == SPACE_DIRECT_NO)
		create->room->allocates = false;
	/* With all bytes there, none are asked for. */
	return create->length <= create->room->granted
		   ? 0
		   : room_reserve(create->room, t->u.fd, create->length);
}

int
partial_append_job(void *arg)
{
	struct commit *c = arg;
	int err = append(c);

	return err < 0 ? target_give_up(c->create.target, err) : 0;
}

/* ---- the end of a part ---- */

/* Nothing is to be behind the offset.  And nobody would find what is kept in files that
 * others have removed. */
static int
trim(const struct commit *c)
{
	uint64_t size = c->partial->next.offset;
	struct stat data, info;
	int fd = c->create.target->u.fd;

	if (fstat(fd, &data) == -1 || fstat(c->partial->info, &info) == -1)
		return -errno;
	if (data.st_nlink == 0 || info.st_nlink == 0)
		return LOCAL_NO_UPLOAD;
	return (uint64_t)data.st_size == size ? 0 : space_trim(fd, size);
}

static int
suspend(struct commit *c)
{
	struct target *t = c->create.target;
	int err = trim(c);

	if (err == 0 && syncs(c))
		err = commit_sync_data(c);
	if (err == 0 && t->at->device->kind == DEVICE_UNKNOWN)
		err = publish_check_close(t->u.fd);
	return err < 0 ? err
		       : open_partial_note(c->partial, syncs(c), &t->cause);
}

/* A sync that failed is not tried again: nothing is written by this descriptor any
 * more. */
int
partial_suspend_job(void *arg)
{
	struct commit *c = arg;
	int err = suspend(c);

	return err < 0 ? target_give_up(c->create.target, err) : 0;
}

/* ---- the last word ---- */

/*
 * The answer need not be durable: without it one that is stored is known to be, since its
 * bytes are not there.  But one that is refused would be taken for stored then, if its
 * commit had begun: so that is durable before they go.
 */
int
partial_conclude_job(void *arg)
{
	struct commit *c = arg;
	bool is_refused = c->partial->next.phase == PARTIAL_REFUSED;
	int err = open_partial_note(
	    c->partial, is_refused && syncs(c), &c->create.target->cause);

	/* Writes to them may still be in flight. */
	return err == 0 && is_refused ? remove_name(c, c->partial->data) : err;
}

/* The bytes last: without them an ID.info could say that it is stored.  (Bytes alone are
 * nobody's, and swept.) */
int
partial_remove_job(void *arg)
{
	struct commit *c = arg;
	char name[PARTIAL_NAME_SIZE];
	int err;

	info_name(c, name);
	err = remove_name(c, name);
	if (err == 0)
		err = remove_name(c, c->partial->data);
	if (err < 0)
		return err;
	c->partial->is_removed = true;
	fd_close(&c->partial->info);
	fd_close(&c->create.target->u.fd);
	return 0;
}
