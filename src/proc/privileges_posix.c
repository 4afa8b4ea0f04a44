#include "proc/privileges.h"

#include <errno.h>

/* POSIX has no way to leave groups: a root start must not pretend to. */
int
privileges_set_groups(const char *user, unsigned gid)
{
	(void)user;
	(void)gid;
	return -ENOTSUP;
}

int
privileges_give_up_new(void)
{
	return 0;
}
