/*
 * base/list.h - a doubly linked list whose nodes live in what they link.
 *
 * A node is on at most one list.  list_remove() leaves the node unlinked, so
 * list_is_linked() tells at any time; a zeroed node is unlinked too.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

struct list_node {
	struct list_node *next, *prev;
};

struct list {
	struct list_node head; /* head.next is the first, head.prev the last */
};

static inline void
list_init(struct list *l)
{
	l->head.next = l->head.prev = &l->head;
}

static inline bool
list_is_empty(const struct list *l)
{
	return l->head.next == &l->head;
}

static inline bool
list_is_linked(const struct list_node *n)
{
	return n->next != NULL;
}

/* Put `n`, which must not be on a list, before `next`, which is on one or is
 * its head. */
static inline void
list_insert_before(struct list_node *next, struct list_node *n)
{
	check(!list_is_linked(n));
	n->next = next;
	n->prev = next->prev;
	next->prev->next = n;
	next->prev = n;
}

/* Append `n`, which must not be on a list. */
static inline void
list_append(struct list *l, struct list_node *n)
{
	list_insert_before(&l->head, n);
}

/* Append all nodes of `from`, in their order, and leave `from` empty. */
static inline void
list_append_all(struct list *l, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->head.next->prev = l->head.prev;
	from->head.prev->next = &l->head;
	l->head.prev->next = from->head.next;
	l->head.prev = from->head.prev;
	list_init(from);
}

/* Put `n`, which must not be on a list, before all others. */
static inline void
list_prepend(struct list *l, struct list_node *n)
{
	list_insert_before(l->head.next, n);
}

/* Take `n` off its list.  Does nothing when it is on none. */
static inline void
list_remove(struct list_node *n)
{
	if (!list_is_linked(n))
		return;
	n->prev->next = n->next;
	n->next->prev = n->prev;
	n->next = n->prev = NULL;
}

/* The first node, or NULL. */
static inline struct list_node *
list_first(const struct list *l)
{
	return list_is_empty(l) ? NULL : l->head.next;
}

/* Take the first node off and return it, or NULL. */
static inline struct list_node *
list_shift(struct list *l)
{
	struct list_node *n = list_first(l);

	if (n != NULL)
		list_remove(n);
	return n;
}

/* How many nodes there are, counted one by one. */
static inline size_t
list_length(const struct list *l)
{
	size_t length = 0;

	for (const struct list_node *n = l->head.next; n != &l->head;
	     n = n->next)
		length++;
	return length;
}

/*
 * LIST_FOREACH(struct conn, c, &g->conns, node) { } For each `struct conn *c`
 * that the list `l` links by its member `node`.  The body may remove and free
 * `c`, but must not remove the node after it.
 */
#define LIST_FOREACH(type, v, l, member)                                       \
	for (type *v = container_of((l)->head.next, type, member), *v##_next;  \
	     &v->member != &(l)->head &&                                       \
	     (v##_next = container_of(v->member.next, type, member), true);    \
	     v = v##_next)

#endif
