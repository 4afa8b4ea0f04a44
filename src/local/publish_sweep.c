/* Temp files that a crash has left in `.penstock`, and what its notes tell of. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "local/path.h"
#include "local/publish.h"
#include "publish_beside.h"
#include "publish_name.h"
#include "publish_sys.h"

enum {
	/* A temp name that is given and renamed at once has no lock; and where locks
	 * do not last, a writer re-takes its own.  Both within this time. */
	LOOK_AGAIN_NS = 100 * 1000 * 1000,
};

static bool
is_note(const char *name)
{
	return publish_is_numbered(name, publish_note_suffix);
}

/* Names that had no lock on them in the first pass. */
struct unheld {
	char (*name)[PUBLISH_TEMP_MAX];
	size_t count, room;
};

static void
remember(struct unheld *u, const char *name)
{
	if (u->count == u->room) {
		size_t room = u->room * 2 + 16;
		void *more = realloc(u->name, room * sizeof(*u->name));

		if (more == NULL)
			return; /* the next sweep takes it */
		u->name = more;
		u->room = room;
	}
	snprintf(u->name[u->count++], sizeof(*u->name), "%s", name);
}

struct sweep {
	int root, dir;
	unsigned swept, living;
};

static void
remove_one(struct sweep *s, int file, const char *name)
{
	if (!is_note(name))
		s->swept += unlinkat(s->dir, name, 0) == 0;
	else if (publish_heed_note(s->root, file, name, &s->swept) == 0)
		(void)unlinkat(s->dir, name, 0);
}

/* One that has no lock on it is removed, or remembered in `unheld`. */
static void
sweep_one(struct sweep *s, const char *name, struct unheld *unheld)
{
	int file =
	    openat(s->dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (file == -1)
		return;
	if (publish_lock(file) < 0)
		s->living++;
	else if (unheld != NULL)
		remember(unheld, name);
	else
		remove_one(s, file, name);
	fd_close(&file);
}

/* Remove what publish_try_name() has made, if its worker died before it
 * removed it. */
static void
sweep_tried(int dir, const char *name)
{
	struct stat st;

	if (!publish_is_plain_name(name, strlen(name)) &&
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_size == 0)
		(void)unlinkat(dir, name, 0);
}

unsigned
publish_sweep(int root, unsigned *ret_living)
{
	const struct timespec nap = {.tv_nsec = LOOK_AGAIN_NS};
	struct sweep s = {.root = root};
	struct unheld unheld = {0};
	const struct dirent *e;
	DIR *d;

	*ret_living = 0;
	s.dir = path_open(root, PUBLISH_TEMP_DIR, O_RDONLY | O_DIRECTORY);
	if (s.dir < 0)
		return 0;
	d = fdopendir(s.dir);
	if (d == NULL) {
		fd_close(&s.dir);
		return 0;
	}
	while ((e = readdir(d)) != NULL) {
		if (publish_is_numbered(e->d_name, publish_temp_suffix) ||
		    is_note(e->d_name))
			sweep_one(&s, e->d_name, &unheld);
		else
			sweep_tried(s.dir, e->d_name);
	}
	if (unheld.count > 0)
		(void)nanosleep(&nap, NULL);
	for (size_t i = 0; i < unheld.count; i++)
		sweep_one(&s, unheld.name[i], NULL);
	free(unheld.name);
	closedir(d);
	*ret_living = s.living;
	return s.swept;
}
