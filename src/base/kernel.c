#include "base/kernel.h"

#include <stdio.h>
#include <sys/utsname.h>

bool
kernel_is_before(unsigned major, unsigned minor)
{
	struct utsname u;
	unsigned has_major, has_minor;

	if (uname(&u) == -1 ||
	    sscanf(u.release, "%u.%u", &has_major, &has_minor) != 2)
		return true;
	return has_major < major || (has_major == major && has_minor < minor);
}
