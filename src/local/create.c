/*
 * The job that makes a file on its way in, and the one that throws it away.  On
 * engine threads, as all that may wait for the disk (but for memory file
 * systems).
 */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "internal.h"
#include "local_error.h"
#include "local/path.h"
#include "local/space.h"

enum {
	TRIES = 32, /* against those that remove the directory all the time */
};

/* Close what is open, and take back a temp name. */
static void
close_all(struct incoming_file *f)
{
	publish_discard(&f->at->publish, &f->u);
	fd_close(&f->u.fd);
	fd_close(&f->dir);
}

int
create_discard_job(void *file)
{
	struct incoming_file *f = file;

	close_all(f);
	unlinked_close(f);
	return 0;
}

/* Its conditions, held against `v`, which has its name (NULL: nothing has). */
static bool
conditions_hold(struct incoming_file *f, const struct file_version *v)
{
	struct object_info info;

	if (f->pre == NULL)
		return true;
	if (v != NULL)
		file_version_describe(v, &info);
	return preconditions_hold(f->pre, v != NULL ? &info : NULL, &f->why);
}

/* May a file named `name` in `dir` be made, in place of what is there? */
int
create_check_target(
    struct incoming_file *f, int dir, const char *name, bool *ret_exists)
{
	int at = dir == -1 ? f->at->fd : dir;
	struct file_version v;
	bool exists;
	int err;

	err = f->pre != NULL || f->forerunner != NULL
		  ? file_version_at(at, name, &v)
		  : file_version_peek(at, name, &v);
	if (err < 0 && err != -ENOENT)
		return name_check_error(f, err);
	exists = err == 0;
	*ret_exists = exists;
	f->existing = exists ? v.inode : 0;
	f->replaces = exists || f->pre != NULL;
	if (exists && S_ISDIR(v.mode))
		return -EISDIR;
	if (exists && S_ISLNK(v.mode))
		return -ELOOP;
	if (!conditions_hold(f, exists ? &v : NULL))
		return LOCAL_REFUSED;
	if (exists && !f->local->to.policy->overwrite &&
	    !order_is_forerunner(f, &v))
		return -EEXIST;
	return 0;
}

/* What a client can be told before it sends the body; and with no more than a
 * look: a name in directories that are to be made is new. */
int
create_check_request(struct incoming_file *f)
{
	bool exists = false;
	int err = 0;

	if (strchr(f->rest, '/') == NULL)
		err = create_check_target(f, f->dir, f->rest, &exists);
	else if (!conditions_hold(f, NULL))
		err = LOCAL_REFUSED;
	return err == 0 && !exists ? name_check_try(f) : err;
}

/* Find the directory that it goes to, and make the file.  The directory may be
 * removed, while it is empty, before the file is made: then once more. */
static int
make_file(struct incoming_file *f, bool early)
{
	int err;

	f->u.path = f->name;
	for (int i = 0;; i++) {
		err = name_check_error(
		    f, path_open_parent(f->at->fd, f->name, &f->dir, &f->rest));
		/* Late, giving the name tells; but no directories for nothing. */
		if (err == 0 && (early || strchr(f->rest, '/') != NULL))
			err = create_check_request(f);
		if (err == 0)
			err = publish_create(&f->at->publish, f->dir, &f->u);
		if (i == TRIES || !parents_are_lost(f, -1, err))
			return err;
		fd_close(&f->dir);
		parents_pause(f, i);
	}
}

/* Make the file; `early`: before there is a body. */
int
create_file(struct incoming_file *f, bool early)
{
	int err = 0;

	/* Late, publishing tells the same. */
	if (early)
		err = dir_check_path(f->at);
	if (err == 0)
		err = make_file(f, early);
	if (err < 0)
		return err;
	if (f->writer.direct_wanted)
		f->says_direct = space_direct_of(f->u.fd, SPACE_ALIGN);
	if (f->says_direct == SPACE_DIRECT_NO)
		f->writer.room.allocates = false;
	if (f->at->stamps)
		file_version_stamp(f->u.fd);
	return room_reserve(&f->writer.room, f->u.fd, f->writer.length);
}

/* Close it all; perhaps the directory is gone, and that is behind `err`. */
int
create_give_up(struct incoming_file *f, int err)
{
	close_all(f);
	if (err == LOCAL_OUTCOME_UNKNOWN || err == LOCAL_SYNC_FAILED)
		return err;
	/* Not a part of the client's path, then, but our own `.penstock`. */
	if ((err == -ENOENT || err == -ENOTDIR || err == -ELOOP) &&
	    !publish_is_intact(&f->at->publish))
		return LOCAL_VANISHED;
	return dir_check_path(f->at) == LOCAL_VANISHED ? (int)LOCAL_VANISHED
						       : err;
}

int
create_job(void *file)
{
	struct incoming_file *f = file;
	int err = create_file(f, true);

	return err < 0 ? create_give_up(f, err) : 0;
}
