/*
 * base/span.h - bytes in a buffer that another one owns.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stddef.h>

/* Bytes that are not terminated and not owned; s == NULL: absent. */
struct span {
	const char *s;
	size_t len;
};

/* `t` without the spaces and tabs around it. */
struct span span_trim(struct span t);

#endif
