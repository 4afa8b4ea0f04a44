#include "partials_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "store/store.h"
#include "open_ids.h"
#include "partial_file.h"
#include "partial_look.h"
#include "publish_sys.h"

enum {
	STEP = 500,	   /* files in one */
	ORPHAN_AGE_S = 60, /* bytes whose ID.info does not follow by then */
};

struct partials_look {
	int root, dir;
	int lock; /* -1: another one has it */
	DIR *entries;
	uint64_t now_s;
	double expire_s;
	uint64_t *clients; /* of each that is open */
	size_t count, room;
	struct partials_found found;
};

/* ---- what is there ---- */

static void
remember(struct partials_look *l, uint64_t client)
{
	if (l->count == l->room) {
		size_t room = l->room * 2 + 64;
		uint64_t *more = realloc(l->clients, room * sizeof(*more));

		if (more == NULL) {
			l->found.is_whole = false;
			return;
		}
		l->clients = more;
		l->room = room;
	}
	l->clients[l->count++] = client;
}

static void
count_open(struct partials_look *l, const struct partial *p, bool is_held)
{
	remember(l, p->client);
	if (!is_held && p->length != STORE_LENGTH_UNKNOWN)
		l->found.awaited += p->length - p->offset;
}

static bool
has_expired(const struct partials_look *l, uint64_t changed_s)
{
	return (double)changed_s + l->expire_s <= (double)l->now_s;
}

/* ---- what goes ---- */

static void
remove_name(const struct partials_look *l, const char *id, const char *suffix)
{
	char name[PARTIAL_NAME_SIZE];

	partial_file_name(id, suffix, name);
	(void)unlinkat(l->dir, name, 0);
}

/* All of it is forgotten; the bytes last, since without them an ID.info could say that it is
 * stored. */
static void
forget(struct partials_look *l, const char *id)
{
	remove_name(l, id, partial_info_suffix);
	remove_name(l, id, partial_data_suffix);
	l->found.gone++;
}

/* Its bytes go, and it stays known for as long again. */
static void
expire(struct partials_look *l, int fd, struct partial_file *f)
{
	struct partial next = f->shown;

	next.phase = PARTIAL_EXPIRED;
	next.changed_s = l->now_s;
	next.answer = (struct span){0};
	/* One whose commit had begun would be taken for stored without its bytes: it is
	 * durable before they go that it is not. */
	if (partial_file_put(fd, f, &next, false, f->is_committing) < 0)
		return; /* another time */
	remove_name(l, f->shown.id, partial_data_suffix);
	l->found.expired++;
}

/* It is locked, and nobody came back for it. */
static void
end_one(struct partials_look *l, int fd, const char *id)
{
	struct partial_file f = {0};
	int err = partial_file_read(fd, id, &f);

	if (err == 0)
		err = partial_file_settle(&f, l->dir);
	if (err == -EBADMSG || err == -EPROTONOSUPPORT)
		forget(l, id);
	else if (err == 0 && f.shown.phase == PARTIAL_OPEN)
		expire(l, fd, &f);
	else if (err == 0)
		forget(l, id);
	partial_file_fini(&f);
}

/* Others may have had it, and removed it, before it was locked. */
static bool
still_has_name(const struct partials_look *l, int fd, const char *name)
{
	struct stat own, st;

	return fstat(fd, &own) == 0 &&
	       fstatat(l->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       own.st_dev == st.st_dev && own.st_ino == st.st_ino;
}

/* ---- one file ---- */

static void
look_at_info(struct partials_look *l, int fd, const char *name, const char *id)
{
	struct partial_file f;
	struct stat st;
	bool is_held;
	uint64_t changed;
	int err;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return;
	l->found.files++;
	is_held = publish_lock(fd) < 0;
	err = partial_file_peek(fd, id, &f);
	changed = err == 0 ? f.shown.changed_s : (uint64_t)st.st_mtime;
	if (is_held || !has_expired(l, changed)) {
		if (err == 0 && f.shown.phase == PARTIAL_OPEN)
			count_open(l, &f.shown, is_held);
	} else if (still_has_name(l, fd, name)) {
		end_one(l, fd, id);
	}
}

/* Bytes of which nothing is known: their maker died between the two. */
static void
look_at_data(struct partials_look *l, const char *name, const char *id)
{
	char info[PARTIAL_NAME_SIZE];
	struct stat st;

	partial_file_name(id, partial_info_suffix, info);
	if (fstatat(l->dir, info, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT)
		return;
	if (fstatat(l->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_mtime + ORPHAN_AGE_S <= l->now_s &&
	    has_expired(l, (uint64_t)st.st_mtime))
		(void)unlinkat(l->dir, name, 0);
}

/* O_NONBLOCK: it may be a FIFO.  One that this process has open, of which not even that can
 * be asked, is not counted. */
static void
open_info(struct partials_look *l, const char *name, const char *id)
{
	struct open_id own = {0};
	int fd;

	if (!open_id_enter(&own, id)) {
		l->found.is_whole = false;
		return;
	}
	fd = openat(l->dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd != -1)
		look_at_info(l, fd, name, id);
	fd_close(&fd);
	open_id_leave(&own);
}

static void
look_at(struct partials_look *l, const char *name)
{
	char id[PARTIAL_ID_LEN + 1];

	if (partial_file_is_name(name, partial_data_suffix, id)) {
		look_at_data(l, name, id);
		return;
	}
	if (partial_file_is_name(name, partial_info_suffix, id))
		open_info(l, name, id);
}

/* ---- all of them ---- */

/* The lock is on the output directory itself; where a directory has none, several workers
 * look, and each of them is right. */
static bool
take_lock(struct partials_look *l)
{
	int err;

	l->lock = openat(l->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->lock == -1)
		return false;
	err = publish_lock(l->lock);
	if (err != -EWOULDBLOCK && err != -EAGAIN && err != -EACCES)
		return true;
	fd_close(&l->lock);
	return false;
}

static bool
begin(struct partials_look *l)
{
	int dir;

	if (!take_lock(l))
		return false;
	dir = partial_look_dir(l->root);
	if (dir < 0)
		return false;
	l->entries = fdopendir(dir);
	if (l->entries == NULL)
		fd_close(&dir);
	l->dir = dir;
	return l->entries != NULL;
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* From one entry for each partial to one for each client. */
static void
tally(struct partials_look *l)
{
	struct partials_tally *t;

	if (l->count == 0)
		return;
	qsort(l->clients, l->count, sizeof(*l->clients), by_number);
	t = calloc(l->count, sizeof(*t));
	if (t == NULL) {
		l->found.is_whole = false;
		return;
	}
	l->found.tally = t;
	for (size_t i = 0; i < l->count; i++) {
		if (i == 0 || l->clients[i] != l->clients[i - 1])
			t[l->found.clients++].client = l->clients[i];
		t[l->found.clients - 1].count++;
	}
}

bool
partials_look_step(struct partials_look *l)
{
	const struct dirent *e = NULL;
	unsigned n = 0;

	if (l->entries == NULL && !begin(l))
		return false;
	l->now_s = (uint64_t)clock_wall_s();
	while (n++ < STEP && (e = readdir(l->entries)) != NULL)
		look_at(l, e->d_name);
	if (e != NULL)
		return true;
	tally(l);
	return false;
}

struct partials_look *
partials_look_new(int root, double expire_s)
{
	struct partials_look *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->root = root;
	l->dir = l->lock = -1;
	l->expire_s = expire_s;
	l->found.is_whole = true;
	return l;
}

void
partials_look_free(struct partials_look **lp)
{
	struct partials_look *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	if (l->entries != NULL)
		closedir(l->entries);
	fd_close(&l->lock);
	free(l->clients);
	free(l->found.tally);
	free(l);
}

bool
partials_look_was_alone(const struct partials_look *l)
{
	return l->lock != -1;
}

const struct partials_found *
partials_look_found(const struct partials_look *l)
{
	return &l->found;
}
