#include "log/syslog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"

struct syslog_to {
	const char *path, *tag;
	int priority;
	int fd; /* connected; -1: not yet, or not any more */
	struct str message;
};

struct syslog_to *
syslog_to_new(const char *path, const char *tag, int priority)
{
	struct syslog_to *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->path = path;
	s->tag = tag;
	s->priority = priority;
	s->fd = -1;
	return s;
}

/* 0, or a negative errno. */
static int
connect_to(struct syslog_to *s)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int err;

	if (strlen(s->path) >= sizeof(un.sun_path))
		return -ENAMETOOLONG;
	memcpy(un.sun_path, s->path, strlen(s->path) + 1);
	s->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (s->fd == -1)
		return -errno;
	err = fd_set_cloexec(s->fd);
	if (err == 0)
		err = fd_set_nonblock(s->fd);
	if (err == 0 &&
	    connect(s->fd, (const struct sockaddr *)&un, sizeof(un)) == -1)
		err = -errno;
	if (err < 0)
		fd_close(&s->fd);
	return err;
}

static int
send_message(struct syslog_to *s)
{
	ssize_t n;

	do
		n = send(s->fd, s->message.s, s->message.len, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : 0;
}

/* "Nov 23 08:16:04", from "2026-11-23T08:16:04.586Z". */
static void
add_stamp(struct str *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char iso[CLOCK_STAMP_MAX];
	int month;

	clock_stamp_iso(clock_wall_ns(), iso);
	month = (iso[5] - '0') * 10 + (iso[6] - '0');
	check(month >= 1 && month <= 12);
	str_printf(out, "%.3s %c%c %.8s", months + (month - 1) * 3,
	    iso[8] == '0' ? ' ' : iso[8], iso[9], iso + 11);
}

/* One that was restarted has another socket of that name. */
static int
send_line(struct syslog_to *s, const char *line, size_t len)
{
	bool fresh = s->fd == -1;
	int err;

	str_clear(&s->message);
	str_printf(&s->message, "<%d>", s->priority);
	add_stamp(&s->message);
	str_printf(&s->message, " %s[%ld]: ", s->tag, (long)getpid());
	str_add(&s->message, line, len);
	if (str_failed(&s->message)) {
		str_fini(&s->message);
		return -ENOMEM;
	}
	err = fresh ? connect_to(s) : 0;
	if (err == 0)
		err = send_message(s);
	if (err == 0 || err == -EAGAIN || err == -ENOBUFS || err == -EMSGSIZE ||
	    s->fd == -1)
		return err;
	fd_close(&s->fd);
	if (fresh)
		return err;
	err = connect_to(s);
	return err < 0 ? err : send_message(s);
}

size_t
syslog_to_send(struct syslog_to *s, const char *lines, size_t len, int *ret_err)
{
	size_t lost = 0;

	while (len > 0) {
		const char *end = memchr(lines, '\n', len);
		size_t n = end != NULL ? (size_t)(end - lines) : len;
		int err = send_line(s, lines, n);

		if (err < 0) {
			lost++;
			*ret_err = err;
		}
		if (s->fd == -1) /* nobody is there */
			return lost - 1 + str_count_lines(lines, len);
		n += end != NULL ? 1 : 0;
		lines += n;
		len -= n;
	}
	return lost;
}

void
syslog_to_free(struct syslog_to **sp)
{
	struct syslog_to *s = *sp;

	if (s == NULL)
		return;
	fd_close(&s->fd);
	str_fini(&s->message);
	free(s);
	*sp = NULL;
}
