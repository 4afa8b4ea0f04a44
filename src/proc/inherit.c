#include "proc/inherit.h"

#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"

enum {
	KEPT_MAX = 1024, /* what is beyond is closed */
};

/* The umask before it was changed; 0: it was not. */
static mode_t umask_was;

/*
 * While CHLD is ignored waitpid() reports no children, and a signal that is blocked
 * never arrives.  The others get handlers later.  HUP may be ignored (nohup) until the
 * master sets a handler, which makes it a reload.
 */
static void
tidy_signals(void)
{
	sigset_t none;

	(void)signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void
inherit_from_master(void)
{
	static const int reset[] = {SIGTERM, SIGINT, SIGQUIT, SIGCHLD};

	for (size_t i = 0; i < COUNT_OF(reset); i++)
		(void)signal(reset[i], SIG_DFL);
	(void)signal(SIGHUP, SIG_IGN);
}

/* A umask that takes permissions from the owner must be a mistake: we could not enter
 * the directories that we make, nor open our files again. */
static void
tidy_umask(void)
{
	mode_t mask = umask(0);

	if ((mask & S_IRWXU) != 0)
		umask_was = mask;
	umask(mask & ~(mode_t)S_IRWXU);
}

void
inherit_tidy(void)
{
	fd_open_standard();
	tidy_signals();
	tidy_umask();
}

/* The N of /dev/fd/N or /proc/self/fd/N, or -1. */
static int
descriptor_in(const char *path)
{
	static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};

	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		size_t len = strlen(folders[i]);
		char *end;
		long fd;

		if (strncmp(path, folders[i], len) != 0)
			continue;
		fd = strtol(path + len, &end, 10);
		if (end != path + len && *end == '\0' && fd > STDERR_FILENO &&
		    fd < INT32_MAX)
			return (int)fd;
	}
	return -1;
}

/* Descriptors that logs name, or that are handed over, each once. */
struct kept {
	int fds[KEPT_MAX];
	size_t count;
};

static void
inherit_keep(struct kept *k, int fd)
{
	if (fd == -1 || k->count == KEPT_MAX)
		return;
	for (size_t i = 0; i < k->count; i++)
		if (k->fds[i] == fd)
			return;
	k->fds[k->count++] = fd;
}

void
inherit_close(const struct config *conf, const struct sockets *given,
    const struct succession *from)
{
	struct kept kept = {0};
	struct conf_log_walk walk = {0};
	const struct conf_access_log *l;
	const struct conf_place *at;

	for (size_t i = 0; i < given->count; i++)
		inherit_keep(&kept, given->bound[i].listener.fd);
	inherit_keep(&kept, from->tell);
	inherit_keep(&kept, from->errors);
	inherit_keep(&kept, from->shared);
	inherit_keep(&kept, from->bell);
	inherit_keep(&kept, descriptor_in(conf->error_log));
	while ((l = config_next_access_log(conf, &walk, &at)) != NULL)
		inherit_keep(&kept, descriptor_in(l->target));
	fd_close_others(STDERR_FILENO + 1, kept.fds, kept.count);
}

void
inherit_report(void)
{
	char size[NUM_TEXT_MAX];
	struct rlimit rl;

	if (umask_was != 0)
		log_warn("umask %04o would take our own files from us: %04o is "
			 "used",
		    (unsigned)umask_was,
		    (unsigned)(umask_was & ~(mode_t)S_IRWXU));
	if (getrlimit(RLIMIT_FSIZE, &rl) == -1 || rl.rlim_cur == RLIM_INFINITY)
		return;
	num_format_size((uint64_t)rl.rlim_cur, size);
	log_warn("no file may become larger than %s (ulimit -f): a larger "
		 "upload gets 413, and a log stops there: raise it",
	    size);
}
