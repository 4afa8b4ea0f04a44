#include "base/hash.h"

#include <string.h>

uint64_t
hash_bytes(uint64_t seed, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint64_t h = hash_mix(seed ^ len);

	for (; len > 0;) {
		uint64_t word = 0;
		size_t n = len < sizeof(word) ? len : sizeof(word);

		memcpy(&word, p, n);
		h = hash_mix(h ^ word) + seed;
		p += n;
		len -= n;
	}
	return hash_mix(h);
}
