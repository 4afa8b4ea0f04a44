/*
 * app/outcome.h - how requests end: see endings.tbl.h.
 */
#ifndef APP_OUTCOME_H
#define APP_OUTCOME_H

#include "base/check.h"
#include "http/response.h"

enum ending {
#define ENDING(name, status, blame, word, detail) ENDED_##name,
#include "app/outcome.tbl.h"
	ENDING_COUNT
};

/* Who has to look into it. */
enum blame {
	BLAME_NOBODY,
	BLAME_CLIENT,
	BLAME_SERVER,
};

int ending_status(enum ending e);
enum blame ending_blame(enum ending e);
const char *ending_word(enum ending e);

/*
 * What an error of a body or a reader comes to: the one place where an errno
 * becomes an answer.
 */
enum ending ending_of_error(int err);

/* The same for a store: EPIPE, ECONNRESET and ETIMEDOUT are its disk's there, not
 * its client's (FUSE and NFS may say any errno). */
enum ending ending_of_store_error(int err);

/* What a problem is about; what is NULL is not known, or there is none. */
struct ending_context {
	const char *prefix; /* of the location */
	const char *limit;  /* that was passed: "max_body_size 1g" */
	const char *name;   /* of the file */
};

/* Make `r` the problem that `e` stands for. */
void ending_respond(
    enum ending e, const struct ending_context *of, struct response *r);

#endif
