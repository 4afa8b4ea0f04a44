#include "proc/title.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* The command line as it was. */
static char **command;
static size_t command_count;

char **
title_init(int argc, char **argv)
{
	size_t count = argc > 0 ? (size_t)argc : 0;

	command = calloc(count + 1, sizeof(*command));
	if (command == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		command[i] = strdup(argv[i]);
		if (command[i] == NULL)
			return NULL;
	}
	command_count = count;
	return title_take_room(argc, argv) < 0 ? NULL : command;
}

char **
title_command(void)
{
	return command;
}

void
title_set(const char *name, const char *fmt, ...)
{
	struct str title = {0};
	va_list ap;

	str_puts(&title, "penstock: ");
	va_start(ap, fmt);
	str_vprintf(&title, fmt, ap);
	va_end(ap);
	if (!str_failed(&title))
		title_write(title.s);
	str_fini(&title);
	if (name != NULL)
		title_name(name);
}

void
title_set_command(const char *what)
{
	struct str text = {0};

	str_puts(&text, what);
	for (size_t i = 0; i < command_count; i++) {
		str_puts(&text, " ");
		str_puts(&text, command[i]);
	}
	if (!str_failed(&text))
		title_set(NULL, "%s", text.s);
	str_fini(&text);
}
