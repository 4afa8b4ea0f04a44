#include "store/store.h"

const char *const durability_name[DURABLE_COUNT] = {
    [DURABLE_SYNCED] = "synced",
    [DURABLE_BUFFERED] = "buffered",
    [DURABLE_MEMORY] = "memory",
};
