#include "store/store.h"

const char *const durability_name[DURABLE_COUNT] = {
    [DURABLE_SYNCED] = "synced",
    [DURABLE_BUFFERED] = "buffered",
    [DURABLE_MEMORY] = "memory",
};

const char *const store_state_name[STORE_STATES] = {
    [STORE_READY] = "ok",
    [STORE_CLOSED] = "closed",
    [STORE_STALLED] = "stalled",
    [STORE_FAILED] = "failed",
};
