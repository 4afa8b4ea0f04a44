/* What stands for uring.c where there is no liburing (URING=0). */
#include <errno.h>

#include "disk/engine.h"

int
uring_new(struct engine *e, const struct fd_wake *wake, struct backend **ret)
{
	(void)e;
	(void)wake;
	(void)ret;
	return -ENOSYS;
}
