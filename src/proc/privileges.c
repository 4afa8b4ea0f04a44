#include "proc/privileges.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

int
privileges_check(const char *user)
{
	return getpwnam(user) == NULL ? -ENOENT : 0;
}

int
privileges_drop(const char *user)
{
	const struct passwd *pw;
	int err;

	if (user == NULL || geteuid() != 0)
		return 0;
	pw = getpwnam(user);
	if (pw == NULL)
		return -ENOENT;
	if (pw->pw_uid == 0)
		return 0;
	err = privileges_set_groups(user, pw->pw_gid);
	if (err < 0)
		return err;
	if (setgid(pw->pw_gid) == -1 || setuid(pw->pw_uid) == -1)
		return -errno;
	/* What was given up must not come back. */
	return setuid(0) == 0 ? -EPERM : 0;
}
