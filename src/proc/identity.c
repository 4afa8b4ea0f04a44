#include "proc/identity.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

void
identity_name(char ret_name[IDENTITY_NAME_MAX])
{
	const struct passwd *pw = getpwuid(geteuid());

	if (pw != NULL)
		snprintf(ret_name, IDENTITY_NAME_MAX, "%s", pw->pw_name);
	else
		snprintf(ret_name, IDENTITY_NAME_MAX, "%lu",
		    (unsigned long)geteuid());
}
