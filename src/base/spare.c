#include "base/spare.h"

#include <stdlib.h>

void
spare_init(struct spare *s, size_t size, unsigned most)
{
	check(size >= sizeof(struct list_node));
	*s = (struct spare){.size = size, .most = most};
	list_init(&s->list);
}

void
spare_fini(struct spare *s)
{
	struct list_node *n;

	while ((n = list_shift(&s->list)) != NULL)
		free(n);
	s->count = 0;
}

void *
spare_take(struct spare *s)
{
	struct list_node *n = list_shift(&s->list);

	if (n == NULL)
		return malloc(s->size);
	s->count--;
	return n;
}

/* While it is in no use its first bytes are the node. */
void
spare_give(struct spare *s, void *what)
{
	struct list_node *n = what;

	if (s->count == s->most) {
		free(what);
		return;
	}
	*n = (struct list_node){0};
	s->count++;
	list_prepend(&s->list, n);
}
