#include "proc/title.h"

/* There is no portable way. */
int
title_take_room(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

void
title_write(const char *text)
{
	(void)text;
}

void
title_name(const char *name)
{
	(void)name;
}
