/*
 * fuzz/fuzz.h - what the fuzz targets share.
 *
 *	input:  [ knobs, a byte each ][ what is to be parsed ... ]
 *
 * A knob says how the rest is to be fed: cuts, sizes, limits.  Its value is
 * the byte less '0', so that a seed which begins with 0000... is fed plainly
 * and can be written with an editor.
 *
 * An expectation that does not hold is a failed check(), which aborts.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Memory for the target itself: without it there is nothing to test. */
static inline void *
fuzz_alloc(size_t size)
{
	void *p = malloc(size);

	check(p != NULL);
	return p;
}

/* A copy of exactly `len` bytes, so that ASan sees one read too many. */
static inline void *
fuzz_copy(const void *bytes, size_t len)
{
	void *p = fuzz_alloc(len);

	if (len > 0)
		memcpy(p, bytes, len);
	return p;
}

static inline unsigned
fuzz_knob(const uint8_t *data, size_t i)
{
	return (unsigned)(uint8_t)(data[i] - '0');
}

/*
 * fuzz_stretch(text, len, at, times, ret_len):
 * A copy of the text with the byte at `at` (modulo its length) 512 * `times`
 * times more, for limits that no short input reaches; times over 64 are none.
 * The caller frees it.
 */
static inline unsigned char *
fuzz_stretch(
    const uint8_t *text, size_t len, size_t at, size_t times, size_t *ret_len)
{
	size_t more = times <= 64 && len > 0 ? 512 * times : 0;
	unsigned char *p = fuzz_alloc(len + more);

	*ret_len = len + more;
	if (more > 0) {
		at %= len;
		memcpy(p, text, at);
		memset(p + at, text[at], more);
		memcpy(p + at + more, text + at, len - at);
	} else if (len > 0) {
		memcpy(p, text, len);
	}
	return p;
}

/* The next piece: 1 to `most` bytes, as the state says. */
static inline size_t
fuzz_piece(uint32_t *state, size_t most)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return 1 + *state % most;
}

/*
 * Copy the bytes to where the page behind them cannot be read: what is not
 * instrumented, such as http-parser, is caught there too.  The same place
 * each time; at most 256 KiB.
 */
static inline const char *
fuzz_guarded(const void *bytes, size_t len)
{
	static char *end;
	enum { ROOM = 256 * 1024 };

	if (end == NULL) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		char *p = mmap(NULL, ROOM + page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		check(p != MAP_FAILED);
		check(mprotect(p + ROOM, page, PROT_NONE) == 0);
		end = p + ROOM;
	}
	check(len <= ROOM);
	if (len > 0)
		memcpy(end - len, bytes, len);
	return end - len;
}

#endif
