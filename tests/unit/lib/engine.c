#include "lib/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/cmocka_with.h"

enum {
	CHUNK = 4096,
	CHUNKS = 4,
};

int
test_engine_begin(struct test_engine *e, enum conf_engine wanted)
{
	const char *dir = getenv("TMPDIR");
	int err;

	*e = (struct test_engine){.loop = ev_loop_new(EVFLAG_AUTO)};
	e->pool = chunk_pool_new(e->loop, CHUNK, CHUNK * CHUNKS);
	e->devices = device_set_new(e->pool);
	e->fd = open(dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_int_not_equal(e->fd, -1);
	err = engine_new(e->loop, wanted, &e->engine);
	if (err == -ENOSYS && wanted == ENGINE_IO_URING) {
		print_message("no io_uring here: skipped\n");
		e->engine = NULL;
		return 0;
	}
	return err;
}

void
test_engine_end(struct test_engine *e)
{
	engine_free(&e->engine);
	assert_null(e->engine);
	device_set_free(&e->devices);
	chunk_pool_free(&e->pool);
	close(e->fd);
	ev_loop_destroy(e->loop);
}

void
test_engine_need(const struct test_engine *e)
{
	if (e->engine == NULL)
		skip();
}

struct device *
test_engine_device(struct test_engine *e, dev_t id, enum device_kind kind)
{
	struct device *d =
	    device_get(e->devices, id, (struct device_traits){.kind = kind});

	assert_non_null(d);
	return d;
}
