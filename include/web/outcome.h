/*
 * web/outcome.h - how requests end: see outcome.tbl.h.
 */
#ifndef WEB_OUTCOME_H
#define WEB_OUTCOME_H

#include "base/check.h"
#include "http/response.h"

enum outcome {
#define OUTCOME(name, status, blame, word, detail) OUTCOME_##name,
#include "web/outcome.tbl.h"
	OUTCOME_COUNT
};

/* Whose fault it is: an operator has to look at the server's. */
enum blame {
	BLAME_NOBODY,
	BLAME_CLIENT,
	BLAME_SERVER,
};

int outcome_status(enum outcome e);
enum blame outcome_blame(enum outcome e);
const char *outcome_word(enum outcome e);

/*
 * What an error of a body or a reader comes to: the one place where an errno
 * becomes an answer.
 */
enum outcome outcome_of_error(int err);

/* The same for a store: EPIPE, ECONNRESET and ETIMEDOUT are its disk's there, not
 * its client's (FUSE and NFS may say any errno). */
enum outcome outcome_of_store_error(int err);

/* What a problem is about; what is NULL is not known, or there is none. */
struct outcome_context {
	const char *prefix; /* of the location */
	const char *limit;  /* that was passed: "max_body_size 1g" */
	const char *name;   /* of the file */
};

/* Make `r` the problem that `e` stands for. */
void outcome_respond(
    enum outcome e, const struct outcome_context *of, struct response *r);

#endif
