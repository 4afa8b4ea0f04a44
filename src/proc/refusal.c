#include "proc/refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/errno_class.h"
#include "base/log.h"
#include "base/str.h"
#include "proc/identity.h"

static void
refusal_tell(enum log_level level, const struct conf_place *at,
    const char *directive, const char *value, const char *fmt, va_list ap)
{
	struct str line = {0};

	config_name_value(at, directive, value, &line);
	str_puts(&line, ": ");
	str_vprintf(&line, fmt, ap);
	log_line(level, "%s", str_failed(&line) ? "out of memory" : line.s);
	str_fini(&line);
}

void
refusal_log(const struct conf_place *at, const char *directive,
    const char *value, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refusal_tell(LEVEL_ERROR, at, directive, value, fmt, ap);
	va_end(ap);
}

void
refusal_warn(const struct conf_place *at, const char *directive,
    const char *value, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refusal_tell(LEVEL_WARN, at, directive, value, fmt, ap);
	va_end(ap);
}

const char *
refusal_why(int err, char buf[REFUSAL_WHY_MAX])
{
	char name[IDENTITY_NAME_MAX];

	if (errno_is_denied(err)) {
		identity_name(name);
		snprintf(buf, REFUSAL_WHY_MAX,
		    "%s, as user %s: let that user write there, or choose "
		    "another path",
		    strerror(-err), name);
	} else {
		snprintf(buf, REFUSAL_WHY_MAX, "%s", strerror(-err));
	}
	return buf;
}
