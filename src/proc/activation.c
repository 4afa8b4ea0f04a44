#include "proc/activation.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "base/str.h"

enum {
	FIRST = 3,    /* the first descriptor, SD_LISTEN_FDS_START */
	FDS_MAX = 64, /* more must be a mistake */
};

/* A number in the environment; 0 or -EINVAL. */
static int
read_number(const char *name, uint64_t *ret)
{
	const char *text = getenv(name);

	return text != NULL && num_parse_u64(text, strlen(text), ret) == 0
		   ? 0
		   : -EINVAL;
}

/* Copy the name of the next one, and go behind it. */
static void
next_name(const char **names, int fd, char ret[LISTENER_NAME_MAX])
{
	size_t len;

	if (*names == NULL) {
		snprintf(ret, LISTENER_NAME_MAX, "descriptor %d", fd);
		return;
	}
	len = strcspn(*names, ":");
	str_quote(*names, len, ret, LISTENER_NAME_MAX);
	*names = (*names)[len] == ':' ? *names + len + 1 : NULL;
}

static int
take_one(int fd, const char **names, struct bound *ret)
{
	char name[LISTENER_NAME_MAX];
	int err;

	next_name(names, fd, name);
	err = listener_adopt(fd, name, &ret->listener);
	if (err < 0)
		log_error("LISTEN_FDS: %s (descriptor %d): %s", name, fd,
		    err == -EINVAL
			? "it is no listening stream socket: a .socket unit "
			  "needs ListenStream= and Accept=no"
			: strerror(-err));
	return err;
}

static int
take_all(size_t count, struct sockets *ret)
{
	const char *names = getenv("LISTEN_FDNAMES");
	struct sockets s = {0};
	int err, first = 0;

	s.bound = calloc(count, sizeof(*s.bound));
	if (s.bound == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		err = take_one(FIRST + (int)i, &names, &s.bound[s.count]);
		if (err == 0)
			s.count++;
		first = first < 0 ? first : err;
	}
	if (first < 0)
		sockets_close(&s, NULL, false);
	else
		*ret = s;
	return first;
}

/* Are they for this process, and how many?  0: none. */
static int
count_them(uint64_t *ret)
{
	uint64_t pid;

	*ret = 0;
	if (getenv("LISTEN_FDS") == NULL ||
	    read_number("LISTEN_PID", &pid) < 0 || pid != (uint64_t)getpid())
		return 0;
	if (read_number("LISTEN_FDS", ret) == 0 && *ret <= FDS_MAX)
		return 0;
	log_error("LISTEN_FDS: it is no number of descriptors, 0 to %d",
	    (int)FDS_MAX);
	return -EINVAL;
}

int
activation_take(struct sockets *ret)
{
	uint64_t count;
	int err;

	*ret = (struct sockets){0};
	err = count_them(&count);
	if (err == 0 && count > 0)
		err = take_all((size_t)count, ret);
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return err;
}
