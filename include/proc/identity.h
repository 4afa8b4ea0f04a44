/*
 * proc/identity.h - the user that this process is, for messages.
 */
#ifndef PROC_IDENTITY_H
#define PROC_IDENTITY_H

enum {
	IDENTITY_NAME_MAX = 64, /* bytes, with the NUL */
};

/* The name of the effective user, or its number if it has no name. */
void identity_name(char ret_name[IDENTITY_NAME_MAX]);

#endif
