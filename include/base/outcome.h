/*
 * base/outcome.h - how requests end: outcome.tbl.h has a row for each way.
 *
 * All layers name outcomes: a store says what its disk did, a body what its client did.
 * What HTTP answers to each is in http/answer.h.
 */
#ifndef BASE_OUTCOME_H
#define BASE_OUTCOME_H

enum outcome {
	OUTCOME_NONE, /* none is to be named; "-" in the access log */
#define OUTCOME(name, status, blame, word, retry, detail) OUTCOME_##name,
#include "base/outcome.tbl.h"
	OUTCOME_COUNT
};

/* Whose fault it is.  Those of the server are logged as errors, for the operator. */
enum blame {
	BLAME_NOBODY,
	BLAME_CLIENT,
	BLAME_SERVER,
};

enum blame outcome_blame(enum outcome e);

/* The word for it in the access log; static. */
const char *outcome_word(enum outcome e);

#endif
