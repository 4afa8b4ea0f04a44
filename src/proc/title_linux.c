#include "proc/title.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
	/* Bytes of the environment that may be overwritten: the rest can still
	 * be read in /proc/PID/environ. */
	BEYOND_MAX = 64,
};

/*
 *	argv[0] NUL argv[1] NUL ... | environ[0] NUL environ[1] NUL ...
 *	room                        room + args                    room + size
 *
 * Linux shows what lies in the first part; or, when the last byte of that is not
 * NUL, all up to the next NUL.
 */
static char *room;
static size_t args, size;
static size_t used; /* no more than that is not NUL */

/* The program's own strings, and its C library's, must not change. */
static int
move_environment(void)
{
	size_t count = 0, bytes = 0;
	char **moved, *text;

	for (; environ != NULL && environ[count] != NULL; count++)
		bytes += strlen(environ[count]) + 1;
	/* One block, since nobody has the address of what is taken out of it. */
	moved = calloc(1, (count + 1) * sizeof(*moved) + bytes);
	if (moved == NULL)
		return -ENOMEM;
	text = (char *)&moved[count + 1];
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(environ[i]) + 1;

		moved[i] = memcpy(text, environ[i], len);
		text += len;
	}
	environ = moved;
	program_invocation_name = strdup(program_invocation_name);
	program_invocation_short_name = strdup(program_invocation_short_name);
	return program_invocation_name == NULL ||
		       program_invocation_short_name == NULL
		   ? -ENOMEM
		   : 0;
}

int
title_take_room(int argc, char **argv)
{
	char *end;

	if (argc < 1)
		return 0;
	end = argv[0];
	for (int i = 0; i < argc && argv[i] == end; i++)
		end += strlen(end) + 1;
	room = argv[0];
	args = used = (size_t)(end - room);
	for (size_t i = 0; environ != NULL && environ[i] == end; i++)
		end += strlen(end) + 1;
	size = (size_t)(end - room);
	if (size > args + BEYOND_MAX)
		size = args + BEYOND_MAX;
	return move_environment();
}

void
title_write(const char *text)
{
	size_t len = strlen(text);

	if (size == 0)
		return;
	if (len >= size)
		len = size - 1;
	memcpy(room, text, len);
	if (len < used)
		memset(room + len, 0, used - len);
	room[len] = '\0';
	used = len;
}

void
title_name(const char *name)
{
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
}
