#include "proc/secret_files.h"

#include <errno.h>

#include "base/log.h"
#include "rights_advice.h"

/* Log the lines of a text, unless it is empty, and free it. */
static void
log_text(enum log_level level, const char *what, struct str *text)
{
	if (str_failed(text))
		log_lines(level, what, "out of memory");
	else if (text->len > 0)
		log_lines(level, what, text->s);
	str_fini(text);
}

bool
secret_files_read(
    const struct config *conf, const char *what, struct secrets **ret)
{
	struct str errors = {0}, warnings = {0};
	int err = secrets_load(conf, &errors, &warnings, ret);

	rights_advise(conf, &warnings);
	errors.failed |= err == -ENOMEM;
	log_text(LEVEL_WARN, what, &warnings);
	log_text(LEVEL_ERROR, what, &errors);
	return err == 0;
}
