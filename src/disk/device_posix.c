#include "disk/device.h"

#include <inttypes.h>
#include <stdio.h>

/* Systems differ in which bits are the major number. */
void
device_number(dev_t id, char ret[DEVICE_NUMBER_MAX])
{
	snprintf(ret, DEVICE_NUMBER_MAX, "%" PRIuMAX, (uintmax_t)id);
}

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
