#include "store/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "store/path.h"

enum {
	TRIES = 100,	  /* against a sweeper that goes on and on */
	FILE_MODE = 0666, /* less the umask, as any file that is created */
	/* Where locks do not last, nobody is without his for so long. */
	LOOK_AGAIN_NS = 100 * 1000 * 1000,
};

static const char temp_suffix[] = ".part";

int
publish_open_temp_dir(int root)
{
	if (mkdirat(root, PUBLISH_TEMP_DIR, 0700) == -1 && errno != EEXIST)
		return -errno;
	return path_open(root, PUBLISH_TEMP_DIR, O_RDONLY | O_DIRECTORY);
}

bool
publish_is_temp_dir(int root, int fd)
{
	struct stat st, own;

	return fstat(fd, &own) == 0 &&
	       fstatat(root, PUBLISH_TEMP_DIR, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == own.st_dev && st.st_ino == own.st_ino;
}

bool
publish_is_intact(const struct publish *p)
{
	return p->temp_dir == -1 || publish_is_temp_dir(p->root, p->temp_dir);
}

bool
publish_is_full(int err)
{
	return err == -ENOSPC || err == -EDQUOT;
}

int
publish_temp_dir(struct publish *p)
{
	int there = atomic_load(&p->temp_dir), fd;

	if (there != -1)
		return there;
	fd = publish_open_temp_dir(p->root);
	if (fd < 0)
		return fd;
	/* Another thread may have been faster. */
	if (atomic_compare_exchange_strong(&p->temp_dir, &there, fd))
		return fd;
	fd_close(&fd);
	return there;
}

static void
make_temp_name(char ret_name[PUBLISH_TEMP_MAX])
{
	uint64_t random;

	fd_random(&random, sizeof(random));
	snprintf(ret_name, PUBLISH_TEMP_MAX, "%016" PRIx64 "%s", random,
	    temp_suffix);
}

static bool
is_temp_name(const char *name)
{
	return strlen(name) == 16 + sizeof(temp_suffix) - 1 &&
	       strspn(name, "0123456789abcdef") == 16 &&
	       strcmp(name + 16, temp_suffix) == 0;
}

/*
 * Create a temp file and lock it.  A sweeper may lock and remove it in
 * between: then it has no name any more and the next try makes another.
 */
static int
create_temp(struct publish *p, struct unpublished *ret)
{
	for (int i = 0; i < TRIES; i++) {
		struct stat st;
		int fd, err;

		make_temp_name(ret->temp);
		fd = openat(p->temp_dir, ret->temp,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    FILE_MODE);
		if (fd == -1 && errno == EEXIST)
			continue;
		if (fd == -1) {
			ret->temp[0] = '\0';
			return -errno;
		}
		err = publish_lock(fd);
		if (err == 0 && fstatat(p->temp_dir, ret->temp, &st,
				    AT_SYMLINK_NOFOLLOW) == -1)
			err = errno == ENOENT ? -EAGAIN : -errno;
		if (err == 0) {
			ret->fd = fd;
			return 0;
		}
		fd_close(&fd);
		if (err != -EAGAIN && err != -EACCES) {
			(void)unlinkat(p->temp_dir, ret->temp, 0);
			ret->temp[0] = '\0';
			return err;
		}
	}
	ret->temp[0] = '\0';
	return -EAGAIN;
}

/* Find out how a temp file can get a name that must not exist yet. */
static int
try_temp_names(struct publish *p)
{
	struct unpublished u = {.fd = -1};
	char second[PUBLISH_TEMP_MAX];
	int err;

	err = create_temp(p, &u);
	if (err < 0)
		return err;
	make_temp_name(second);
	if (linkat(p->temp_dir, u.temp, p->temp_dir, second, 0) == 0) {
		p->by_link = true;
		(void)unlinkat(p->temp_dir, u.temp, 0);
	} else if (publish_is_full(-errno)) {
		err = -errno;
		(void)unlinkat(p->temp_dir, u.temp, 0);
	} else {
		p->by_link = false;
		err = publish_rename_new(
		    p->temp_dir, u.temp, p->temp_dir, second);
		if (err < 0)
			(void)unlinkat(p->temp_dir, u.temp, 0);
	}
	(void)unlinkat(p->temp_dir, second, 0);
	fd_close(&u.fd);
	/* It can neither link nor rename without replacing: there is no way
	 * to publish that never overwrites what others put there. */
	return err == 0 || publish_is_full(err) ? err : -EOPNOTSUPP;
}

/* Find out which way works.  Threads may do so at once: they find the same. */
static int
try_ways(struct publish *p)
{
	int fd, err;

	fd = publish_open_nameless(p->root);
	if (fd >= 0) {
		fd_close(&fd);
		p->nameless = true;
		p->is_known = true;
		return 0;
	}
	if (fd != -EOPNOTSUPP && fd != -EISDIR && fd != -EINVAL &&
	    fd != -ENOSYS)
		return fd;
	err = publish_temp_dir(p);
	if (err >= 0)
		err = try_temp_names(p);
	if (err == 0)
		p->is_known = true;
	return err;
}

int
publish_init(struct publish *p, int root, bool overwrite)
{
	int err;

	*p = (struct publish){.root = root, .temp_dir = -1};
	err = try_ways(p);
	if (err == 0 && overwrite)
		err = publish_temp_dir(p);
	if (err >= 0 || publish_is_full(err))
		return 0;
	publish_fini(p);
	return err;
}

void
publish_fini(struct publish *p)
{
	int fd = atomic_exchange(&p->temp_dir, -1);

	fd_close(&fd);
}

const char *
publish_way(const struct publish *p)
{
	if (!p->is_known)
		return "a way that is found out when there is room";
	if (p->nameless)
		return "O_TMPFILE and link";
	return p->by_link ? "temp name and link" : "temp name and rename";
}

int
publish_create(struct publish *p, int dir, struct unpublished *ret)
{
	int fd, err;

	ret->temp[0] = '\0';
	err = p->is_known ? 0 : try_ways(p);
	if (err < 0)
		return err;
	if (!p->nameless)
		return create_temp(p, ret);
	fd = publish_open_nameless(dir == -1 ? p->root : dir);
	if (fd < 0)
		return fd;
	ret->fd = fd;
	return 0;
}

/* Is this what has `name`?  1, 0, or -1: that cannot be told. */
static int
has_name(const struct unpublished *u, int dir, const char *name)
{
	struct stat st, own;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (fstat(u->fd, &own) == -1)
		return -1;
	return st.st_dev == own.st_dev && st.st_ino == own.st_ino;
}

/* May it be done for all that?  Errors of an answer that did not come, rather
 * than of what was asked; and those of asking for it again. */
static bool
may_be_done(int err)
{
	switch (-err) {
	case EEXIST:
	case ENOENT:
	case EIO:
	case EINTR:
	case EPIPE:
	case ETIMEDOUT:
	case ENOTCONN:
	case ECONNRESET:
	case ECONNABORTED:
		return true;
	default:
		return false;
	}
}

/*
 * What giving it the name came to, after that said `err`: 0 if it has the name.
 * NFS and FUSE may have done what they were told, and lose the answer; told
 * again, NFS says that it cannot be done.
 */
static int
settle_name(int err, struct unpublished *u, int dir, const char *name)
{
	int has = err == 0 ? 1 : has_name(u, dir, name);

	u->uncertain = has == -1 && may_be_done(err);
	return has == 1 ? 0 : err;
}

int
publish_link(
    struct publish *p, struct unpublished *u, int dir, const char *name)
{
	int err;

	if (dir == -1)
		dir = p->root;
	if (u->temp[0] == '\0')
		err = publish_link_nameless(u->fd, dir, name);
	else if (p->by_link)
		err = linkat(p->temp_dir, u->temp, dir, name, 0) == -1 ? -errno
								       : 0;
	else
		err = publish_rename_new(p->temp_dir, u->temp, dir, name);
	err = settle_name(err, u, dir, name);
	if (err < 0)
		return err;
	if (p->by_link)
		publish_discard(p, u);
	u->temp[0] = '\0';
	return 0;
}

/* A temp name, which takes part in a replacement. */
static int
link_temp(struct publish *p, struct unpublished *u)
{
	int err;

	err = publish_temp_dir(p);
	/* Locked before it has a name: no sweeper takes it. */
	if (err >= 0)
		err = publish_lock(u->fd);
	if (err < 0)
		return err;
	make_temp_name(u->temp);
	err = publish_link_nameless(u->fd, p->temp_dir, u->temp);
	err = settle_name(err, u, p->temp_dir, u->temp);
	u->uncertain = false; /* about a name that is nobody's business */
	if (err < 0)
		publish_discard(p, u);
	return err;
}

int
publish_replace(
    struct publish *p, struct unpublished *u, int dir, const char *name)
{
	int err = 0;

	if (dir == -1)
		dir = p->root;
	if (u->temp[0] == '\0')
		err = link_temp(p, u);
	if (err < 0)
		return err;
	err = renameat(p->temp_dir, u->temp, dir, name) == -1 ? -errno : 0;
	err = settle_name(err, u, dir, name);
	if (err == 0)
		u->temp[0] = '\0';
	return err;
}

void
publish_discard(struct publish *p, struct unpublished *u)
{
	if (u->temp[0] == '\0')
		return;
	(void)unlinkat(p->temp_dir, u->temp, 0);
	u->temp[0] = '\0';
}

/* Temp names that nobody holds, at a first look. */
struct unheld {
	char (*name)[PUBLISH_TEMP_MAX];
	size_t count, room;
};

static void
remember(struct unheld *u, const char *name)
{
	if (u->count == u->room) {
		size_t room = u->room * 2 + 16;
		void *more = realloc(u->name, room * sizeof(*u->name));

		if (more == NULL)
			return; /* the next sweep takes it */
		u->name = more;
		u->room = room;
	}
	snprintf(u->name[u->count++], sizeof(*u->name), "%s", name);
}

/* One temp file that nobody holds is removed, or remembered in `unheld`. */
static void
sweep_one(int dir, const char *name, struct unheld *unheld, unsigned *ret_swept,
    unsigned *ret_living)
{
	int file =
	    openat(dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (file == -1)
		return;
	if (publish_lock(file) < 0)
		++*ret_living;
	else if (unheld != NULL)
		remember(unheld, name);
	else if (unlinkat(dir, name, 0) == 0)
		++*ret_swept;
	fd_close(&file);
}

unsigned
publish_sweep(int root, unsigned *ret_living)
{
	const struct timespec nap = {.tv_nsec = LOOK_AGAIN_NS};
	bool sure = publish_locks_last();
	struct unheld unheld = {0};
	const struct dirent *e;
	unsigned swept = 0;
	DIR *d;
	int fd;

	*ret_living = 0;
	fd = path_open(root, PUBLISH_TEMP_DIR, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return 0;
	d = fdopendir(fd);
	if (d == NULL) {
		fd_close(&fd);
		return 0;
	}
	while ((e = readdir(d)) != NULL) {
		if (is_temp_name(e->d_name))
			sweep_one(fd, e->d_name, sure ? NULL : &unheld, &swept,
			    ret_living);
	}
	if (unheld.count > 0)
		(void)nanosleep(&nap, NULL);
	for (size_t i = 0; i < unheld.count; i++)
		sweep_one(fd, unheld.name[i], NULL, &swept, ret_living);
	free(unheld.name);
	closedir(d);
	return swept;
}
