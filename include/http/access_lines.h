/*
 * http/access_lines.h - the lines of an access log that are not text for people
 * (access_format()): JSON, and what nginx and Apache call combined.
 *
 *	{"time":"2026-11-23T08:16:04.586Z","id":1764547200123457,"client":"192.0.2.1",...}
 *	192.0.2.1 - ann [23/Nov/2026:08:16:04 +0000] "PUT /file/a HTTP/1.1" 201 242 "-" "curl/7.88.1"
 *
 * The members of the JSON are the rows of one table, which is also the README's.
 * No line is longer than a journal takes (JOURNAL_LINE_MAX).
 */
#ifndef HTTP_ACCESS_LINES_H
#define HTTP_ACCESS_LINES_H

#include <stdio.h>

#include "base/str.h"
#include "http/observer.h"

/* Whose worker it is: what does not change from line to line. */
struct access_worker {
	unsigned number, generation;
};

/* Add the line of an exchange, whose `record` may be of none (http/exchange_log.c). */
void access_add_json(const struct exchange_ended *e,
    const struct access_worker *w, struct str *out);
void access_add_combined(const struct exchange_ended *e, struct str *out);

/* Print the README's table of the members. */
void access_markdown(FILE *out);

#endif
