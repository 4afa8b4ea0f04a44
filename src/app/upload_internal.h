/*
 * The states of an upload: for upload.c, whose table this is, and for
 * tests/unit/test_states.c, which walks it.
 */
#ifndef APP_UPLOAD_INTERNAL_H
#define APP_UPLOAD_INTERNAL_H

#include "base/fsm.h"

enum upload_state {
	UPLOAD_OPENING,	   /* the store is making the file */
	UPLOAD_FLOWING,	   /* reader and writer run */
	UPLOAD_DRAINING,   /* the last byte is read, the writer still runs */
	UPLOAD_COMMITTING, /* all is written: sync and publish */
	UPLOAD_OVER,
	UPLOAD_STATES
};

enum upload_event {
	UPLOAD_OPENED,
	UPLOAD_LAST_BYTE,
	UPLOAD_EMPTIED,
	UPLOAD_COMMITTED,
	UPLOAD_FAILED, /* `outcome` says how */
	UPLOAD_GONE, /* the connection, and with it all who could be answered */
	UPLOAD_EVENTS
};

extern const struct fsm_table upload_table;

/* The one action that says 201. */
void upload_answer_stored(void *owner);

#endif
