#include "open_ids.h"

#include <pthread.h>
#include <string.h>

#include "publish_lock.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list open_ids = {{&open_ids.head, &open_ids.head}};

static bool
is_open(const char *id)
{
	LIST_FOREACH(const struct open_id, other, &open_ids, node) {
		if (strcmp(other->id, id) == 0)
			return true;
	}
	return false;
}

bool
open_id_enter(struct open_id *o, const char *id)
{
	bool entered;

	if (publish_locks_last())
		return true;
	(void)pthread_mutex_lock(&lock);
	entered = !is_open(id);
	if (entered) {
		memcpy(o->id, id, PARTIAL_ID_LEN + 1);
		list_append(&open_ids, &o->node);
	}
	(void)pthread_mutex_unlock(&lock);
	return entered;
}

void
open_id_leave(struct open_id *o)
{
	if (publish_locks_last())
		return;
	(void)pthread_mutex_lock(&lock);
	list_remove(&o->node);
	(void)pthread_mutex_unlock(&lock);
}
