#include "disk/device.h"

#include <stdlib.h>

struct device_set {
	struct chunk_pool *pool;
	struct list devices;
	size_t disks; /* of them, those that are known and not memory */
};

struct device_set *
device_set_new(struct chunk_pool *pool)
{
	struct device_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	set->pool = pool;
	list_init(&set->devices);
	return set;
}

static struct device *
add(struct device_set *set)
{
	struct device *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->set = set;
	list_init(&d->waiting);
	list_append(&set->devices, &d->node);
	return d;
}

struct device *
device_get(struct device_set *set, dev_t id, enum device_kind kind)
{
	struct list_node *n, *tmp;
	struct device *d;

	LIST_EACH(&set->devices, n, tmp)
	{
		d = container_of(n, struct device, node);
		if (list_is_linked(&d->account.node) && d->id == id)
			return d;
	}
	d = add(set);
	if (d == NULL)
		return NULL;
	d->id = id;
	d->kind = kind;
	set->disks += kind != DEVICE_MEMORY;
	chunk_account_add(set->pool, &d->account);
	chunk_account_add(set->pool, &d->fetching);
	return d;
}

/* It takes no chunks, so the pool need not know it. */
struct device *
device_new_unknown(struct device_set *set)
{
	return add(set);
}

bool
device_is_alone(const struct device *d)
{
	return d->set == NULL || d->set->disks < 2;
}

void
device_set_free(struct device_set **sp)
{
	struct device_set *set = *sp;
	struct list_node *n;

	if (set == NULL)
		return;
	while ((n = list_shift(&set->devices)) != NULL) {
		struct device *d = container_of(n, struct device, node);

		check(d->in_flight == 0 && list_is_empty(&d->waiting));
		if (list_is_linked(&d->account.node)) {
			chunk_account_remove(set->pool, &d->account);
			chunk_account_remove(set->pool, &d->fetching);
		}
		free(d);
	}
	free(set);
	*sp = NULL;
}
