#include "base/process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

static _Atomic pid_t known; /* 0: not yet */
static bool told_of_forks;  /* else it is asked for each time */

static void
forget(void)
{
	atomic_store(&known, 0);
}

static void
watch_forks(void)
{
	told_of_forks = pthread_atfork(NULL, NULL, forget) == 0;
}

pid_t
process_id(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pid_t id = atomic_load_explicit(&known, memory_order_relaxed);

	if (id == 0) {
		(void)pthread_once(&once, watch_forks);
		id = getpid();
		if (told_of_forks)
			atomic_store_explicit(&known, id, memory_order_relaxed);
	}
	return id;
}
