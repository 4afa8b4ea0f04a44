/*
 * logdisk - a disk for a loop device that keeps a log of all that it was
 * given, and fails on command.
 *
 *	logdisk BACKING MOUNTPOINT LOG CONTROL
 *
 * Shows the file BACKING as MOUNTPOINT/disk, appends each write and each
 * flush to LOG ("-": to none), and stays in the foreground until it is
 * unmounted or gets TERM, INT or HUP, upon which it writes what is left of the
 * log and exits 0.  CONTROL is a UNIX socket it makes: a line is a command,
 * answered by a line, "ok" or "error: why"; a connection may send many.
 *
 *	mark TEXT             a record of its own in the log, before the answer
 *	fail OP ERRNO         OP fails, such as: fail flush EIO
 *	  ... after N         ... but for the next N
 *	  ... for N           ... N of them; both: the N after the first N
 *	stall OP              OP does not return until ...
 *	resume                ... this
 *	latency OP US         each OP takes that many microseconds longer
 *	clear                 none of the above any more
 *	count OP              how many of them failed
 *	ping                  nothing: it is mounted and answers
 *
 * OP is read, flush, write, data or meta.  A write is data when a sector in it
 * begins as those of the crash tests' bodies do (MAGIC in tests/crash/oracle.py),
 * else meta: the file system's own.  "write" is both.
 *
 * The log is what tests/crash/replay.py reads: records of struct record, each
 * with its bytes behind it.  A flush says where the log was when it was asked
 * for: writes before that are on stable storage once it is answered, later
 * ones need not be.
 */
#define FUSE_USE_VERSION 312

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

enum {
	DISK_INO = 2, /* the one file; 1 is the directory */
	SECTOR = 512,
	WRITE_MAX = 1024 * 1024,
	LINE_MAX_ = 512,
	ERRNO_END = 134,
	LOG_BUFFER = 4 * 1024 * 1024,
	FOREVER = 3600,
};

static const char magic[] = "PENSTOK!";

enum record_kind { RECORD_WRITE = 1, RECORD_ZERO, RECORD_FLUSH, RECORD_MARK };

struct record {
	uint32_t kind;
	uint32_t len; /* of the bytes behind it */
	uint64_t at;  /* WRITE, ZERO: where on the disk */
	uint64_t
	    more; /* ZERO: how much; FLUSH: the log's length at its start */
};

/* clang-format off */
#define OPS(X) X(read) X(flush) X(data) X(meta)

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

/* What is done to one kind of operation. */
struct rule {
	int fail_errno; /* 0: none */
	uint64_t fail_after, fail_count;
	uint64_t failed;
	unsigned latency_us;
	bool stalled;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct rule rule[OP_COUNT];
	int backing;
	FILE *log; /* NULL: none */
	uint64_t log_len;
} disk = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static struct fuse_session *session;
static const char *control_path;

/* ---- the log, with the lock held */

static void
log_record(struct record r, const void *bytes)
{
	if (disk.log == NULL)
		return;
	if (fwrite(&r, sizeof(r), 1, disk.log) != 1 ||
	    (r.len > 0 && fwrite(bytes, r.len, 1, disk.log) != 1)) {
		/* Half a log would be taken for a whole one. */
		fprintf(stderr, "logdisk: the log cannot be written: %m\n");
		abort();
	}
	disk.log_len += sizeof(r) + r.len;
}

/* ---- faults */

static bool
is_data(const char *buf, size_t size, off_t off)
{
	size_t at = (size_t)(-off & (SECTOR - 1));

	for (; at + sizeof(magic) - 1 <= size; at += SECTOR)
		if (memcmp(buf + at, magic, sizeof(magic) - 1) == 0)
			return true;
	return false;
}

/* Begin an operation: 0 when it may go on, or the errno it fails with. */
static int
gate(enum op op)
{
	struct rule *r = &disk.rule[op];
	unsigned latency_us;
	int err = 0;

	pthread_mutex_lock(&disk.lock);
	while (r->stalled)
		pthread_cond_wait(&disk.changed, &disk.lock);
	latency_us = r->latency_us;
	if (r->fail_errno != 0 && r->fail_after > 0) {
		r->fail_after--;
	} else if (r->fail_errno != 0 && r->fail_count > 0) {
		r->fail_count--;
		r->failed++;
		err = r->fail_errno;
	}
	pthread_mutex_unlock(&disk.lock);
	if (latency_us > 0)
		nanosleep(&(struct timespec){.tv_sec = latency_us / 1000000,
			      .tv_nsec = latency_us % 1000000 * 1000L},
		    NULL);
	return err;
}

/* ---- operations */

static int
attr_of(fuse_ino_t ino, struct stat *ret)
{
	if (ino == FUSE_ROOT_ID) {
		*ret = (struct stat){
		    .st_mode = S_IFDIR | 0755, .st_nlink = 2, .st_ino = ino};
		return 0;
	}
	if (fstat(disk.backing, ret) == -1)
		return errno;
	ret->st_ino = ino;
	ret->st_nlink = 1;
	return 0;
}

static void
do_init(void *user, struct fuse_conn_info *conn)
{
	(void)user;
	conn->want &= ~(unsigned)FUSE_CAP_WRITEBACK_CACHE;
	conn->max_write = WRITE_MAX;
}

static void
do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = {
	    .ino = DISK_INO, .attr_timeout = FOREVER, .entry_timeout = FOREVER};

	if (parent != FUSE_ROOT_ID || strcmp(name, "disk") != 0 ||
	    attr_of(DISK_INO, &e.attr) != 0)
		fuse_reply_err(req, ENOENT);
	else
		fuse_reply_entry(req, &e);
}

static void
do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;
	int err = attr_of(ino, &st);

	(void)fi;
	if (err != 0)
		fuse_reply_err(req, err);
	else
		fuse_reply_attr(req, &st, FOREVER);
}

static void
do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (ino != DISK_INO)
		fuse_reply_err(req, EISDIR);
	else
		fuse_reply_open(req, fi);
}

static void
do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	int err = gate(OP_read);
	char *buf;
	ssize_t n;

	(void)ino;
	(void)fi;
	buf = err == 0 ? malloc(size) : NULL;
	if (buf == NULL) {
		fuse_reply_err(req, err != 0 ? err : ENOMEM);
		return;
	}
	n = pread(disk.backing, buf, size, off);
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
	int err = gate(is_data(buf, size, off) ? OP_data : OP_meta);
	ssize_t n = 0;

	(void)ino;
	(void)fi;
	if (err != 0) {
		fuse_reply_err(req, err);
		return;
	}
	/* Logged in the order in which they reach the disk. */
	pthread_mutex_lock(&disk.lock);
	n = pwrite(disk.backing, buf, size, off);
	err = n == -1 ? errno : 0;
	if (n > 0)
		log_record((struct record){RECORD_WRITE, (uint32_t)n,
			       (uint64_t)off, 0},
		    buf);
	pthread_mutex_unlock(&disk.lock);
	if (err != 0)
		fuse_reply_err(req, err);
	else
		fuse_reply_write(req, (size_t)n);
}

/* Discard and write-zeroes: both leave zeros here. */
static void
do_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
    struct fuse_file_info *fi)
{
	int err = gate(OP_meta);

	(void)ino;
	(void)fi;
	if (err == 0 &&
	    (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) == 0)
		err = EOPNOTSUPP;
	if (err == 0) {
		pthread_mutex_lock(&disk.lock);
		if (fallocate(disk.backing,
			FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off,
			len) == -1)
			err = errno;
		else
			log_record((struct record){RECORD_ZERO, 0,
				       (uint64_t)off, (uint64_t)len},
			    NULL);
		pthread_mutex_unlock(&disk.lock);
	}
	fuse_reply_err(req, err);
}

static void
do_fsync(
    fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi)
{
	uint64_t asked_at;
	int err;

	(void)ino;
	(void)data_only;
	(void)fi;
	pthread_mutex_lock(&disk.lock);
	asked_at = disk.log_len;
	pthread_mutex_unlock(&disk.lock);
	err = gate(OP_flush);
	if (err == 0) {
		pthread_mutex_lock(&disk.lock);
		log_record((struct record){RECORD_FLUSH, 0, 0, asked_at}, NULL);
		pthread_mutex_unlock(&disk.lock);
	}
	fuse_reply_err(req, err);
}

static const struct fuse_lowlevel_ops ops = {
    .init = do_init,
    .lookup = do_lookup,
    .getattr = do_getattr,
    .open = do_open,
    .read = do_read,
    .write = do_write,
    .fallocate = do_fallocate,
    .fsync = do_fsync,
};

/* ---- commands */

static const char *
word_after(char **line)
{
	const char *word = strtok_r(NULL, " ", line);

	return word == NULL ? "" : word;
}

/* The rules that `name` names: [*ret_first, *ret_end). */
static bool
operations(const char *name, unsigned *ret_first, unsigned *ret_end)
{
	if (strcmp(name, "write") == 0) {
		*ret_first = OP_data;
		*ret_end = OP_meta + 1;
		return true;
	}
	for (unsigned op = 0; op < OP_COUNT; op++) {
		if (strcmp(name, op_name[op]) != 0)
			continue;
		*ret_first = op;
		*ret_end = op + 1;
		return true;
	}
	return false;
}

static int
errno_named(const char *name)
{
	for (int err = 1; err < ERRNO_END; err++) {
		const char *known = strerrorname_np(err);

		if (known != NULL && strcmp(name, known) == 0)
			return err;
	}
	return 0;
}

static const char *
set_fault(char **rest, unsigned op, unsigned end)
{
	int err = errno_named(word_after(rest));
	uint64_t after = 0, count = UINT64_MAX;
	const char *word;

	if (err == 0)
		return "error: an errno such as EIO is missing\n";
	while (*(word = word_after(rest)) != '\0') {
		uint64_t n = strtoull(word_after(rest), NULL, 10);

		if (strcmp(word, "after") == 0)
			after = n;
		else if (strcmp(word, "for") == 0)
			count = n;
		else
			return "error: after N, for N\n";
	}
	for (; op < end; op++) {
		disk.rule[op].fail_errno = err;
		disk.rule[op].fail_after = after;
		disk.rule[op].fail_count = count;
	}
	return "ok\n";
}

/* Those that take an operation. */
static const char *
run_on_operation(const char *verb, char **rest, char *buf)
{
	unsigned op, first, end;

	if (!operations(word_after(rest), &first, &end))
		return "error: read, flush, write, data or meta\n";
	if (strcmp(verb, "fail") == 0)
		return set_fault(rest, first, end);
	if (strcmp(verb, "count") == 0) {
		uint64_t n = 0;

		for (op = first; op < end; op++)
			n += disk.rule[op].failed;
		snprintf(buf, LINE_MAX_, "%" PRIu64 "\n", n);
		return buf;
	}
	if (strcmp(verb, "latency") == 0) {
		unsigned us = (unsigned)strtoul(word_after(rest), NULL, 10);

		for (op = first; op < end; op++)
			disk.rule[op].latency_us = us;
		return "ok\n";
	}
	if (strcmp(verb, "stall") == 0) {
		for (op = first; op < end; op++)
			disk.rule[op].stalled = true;
		return "ok\n";
	}
	return "error: no such command\n";
}

/* Carry out one line; returns the answer, which may be in `buf`. */
static const char *
run_command(char *line, char *buf)
{
	char *rest = NULL;
	const char *verb = strtok_r(line, " ", &rest);

	if (verb == NULL || strcmp(verb, "ping") == 0)
		return "ok\n";
	if (strcmp(verb, "mark") == 0) {
		log_record(
		    (struct record){RECORD_MARK, (uint32_t)strlen(rest), 0, 0},
		    rest);
		return "ok\n";
	}
	if (strcmp(verb, "clear") == 0) {
		for (unsigned op = 0; op < OP_COUNT; op++)
			disk.rule[op] =
			    (struct rule){.failed = disk.rule[op].failed};
		return "ok\n";
	}
	if (strcmp(verb, "resume") == 0) {
		for (unsigned op = 0; op < OP_COUNT; op++)
			disk.rule[op].stalled = false;
		return "ok\n";
	}
	return run_on_operation(verb, &rest, buf);
}

/* One connection, until it ends. */
static void *
serve_connection(void *arg)
{
	char line[LINE_MAX_], buf[LINE_MAX_];
	FILE *f = arg;

	while (fgets(line, sizeof(line), f) != NULL) {
		const char *answer;

		line[strcspn(line, "\n")] = '\0';
		pthread_mutex_lock(&disk.lock);
		answer = run_command(line, buf);
		pthread_cond_broadcast(&disk.changed);
		pthread_mutex_unlock(&disk.lock);
		if (send(fileno(f), answer, strlen(answer), MSG_NOSIGNAL) == -1)
			break;
	}
	fclose(f);
	return NULL;
}

static void
accept_connection(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	FILE *f = fd == -1 ? NULL : fdopen(fd, "r");
	pthread_t id;

	if (f == NULL)
		return;
	if (pthread_create(&id, NULL, serve_connection, f) == 0)
		pthread_detach(id);
	else
		fclose(f);
}

/* ---- start and end */

/* Unmount and exit, whichever thread is the first to want it.  What is held in
 * a stall is never answered. */
static void NORETURN
leave(int status)
{
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&once);
	pthread_mutex_lock(&disk.lock);
	if (disk.log != NULL && fclose(disk.log) != 0)
		status = 1;
	disk.log = NULL;
	fuse_session_unmount(session);
	unlink(control_path);
	_exit(status);
}

static void *
control_serve(void *arg)
{
	struct pollfd *from = arg;

	for (;;) {
		if (poll(from, 2, -1) == -1)
			continue;
		if (from[0].revents != 0)
			accept_connection(from[0].fd);
		if (from[1].revents != 0)
			leave(0);
	}
	return NULL;
}

static int
control_listen(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(sun.sun_path)) {
		fprintf(stderr, "logdisk: %s: too long for a socket\n", path);
		return -1;
	}
	strcpy(sun.sun_path, path);
	unlink(path);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, 64) == -1) {
		fprintf(stderr, "logdisk: %s: %m\n", path);
		return -1;
	}
	return fd;
}

static int
open_files(const char *backing, const char *log)
{
	disk.backing = open(backing, O_RDWR | O_CLOEXEC);
	if (disk.backing == -1) {
		fprintf(stderr, "logdisk: %s: %m\n", backing);
		return -1;
	}
	if (strcmp(log, "-") == 0)
		return 0;
	disk.log = fopen(log, "we");
	if (disk.log == NULL) {
		fprintf(stderr, "logdisk: %s: %m\n", log);
		return -1;
	}
	setvbuf(disk.log, NULL, _IOFBF, LOG_BUFFER);
	return 0;
}

static int
mount_at(const char *mountpoint)
{
	char name[] = "logdisk", flag[] = "-o",
	     options[] = "fsname=logdisk,subtype=logdisk";
	char *argv[] = {name, flag, options, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);

	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (session == NULL)
		return -1;
	return fuse_session_mount(session, mountpoint);
}

static int
serve(void)
{
	struct fuse_loop_config *cfg = fuse_loop_cfg_create();
	int result;

	if (cfg == NULL)
		return -1;
	fuse_loop_cfg_set_max_threads(cfg, 64);
	result = fuse_session_loop_mt(session, cfg);
	fuse_loop_cfg_destroy(cfg);
	return result == 0 ? 0 : -1;
}

int
main(int argc, char **argv)
{
	static struct pollfd from[2];
	pthread_t control;
	sigset_t stop;

	if (argc != 5) {
		fprintf(
		    stderr, "usage: logdisk BACKING MOUNTPOINT LOG CONTROL\n");
		return 2;
	}
	control_path = argv[4];
	if (open_files(argv[1], argv[3]) == -1)
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
