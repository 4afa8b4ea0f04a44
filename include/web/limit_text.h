/*
 * web/limit_text.h - names the configured limit that an upload has exceeded, for its
 * client: "max_body_size 64k".
 */
#ifndef WEB_LIMIT_TEXT_H
#define WEB_LIMIT_TEXT_H

#include "config/config.h"
#include "base/outcome.h"

enum {
	LIMIT_TEXT_MAX = 64, /* bytes, with the NUL */
};

/* `size_max` is the most that the body may have: that of the location, or less, by the
 * token of who sends it.
 * Write the limit behind `e` to `text`, and return that; NULL: no limit is behind it. */
const char *limit_text(enum outcome e, const struct conf_server *s,
    const struct conf_location *l, uint64_t size_max,
    char text[LIMIT_TEXT_MAX]);

#endif
