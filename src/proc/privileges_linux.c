#include "proc/privileges.h"

#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>

int
privileges_set_groups(const char *user, unsigned gid)
{
	return initgroups(user, gid) == -1 ? -errno : 0;
}

int
privileges_give_up_new(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == -1 ? -errno : 0;
}
