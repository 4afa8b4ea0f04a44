#include "proc/made_dirs.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/owned_dir.h"
#include "proc/privileges.h"
#include "shared/mount_history.h"

enum {
	FILES_MODE = 0755,
	UPLOADS_MODE = 0777, /* as if the user had made it */
};

/* The directory of the file at `path`; false: it has too long a name. */
static bool
directory_of(const char *path, char ret_dir[PATH_MAX])
{
	size_t len = strlen(path);
	char *slash;

	if (*path != '/' || len >= PATH_MAX)
		return false;
	memcpy(ret_dir, path, len + 1);
	slash = strrchr(ret_dir, '/');
	check(slash != NULL);
	slash[slash == ret_dir] = '\0';
	return true;
}

static bool
made_dirs_make(
    const struct config *conf, const char *dir, const struct owned_dir *as)
{
	bool made;

	if (owned_dir_make(dir, as, &made) < 0 || !made)
		return false;
	log_notice(
	    "%s: made, for user %s", dir, as->uid == 0 ? "root" : conf->user);
	return true;
}

bool
made_dirs_for_file(const struct config *conf, const char *path, bool users)
{
	struct owned_dir as = {.mode = FILES_MODE};
	char dir[PATH_MAX];

	if (!privileges_will_drop(conf, &as.uid, &as.gid) ||
	    !directory_of(path, dir))
		return false;
	if (!users)
		as = (struct owned_dir){.mode = FILES_MODE};
	return made_dirs_make(conf, dir, &as);
}

bool
made_dirs_would_hold(const struct config *conf, const char *path)
{
	char dir[PATH_MAX];
	uid_t uid;
	gid_t gid;

	return privileges_will_drop(conf, &uid, &gid) &&
	       directory_of(path, dir) && owned_dir_would_be_made(dir);
}

/* What was there once is not made again. */
static bool
was_open(const struct shared *shared, const char *dir)
{
	struct mount_record known = {0};

	if (shared == NULL)
		return false;
	mount_history_look(shared->mount_history, dir, &known);
	return mount_history_is_known(&known);
}

void
made_dirs_for_uploads(const struct config *conf, const struct conf_location *l,
    const struct shared *shared)
{
	struct owned_dir as = {.mode = UPLOADS_MODE};

	if (privileges_will_drop(conf, &as.uid, &as.gid) &&
	    !was_open(shared, l->policy.output_dir))
		(void)made_dirs_make(conf, l->policy.output_dir, &as);
}

bool
made_dirs_would_make(const struct conf_location *l)
{
	return owned_dir_would_be_made(l->policy.output_dir);
}
