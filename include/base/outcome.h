/*
 * base/outcome.h - how requests end: see outcome.tbl.h.
 *
 * The side that knows says which outcome it is, whatever its layer: the store of its
 * disk, the body of its client.  What HTTP answers is http/answer.h.
 */
#ifndef BASE_OUTCOME_H
#define BASE_OUTCOME_H

enum outcome {
	OUTCOME_NONE, /* there is nothing to say; "-" */
#define OUTCOME(name, status, blame, word, retry, detail) OUTCOME_##name,
#include "base/outcome.tbl.h"
	OUTCOME_COUNT
};

/* Whose fault it is: an operator has to look at the server's. */
enum blame {
	BLAME_NOBODY,
	BLAME_CLIENT,
	BLAME_SERVER,
};

enum blame outcome_blame(enum outcome e);

/* Its word in the access log, static. */
const char *outcome_word(enum outcome e);

#endif
