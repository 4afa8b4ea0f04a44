/*
 * Memory that goes back to the system: no block is handed out twice, what is
 * in one stays, and what was given back is taken again, however many.
 */
#include "base/block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
	BLOCKS = 500, /* several slabs, and more than stay warm */
	ROUNDS = 3,
};

static size_t
size_of(size_t i)
{
	/* Up to a block, and some beyond. */
	return 1 + i * 37 % 18000;
}

static void
blocks_are_apart(void **state)
{
	static unsigned char *blocks[BLOCKS];

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < BLOCKS; i++) {
			blocks[i] = block_take(size_of(i));
			assert_non_null(blocks[i]);
			memset(blocks[i], (int)(i % 251), size_of(i));
		}
		/* Give some back in between, and take them again. */
		for (size_t i = round; i < BLOCKS; i += 3) {
			block_give(blocks[i], size_of(i));
			blocks[i] = block_take(size_of(i));
			assert_non_null(blocks[i]);
			memset(blocks[i], (int)(i % 251), size_of(i));
		}
		for (size_t i = 0; i < BLOCKS; i++) {
			for (size_t k = 0; k < size_of(i); k++)
				if (blocks[i][k] != i % 251)
					fail_msg("block %zu is not its own", i);
			block_give(blocks[i], size_of(i));
		}
	}
	block_give(NULL, 5);
}

static void
maps_are_aligned(void **state)
{
	unsigned char *a = block_map(100 * 4096), *b = block_map(4096);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal((uintptr_t)a % 4096, 0);
	assert_int_equal((uintptr_t)b % 4096, 0);
	memset(a, 1, 100 * 4096);
	memset(b, 2, 4096);
	assert_int_equal(a[4095], 1);
	block_unmap(a, 100 * 4096);
	assert_int_equal(b[4095], 2);
	block_unmap(b, 4096);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_are_apart),
	    cmocka_unit_test(maps_are_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
