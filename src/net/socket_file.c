#include "net/socket_file.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	PERMISSIONS = 0777,
};

static bool
socket_file_is(const struct stat *a, const struct stat *b)
{
	return S_ISSOCK(a->st_mode) && a->st_dev == b->st_dev &&
	       a->st_ino == b->st_ino;
}

/* The umask belongs to the whole process, which has only one thread when
 * sockets are opened. */
int
socket_file_bind(int fd, const struct addr *addr, struct stat *ret_st)
{
	mode_t mask;
	int err;

	err = socket_file_hide(fd);
	if (err < 0)
		return err;
	mask = umask(PERMISSIONS);
	if (bind(fd, (const struct sockaddr *)&addr->ss, addr->len) == -1)
		err = -errno;
	umask(mask);
	if (err < 0)
		return err;
	/* The path must lead to what was just made: a socket with our owner and
	 * mode 0000. */
	if (lstat(addr_unix_path(addr), ret_st) == -1)
		return -errno;
	if (!S_ISSOCK(ret_st->st_mode) || ret_st->st_uid != geteuid() ||
	    (ret_st->st_mode & PERMISSIONS) != 0)
		return -ESTALE;
	return 0;
}

bool
socket_file_differs(const struct stat *st, const struct socket_rights *r)
{
	return (st->st_mode & PERMISSIONS) != r->mode ||
	       (r->owner != (uid_t)-1 && r->owner != st->st_uid) ||
	       (r->group != (gid_t)-1 && r->group != st->st_gid);
}

/* While the owner changes, only what both modes allow. */
static int
give(const char *path, int fd, const struct stat *st,
    const struct socket_rights *r)
{
	mode_t was = st->st_mode & PERMISSIONS, mode = was & r->mode;
	bool owner = r->owner != (uid_t)-1 && r->owner != st->st_uid;
	bool group = r->group != (gid_t)-1 && r->group != st->st_gid;
	int err = 0;

	if (mode != was)
		err = socket_file_chmod(path, fd, mode);
	if (err == 0 && (owner || group))
		err = socket_file_chown(path, fd, owner ? r->owner : (uid_t)-1,
		    group ? r->group : (gid_t)-1);
	if (err == 0 && mode != r->mode)
		err = socket_file_chmod(path, fd, r->mode);
	return err;
}

int
socket_file_give(
    const char *path, const struct stat *st, const struct socket_rights *rights)
{
	int fd = -1, err;

	err = socket_file_open(path, st, &fd);
	if (err < 0)
		return err;
	err = give(path, fd, st, rights);
	fd_close(&fd);
	return err;
}

void
socket_file_remove(const char *path, const struct stat *st)
{
	struct stat now;

	if (lstat(path, &now) == 0 && socket_file_is(&now, st))
		(void)unlink(path);
}

static void
add_user(uid_t uid, struct str *out)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		str_puts(out, pw->pw_name);
	else
		str_printf(out, "%lu", (unsigned long)uid);
}

static void
add_group(gid_t gid, struct str *out)
{
	const struct group *gr = getgrgid(gid);

	if (gr != NULL)
		str_puts(out, gr->gr_name);
	else
		str_printf(out, "%lu", (unsigned long)gid);
}

void
socket_file_describe_rights(const struct socket_rights *r, struct str *out)
{
	uid_t owner = r->owner != (uid_t)-1 ? r->owner : geteuid();
	gid_t group = r->group != (gid_t)-1 ? r->group : getegid();

	str_printf(out, " (mode %04o, ", (unsigned)r->mode);
	add_user(owner, out);
	str_puts(out, ":");
	add_group(group, out);
	str_puts(out, ")");
	if (owner == 0 && group == 0 && (r->mode & S_IWOTH) == 0)
		str_puts(out, ": only root can connect; group=GROUP on its "
			      "listen lets a proxy in");
}

void
socket_file_describe(const struct stat *st, struct str *out)
{
	socket_file_describe_rights(
	    &(struct socket_rights){
		st->st_mode & PERMISSIONS, st->st_uid, st->st_gid},
	    out);
}
