/*
 * web/limit_text.h - the limit of the configuration that an upload passed, as its
 * client is told of it: "max_body_size 64k".
 */
#ifndef WEB_LIMIT_TEXT_H
#define WEB_LIMIT_TEXT_H

#include "config/config.h"
#include "base/outcome.h"

enum {
	LIMIT_TEXT_MAX = 64,
};

/* The one behind `e`, which is put into `text`; NULL: there is none. */
const char *limit_text(enum outcome e, const struct conf_server *s,
    const struct conf_location *l, char text[LIMIT_TEXT_MAX]);

#endif
