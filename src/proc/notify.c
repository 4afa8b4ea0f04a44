#include "proc/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/str.h"

enum {
	PATIENCE_S = 1, /* with a manager whose queue is full */
	WATCHDOG_MAX_US = 1000 * 1000 * 1000, /* told so often at least */
};

/* ---- where to ---- */

/* A path, or "@" and the name of an abstract socket. */
static int
read_address(const char *text, struct sockaddr_un *ret, socklen_t *ret_len)
{
	size_t len = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || len < 2)
		return -EAFNOSUPPORT;
	if (len >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, text, len);
	if (text[0] == '@')
		ret->sun_path[0] = '\0';
	/* The NUL behind a path counts; a name has none. */
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
			       (text[0] == '/'));
	return 0;
}

/* A datagram socket that leads there, or a negative errno.  READY must not be lost, so
 * it waits for room, but not for ever. */
static int
notify_connect(const char *text)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_un to;
	socklen_t len;
	int fd, err;

	err = read_address(text, &to, &len);
	if (err < 0)
		return err;
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd == -1)
		return -errno;
	err = fd_set_cloexec(fd);
	if (err == 0 && (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			     sizeof(patience)) == -1 ||
			    connect(fd, (struct sockaddr *)&to, len) == -1))
		err = -errno;
	if (err < 0) {
		fd_close(&fd);
		return err;
	}
	return fd;
}

/* ---- when ---- */

/* The interval, at half of what the manager waits; 0: it does not wait for us. */
static uint64_t
read_watchdog(const char *usec, const char *pid)
{
	uint64_t n, whose;

	if (usec == NULL || num_parse_u64(usec, strlen(usec), &n) < 0)
		return 0;
	if (pid != NULL && (num_parse_u64(pid, strlen(pid), &whose) < 0 ||
			       whose != (uint64_t)getpid()))
		return 0;
	return (n < WATCHDOG_MAX_US ? n : WATCHDOG_MAX_US) * 1000 / 2;
}

/* What the environment says; NULL: nothing, or out of memory. */
static char *
keep(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? strdup(value) : NULL;
}

void
notify_open(struct notify *n)
{
	const char *to = getenv("NOTIFY_SOCKET");
	int fd;

	*n = (struct notify){.fd = -1};
	if (to != NULL && *to != '\0') {
		fd = notify_connect(to);
		if (fd < 0)
			log_warn("NOTIFY_SOCKET: nobody can be told that this "
				 "server is ready: %s",
			    strerror(-fd));
		else
			n->fd = fd;
	}
	if (n->fd != -1) {
		n->socket = keep("NOTIFY_SOCKET");
		n->watchdog_ns = read_watchdog(
		    getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	}
	if (n->watchdog_ns != 0)
		n->watchdog_usec = keep("WATCHDOG_USEC");
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

int
notify_hand_on(const struct notify *n)
{
	if ((n->socket != NULL &&
		setenv("NOTIFY_SOCKET", n->socket, 1) == -1) ||
	    (n->watchdog_usec != NULL &&
		setenv("WATCHDOG_USEC", n->watchdog_usec, 1) == -1))
		return -errno;
	return 0;
}

void
notify_close(struct notify *n)
{
	fd_close(&n->fd);
	free(n->socket);
	free(n->watchdog_usec);
	n->socket = n->watchdog_usec = NULL;
	n->watchdog_ns = 0;
}

/* ---- what ---- */

static void
notify_send(struct notify *n, const struct str *text)
{
	ssize_t sent;

	if (str_failed(text))
		return;
	do
		sent = send(n->fd, text->s, text->len, MSG_NOSIGNAL);
	while (sent == -1 && errno == EINTR);
	if (sent == -1 && !n->unheard)
		log_warn(
		    "the service manager cannot be told: %s", strerror(errno));
	n->unheard = sent == -1;
}

/* `state`, and for people what `fmt` says. */
static void notify_tell(struct notify *n, const char *state, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

static void
notify_tell(struct notify *n, const char *state, const char *fmt, va_list ap)
{
	struct str text = {0};

	if (n->fd == -1)
		return;
	str_printf(&text, "%s\nSTATUS=", state);
	str_vprintf(&text, fmt, ap);
	notify_send(n, &text);
	str_fini(&text);
}

void
notify_ready(struct notify *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	notify_tell(n, "READY=1", fmt, ap);
	va_end(ap);
}

void
notify_stopping(struct notify *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	notify_tell(n, "STOPPING=1", fmt, ap);
	va_end(ap);
}

void
notify_reloading(struct notify *n)
{
	struct str text = {0};

	if (n->fd == -1)
		return;
	str_printf(&text,
	    "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reloading",
	    clock_mono_ns() / 1000);
	notify_send(n, &text);
	str_fini(&text);
}

void
notify_main(struct notify *n, pid_t pid)
{
	struct str text = {0};

	if (n->fd == -1)
		return;
	str_printf(&text, "MAINPID=%ld\nSTATUS=upgraded", (long)pid);
	notify_send(n, &text);
	str_fini(&text);
}

int
notify_watchdog(struct notify *n)
{
	struct str text = {0};
	uint64_t now;

	if (n->watchdog_ns == 0)
		return -1;
	now = clock_mono_ns();
	if (now >= n->next_ns) {
		str_puts(&text, "WATCHDOG=1");
		notify_send(n, &text);
		str_fini(&text);
		n->next_ns = now + n->watchdog_ns;
	}
	return (int)((n->next_ns - now) / NS_PER_MS);
}
