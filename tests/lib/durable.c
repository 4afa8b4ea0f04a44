/*
 * durable - the bare minimum of a durable small file, for scripts/bench.
 *
 *	durable [-j] [-c N] [-s SIZE] [-d S] DIR
 *
 *	-j        DIR has one journal (ext4, XFS): a file is only written out
 *	          before it gets its name
 *	-c N      so many at once, a thread each (1)
 *	-s SIZE   bytes of each file (4096)
 *	-d S      start no file after S seconds (5)
 *
 * Each file is what an upload with `sync on` is, without a server: O_TMPFILE,
 * write, fsync (or with -j sync_file_range), linkat, and a sync of DIR that is
 * shared: one that begins after the link serves all that wait for it.  Prints
 * one JSON object.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

static struct {
	unsigned at_once;
	size_t size;
	double seconds;
	bool journaled;
	int dir;
	char *body;
	double stop_at;
} want = {.at_once = 1, .size = 4096, .seconds = 5};

/* The directory's sync, shared by all; links and syncs are counted. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t synced_more;
	uint64_t linked, synced, syncs;
	bool syncing;
} shared = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .synced_more = PTHREAD_COND_INITIALIZER};

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void NORETURN
fatal(const char *what)
{
	fprintf(stderr, "durable: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
sync_file(int fd)
{
	unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
		       SYNC_FILE_RANGE_WAIT_AFTER;

	if (!want.journaled && fsync(fd) == -1)
		fatal("fsync");
	if (want.journaled && sync_file_range(fd, 0, 0, all) == -1)
		fatal("sync_file_range");
}

/* A nameless file with all its bytes on the disk. */
static int
make_file(void)
{
	int fd = openat(want.dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd == -1)
		fatal("O_TMPFILE");
	if (write(fd, want.body, want.size) != (ssize_t)want.size)
		fatal("write");
	sync_file(fd);
	return fd;
}

static void
name_file(int fd)
{
	static _Atomic uint64_t next;
	char path[64], name[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(name, sizeof(name), "f%" PRIu64, ++next);
	if (linkat(AT_FDCWD, path, want.dir, name, AT_SYMLINK_FOLLOW) == -1)
		fatal("linkat");
}

/* Wait until a sync of the directory that began after our link is over. */
static void
sync_dir(void)
{
	uint64_t mine, upto;

	pthread_mutex_lock(&shared.lock);
	mine = ++shared.linked;
	while (shared.synced < mine) {
		if (shared.syncing) {
			pthread_cond_wait(&shared.synced_more, &shared.lock);
			continue;
		}
		shared.syncing = true;
		upto = shared.linked;
		pthread_mutex_unlock(&shared.lock);
		if (fsync(want.dir) == -1)
			fatal("fsync of the directory");
		pthread_mutex_lock(&shared.lock);
		shared.syncing = false;
		shared.synced = upto;
		shared.syncs++;
		pthread_cond_broadcast(&shared.synced_more);
	}
	pthread_mutex_unlock(&shared.lock);
}

static void *
run(void *arg)
{
	int fd;

	(void)arg;
	while (now() < want.stop_at) {
		fd = make_file();
		name_file(fd);
		sync_dir();
		close(fd);
	}
	return NULL;
}

static void NORETURN
usage(void)
{
	fprintf(stderr, "usage: durable [-j] [-c N] [-s SIZE] [-d S] DIR\n");
	exit(2);
}

static void
read_options(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "jc:s:d:")) != -1) {
		switch (o) {
		case 'j':
			want.journaled = true;
			break;
		case 'c':
			want.at_once = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 's':
			want.size = strtoul(optarg, NULL, 10);
			break;
		case 'd':
			want.seconds = strtod(optarg, NULL);
			break;
		default:
			usage();
		}
	}
	if (optind + 1 != argc || want.at_once == 0 || want.size == 0)
		usage();
	want.dir = open(argv[optind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (want.dir == -1)
		fatal(argv[optind]);
}

static double
cpu_seconds(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	       (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

int
main(int argc, char **argv)
{
	pthread_t *threads;
	double began, took;
	unsigned i;

	read_options(argc, argv);
	want.body = malloc(want.size);
	threads = calloc(want.at_once, sizeof(*threads));
	if (want.body == NULL || threads == NULL)
		fatal("memory");
	memset(want.body, 'x', want.size);

	began = now();
	want.stop_at = began + want.seconds;
	for (i = 0; i < want.at_once; i++)
		if (pthread_create(&threads[i], NULL, run, NULL) != 0)
			fatal("thread");
	for (i = 0; i < want.at_once; i++)
		pthread_join(threads[i], NULL);
	took = now() - began;
	printf("{\"files\":%" PRIu64 ",\"seconds\":%.3f,\"rate\":%.1f,"
	       "\"dir_syncs\":%" PRIu64 ",\"cpu_us\":%.1f}\n",
	    shared.linked, took, (double)shared.linked / took, shared.syncs,
	    cpu_seconds() / (double)shared.linked * 1e6);
	free(threads);
	free(want.body);
	return 0;
}
