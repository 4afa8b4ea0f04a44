/*
 * proc/bulletin.h - what a server says of itself, in a small file beside its pid file:
 *
 *	server                            penstock -s reload, -s status
 *	bulletin_put() --> PID_FILE.NAME --> bulletin_read()
 *
 * It is a file and not a socket so that no client can make the server wait; many can read
 * it at once, from any terminal or network namespace.
 *
 * Only the user that started the server, and root, can read the file (0600).  With
 * worker_processes 0 the process may have become another user: that user cannot read it.
 * A reader trusts the file only if it is a regular file, has the same owner as the process,
 * names that process, and has the right checksum, since it may be read while it is being
 * written.
 */
#ifndef PROC_BULLETIN_H
#define PROC_BULLETIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/str.h"

enum {
	BULLETIN_TEXT_MAX = 60000, /* what is longer is cut */
	BULLETIN_WORD_MAX = 16,	   /* with its NUL */
};

/* What it says. */
struct bulletin_said {
	unsigned long number;	      /* of what it is about */
	char word[BULLETIN_WORD_MAX]; /* how that stands; without spaces */
	const char *text;	      /* more of it */
	size_t len;
};

/* The absolute path of a file; NULL: there is none, or not in one line.  The caller frees
 * it. */
char *bulletin_absolute(const char *file);

/* ---- in the server ---- */

/* Zeroed but for fd, which is -1: there is none, and nothing is said. */
struct bulletin {
	char *path; /* NULL: pid_file off, or out of memory */
	char *pid_file;
	int pid_fd; /* that file, locked: the caller's */
	int fd;
};

/*
 * bulletin_open(b, pid_file, name, pid_fd):
 * Make PID_FILE.NAME; what a server that runs no more has left there is replaced.  0; with
 * no pid file, or no memory, there is none.  A negative errno: it cannot be made; then it is
 * tried again by bulletin_renew().
 */
int bulletin_open(
    struct bulletin *b, const char *pid_file, const char *name, int pid_fd);

/* Make it again, if it is gone while the pid file is still ours: one that cleans up may
 * have taken it away. */
void bulletin_renew(struct bulletin *b);

/* The pid file has this name now: so the file is beside that. */
void bulletin_move(struct bulletin *b, const char *pid_file, const char *name);

/* Say that, and nothing else any more.  -EIO: it cannot be written. */
NODISCARD int bulletin_put(
    const struct bulletin *b, const struct bulletin_said *s);

/* Remove the file, unless it is another's; in a child, only close it. */
void bulletin_close(struct bulletin *b, bool remove);

/* ---- in a client ---- */

enum bulletin_state {
	BULLETIN_NONE,	 /* there is no file of that process */
	BULLETIN_BROKEN, /* it is being written: look again */
	BULLETIN_WHOLE,
};

struct bulletin_reader;

/*
 * bulletin_reader_new(pid_file, name, pid):
 * For what process `pid`, which holds the pid file, says; the caller ends it with
 * bulletin_reader_free().  NULL with errno set: the process is gone, or memory is short.
 */
struct bulletin_reader *bulletin_reader_new(
    const char *pid_file, const char *name, pid_t pid);

/* Where it is: the reader's. */
const char *bulletin_reader_path(const struct bulletin_reader *r);

/* What it says now; ret->text is good until the next call. */
enum bulletin_state bulletin_read(
    struct bulletin_reader *r, struct bulletin_said *ret);

void bulletin_reader_free(struct bulletin_reader *r);

/* Print a text so that nothing in it acts on a terminal. */
void bulletin_print(const char *text, size_t len, FILE *out);

#endif
