/*
 * The states of an upload: for upload.c, whose table this is, and for
 * tests/unit/test_states.c, which walks it.
 */
#ifndef UPLOAD_UPLOAD_INTERNAL_H
#define UPLOAD_UPLOAD_INTERNAL_H

#include "base/fsm.h"

enum upload_state {
	UPLOAD_OPENING,	   /* the store is making the file */
	UPLOAD_READY,	   /* all that came is written: more, or the commit? */
	UPLOAD_FLOWING,	   /* reader and writer run */
	UPLOAD_DRAINING,   /* the last byte is read, the writer still runs */
	UPLOAD_COMMITTING, /* all is written: sync and publish */
	UPLOAD_OVER,
	UPLOAD_STATES
};

enum upload_event {
	UPLOAD_OPENED,
	UPLOAD_TRANSFER, /* its owner has a source */
	UPLOAD_LAST_BYTE,
	UPLOAD_EMPTIED,
	UPLOAD_COMMIT, /* that was all, says its owner */
	UPLOAD_COMMITTED,
	UPLOAD_FAILED, /* `told` says how */
	UPLOAD_GONE,   /* its owner gives it up */
	UPLOAD_EVENTS
};

extern const struct fsm_table upload_table;

/* The one action that tells of success. */
void upload_tell_stored(void *upload);

#endif
