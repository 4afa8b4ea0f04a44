/*
 * A binary upgrade: what the master does on USR2, and what it does while there are two.
 *
 *	old master                             new master, its child
 *	pid file becomes PID_FILE.oldbin
 *	executes the program on disk  ----->   takes sockets and shared memory,
 *	                                       reads the file, forks workers
 *	logs what that says on stderr  <----
 *	the upgrade was a success   <-------   they accept
 *	  QUIT here:  uploads are finished; MAINPID is told; it is complete
 *	  QUIT there: back as it was
 *
 * Both serve meanwhile; with WINCH to the old one only the new one does, and HUP to the old one
 * has it serve again, with the configuration that it has: the file may be one for the new
 * program.  Whichever ends first, however, leaves the other one whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "master_internal.h"
#include "proc/counted.h"
#include "proc/detach.h"
#include "proc/inherit.h"
#include "proc/pidfile.h"
#include "proc/signals.h"
#include "proc/title.h"

enum {
	START_MS = 60000, /* for the new master to come up */
	BESIDE_MS = 1000, /* how often is the other one looked at */
	STARTING_MS = 10, /* and while it is coming up */
};

static bool
old_master_lives(const struct master *m)
{
	return m->from.from != 0 && getppid() == m->from.from;
}

bool
upgrade_has_other(const struct master *m)
{
	return (m->upgrade.pid != 0 && m->upgrade.up) || old_master_lives(m);
}

/* ---- files ---- */

static void
move_all(struct master *m, char *to)
{
	verdict_move(&m->verdict, to);
	verdict_move(&m->reopen.verdict, to);
	verdict_move(&m->upgrade.verdict, to);
	status_move(&m->status, to);
	free(m->pid_path);
	m->pid_path = to;
}

/* Make room for those of the new master.  0 or a negative errno. */
static int
make_way(struct master *m)
{
	char *old = pidfile_old_path((*m->conf)->pid_file);
	int err = old == NULL ? -ENOMEM : 0;

	if (err == 0)
		err = pidfile_move(m->pid_path, old, m->pidfile);
	if (err < 0) {
		free(old);
		return err;
	}
	move_all(m, old);
	return 0;
}

/* There is one master again: its files have their names again. */
static void
move_back(struct master *m)
{
	const char *path = (*m->conf)->pid_file;
	char *copy;
	int err;

	if (m->pidfile == -1 || strcmp(m->pid_path, path) == 0)
		return;
	if (pidfile_owner(path) > 0) {
		log_warn("pid_file %s: another penstock runs with it by now: "
			 "ours stays %s",
		    path, m->pid_path);
		return;
	}
	copy = strdup(path);
	err = copy == NULL ? -ENOMEM
			   : pidfile_move(m->pid_path, path, m->pidfile);
	if (err < 0) {
		log_warn("pid_file %s: it stays %s: %s", path, m->pid_path,
		    strerror(-err));
		free(copy);
		return;
	}
	move_all(m, copy);
}

/* What an old master that was killed has left beside our pid file. */
static void
remove_stale(const struct master *m)
{
	static const char *const beside[] = {
	    "", ".reload", ".reopen", ".upgrade", ".status"};
	char *old = pidfile_old_path((*m->conf)->pid_file);

	/* (Not our own: to look at that would give up its lock.) */
	for (size_t i = 0;
	     old != NULL && m->pidfile != -1 && !fd_is_named(m->pidfile, old) &&
	     pidfile_owner(old) == 0 && i < COUNT_OF(beside);
	     i++) {
		struct str path = {0};

		str_printf(&path, "%s%s", old, beside[i]);
		if (!str_failed(&path))
			(void)unlink(path.s);
		str_fini(&path);
	}
	free(old);
}

static void
look_at_old(struct master *m)
{
	if (m->from.from == 0 || old_master_lives(m))
		return;
	log_notice("upgrade: the old master, process %ld, has ended: this one "
		   "is the only one",
	    (long)m->from.from);
	shared_master_gone(&m->shared, m->from.from);
	m->from.from = 0;
	remove_stale(m);
}

/* ---- the end of an upgrade's start ---- */

static void
give(struct master *m, enum verdict_kind kind)
{
	verdict_give(&m->upgrade.verdict, kind);
}

static void
refuse(struct master *m, const char *why)
{
	verdict_begin(&m->upgrade.verdict);
	log_error("upgrade: %s", why);
	give(m, VERDICT_REFUSED);
}

static void
close_pipes(struct upgrade *u)
{
	fd_close(&u->tell);
	upgrade_said_end(&u->said);
}

static void
on_up(struct master *m)
{
	struct upgrade *u = &m->upgrade;

	u->up = true;
	verdict_hear(&u->verdict, true);
	upgrade_said_log(&u->said);
	close_pipes(u);
	log_notice("upgrade: process %ld, the new master, serves beside this "
		   "one: QUIT to this one completes it, QUIT to that one goes "
		   "back",
	    (long)u->pid);
	str_printf(&u->verdict.heard,
	    "penstock: process %ld, the new master, serves beside process %ld: "
	    "QUIT to the latter completes it, QUIT to the former goes back\n",
	    (long)u->pid, (long)getpid());
	give(m, VERDICT_APPLIED);
}

static void
log_end(const struct master *m, int status)
{
	const struct upgrade *u = &m->upgrade;
	char how[64];

	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "was ended by signal %d",
		    WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "ended with status %d",
		    WEXITSTATUS(status));
	if (u->up)
		log_notice("upgrade: process %ld, the new master, %s: this one "
			   "is the only one again",
		    (long)u->pid, how);
	else
		log_error("upgrade: %s, process %ld, %s before it served: "
			  "nothing was changed",
		    m->program, (long)u->pid, how);
}

void
upgrade_on_end(void *arg, pid_t pid, int status)
{
	struct master *m = arg;
	struct upgrade *u = &m->upgrade;
	bool up = u->up;

	if (pid != u->pid || pid == 0)
		return; /* the child of a preflight */
	if (!up) {
		verdict_hear(&u->verdict, true);
		upgrade_said_log(&u->said);
	}
	log_end(m, status);
	close_pipes(u);
	u->pid = 0;
	u->up = false;
	shared_master_gone(&m->shared, pid);
	move_back(m);
	give(m, VERDICT_REFUSED);
	if (m->paused && m->phase == MASTER_RUNNING)
		reload_resume(m);
}

/* ---- its start ---- */

/* In the child: become it. */
static _Noreturn void
execute(const struct master *m, pid_t from, int tell, int errors)
{
	struct succession s = {.from = from,
	    .tell = tell,
	    .errors = dup(STDERR_FILENO),
	    .shared = m->shared.fd,
	    .bell = m->shared.bell.fd,
	    .generation = atomic_load(&m->shared.shm->generation)};
	int err = notify_hand_on(&m->notify);
	sigset_t none;

	if (err == 0)
		err = succession_hand_over(&s, &m->sockets);
	if (err == 0 && dup2(errors, STDERR_FILENO) == -1)
		err = -errno;
	if (err == 0) {
		inherit_from_master();
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		(void)execv(m->program, title_command());
		err = -errno;
	}
	dprintf(errors, "penstock: %s: %s\n", m->program, strerror(-err));
	_exit(1);
}

static int
open_pipe(int *ret_reader, int *ret_writer)
{
	int ends[2], err = 0;

	if (pipe(ends) == -1)
		return -errno;
	*ret_reader = ends[0];
	*ret_writer = ends[1];
	for (int i = 0; i < 2 && err == 0; i++)
		err = fd_set_cloexec(ends[i]);
	return err == 0 ? fd_set_nonblock(ends[0]) : err;
}

/* 0 or a negative errno. */
static int
start(struct master *m)
{
	struct upgrade *u = &m->upgrade;
	int tell = -1, errors = -1, err;
	pid_t me = getpid();

	err = open_pipe(&u->tell, &tell);
	if (err == 0)
		err = open_pipe(&u->said.fd, &errors);
	if (err == 0) {
		u->pid = signals_fork();
		if (u->pid == 0)
			execute(m, me, tell, errors);
		err = u->pid == -1 ? -errno : 0;
	}
	fd_close(&tell);
	fd_close(&errors);
	if (err < 0) {
		u->pid = 0;
		close_pipes(u);
	}
	return err;
}

/* NULL: it can begin.  `buf` may be used for it. */
static const char *
why_not(const struct master *m, char *buf, size_t size)
{
	if (m->phase != MASTER_RUNNING)
		return "this server is stopping";
	if (getpid() == 1)
		return "this is process 1: a container ends with it, so no "
		       "other master can succeed it: start a new container";
	if (m->upgrade.pid != 0)
		snprintf(buf, size,
		    "process %ld is the new master already: QUIT to process "
		    "%ld completes that, QUIT to that one goes back",
		    (long)m->upgrade.pid, (long)getpid());
	else if (old_master_lives(m))
		snprintf(buf, size,
		    "the old master, process %ld, has not ended: QUIT to it "
		    "completes the upgrade before this one",
		    (long)m->from.from);
	else if (m->program == NULL || access(m->program, X_OK) == -1)
		snprintf(buf, size, "%s cannot be executed: %s",
		    m->program != NULL ? m->program : "the program",
		    strerror(m->program != NULL ? errno : ENOENT));
	else
		return NULL;
	return buf;
}

static void
begin(struct master *m)
{
	char buf[LISTENER_NAME_MAX + 1024];
	const char *why = why_not(m, buf, sizeof(buf));
	int err;

	if (why != NULL) {
		refuse(m, why);
		return;
	}
	verdict_begin(&m->upgrade.verdict);
	log_notice("upgrade: executing %s", m->program);
	err = make_way(m);
	if (err == 0) {
		err = start(m);
		if (err < 0)
			move_back(m);
	}
	if (err < 0) {
		log_error("upgrade: it cannot be begun: %s", strerror(-err));
		give(m, VERDICT_REFUSED);
		return;
	}
	verdict_hear(&m->upgrade.verdict, false);
	m->upgrade.end_ns = clock_mono_ns() + START_MS * NS_PER_MS;
}

void
upgrade_on_usr2(struct master *m)
{
	if (!signals_has(SIGNAL_USR2) || reload_is_busy(m))
		return;
	(void)signals_take(SIGNAL_USR2);
	look_at_old(m);
	begin(m);
}

void
upgrade_give_up(struct master *m)
{
	if (!upgrade_is_starting(m))
		return;
	verdict_hear(&m->upgrade.verdict, true);
	log_error("upgrade: given up: this server is stopping");
	give(m, VERDICT_REFUSED);
	(void)kill(m->upgrade.pid, SIGTERM);
}

/* ---- while there are two ---- */

static void
look_at_new(struct master *m)
{
	struct upgrade *u = &m->upgrade;
	char how;

	if (!upgrade_is_starting(m))
		return;
	upgrade_said_read(&u->said);
	if (read(u->tell, &how, 1) == 1 && how == DETACH_UP) {
		on_up(m);
		return;
	}
	if (clock_mono_ns() < u->end_ns)
		return;
	verdict_hear(&u->verdict, true);
	log_error(
	    "upgrade: process %ld does not come up: ending it", (long)u->pid);
	verdict_hear(&u->verdict, false);
	(void)kill(u->pid, SIGKILL);
	u->end_ns = UINT64_MAX;
}

int
upgrade_tend(struct master *m)
{
	look_at_new(m);
	look_at_old(m);
	if (upgrade_is_starting(m) || signals_has(SIGNAL_USR2))
		return STARTING_MS;
	if (shm_has_orphans(m->shared.shm)) {
		shared_forget_orphans(&m->shared);
		return BESIDE_MS;
	}
	return m->from.from != 0 ? BESIDE_MS : -1;
}

/* ---- the new master ---- */

bool
upgrade_take_memory(struct master *m)
{
	int err;

	if (m->from.from == 0)
		return false;
	err = shared_adopt(&m->shared, m->from.shared, m->from.bell);
	m->from.not_shared = -err;
	if (err < 0)
		return false;
	m->from.shared = m->from.bell = -1;
	return true;
}

void
upgrade_begin_serving(struct master *m)
{
	if (m->from.from == 0)
		return;
	if (dup2(m->from.errors, STDERR_FILENO) == -1)
		log_warn(
		    "upgrade: the standard error is lost: %s", strerror(errno));
	fd_close(&m->from.errors);
	sockets_adjust(*m->conf, &m->sockets);
}

void
upgrade_log_memory(const struct master *m)
{
	if (m->from.from == 0 || m->from.not_shared == 0)
		return;
	log_warn("upgrade: the shared memory of process %ld cannot be used "
		 "(%s), so until that has ended each of both counts for "
		 "itself: max_uploads and max_connections_per_ip may let "
		 "through twice as many, room on a disk may be promised twice, "
		 "of two uploads to one name the earlier may stay, and each "
		 "finds out for itself that a disk is sick; the counters of "
		 "/metrics begin at 0",
	    (long)m->from.from,
	    m->from.not_shared == ESTALE ? "another version has another layout"
					 : strerror(m->from.not_shared));
}
