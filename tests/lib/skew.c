/*
 * skew - somebody sets the clock while the server runs: LD_PRELOAD=skew.so.
 *
 * The first eight bytes of the file SKEW are how many seconds the wall clock goes wrong, as
 * an int64_t; whoever writes to it sets the clock of all processes that look.  The monotonic
 * clock is left alone, as it is by the system, and the kernel's timestamps of packets go
 * with the wall clock.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *wrong_s;

static __attribute__((constructor)) void
begin(void)
{
	const char *path = getenv("SKEW");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *at = MAP_FAILED;

	if (fd != -1) {
		at = mmap(NULL, sizeof(*wrong_s), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (at == MAP_FAILED)
		abort();
	wrong_s = at;
}

static int64_t
wrong(void)
{
	return wrong_s != NULL ? *wrong_s : 0;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = (int)syscall(SYS_clock_gettime, id, ts);

	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += (time_t)wrong();
	return rc;
}

time_t
time(time_t *ret)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (ret != NULL)
		*ret = ts.tv_sec;
	return ts.tv_sec;
}

ssize_t
recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t n = syscall(SYS_recvmsg, fd, msg, flags);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(msg) : NULL;

	for (; c != NULL; c = CMSG_NXTHDR(msg, c)) {
		struct timespec ts;

		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		ts.tv_sec += (time_t)wrong();
		memcpy(CMSG_DATA(c), &ts, sizeof(ts));
	}
	return n;
}
