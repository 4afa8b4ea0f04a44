/* local/publish_stage.h - `.penstock`, and the temp names in it.  Errors are
 * negative errnos. */
#ifndef LOCAL_PUBLISH_STAGE_H
#define LOCAL_PUBLISH_STAGE_H

#include "local/publish.h"

enum {
	PUBLISH_TRIES = 100,	  /* against others that remove what we make */
	PUBLISH_FILE_MODE = 0666, /* less the umask, as any file that is made */
};

/* p->temp_dir; opened, and made, where it was not needed before. */
NODISCARD int publish_temp_dir(struct publish *p);

/* Has `.penstock` been made anew, since *err is PUBLISH_RENEW?  Then what
 * needed it is to be done again; else *err is what it came to. */
bool publish_has_renewed(struct publish *p, int *err);

/*
 * publish_make_temp(p, suffix, ret_name, ret_fd):
 * Make a temp file in `.penstock`, or one with another suffix (NULL: not), and
 * lock it.  After an error *ret_name is "".  PUBLISH_RENEW: `.penstock` was
 * removed.  The caller may hold its lock, so it is not made anew here.
 */
NODISCARD int publish_make_temp(struct publish *p, const char *suffix,
    char ret_name[PUBLISH_TEMP_MAX], int *ret_fd);

#endif
