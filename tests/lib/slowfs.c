/*
 * slowfs - a disk that is slow, stuck or broken on command.
 *
 *	slowfs BACKING MOUNTPOINT CONTROL ['command' ...]
 *	slowfs --ctl CONTROL command ...
 *
 * Shows the directory BACKING at MOUNTPOINT and stays in the foreground until
 * it is unmounted or gets TERM, INT or HUP, upon which it unmounts itself and
 * exits 0 (operations still waiting then fail with ECONNABORTED).  CONTROL is
 * a UNIX socket it makes, outside of the mount.  --ctl sends one command,
 * waits for the answer and prints it; exit 0 once the command is in force, 1
 * when it was refused, or there was no answer for 5 s.
 *
 * Commands, OP being a row of the table below or "all":
 *
 *	rate BYTES            all writes jointly take a second per BYTES (k, m,
 *	                      g), as on one disk; 0: no limit
 *	hiccup MS EVERY       nothing moves in the last MS of each EVERY ms, which
 *	                      count from this command; 0 0: never
 *	latency OP MS         each OP takes that much longer; 0: no longer
 *	stall OP              OP does not return until ...
 *	resume [OP]           ... this
 *	fail OP ERRNO         OP fails, such as: fail write ENOSPC
 *	  ... after N         ... but for the next N
 *	  ... once            ... only the next one; with both: the one after N
 *	  ... lost            ... although it is done: its answer is lost (link
 *	                      and rename)
 *	short write N         a write takes N bytes at most; 0: no limit
 *	clear                 none of the above any more
 *	count [OP|bytes|waiting]  how many of each were begun, bytes written, how
 *	                      many are held in a stall now; one row per line
 *	zero                  start counting anew
 *	ping                  nothing: it is mounted and answers
 *
 * An operation is counted, then stalled, delayed, failed, paced, in this order.
 * The rate is that of a disk that moves: with hiccups it is less on average.
 * Each runs on a thread of its own, so those that wait hold up no others, but for
 * the kernel's locks (one write at a time to one file).  Nothing is cached
 * in the kernel but clean pages: a write() lasts as long as the device takes.
 * There is no O_TMPFILE, and renameat2() takes no flags.  `kill -STOP` of
 * this process hangs the disk for good.
 */
#define FUSE_USE_VERSION 312

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

/* clang-format off */
#define OPS(X) \
	X(lookup) X(getattr) X(setattr) X(truncate) X(statfs) \
	X(open) X(create) X(read) X(write) X(fallocate) \
	X(flush) X(fsync) X(release) \
	X(link) X(unlink) X(rename) X(mkdir) X(rmdir) \
	X(opendir) X(readdir) X(fsyncdir) X(releasedir)

enum op {
#define X(name) OP_##name,
	OPS(X)
#undef X
	OP_COUNT
};

static const char *const op_name[OP_COUNT] = {
#define X(name) [OP_##name] = #name,
	OPS(X)
#undef X
};
/* clang-format on */

enum {
	NODE_BUCKETS = 1024,
	THREADS_MAX = 2000, /* operations that can wait at once */
	WRITE_MAX = 1024 * 1024,
	REPLY_MAX = 2048,
	CTL_WAIT_S = 5,
	ERRNO_END = 134,
	BURST_NS = 20 * 1000 * 1000, /* what an idle disk saves up */
};

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* What is done to one kind of operation, and how often it was begun. */
struct rule {
	uint64_t begun;
	int64_t latency_ns;
	int fail_errno; /* 0: none */
	uint64_t fail_after;
	bool fail_once;
	bool fail_done; /* it is done all the same */
	bool stalled;
};

/* The faults in force, shared by all threads and held by `lock`. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct rule rule[OP_COUNT];
	int64_t rate;	     /* bytes per second; 0: no limit */
	unsigned rate_epoch; /* counts its changes */
	int64_t free_at;     /* when the disk is done with what it has */
	int64_t hiccup_ns, every_ns; /* 0: it never stops moving */
	int64_t moves_since;	     /* the start of one such period */
	size_t short_write;	     /* 0: no limit */
	uint64_t bytes_written;
	unsigned waiting; /* operations in a stall */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

/*
 * An inode that the kernel knows, held by an O_PATH descriptor, so that it
 * can be reached when it has no name any more.
 */
struct node {
	struct node *next; /* in its bucket */
	dev_t dev;
	ino_t ino;
	int fd;
	uint64_t lookups; /* what the kernel has yet to forget */
};

static struct {
	pthread_mutex_t lock;
	struct node *bucket[NODE_BUCKETS];
	struct node root;
} nodes = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct fuse_session *session;
static const char *control_path;
static bool is_root;

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* ---- what is done to operations */

/* Wait, with disk.lock held, until `when` or until a rule changes. */
static void
wait_until(int64_t when)
{
	struct timespec ts = {
	    .tv_sec = when / NS_PER_S, .tv_nsec = when % NS_PER_S};

	pthread_cond_timedwait(&disk.changed, &disk.lock, &ts);
}

/*
 * When the disk has moved for another `ns` since `from`: later than that by
 * the hiccups in between.
 */
static int64_t
moved_by(int64_t from, int64_t ns)
{
	int64_t moves = disk.every_ns - disk.hiccup_ns, at;

	if (disk.hiccup_ns == 0)
		return from + ns;
	at = (from - disk.moves_since) % disk.every_ns;
	if (at > moves) { /* in a hiccup: none of it has passed */
		from += disk.every_ns - at;
		at = 0;
	}
	return from + ns + (at + ns) / moves * disk.hiccup_ns;
}

/* The error that a rule has for this operation, or 0. */
static int
fault(struct rule *r)
{
	int err = r->fail_errno;

	if (err == 0)
		return 0;
	if (r->fail_after > 0) {
		r->fail_after--;
		return 0;
	}
	if (r->fail_once)
		r->fail_errno = 0;
	return r->fail_done ? -err : err;
}

/* Begin an operation: 0 when it may go on, or the errno it fails with, negative
 * when it is to be done and to fail then. */
static int
gate(enum op op)
{
	struct rule *r = &disk.rule[op];
	int64_t since;
	int err;

	pthread_mutex_lock(&disk.lock);
	r->begun++;
	disk.waiting++;
	while (r->stalled)
		pthread_cond_wait(&disk.changed, &disk.lock);
	disk.waiting--;
	since = now_ns();
	while (r->latency_ns > 0 && now_ns() < since + r->latency_ns)
		wait_until(since + r->latency_ns);
	for (since = now_ns(); now_ns() < moved_by(since, 0); since = now_ns())
		wait_until(moved_by(since, 0));
	err = fault(r);
	pthread_mutex_unlock(&disk.lock);
	return err;
}

/*
 * Take as long as the disk does for `len` bytes, behind all that it has been
 * given before.  A change of the rate empties it: all queue again.
 */
static void
pace(size_t len)
{
	int64_t idle_since, done_at;
	unsigned epoch;

	pthread_mutex_lock(&disk.lock);
	do {
		epoch = disk.rate_epoch;
		if (disk.rate == 0)
			break;
		idle_since = now_ns() - BURST_NS;
		if (disk.free_at < idle_since)
			disk.free_at = idle_since;
		disk.free_at =
		    moved_by(disk.free_at, (int64_t)len * NS_PER_S / disk.rate);
		done_at = disk.free_at;
		while (epoch == disk.rate_epoch && now_ns() < done_at)
			wait_until(done_at);
	} while (epoch != disk.rate_epoch);
	disk.bytes_written += len;
	pthread_mutex_unlock(&disk.lock);
}

/* ---- inodes */

static struct node *
node_of(fuse_ino_t ino)
{
	if (ino == FUSE_ROOT_ID)
		return &nodes.root;
	return (struct node *)(uintptr_t)ino;
}

static struct node **
node_bucket(ino_t ino)
{
	return &nodes.bucket[ino % NODE_BUCKETS];
}

/* The node of the inode at `fd` (O_PATH), which this takes; NULL: no memory. */
static struct node *
node_get(int fd, const struct stat *st)
{
	struct node **head = node_bucket(st->st_ino);
	struct node *n;

	pthread_mutex_lock(&nodes.lock);
	for (n = *head; n != NULL; n = n->next)
		if (n->ino == st->st_ino && n->dev == st->st_dev)
			break;
	if (n != NULL) {
		close(fd);
	} else if ((n = calloc(1, sizeof(*n))) != NULL) {
		n->dev = st->st_dev;
		n->ino = st->st_ino;
		n->fd = fd;
		n->next = *head;
		*head = n;
	} else {
		close(fd);
	}
	if (n != NULL)
		n->lookups++;
	pthread_mutex_unlock(&nodes.lock);
	return n;
}

static void
node_forget(fuse_ino_t ino, uint64_t lookups)
{
	struct node *n = node_of(ino), **at;

	if (n == &nodes.root)
		return;
	pthread_mutex_lock(&nodes.lock);
	n->lookups -= lookups;
	if (n->lookups == 0) {
		for (at = node_bucket(n->ino); *at != n; at = &(*at)->next)
			;
		*at = n->next;
		close(n->fd);
		free(n);
	}
	pthread_mutex_unlock(&nodes.lock);
}

/* A path that leads to the inode, with or without a name. */
static const char *
node_path(const struct node *n, char buf[64])
{
	snprintf(buf, 64, "/proc/self/fd/%d", n->fd);
	return buf;
}

/* Look `name` up: 0 or an errno; *ret is set, and counted as known, on 0. */
static int
find(fuse_ino_t parent, const char *name, struct fuse_entry_param *ret)
{
	struct fuse_entry_param e = {0};
	struct node *n;
	int fd, err;

	fd = openat(node_of(parent)->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return errno;
	if (fstatat(fd, "", &e.attr, AT_EMPTY_PATH) == -1) {
		err = errno;
		close(fd);
		return err;
	}
	n = node_get(fd, &e.attr);
	if (n == NULL)
		return ENOMEM;
	e.ino = (uintptr_t)n;
	*ret = e;
	return 0;
}

/* Give what was just made to the process that asked for it. */
static void
give(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct fuse_ctx *who = fuse_req_ctx(req);

	if (is_root && fchownat(node_of(parent)->fd, name, who->uid, who->gid,
			   AT_SYMLINK_NOFOLLOW) == -1)
		fprintf(stderr, "slowfs: chown: %s: %m\n", name);
}

static void
reply_entry(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e;
	int err = find(parent, name, &e);

	if (err != 0)
		fuse_reply_err(req, err);
	else if (fuse_reply_entry(req, &e) != 0)
		node_forget(e.ino, 1);
}

static void
reply_attr(fuse_req_t req, fuse_ino_t ino)
{
	struct stat st;

	if (fstatat(node_of(ino)->fd, "", &st, AT_EMPTY_PATH) == -1)
		fuse_reply_err(req, errno);
	else
		fuse_reply_attr(req, &st, 0);
}

/* True, and answered, when the operation is to fail. */
static bool
refused(fuse_req_t req, enum op op)
{
	int err = gate(op);

	if (err != 0)
		fuse_reply_err(req, err);
	return err != 0;
}

/* Answer with what a system call returned. */
static void
reply_result(fuse_req_t req, int result)
{
	fuse_reply_err(req, result == -1 ? errno : 0);
}

/* ---- operations */

static void
do_init(void *user, struct fuse_conn_info *conn)
{
	(void)user;
	conn->want &= ~(unsigned)FUSE_CAP_WRITEBACK_CACHE;
	conn->max_write = WRITE_MAX;
	conn->max_background = THREADS_MAX;
	conn->congestion_threshold = THREADS_MAX;
}

static void
do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	if (!refused(req, OP_lookup))
		reply_entry(req, parent, name);
}

static void
do_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	node_forget(ino, lookups);
	fuse_reply_none(req);
}

static void
do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	if (!refused(req, OP_getattr))
		reply_attr(req, ino);
}

static struct timespec
time_to_set(int to_set, int set, int now, struct timespec ts)
{
	if (to_set & now)
		ts.tv_nsec = UTIME_NOW;
	else if (!(to_set & set))
		ts.tv_nsec = UTIME_OMIT;
	return ts;
}

/* Set what `to_set` says by the system calls for it: 0, or -1 and errno. */
static int
set_attr(const struct node *n, const struct stat *st, int to_set)
{
	char path[64];
	struct timespec tv[2];

	node_path(n, path);
	if ((to_set & FUSE_SET_ATTR_MODE) && chmod(path, st->st_mode) == -1)
		return -1;
	if ((to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) &&
	    fchownat(n->fd, "",
		to_set & FUSE_SET_ATTR_UID ? st->st_uid : (uid_t)-1,
		to_set & FUSE_SET_ATTR_GID ? st->st_gid : (gid_t)-1,
		AT_EMPTY_PATH) == -1)
		return -1;
	if ((to_set & FUSE_SET_ATTR_SIZE) && truncate(path, st->st_size) == -1)
		return -1;
	if (to_set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME)) {
		tv[0] = time_to_set(to_set, FUSE_SET_ATTR_ATIME,
		    FUSE_SET_ATTR_ATIME_NOW, st->st_atim);
		tv[1] = time_to_set(to_set, FUSE_SET_ATTR_MTIME,
		    FUSE_SET_ATTR_MTIME_NOW, st->st_mtim);
		return utimensat(AT_FDCWD, path, tv, 0);
	}
	return 0;
}

static void
do_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set,
    struct fuse_file_info *fi)
{
	(void)fi;
	if (refused(
		req, to_set & FUSE_SET_ATTR_SIZE ? OP_truncate : OP_setattr))
		return;
	if (set_attr(node_of(ino), st, to_set) == -1)
		fuse_reply_err(req, errno);
	else
		reply_attr(req, ino);
}

static void
do_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;

	if (refused(req, OP_statfs))
		return;
	if (fstatvfs(node_of(ino)->fd, &st) == -1)
		fuse_reply_err(req, errno);
	else
		fuse_reply_statfs(req, &st);
}

/* The kernel has resolved links, and our buffers are not aligned. */
static int
open_flags(const struct fuse_file_info *fi)
{
	return (fi->flags & ~(O_NOFOLLOW | O_DIRECT)) | O_CLOEXEC;
}

static void
do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	char path[64];
	int fd;

	if (refused(req, OP_open))
		return;
	fd = open(node_path(node_of(ino), path), open_flags(fi));
	if (fd == -1) {
		fuse_reply_err(req, errno);
		return;
	}
	fi->fh = (uint64_t)fd;
	if (fuse_reply_open(req, fi) != 0)
		close(fd);
}

static void
do_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    struct fuse_file_info *fi)
{
	struct fuse_entry_param e;
	int fd, err;

	if (refused(req, OP_create))
		return;
	fd = openat(node_of(parent)->fd, name, open_flags(fi) | O_CREAT, mode);
	if (fd == -1) {
		fuse_reply_err(req, errno);
		return;
	}
	give(req, parent, name);
	err = find(parent, name, &e);
	if (err != 0) {
		close(fd);
		fuse_reply_err(req, err);
		return;
	}
	fi->fh = (uint64_t)fd;
	if (fuse_reply_create(req, &e, fi) != 0) {
		close(fd);
		node_forget(e.ino, 1);
	}
}

static void
do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	char *buf;
	ssize_t n;

	(void)ino;
	if (refused(req, OP_read))
		return;
	buf = malloc(size);
	if (buf == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	n = pread((int)fi->fh, buf, size, off);
	if (n == -1)
		fuse_reply_err(req, errno);
	else
		fuse_reply_buf(req, buf, (size_t)n);
	free(buf);
}

static void
do_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
    off_t off, struct fuse_file_info *fi)
{
	size_t most;
	ssize_t n;

	(void)ino;
	if (refused(req, OP_write))
		return;
	pthread_mutex_lock(&disk.lock);
	most = disk.short_write;
	pthread_mutex_unlock(&disk.lock);
	if (most > 0 && size > most)
		size = most;
	pace(size);
	n = pwrite((int)fi->fh, buf, size, off);
	if (n == -1)
		fuse_reply_err(req, errno);
	else
		fuse_reply_write(req, (size_t)n);
}

static void
do_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
    struct fuse_file_info *fi)
{
	(void)ino;
	if (!refused(req, OP_fallocate))
		reply_result(req, fallocate((int)fi->fh, mode, off, len));
}

static void
do_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	if (!refused(req, OP_flush))
		fuse_reply_err(req, 0);
}

static void
do_fsync(
    fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi)
{
	(void)ino;
	if (!refused(req, OP_fsync))
		reply_result(req,
		    data_only ? fdatasync((int)fi->fh) : fsync((int)fi->fh));
}

/* It cannot fail: the kernel does not wait for the answer. */
static void
do_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)gate(OP_release);
	close((int)fi->fh);
	fuse_reply_err(req, 0);
}

static void
do_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	int err = gate(OP_link);
	char path[64];

	if (err > 0)
		fuse_reply_err(req, err);
	else if (linkat(AT_FDCWD, node_path(node_of(ino), path),
		     node_of(parent)->fd, name, AT_SYMLINK_FOLLOW) == -1)
		fuse_reply_err(req, errno);
	else if (err < 0)
		fuse_reply_err(req, -err);
	else
		reply_entry(req, parent, name);
}

static void
do_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	if (!refused(req, OP_unlink))
		reply_result(req, unlinkat(node_of(parent)->fd, name, 0));
}

static void
do_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
    fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
	int err = gate(OP_rename);

	if (err > 0)
		fuse_reply_err(req, err);
	else if (flags != 0)
		fuse_reply_err(req, EINVAL);
	else if (renameat(node_of(parent)->fd, name, node_of(new_parent)->fd,
		     new_name) == -1)
		fuse_reply_err(req, errno);
	else
		fuse_reply_err(req, -err);
}

static void
do_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	if (refused(req, OP_mkdir))
		return;
	if (mkdirat(node_of(parent)->fd, name, mode) == -1) {
		fuse_reply_err(req, errno);
		return;
	}
	give(req, parent, name);
	reply_entry(req, parent, name);
}

static void
do_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	if (!refused(req, OP_rmdir))
		reply_result(
		    req, unlinkat(node_of(parent)->fd, name, AT_REMOVEDIR));
}

static DIR *
dir_of(const struct fuse_file_info *fi)
{
	return (DIR *)(uintptr_t)fi->fh;
}

static void
do_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	char path[64];
	DIR *dir;

	if (refused(req, OP_opendir))
		return;
	dir = opendir(node_path(node_of(ino), path));
	if (dir == NULL) {
		fuse_reply_err(req, errno);
		return;
	}
	fi->fh = (uintptr_t)dir;
	if (fuse_reply_open(req, fi) != 0)
		closedir(dir);
}

/* Fill `buf` with entries from `off` on; returns how much of it was used. */
static size_t
list_dir(fuse_req_t req, DIR *dir, off_t off, char *buf, size_t size)
{
	struct dirent *entry;
	size_t used = 0, len;

	seekdir(dir, off);
	while ((entry = readdir(dir)) != NULL) {
		struct stat st = {.st_ino = entry->d_ino,
		    .st_mode = (mode_t)DTTOIF(entry->d_type)};

		len = fuse_add_direntry(req, buf + used, size - used,
		    entry->d_name, &st, entry->d_off);
		if (len > size - used)
			break;
		used += len;
	}
	return used;
}

static void
do_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	char *buf;

	(void)ino;
	if (refused(req, OP_readdir))
		return;
	buf = malloc(size);
	if (buf == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	fuse_reply_buf(req, buf, list_dir(req, dir_of(fi), off, buf, size));
	free(buf);
}

static void
do_fsyncdir(
    fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi)
{
	(void)ino;
	(void)data_only;
	if (!refused(req, OP_fsyncdir))
		reply_result(req, fsync(dirfd(dir_of(fi))));
}

static void
do_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)gate(OP_releasedir);
	closedir(dir_of(fi));
	fuse_reply_err(req, 0);
}

/* ---- attributes of users: those are what a server may set ---- */

static bool
is_users(const char *name)
{
	return strncmp(name, "user.", 5) == 0;
}

static void
do_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
    size_t size, int flags)
{
	char path[64];
	int err = 0;

	node_path(node_of(ino), path);
	if (!is_users(name))
		err = EOPNOTSUPP;
	else if (setxattr(path, name, value, size, flags) == -1)
		err = errno;
	fuse_reply_err(req, err);
}

static void
do_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	char path[64], value[4096];
	ssize_t n;

	node_path(node_of(ino), path);
	n = is_users(name) ? getxattr(path, name, value, sizeof(value)) : -1;
	if (!is_users(name))
		fuse_reply_err(req, EOPNOTSUPP);
	else if (n == -1)
		fuse_reply_err(req, errno);
	else if (size == 0)
		fuse_reply_xattr(req, (size_t)n);
	else if ((size_t)n > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, value, (size_t)n);
}

static const struct fuse_lowlevel_ops ops = {
    .init = do_init,
    .setxattr = do_setxattr,
    .getxattr = do_getxattr,
    .lookup = do_lookup,
    .forget = do_forget,
    .getattr = do_getattr,
    .setattr = do_setattr,
    .statfs = do_statfs,
    .open = do_open,
    .create = do_create,
    .read = do_read,
    .write = do_write,
    .fallocate = do_fallocate,
    .flush = do_flush,
    .fsync = do_fsync,
    .release = do_release,
    .link = do_link,
    .unlink = do_unlink,
    .rename = do_rename,
    .mkdir = do_mkdir,
    .rmdir = do_rmdir,
    .opendir = do_opendir,
    .readdir = do_readdir,
    .fsyncdir = do_fsyncdir,
    .releasedir = do_releasedir,
};

/* ---- commands */

/* The words of a command and the answer to it. */
struct command {
	char *word[8];
	size_t words;
	char reply[REPLY_MAX];
	size_t reply_len;
};

/* Add to the answer; an answer that begins with "error" is a refusal. */
static void PRINTF_LIKE(2, 3) say(struct command *c, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(
	    c->reply + c->reply_len, REPLY_MAX - c->reply_len, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < REPLY_MAX - c->reply_len)
		c->reply_len += (size_t)n;
}

/* Word `i` as a number with k, m, g; false, and answered, if it is none. */
static bool
number(struct command *c, size_t i, uint64_t *ret)
{
	static const char units[] = "kmg";
	const char *unit, *text = i < c->words ? c->word[i] : "";
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	unit = *end == '\0' ? NULL : strchr(units, tolower(*end));
	if (unit != NULL && end[1] == '\0') {
		v <<= 10 * (unit - units + 1);
		end++;
	}
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 ||
	    v > (uint64_t)1 << 50) {
		say(c, "error: '%s' is not a number\n", text);
		return false;
	}
	*ret = v;
	return true;
}

/* The rules that word `i` names: [*ret_first, *ret_end). */
static bool
operations(struct command *c, size_t i, enum op *ret_first, enum op *ret_end)
{
	const char *name = i < c->words ? c->word[i] : "";
	unsigned op;

	*ret_first = 0;
	*ret_end = OP_COUNT;
	if (strcmp(name, "all") == 0)
		return true;
	for (op = 0; op < OP_COUNT; op++) {
		if (strcmp(name, op_name[op]) != 0)
			continue;
		*ret_first = op;
		*ret_end = op + 1;
		return true;
	}
	say(c, "error: no operation '%s'; all, or one of:", name);
	for (op = 0; op < OP_COUNT; op++)
		say(c, " %s", op_name[op]);
	say(c, "\n");
	return false;
}

static void
set_rate(uint64_t rate)
{
	disk.rate = (int64_t)rate;
	disk.rate_epoch++;
	disk.free_at = 0;
}

static void
on_rate(struct command *c)
{
	uint64_t rate;

	if (number(c, 1, &rate))
		set_rate(rate);
}

static void
set_hiccup(uint64_t ms, uint64_t every_ms)
{
	disk.hiccup_ns = (int64_t)ms * NS_PER_MS;
	disk.every_ns = (int64_t)every_ms * NS_PER_MS;
	disk.moves_since = now_ns();
	disk.rate_epoch++; /* what is paced begins anew */
	disk.free_at = disk.moves_since;
}

static void
on_hiccup(struct command *c)
{
	uint64_t ms, every_ms;

	if (!number(c, 1, &ms) || !number(c, 2, &every_ms))
		return;
	if (ms > 0 && ms >= every_ms)
		say(c, "error: MS is less than EVERY\n");
	else
		set_hiccup(ms, every_ms);
}

static void
on_latency(struct command *c)
{
	enum op op, end;
	uint64_t ms;

	if (!operations(c, 1, &op, &end) || !number(c, 2, &ms))
		return;
	for (; op < end; op++)
		disk.rule[op].latency_ns = (int64_t)ms * NS_PER_MS;
}

static void
on_stall(struct command *c)
{
	enum op op, end;

	if (!operations(c, 1, &op, &end))
		return;
	for (; op < end; op++)
		disk.rule[op].stalled = true;
}

static void
on_resume(struct command *c)
{
	enum op op = 0, end = OP_COUNT;

	if (c->words > 1 && !operations(c, 1, &op, &end))
		return;
	for (; op < end; op++)
		disk.rule[op].stalled = false;
}

/* The errno called `name`, or 0. */
static int
errno_named(const char *name)
{
	const char *known;
	int err;

	for (err = 1; err < ERRNO_END; err++) {
		known = strerrorname_np(err);
		if (known != NULL && strcmp(name, known) == 0)
			return err;
	}
	return 0;
}

static void
on_fail(struct command *c)
{
	enum op op, end;
	uint64_t after = 0;
	bool once = false, lost = false;
	size_t i;
	int err;

	if (!operations(c, 1, &op, &end))
		return;
	err = c->words > 2 ? errno_named(c->word[2]) : 0;
	if (err == 0) {
		say(c, "error: an errno such as EIO or ENOSPC is missing\n");
		return;
	}
	for (i = 3; i < c->words; i++) {
		if (strcmp(c->word[i], "once") == 0) {
			once = true;
		} else if (strcmp(c->word[i], "lost") == 0 &&
			   (op == OP_link || op == OP_rename) &&
			   end == op + 1) {
			lost = true;
		} else if (strcmp(c->word[i], "after") == 0) {
			if (!number(c, ++i, &after))
				return;
		} else {
			say(c,
			    "error: '%s'; after N, once, lost (link, "
			    "rename)\n",
			    c->word[i]);
			return;
		}
	}
	for (; op < end; op++) {
		disk.rule[op].fail_errno = err;
		disk.rule[op].fail_after = after;
		disk.rule[op].fail_once = once;
		disk.rule[op].fail_done = lost;
	}
}

static void
on_short(struct command *c)
{
	uint64_t most;

	if (c->words < 2 || strcmp(c->word[1], "write") != 0)
		say(c, "error: it is: short write N\n");
	else if (number(c, 2, &most))
		disk.short_write = (size_t)most;
}

static void
on_clear(struct command *c)
{
	unsigned op;

	(void)c;
	for (op = 0; op < OP_COUNT; op++)
		disk.rule[op] = (struct rule){disk.rule[op].begun};
	set_hiccup(0, 0);
	set_rate(0);
	disk.short_write = 0;
}

static void
on_count(struct command *c)
{
	enum op op, end;

	if (c->words > 1 && strcmp(c->word[1], "bytes") == 0) {
		say(c, "%" PRIu64 "\n", disk.bytes_written);
	} else if (c->words > 1 && strcmp(c->word[1], "waiting") == 0) {
		say(c, "%u\n", disk.waiting);
	} else if (c->words > 1) {
		if (operations(c, 1, &op, &end))
			say(c, "%" PRIu64 "\n", disk.rule[op].begun);
	} else {
		for (op = 0; op < OP_COUNT; op++)
			say(c, "%s %" PRIu64 "\n", op_name[op],
			    disk.rule[op].begun);
		say(c, "bytes %" PRIu64 "\nwaiting %u\n", disk.bytes_written,
		    disk.waiting);
	}
}

static void
on_zero(struct command *c)
{
	unsigned op;

	(void)c;
	for (op = 0; op < OP_COUNT; op++)
		disk.rule[op].begun = 0;
	disk.bytes_written = 0;
}

static void
on_ping(struct command *c)
{
	(void)c;
}

/* clang-format off */
static const struct {
	const char *name;
	void (*act)(struct command *);
} commands[] = {
	{ "clear", on_clear }, { "count", on_count },   { "fail", on_fail },
	{ "hiccup", on_hiccup }, { "latency", on_latency }, { "ping", on_ping },
	{ "rate", on_rate }, { "resume", on_resume }, { "short", on_short },
	{ "stall", on_stall }, { "zero", on_zero },
};
/* clang-format on */

/* Carry out one line; the answer is in c->reply. */
static void
run_command(struct command *c, char *line)
{
	char *save = NULL, *word;
	size_t i;

	memset(c, 0, sizeof(*c));
	for (word = strtok_r(line, " \t\r\n", &save);
	     word != NULL && c->words < COUNT_OF(c->word);
	     word = strtok_r(NULL, " \t\r\n", &save))
		c->word[c->words++] = word;

	for (i = 0; i < COUNT_OF(commands); i++)
		if (c->words > 0 && strcmp(c->word[0], commands[i].name) == 0)
			break;
	if (i == COUNT_OF(commands)) {
		say(c, "error: no such command\n");
		return;
	}
	pthread_mutex_lock(&disk.lock);
	commands[i].act(c);
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
	if (c->reply_len == 0)
		say(c, "ok\n");
}

/* ---- the control socket */

/* The address of the socket at `path`; false when it is too long for one. */
static bool
control_address(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret->sun_path)) {
		fprintf(stderr, "slowfs: %s: longer than %zu bytes\n", path,
		    sizeof(ret->sun_path) - 1);
		return false;
	}
	strcpy(ret->sun_path, path);
	return true;
}

/* A socket that gives up on a silent peer; -1 and a message: none. */
static int
control_socket(void)
{
	struct timeval limit = {.tv_sec = CTL_WAIT_S};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		fprintf(stderr, "slowfs: socket: %m\n");
	else if (setsockopt(
		     fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == -1)
		fprintf(stderr, "slowfs: SO_RCVTIMEO: %m\n");
	return fd;
}

static int
control_listen(const char *path)
{
	struct sockaddr_un sun;
	int fd;

	if (!control_address(path, &sun))
		return -1;
	fd = control_socket();
	if (fd == -1)
		return -1;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, 64) == -1) {
		fprintf(stderr, "slowfs: %s: %m\n", path);
		close(fd);
		return -1;
	}
	return fd;
}

/* Take one line from a client that connected, and answer it. */
static void
control_answer(int listener)
{
	static const struct timeval limit = {.tv_sec = 1};
	struct command c;
	char line[256] = "";
	size_t len = 0;
	ssize_t n;
	int fd;

	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd == -1)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	while (len < sizeof(line) - 1 && memchr(line, '\n', len) == NULL) {
		n = recv(fd, line + len, sizeof(line) - 1 - len, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	line[len] = '\0';
	run_command(&c, line);
	send(fd, c.reply, c.reply_len, MSG_NOSIGNAL);
	close(fd);
}

/* Unmount and exit, whichever thread is the first to want it. */
static void NORETURN
leave(int status)
{
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&once);
	fuse_session_unmount(session);
	unlink(control_path);
	_exit(status);
}

/*
 * Serve the control socket and the signals.  A signal pulls the disk out:
 * what waits here can't be waited for, so the process ends under it.
 */
static void *
control_serve(void *arg)
{
	struct pollfd *from = arg;

	for (;;) {
		if (poll(from, 2, -1) == -1)
			continue;
		if (from[0].revents != 0)
			control_answer(from[0].fd);
		if (from[1].revents != 0)
			leave(0);
	}
	return NULL;
}

/* Connect to a slowfs that may be starting still; -1 and a message: none. */
static int
control_connect(const char *path)
{
	int64_t until = now_ns() + CTL_WAIT_S * NS_PER_S;
	struct sockaddr_un sun;
	int fd;

	if (!control_address(path, &sun))
		return -1;
	fd = control_socket();
	while (fd != -1 &&
	       connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		if (now_ns() > until) {
			fprintf(stderr, "slowfs: %s: %m\n", path);
			close(fd);
			return -1;
		}
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	return fd;
}

/* slowfs --ctl CONTROL command ...: the exit status. */
static int
send_command(const char *path, char **words, int count)
{
	char reply[REPLY_MAX + 1];
	size_t len = 0;
	ssize_t n;
	int fd, i;

	fd = control_connect(path);
	if (fd == -1)
		return 1;
	for (i = 0; i < count; i++)
		dprintf(fd, "%s%s", words[i], i + 1 < count ? " " : "\n");
	while ((n = recv(fd, reply + len, REPLY_MAX - len, 0)) > 0)
		len += (size_t)n;
	close(fd);
	reply[len] = '\0';
	if (len == 0) {
		fprintf(stderr, "slowfs: %s: no answer\n", path);
		return 1;
	}
	if (strncmp(reply, "error", 5) == 0) {
		fprintf(stderr, "slowfs: %s", reply);
		return 1;
	}
	fputs(reply, stdout);
	return 0;
}

/* ---- start and end */

static int
open_backing(const char *path)
{
	struct rlimit files;
	pthread_condattr_t attr;

	nodes.root.fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (nodes.root.fd == -1) {
		fprintf(stderr, "slowfs: %s: %m\n", path);
		return -1;
	}
	is_root = geteuid() == 0;
	umask(0);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&disk.changed, &attr);
	return 0;
}

/* Mount it: 0 or -1.  Others may use it too when the mounter is root. */
static int
mount_at(const char *mountpoint)
{
	char name[] = "slowfs", flag[] = "-o";
	char options[] = "default_permissions,fsname=slowfs,subtype=slowfs"
			 ",allow_other";
	char *argv[] = {name, flag, options, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);

	if (!is_root)
		*strstr(options, ",allow_other") = '\0';
	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (session == NULL)
		return -1;
	return fuse_session_mount(session, mountpoint);
}

/* Serve until it is unmounted: 0 or -1. */
static int
serve(void)
{
	struct fuse_loop_config *cfg = fuse_loop_cfg_create();
	int result;

	if (cfg == NULL)
		return -1;
	fuse_loop_cfg_set_max_threads(cfg, THREADS_MAX);
	fuse_loop_cfg_set_idle_threads(cfg, 64);
	result = fuse_session_loop_mt(session, cfg);
	fuse_loop_cfg_destroy(cfg);
	return result == 0 ? 0 : -1;
}

/* Run the commands given at the start: 0, or -1 when one was refused. */
static int
run_commands(char **lines, int count)
{
	struct command c;
	int i;

	for (i = 0; i < count; i++) {
		run_command(&c, lines[i]);
		if (strncmp(c.reply, "error", 5) != 0)
			continue;
		fprintf(stderr, "slowfs: %s", c.reply);
		return -1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static struct pollfd from[2];
	pthread_t control;
	sigset_t stop;

	if (argc > 3 && strcmp(argv[1], "--ctl") == 0)
		return send_command(argv[2], argv + 3, argc - 3);
	if (argc < 4 || argv[1][0] == '-') {
		fprintf(stderr,
		    "usage: slowfs BACKING MOUNTPOINT CONTROL ['command' ...]\n"
		    "       slowfs --ctl CONTROL command ...\n");
		return 2;
	}
	control_path = argv[3];
	if (open_backing(argv[1]) == -1 ||
	    run_commands(argv + 4, argc - 4) == -1)
		return 1;

	/* Blocked here, in all threads: only the signalfd takes them. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	if (mount_at(argv[2]) != 0)
		return 1;
	from[0] = (struct pollfd){control_listen(control_path), POLLIN, 0};
	from[1] = (struct pollfd){signalfd(-1, &stop, SFD_CLOEXEC), POLLIN, 0};
	if (from[0].fd == -1 || from[1].fd == -1 ||
	    pthread_create(&control, NULL, control_serve, from) != 0)
		leave(1);
	leave(serve() == 0 ? 0 : 1);
}
