#include "disk/device.h"

/* POSIX cannot say: every file system may wait, and may be durable. */
struct device_traits
device_traits_of(int fd)
{
	struct device_traits t = {.kind = DEVICE_UNKNOWN};

	(void)fd;
	if (device_sync_is_void())
		t.sync = DEVICE_SYNC_VOID;
	return t;
}
