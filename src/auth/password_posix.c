/* The same with POSIX.1-2008 alone, whose crypt(3) is for one thread at a time. */
#include <crypt.h>
#include <pthread.h>
#include <string.h>

#include "auth/mac.h"
#include "auth/password.h"

bool
password_is(const char *password, const char *hash)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const char *made;
	bool is = false;

	pthread_mutex_lock(&lock);
	made = crypt(password, hash);
	if (made != NULL && strlen(made) == strlen(hash))
		is = mac_equal(made, hash, strlen(hash));
	pthread_mutex_unlock(&lock);
	return is;
}
