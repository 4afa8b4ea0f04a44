/*
 * auth/password.h - passwords and their hashes, by crypt(3).
 */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

/* True for a hash of a scheme that resists guessing: bcrypt ($2y$, $2b$, $2a$), SHA-256 and
 * SHA-512 ($5$, $6$), yescrypt ($y$), gost-yescrypt ($gy$) and scrypt ($7$). */
bool password_hash_is_good(const char *hash, size_t len);

/*
 * password_is(password, hash):
 * True when the hash is of that password.  Takes as long as the hash was made to take, up to
 * seconds, and memory: for a thread.
 */
bool password_is(const char *password, const char *hash);

#endif
