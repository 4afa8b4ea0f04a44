/*
 * proc/status.h - what runs, for `penstock -s status`.
 *
 * The server says it in a bulletin, PID_FILE.status, whenever it changes; the command reads
 * that, so that it hears of what the server has loaded, not of what lies on disk by now.
 */
#ifndef PROC_STATUS_H
#define PROC_STATUS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"
#include "proc/bulletin.h"
#include "proc/certificates.h"

/* ---- in the server ---- */

struct status {
	struct bulletin bulletin;
	char *file; /* the configuration, absolute; NULL: none */
	int memory; /* our descriptor of the shared memory; -1: none */
	int64_t start_s, apply_s;
	unsigned generation; /* that was said last; 0: none */
};

/* Make the bulletin: "starting".  Where that cannot be, it is logged, and there is none. */
void status_open(struct status *s, const char *pid_file, int pid_fd,
    const char *conf_file, int memory);

/*
 * status_say(s, phase, generation, certificates):
 * It is `phase` now, a word: running, finishing or stopping; `generation` is that of the
 * configuration whose workers accept.
 */
void status_say(struct status *s, const char *phase, unsigned generation,
    const struct certificates *certificates);

/* The pid file has this name now. */
void status_move(struct status *s, const char *pid_file);

/* Remove the file, unless it is another's; in a child, only close it. */
void status_close(struct status *s, bool remove);

/* ---- in a client ---- */

/*
 * status_ask(pid_file, pid):
 * Print what the server `pid`, which holds this pid file, says of itself, and what it does now.
 * The exit status of the program: 0 when it is running, accepts connections, and nothing is wrong
 * with its certificates and disks; else 1.
 */
NODISCARD int status_ask(const char *pid_file, pid_t pid);

#endif
