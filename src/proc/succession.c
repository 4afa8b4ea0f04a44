#include "proc/succession.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"

#define VARIABLE "PENSTOCK_UPGRADE"

enum {
	FORMAT = 1,
	HEAD_FIELDS = 7,
};

void
succession_init(struct succession *s)
{
	*s = (struct succession){
	    .tell = -1, .errors = -1, .shared = -1, .bell = -1};
}

void
succession_close(struct succession *s)
{
	fd_close(&s->tell);
	fd_close(&s->errors);
	fd_close(&s->shared);
	fd_close(&s->bell);
}

/* Up to the first negative errno. */
static int
for_each_fd(const struct succession *s, int (*change)(int fd))
{
	const int fds[] = {s->tell, s->errors, s->shared, s->bell};
	int err = 0;

	for (size_t i = 0; i < COUNT_OF(fds) && err == 0; i++)
		if (fds[i] != -1)
			err = change(fds[i]);
	return err;
}

/* ---- the old master's side ---- */

static int
keep_all(const struct succession *s, const struct sockets *sockets)
{
	int err = for_each_fd(s, fd_keep_on_exec);

	for (size_t i = 0; i < sockets->count && err == 0; i++)
		err = fd_keep_on_exec(sockets->bound[i].listener.fd);
	return err;
}

int
succession_hand_over(const struct succession *s, const struct sockets *sockets)
{
	struct str text = {0};
	int err = keep_all(s, sockets);

	str_printf(&text, "%d %ld %d %d %d %d %u\n", (int)FORMAT, (long)s->from,
	    s->tell, s->errors, s->shared, s->bell, s->generation);
	for (size_t i = 0; i < sockets->count; i++) {
		const struct listener *l = &sockets->bound[i].listener;

		str_printf(&text, "%d %s\n", l->fd, l->given);
	}
	if (err == 0 && str_failed(&text))
		err = -ENOMEM;
	if (err == 0 && setenv(VARIABLE, text.s, 1) == -1)
		err = -errno;
	str_fini(&text);
	return err;
}

/* ---- the successor's side ---- */

/* The first line; false: it is none. */
static bool
read_head(const char *line, struct succession *ret)
{
	long from;
	int format;

	if (sscanf(line, "%d %ld", &format, &from) != 2)
		return false;
	ret->from = (pid_t)from;
	if (format != FORMAT) {
		log_error("the master, process %ld, hands over in format %d, "
			  "and this penstock knows %d: stop that one and start "
			  "this one instead",
		    from, format, (int)FORMAT);
		return false;
	}
	return sscanf(line, "%d %ld %d %d %d %d %u", &format, &from, &ret->tell,
		   &ret->errors, &ret->shared, &ret->bell,
		   &ret->generation) == HEAD_FIELDS;
}

/* "FD NAME".  0, also for a socket that nobody can reach any more. */
static int
take_socket(const char *line, struct sockets *s)
{
	char *name;
	int fd = (int)strtol(line, &name, 10), err;

	if (*name != ' ')
		return -EINVAL;
	err = listener_adopt(fd, name + 1, &s->bound[s->count].listener);
	if (err == -ENOENT)
		fd_close(&fd);
	else if (err == 0)
		s->count++;
	return err == -ENOENT ? 0 : err;
}

/* All lines, which are cut apart. */
static int
take_sockets(char *text, struct sockets *ret)
{
	struct sockets s = {0};
	char *line, *rest = NULL;
	int err = 0;

	s.bound = calloc(strlen(text) + 1, sizeof(*s.bound));
	if (s.bound == NULL)
		return -ENOMEM;
	for (line = strtok_r(text, "\n", &rest); line != NULL && err == 0;
	     line = strtok_r(NULL, "\n", &rest))
		err = take_socket(line, &s);
	if (err == 0)
		*ret = s;
	else
		sockets_close(&s, NULL, false);
	return err;
}

static int
take(const char *text, struct succession *ret, struct sockets *ret_sockets)
{
	char *copy = strdup(text), *end;
	int err = -EINVAL;

	if (copy == NULL)
		return -ENOMEM;
	end = strchr(copy, '\n');
	if (end != NULL && read_head(copy, ret)) {
		*end = '\0';
		err = for_each_fd(ret, fd_set_cloexec);
	}
	if (err == 0)
		err = take_sockets(end + 1, ret_sockets);
	free(copy);
	return err;
}

static bool
is_for_us(const char *text)
{
	long format, from;

	return text != NULL && sscanf(text, "%ld %ld", &format, &from) == 2 &&
	       from == (long)getppid();
}

int
succession_take(struct succession *ret, struct sockets *ret_sockets)
{
	const char *text = getenv(VARIABLE);
	int err = 0;

	succession_init(ret);
	if (is_for_us(text)) {
		err = take(text, ret, ret_sockets);
		if (err < 0)
			log_error("%s: what the master has handed over cannot "
				  "be taken: %s",
			    VARIABLE, strerror(-err));
	}
	(void)unsetenv(VARIABLE);
	return err;
}
