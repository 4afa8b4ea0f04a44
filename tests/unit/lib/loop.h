/*
 * lib/loop.h - what a flow runs on: a loop, chunks, and an account that they are
 * charged to.
 */
#ifndef LIB_LOOP_H
#define LIB_LOOP_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "disk/chunk.h"

struct test_loop {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct chunk_account account;
	/* Called in each turn, before the loop looks at descriptors, for fakes to
	 * go on; NULL: none. */
	void (*on_turn)(void);

	ev_prepare tick;
};

/* A new loop, and a pool of `chunks` chunks of `size` bytes. */
void test_loop_begin(struct test_loop *l, size_t size, size_t chunks);
void test_loop_end(struct test_loop *l);

/* `n` turns of the loop, which wait for nothing. */
void test_loop_turn(struct test_loop *l, unsigned n);

/* Turns until what() says true, for `patience_s` seconds at most: what it says
 * in the end. */
bool test_loop_await(
    struct test_loop *l, bool (*what)(void), unsigned patience_s);

#endif
