/*
 * proc/title.h - what ps shows of a process.
 *
 *	penstock: master process /usr/sbin/penstock -c /etc/penstock.conf
 *	penstock: worker process
 *	penstock: worker process is finishing (generation 3)
 *
 * ps reads the memory that the command line came in, and the environment right
 * behind it: the title is written over them (title_linux.c).  PORTABLE has no
 * titles.
 */
#ifndef PROC_TITLE_H
#define PROC_TITLE_H

#include "base/check.h"

/*
 * title_init(argc, argv):
 * First of all in main(): a copy of the command line, which stays for as long as
 * the process, and is to be used instead of `argv` from here on; the environment is
 * moved as well.  NULL: out of memory.
 */
NODISCARD char **title_init(int argc, char **argv);

/*
 * title_set(name, fmt, ...):
 * ps shows "penstock: " and this from here on, clipped to the room there is; and
 * where only the name of the program is shown, `name` of at most 15 bytes (NULL:
 * as it was), which threads made later have, too.
 */
void title_set(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The command line as it was, as title_init() returned it. */
char **title_command(void);

/* "WHAT /usr/sbin/penstock -c FILE": the same with the command line behind it. */
void title_set_command(const char *what);

/* What differs between systems: find the room, which begins at argv[0], and keep
 * what lies there elsewhere, 0 or -ENOMEM; and write into it. */
NODISCARD int title_take_room(int argc, char **argv);
void title_write(const char *text);
void title_name(const char *name);

#endif
