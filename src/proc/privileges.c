#include "proc/privileges.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "base/log.h"
#include "proc/identity.h"
#include "proc/refusal.h"

int
privileges_check(const struct config *conf)
{
	char name[IDENTITY_NAME_MAX];
	const struct passwd *pw;
	uid_t uid;

	if (conf->user == NULL) {
		if (geteuid() == 0)
			log_warn("clients are served as root, since there is "
				 "no user: write user NAME; at top level, or "
				 "start it as another user");
		return 0;
	}
	pw = getpwnam(conf->user);
	if (pw == NULL) {
		refusal_log(&conf->user_at, "user", conf->user,
		    "there is no such user");
		return -ENOENT;
	}
	uid = pw->pw_uid;
	identity_name(name);
	if (geteuid() == 0 && uid == 0)
		refusal_warn(&conf->user_at, "user", conf->user,
		    "clients are served as root: name another one");
	else if (geteuid() != 0 && geteuid() != uid)
		refusal_warn(&conf->user_at, "user", conf->user,
		    "it is ignored, since penstock was not started as root: "
		    "clients are served as %s",
		    name);
	return 0;
}

bool
privileges_will_drop(const struct config *conf, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *pw;

	if (conf->user == NULL || geteuid() != 0)
		return false;
	pw = getpwnam(conf->user);
	if (pw == NULL || pw->pw_uid == 0)
		return false;
	*ret_uid = pw->pw_uid;
	*ret_gid = pw->pw_gid;
	return true;
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
