/* local/publish_temp.h - a temp file, wherever it has to be made. */
#ifndef LOCAL_PUBLISH_TEMP_H
#define LOCAL_PUBLISH_TEMP_H

#include "local/publish.h"

/* One for a name in `dir`.  It may say PUBLISH_RENEW. */
NODISCARD int publish_make_bound(
    struct publish *p, int dir, struct unpublished *u);

/* The directory where its temp name is. */
int publish_temp_dir_of(const struct publish *p, const struct unpublished *u);

/* The temp name is gone: its note goes, too. */
void publish_end_temp(struct publish *p, struct unpublished *u);

/* Nothing can be moved from `.penstock` to `dir`, after all. */
void publish_forget_fitting(struct publish *p, int dir);

#endif
