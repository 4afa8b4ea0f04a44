/*
 * lib/engine.h - an engine with its devices, and a file to work on.
 */
#ifndef LIB_ENGINE_H
#define LIB_ENGINE_H

#include <ev.h>

#include "config/choices.h"
#include "disk/chunk.h"
#include "disk/device.h"
#include "disk/engine.h"

struct test_engine {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct device_set *devices;
	struct engine *engine; /* NULL: there is no such backend here */
	int fd;		       /* an empty file without a name */
};

/* 0, also when there is no such backend; or a negative errno. */
int test_engine_begin(struct test_engine *e, enum conf_engine wanted);

/* No operation may be in flight. */
void test_engine_end(struct test_engine *e);

/* Skip the test when there is no such backend. */
void test_engine_need(const struct test_engine *e);

/* The device with that number. */
struct device *test_engine_device(
    struct test_engine *e, dev_t id, enum device_kind kind);

#endif
