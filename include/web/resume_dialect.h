/*
 * web/resume_dialect.h - which words a client uses for resumable uploads: tus, or one of
 * the versions of the IETF's drafts.
 *
 * All of them mean the same uploads, on the same URLs; a request says by its fields which
 * one it speaks.  Each is a row, so that the next version is one more, which says
 * what differs.
 */
#ifndef WEB_RESUME_DIALECT_H
#define WEB_RESUME_DIALECT_H

#include <stdbool.h>

#include "config/config.h"
#include "http/head.h"

struct resume_dialect {
	const char *version; /* Upload-Draft-Interop-Version; NULL: tus */
	int bit;	     /* of resume_versions */
	bool incomplete; /* Upload-Incomplete says it, the other way round */
	bool typed;	 /* appended parts have a media type of their own */
	bool limits;	 /* Upload-Limit is known */
	bool problems;	 /* types of problems are */
	bool progress;	 /* 104 may come while a part is received */
	/* The status for a name that is taken.  Some clients take 409 for a wrong
	 * offset, and try again. */
	int conflict;
};

extern const struct resume_dialect resume_tus;

/* The media type of what tus sends, and of what is appended to uploads of the drafts. */
#define RESUME_TYPE_TUS "application/offset+octet-stream"
#define RESUME_TYPE_PART "application/partial-upload"

#define RESUME_TUS_VERSION "1.0.0"
#define RESUME_TUS_EXTENSIONS                                                  \
	"creation,creation-with-upload,creation-defer-length,expiration,"      \
	"checksum,checksum-trailer,termination,concatenation"

static inline bool
resume_dialect_is_tus(const struct resume_dialect *d)
{
	return d->version == NULL;
}

/*
 * resume_dialect_of(h, l):
 * What the request speaks, of what resume_versions of its location has: tus when it
 * has Tus-Resumable; a draft when it has Upload-Complete, Upload-Incomplete or
 * Upload-Draft-Interop-Version, as they belong together.  Without a version,
 * Upload-Complete is of the newest one.  NULL: none of them.
 */
const struct resume_dialect *resume_dialect_of(
    const struct head *h, const struct conf_location *l);

/* The row for a bit of resume_versions, by which it is kept with an upload; NULL: there is
 * none. */
const struct resume_dialect *resume_dialect_by_bit(int bit);

/* The newest one of the drafts. */
const struct resume_dialect *resume_dialect_newest(void);

/* What a request of a draft says of being complete: false when it says nothing that can be
 * read. */
bool resume_dialect_complete(
    const struct resume_dialect *d, const struct head *h, bool *ret_complete);

#endif
