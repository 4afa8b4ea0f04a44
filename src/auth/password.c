#include "auth/password.h"

#include <string.h>

#include "base/check.h"

bool
password_hash_is_good(const char *hash, size_t len)
{
	static const char *const begins[] = {
	    "$2y$", "$2b$", "$2a$", "$5$", "$6$", "$y$", "$gy$", "$7$"};

	for (size_t i = 0; i < COUNT_OF(begins); i++) {
		size_t n = strlen(begins[i]);

		if (len > n + 20 && memcmp(hash, begins[i], n) == 0)
			return true;
	}
	return false;
}
