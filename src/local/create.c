#include "create.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "local/path.h"
#include "local_error.h"
#include "name_check.h"
#include "parents.h"

enum {
	TRIES = 32, /* against those that remove the directory all the time */
};

static int
make_unpublished(const struct create *c)
{
	struct target *t = c->target;
	int err;

	if (c->kept == NULL)
		return publish_create(&t->at->publish, t->dir, &t->u);
	err = publish_create_kept(&t->at->publish, t->dir, c->kept, &t->u);
	return err == -EXDEV ? (int)LOCAL_APART : err;
}

/* Find the directory that it goes to, and make the file.  The directory may be
 * removed, while it is empty, before the file is made: then once more. */
static int
make_file(const struct create *c, bool early)
{
	struct publish_lock *stage = c->stage;
	struct target *t = c->target;
	int err;

	t->u.path = t->name;
	for (int i = 0;; i++) {
		err = name_check_error(
		    t, path_open_parent(t->at->fd, t->name, &t->dir, &t->rest));
		/* Late, giving the name tells; but no directories for nothing. */
		if (err == 0 && (early || strchr(t->rest, '/') != NULL))
			err = target_check_early(t);
		if (err == 0 && stage != NULL &&
		    publish_create_staged(&t->at->publish, stage, &t->u))
			return 0;
		if (err == 0)
			err = make_unpublished(c);
		if (i == TRIES || !parents_are_lost(t, -1, err))
			return err;
		fd_close(&t->dir);
		parents_pause(t, i);
	}
}

/* The mode that the configuration names, if it does. */
static int
give_mode(const struct target *t)
{
	uint64_t mode = t->at->to->policy->file_mode;

	if (mode == 0)
		return 0;
	return fchmod(t->u.fd, (mode_t)mode) == -1 ? -errno : 0;
}

int
create_file(struct create *c, bool early)
{
	struct target *t = c->target;
	int err = 0;

	/* Late, publishing tells the same. */
	if (early)
		err = dir_check_path(t->at);
	if (err == 0)
		err = make_file(c, early);
	if (err == 0)
		err = give_mode(t);
	if (err < 0)
		return err;
	if (c->direct_wanted)
		c->says_direct = space_direct_of(t->u.fd, SPACE_ALIGN);
	if (c->says_direct == SPACE_DIRECT_NO)
		c->room->allocates = false;
	if (t->at->stamps)
		file_version_stamp(t->u.fd);
	if (c->kept != NULL && c->length == 0)
		return 0; /* its caller looks for room for what comes later */
	return room_reserve(c->room, t->u.fd, c->length);
}

int
create_job(void *create)
{
	struct create *c = create;
	int err = create_file(c, true);

	return err < 0 ? target_give_up(c->target, err) : 0;
}
