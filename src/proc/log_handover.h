/*
 * proc/log_handover.h - all logs are opened again, after they were moved away (USR1, -s reopen).
 *
 *	master                               a worker, as another user
 *	opens each file once
 *	number, name + descriptor   ----->   puts it in place of its own of that name
 *	number, 0 or an errno       <-----   when the next line goes there
 *
 * The master opens them as at the start, also where only root may: workers of whatever
 * generation are given the descriptors.  Each is given all; what it does not have it closes.
 * Nothing is changed when one of the present configuration cannot be opened.
 */
#ifndef PROC_LOG_HANDOVER_H
#define PROC_LOG_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"
#include "config/config.h"
#include "proc/children.h"
#include "proc/logs.h"
#include "proc/verdict.h"

enum {
	LOG_HANDOVER_NAME_MAX = 4096,
};

/* What goes from the master to a worker, and back. */
struct log_handover_message {
	uint32_t round; /* of the master's */
	int32_t err;	/* back: 0 or a negative errno */
	char name
	    [LOG_HANDOVER_NAME_MAX]; /* there: with its NUL.  Not sent back */
};

/* A file that was opened in this round. */
struct log_handover_file {
	char *name;
	int fd;
};

struct log_handover {
	struct verdict verdict;
	struct list generations; /* and the logs that each has */
	struct log_handover_file *files;
	size_t count;
	bool running;
	uint32_t round;
	uint64_t began_ns;
};

void log_handover_init(struct log_handover *r);
void log_handover_fini(struct log_handover *r);

/* Note which logs the workers of a generation have. */
NODISCARD int log_handover_note(
    struct log_handover *r, unsigned generation, const struct config *conf);

/* There will be no such workers after all: forget the last note. */
void log_handover_forget_last(struct log_handover *r);

/* Open all of them again, `logs` of `conf` among them, and begin to hand them over; not while that
 * is still done. */
void log_handover_begin(struct log_handover *r, struct children *c,
    struct logs *logs, const struct config *conf);

/* Hand over what workers have room for, and tell the verdict when all have it. */
void log_handover_tend(struct log_handover *r, struct children *c);

#endif
