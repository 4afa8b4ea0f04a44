/*
 * proc/identity.h - the user that this process is, for messages.
 */
#ifndef PROC_IDENTITY_H
#define PROC_IDENTITY_H

enum {
	IDENTITY_NAME_MAX = 64,
};

/* Its name, or its number if it has none. */
void identity_name(char ret_name[IDENTITY_NAME_MAX]);

#endif
