#include "proc/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"

static struct fd_wake wake = {-1, -1};
static volatile sig_atomic_t got[SIGNAL_COUNT];

static void
signals_on_signal(int sig)
{
	int err = errno; /* of what was interrupted */

	switch (sig) {
	case SIGINT:
		got[SIGNAL_INT] = got[SIGNAL_TERM] = 1;
		break;
	case SIGTERM:
		got[SIGNAL_TERM] = 1;
		break;
	case SIGQUIT:
		got[SIGNAL_QUIT] = 1;
		break;
	case SIGHUP:
		got[SIGNAL_HUP] = 1;
		break;
	case SIGUSR1:
		got[SIGNAL_USR1] = 1;
		break;
	case SIGUSR2:
		got[SIGNAL_USR2] = 1;
		break;
	default:
		got[SIGNAL_CHLD] = 1;
		break;
	}
	fd_wake_raise(&wake);
	errno = err;
}

static void
handle(int sig, void (*handler)(int))
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};

	sigemptyset(&sa.sa_mask);
	check(sigaction(sig, &sa, NULL) == 0);
}

#ifdef SIGWINCH
/* Of those of a terminal its user knows nothing. */
static void
signals_on_winch(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (info->si_code != SI_USER && info->si_code != SI_QUEUE)
		return;
	got[SIGNAL_WINCH] = 1;
	fd_wake_raise(&wake);
}
#endif

static void
watch_winch(void)
{
#ifdef SIGWINCH
	struct sigaction sa = {.sa_sigaction = signals_on_winch,
	    .sa_flags = SA_RESTART | SA_SIGINFO};

	sigemptyset(&sa.sa_mask);
	check(sigaction(SIGWINCH, &sa, NULL) == 0);
#endif
}

void
signals_ignore(void)
{
	handle(SIGPIPE, SIG_IGN);
	handle(SIGXFSZ, SIG_IGN); /* a write over the limit says EFBIG */
	handle(SIGUSR1, SIG_IGN);
	handle(SIGUSR2, SIG_IGN);
#ifdef SIGWINCH
	handle(SIGWINCH, SIG_IGN);
#endif
}

int
signals_watch(void)
{
	static const int caught[] = {
	    SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD};
	int err;

	err = fd_wake_open(&wake);
	if (err < 0)
		return err;
	for (size_t i = 0; i < COUNT_OF(caught); i++)
		handle(caught[i], signals_on_signal);
	watch_winch();
	return 0;
}

bool
signals_has(enum signal_noted which)
{
	return got[which] != 0;
}

bool
signals_take(enum signal_noted which)
{
	bool has = got[which] != 0;

	got[which] = 0;
	return has;
}

bool
signals_want_stop(void)
{
	return signals_has(SIGNAL_TERM) || signals_has(SIGNAL_QUIT);
}

void
signals_await(int ms)
{
	struct pollfd p = {.fd = wake.rd, .events = POLLIN};

	if (poll(&p, 1, ms) > 0)
		fd_wake_lower(&wake);
}

pid_t
signals_fork(void)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid != 0) {
		int err = errno;

		sigprocmask(SIG_SETMASK, &before, NULL);
		errno = err;
	}
	return pid;
}

void
signals_pass_on(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* Nobody waits for children; as process 1 it gets those of others. */
	handle(SIGCHLD, SIG_IGN);
#ifdef SIGWINCH
	handle(SIGWINCH, SIG_IGN);
#endif
	if (signals_take(SIGNAL_TERM))
		(void)raise(signals_take(SIGNAL_INT) ? SIGINT : SIGTERM);
	if (signals_take(SIGNAL_QUIT))
		(void)raise(SIGQUIT);
	if (signals_take(SIGNAL_HUP))
		(void)raise(SIGHUP);
	if (signals_take(SIGNAL_USR1))
		(void)raise(SIGUSR1);
	if (signals_take(SIGNAL_USR2))
		(void)raise(SIGUSR2);
	signals_restore();
}

void
signals_restore(void)
{
	fd_wake_close(&wake);
}
