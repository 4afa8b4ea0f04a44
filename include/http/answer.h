/*
 * http/answer.h - what HTTP says of an outcome: base/outcome.tbl.h has it.
 */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "base/outcome.h"
#include "http/response.h"

/* What an answer is about; what is NULL is not known, or there is none. */
struct answer_context {
	const char *prefix; /* of the location */
	const char *limit;  /* that was passed: "max_body_size 1g" */
	const char *name;   /* of the file */
};

/* 0: there is no client left to answer, or what refuses the request says it. */
int answer_status(enum outcome e);

/* Make `r` the problem that `e` stands for, with a Retry-After where there is one. */
void answer_problem(
    enum outcome e, const struct answer_context *of, struct response *r);

#endif
