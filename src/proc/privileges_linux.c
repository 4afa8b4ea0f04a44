#include "proc/privileges.h"

#include <errno.h>
#include <grp.h>

int
privileges_set_groups(const char *user, unsigned gid)
{
	return initgroups(user, gid) == -1 ? -errno : 0;
}
