#include "base/check.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	HEAD_MAX = 128, /* of a line, up to the message */
	TEXT_MAX = 1024,
};

static int out_fd = STDERR_FILENO;
static char out_who[16];
static void (*out_tell)(const char *message);

void
check_write_to(int fd)
{
	out_fd = fd;
}

void
check_set_who(const char *who)
{
	snprintf(out_who, sizeof(out_who), "%s", who);
}

void
check_tell_to(void (*tell)(const char *message))
{
	out_tell = tell;
}

/* "TIME error PID WHO: " in `head`, as base/log.c writes it. */
static void
format_head(char head[HEAD_MAX])
{
	struct timespec now = {0};
	char seconds[32] = "";
	struct tm tm = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) != NULL)
		strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(head, HEAD_MAX, "%s.%03uZ error %ld%s%s: ", seconds,
	    (unsigned)(now.tv_nsec / 1000000) % 1000, (long)getpid(),
	    out_who[0] != '\0' ? " " : "", out_who);
}

/* Where nothing can be written now (a pipe that is not read) the line is lost:
 * this process has to end all the same. */
static void
write_line(const char *message)
{
	struct pollfd room = {.fd = out_fd, .events = POLLOUT};
	char line[HEAD_MAX + TEXT_MAX + 1], head[HEAD_MAX];
	size_t len;

	format_head(head);
	len = (size_t)snprintf(line, sizeof(line), "%s%s\n", head, message);
	if (poll(&room, 1, 0) == 0)
		return;
	while (write(out_fd, line, len) == -1 && errno == EINTR)
		;
}

static void end_with(const char *fmt, ...) NORETURN PRINTF_LIKE(1, 2);

static void
end_with(const char *fmt, ...)
{
	void (*tell)(const char *message) = out_tell;
	char message[TEXT_MAX];
	va_list ap;

	out_tell = NULL; /* a check may fail in there */

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (tell != NULL)
		tell(message);
	else
		write_line(message);
	abort();
}

void
check_failed(const char *cond, const char *file, int line, const char *func)
{
	end_with("check failed: %s: %s:%d: %s", cond, file, line, func);
}

void
die(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	end_with("check failed: %s", text);
}
