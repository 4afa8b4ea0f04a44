/*
 * local/create.h - the job that makes a file on its way in.
 */
#ifndef LOCAL_CREATE_H
#define LOCAL_CREATE_H

#include "local/space.h"
#include "room.h"
#include "target.h"

struct create {
	struct target *target;
	struct room *room;	    /* to be reserved */
	uint64_t length;	    /* or STORE_LENGTH_UNKNOWN */
	bool direct_wanted;	    /* O_DIRECT */
	struct publish_lock *stage; /* made there, if possible; or NULL */
	const char *kept; /* the name that it has in `.penstock`; or NULL */
	enum space_direct says_direct; /* then: the kernel of it */
};

/* On an engine thread, given a struct create: make the file, before there is a body.
 * What it cannot make it closes. */
int create_job(void *create);

/* On an engine thread: make the file; `early`: before there is a body. */
NODISCARD int create_file(struct create *c, bool early);

#endif
