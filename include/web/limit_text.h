/*
 * web/limit_text.h - names the configured limit that an upload has exceeded, for its
 * client: "max_body_size 64k".
 */
#ifndef WEB_LIMIT_TEXT_H
#define WEB_LIMIT_TEXT_H

#include "config/config.h"
#include "base/outcome.h"

enum {
	LIMIT_TEXT_MAX = 128, /* bytes, with the NUL */
};

/* Write the limit behind `e` to `text`, and return that; NULL: no limit is behind it. */
const char *limit_text(enum outcome e, const struct conf_server *s,
    const struct conf_location *l, char text[LIMIT_TEXT_MAX]);

/* When `e` is that the body is larger than `size_max`, which is not the location's limit, but
 * that of the token or the link of `user`: write what its client is told to `text`, and return
 * that.  NULL: it is something else. */
const char *limit_text_of_user(enum outcome e, const struct conf_location *l,
    uint64_t size_max, const char *user, char text[LIMIT_TEXT_MAX]);

/* The limit on one file of a form: writes it to `text`, and returns that. */
const char *limit_text_of_file(
    const struct conf_location *l, char text[LIMIT_TEXT_MAX]);

#endif
