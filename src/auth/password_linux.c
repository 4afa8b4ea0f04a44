#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "auth/mac.h"
#include "auth/password.h"

bool
password_is(const char *password, const char *hash)
{
	struct crypt_data *data = calloc(1, sizeof(*data)); /* 32 KiB */
	const char *made;
	bool is = false;

	if (data == NULL)
		return false;
	made = crypt_r(password, hash, data);
	if (made != NULL && strlen(made) == strlen(hash))
		is = mac_equal(made, hash, strlen(hash));
	mac_wipe(data, sizeof(*data));
	free(data);
	return is;
}
