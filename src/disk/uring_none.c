/* What stands for uring.c where there is no liburing (URING=0). */
#include <errno.h>

#include "disk/backend.h"

int
uring_new(const struct fd_wake *wake, struct backend **ret)
{
	(void)wake;
	(void)ret;
	return -ENOSYS;
}
