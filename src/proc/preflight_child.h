/*
 * proc/preflight_child.h - the child that a preflight forks, and what it tells.
 *
 * Only proc/preflight.c, the parent, includes this.
 */
#ifndef PROC_PREFLIGHT_CHILD_H
#define PROC_PREFLIGHT_CHILD_H

#include <stddef.h>

#include "base/check.h"
#include "base/log.h"
#include "config/config.h"
#include "proc/preflight.h"

/*
 * What the child has to tell goes down a pipe, in pieces that are written whole
 * (PIPE_BUF).  The parent learns which location is being tried, and so which one
 * does not answer; it learns of each failure at once, also when a later location
 * hangs or another process reaps the child; and it writes the child's log lines,
 * so that a child that hangs for good holds neither a log nor the terminal.
 */
enum preflight_about {
	PREFLIGHT_LINE,	  /* a log line, which follows the piece */
	PREFLIGHT_TRYING, /* this location, from now on */
	PREFLIGHT_FAULT,  /* something cannot be had, which was logged */
	PREFLIGHT_DONE,	  /* all locations were tried */
};

enum {
	PREFLIGHT_LINE_MAX = 2048, /* bytes; of log_line() */
};

struct preflight_piece {
	enum preflight_about about;
	enum log_level level;
	size_t location;
	size_t len; /* of the line */
};

struct preflight_task {
	const struct config *conf;
	const struct shared *shared; /* what was open before, or NULL */
	enum preflight_depth depth;
	bool makes; /* nothing but the directories that root makes for `user` */
	size_t from; /* the location to begin with, counted over all servers */
};

/* How many locations there are, over all servers; and the one with this number. */
size_t preflight_count(const struct config *conf);
const struct conf_location *preflight_location(
    const struct config *conf, size_t n);

/* In the child: try them out, tell so on `fd`, and end. */
_Noreturn void preflight_child_run(const struct preflight_task *task, int fd);

#endif
