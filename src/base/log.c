#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

const char *const log_level_name[LEVEL_COUNT] = {
    [LEVEL_ERROR] = "error",
    [LEVEL_WARN] = "warn",
    [LEVEL_NOTICE] = "notice",
    [LEVEL_INFO] = "info",
    [LEVEL_DEBUG] = "debug",
};

enum log_level log_most = LEVEL_NOTICE;

static int out_fd = STDERR_FILENO;
static char out_who[16];
static log_fn *out_deliver;
static void *out_arg;
static log_heard_fn *out_heard;
static void *out_heard_arg;

void
log_to(int fd, enum log_level level)
{
	check(level < LEVEL_COUNT);
	out_fd = fd;
	log_most = level;
	check_write_to(fd);
}

void
log_via(log_fn *deliver, void *arg)
{
	out_deliver = deliver;
	out_arg = arg;
}

void
log_listen(log_heard_fn *heard, void *arg)
{
	out_heard = heard;
	out_heard_arg = arg;
}

int
log_fd(void)
{
	return out_fd;
}

void
log_set_who(const char *who)
{
	snprintf(out_who, sizeof(out_who), "%s", who);
	check_set_who(who);
}

/* When a pipe is full, lines are lost: logging must never block this
 * process. */
static void
log_write_line(const char *line, size_t len)
{
	fd_write_now(out_fd, line, len);
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	char line[2048];
	char stamp[CLOCK_STAMP_MAX];
	int saved = errno;
	size_t n, room, start;
	va_list ap;
	int len;

	if (!log_enabled(level) && out_heard == NULL)
		return;
	clock_stamp_iso(clock_wall_ns(), stamp);
	len = snprintf(line, sizeof(line), "%s %s %ld%s%s: ", stamp,
	    log_level_name[level], (long)getpid(), out_who[0] ? " " : "",
	    out_who);
	start = n = (size_t)len;
	room = sizeof(line) - n - 1;
	va_start(ap, fmt);
	len = vsnprintf(line + n, room, fmt, ap);
	va_end(ap);
	if (len > 0)
		n += (size_t)len < room ? (size_t)len : room - 1;
	line[n] = '\0';
	if ((out_heard != NULL &&
		out_heard(out_heard_arg, level, line + start)) ||
	    !log_enabled(level)) {
		errno = saved;
		return;
	}
	line[n++] = '\n';
	if (out_deliver != NULL)
		out_deliver(out_arg, line, n);
	else
		log_write_line(line, n);
	errno = saved;
}

void
log_lines(enum log_level level, const char *what, const char *text)
{
	if (text == NULL)
		text = "out of memory";
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		log_line(level, "%s%.*s", what, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

bool
log_allowed(struct log_limit *limit)
{
	return log_allowed_each(limit, 1);
}

bool
log_allowed_each(struct log_limit *limit, unsigned seconds)
{
	uint64_t now = clock_mono_ns();

	if (limit->last_ns != 0 && now - limit->last_ns < seconds * NS_PER_S) {
		limit->held_back++;
		return false;
	}
	limit->last_ns = now;
	if (limit->held_back > 0)
		log_warn("%u %s like the next one %s held back",
		    limit->held_back, limit->held_back == 1 ? "line" : "lines",
		    limit->held_back == 1 ? "was" : "were");
	limit->held_back = 0;
	return true;
}
