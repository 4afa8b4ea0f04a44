#include "auth/spent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/signed_link.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "disk/device.h"
#include "disk/engine.h"

enum {
	KEPT_S = 86400,	  /* after a link has expired */
	SWEEP_EVERY = 64, /* claims */
};

struct spent {
	struct engine *engine;
	struct device *device;
	unsigned claims;
};

struct spent_mark {
	struct spent *spent;
	struct op op;
	bool made;  /* by the last claim, which has ended */
	bool ended; /* its owner is done with it */
	bool keep;
	bool sweeps; /* its claim also removes old ones */
	void *owner;
	spent_fn *on_done;
	char *dir;
	char name[]; /* EXPIRES-ID */
};

struct spent *
spent_new(struct engine *e, struct device_set *devices)
{
	struct spent *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->engine = e;
	s->device = device_new_unknown(devices);
	if (s->device == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

void
spent_free(struct spent **sp)
{
	free(*sp);
	*sp = NULL;
}

struct spent_mark *
spent_mark_new(
    struct spent *s, const char *dir, const char *id, uint64_t expires_s)
{
	struct spent_mark *m = NULL;
	struct str name = {0};

	str_printf(&name, "%" PRIu64 "-%s", expires_s, id);
	if (!str_failed(&name))
		m = calloc(1, sizeof(*m) + name.len + 1);
	if (m != NULL) {
		m->spent = s;
		memcpy(m->name, name.s, name.len + 1);
		m->dir = strdup(dir);
	}
	if (m != NULL && m->dir == NULL) {
		free(m);
		m = NULL;
	}
	str_fini(&name);
	return m;
}

/* ---- on threads ---- */

static int
open_dir(const struct spent_mark *m)
{
	int fd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd == -1 ? -errno : fd;
}

static int
look_job(void *arg)
{
	const struct spent_mark *m = arg;
	int dir = open_dir(m), err = 0;

	if (dir < 0)
		return dir;
	if (faccessat(dir, m->name, F_OK, 0) == 0)
		err = -EEXIST;
	else if (errno != ENOENT)
		err = -errno;
	fd_close(&dir);
	return err;
}

/* True for the name of a mark whose link has expired long ago; not for 20270101-a.csv. */
static bool
is_old(const char *name, uint64_t now_s)
{
	const char *dash = strchr(name, '-');
	unsigned char id[SIGNED_LINK_ONCE_BYTES];
	uint64_t expires_s;

	return dash != NULL &&
	       mac_read_hex(dash + 1, strlen(dash + 1), id, sizeof(id)) &&
	       num_parse_u64(name, (size_t)(dash - name), &expires_s) == 0 &&
	       expires_s < now_s && now_s - expires_s > KEPT_S;
}

static void
sweep(int dir)
{
	uint64_t now_s = (uint64_t)clock_wall_s();
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy != -1 ? fdopendir(copy) : NULL;
	const struct dirent *e;

	if (d == NULL) {
		fd_close(&copy);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (is_old(e->d_name, now_s))
			(void)unlinkat(dir, e->d_name, 0);
	closedir(d);
}

static int
claim_job(void *arg)
{
	const struct spent_mark *m = arg;
	int dir = open_dir(m), fd, err = 0;

	if (dir < 0)
		return dir;
	if (m->sweeps)
		sweep(dir);
	fd = openat(dir, m->name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		err = -errno;
	fd_close(&fd);
	if (err == 0 && fsync(dir) == -1) {
		err = -errno;
		(void)unlinkat(dir, m->name, 0);
	}
	fd_close(&dir);
	return err;
}

static int
remove_job(void *arg)
{
	const struct spent_mark *m = arg;
	int dir = open_dir(m);

	if (dir < 0)
		return dir;
	if (unlinkat(dir, m->name, 0) == 0)
		(void)fsync(dir);
	fd_close(&dir);
	return 0;
}

/* ---- on the loop ---- */

static void
free_mark(struct spent_mark *m)
{
	free(m->dir);
	free(m);
}

static void
on_removed(struct op *op, int res)
{
	(void)res;
	free_mark(op->owner);
}

static void
let_go(struct spent_mark *m)
{
	if (!m->made || m->keep) {
		free_mark(m);
		return;
	}
	engine_call(m->spent->engine, m->spent->device, &m->op, remove_job, m,
	    0, on_removed);
}

static void
spent_log_failure(const struct spent_mark *m, int err)
{
	static struct log_limit limit;

	if (err != 0 && err != -EEXIST && log_allowed(&limit))
		log_error("signed_link_spent %s: %s: links that are good once "
			  "are refused",
		    m->dir, strerror(-err));
}

static void
on_job_done(struct op *op, int res)
{
	struct spent_mark *m = op->owner;

	spent_log_failure(m, res);
	if (m->ended)
		let_go(m);
	else
		m->on_done(m->owner, res);
}

static void
on_claimed(struct op *op, int res)
{
	struct spent_mark *m = op->owner;

	m->made = res == 0;
	on_job_done(op, res);
}

void
spent_look(struct spent_mark *m, void *owner, spent_fn *on_done)
{
	m->owner = owner;
	m->on_done = on_done;
	engine_call(m->spent->engine, m->spent->device, &m->op, look_job, m, 0,
	    on_job_done);
}

void
spent_claim(struct spent_mark *m, void *owner, spent_fn *on_done)
{
	m->owner = owner;
	m->on_done = on_done;
	m->sweeps = m->spent->claims++ % SWEEP_EVERY == 0;
	engine_call(m->spent->engine, m->spent->device, &m->op, claim_job, m, 0,
	    on_claimed);
}

bool
spent_is_claimed(const struct spent_mark *m)
{
	return m->made;
}

void
spent_unclaim(struct spent_mark *m, void *owner, spent_fn *on_done)
{
	check(m->made && !m->op.in_flight);
	m->owner = owner;
	m->on_done = on_done;
	m->made = false;
	engine_call(m->spent->engine, m->spent->device, &m->op, remove_job, m,
	    0, on_job_done);
}

void
spent_mark_end(struct spent_mark **mp, bool keep)
{
	struct spent_mark *m = *mp;

	if (m == NULL)
		return;
	*mp = NULL;
	m->ended = true;
	m->keep = keep;
	if (!m->op.in_flight)
		let_go(m);
}
