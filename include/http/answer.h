/*
 * http/answer.h - the response to a request with a given outcome, as the table
 * base/outcome.tbl.h has it.
 */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "base/outcome.h"
#include "http/response.h"

/* What the texts of the table mention; NULL: not known, or there is none. */
struct answer_context {
	const char *prefix; /* of the location */
	const char *limit;  /* the one that was exceeded: "max_body_size 1g" */
	const char *name;   /* of the file */
};

/* The status of the response; 0: there is no client left to answer, or the one that
 * refuses the request chooses the status. */
int answer_status(enum outcome e);

/* Make `r` a problem (response_problem()) with the status and text of `e`, and a
 * Retry-After where the table has one. */
void answer_problem(
    enum outcome e, const struct answer_context *of, struct response *r);

/* The same with another status. */
void answer_problem_as(int status, enum outcome e,
    const struct answer_context *of, struct response *r);

#endif
