#include "auth/htpasswd.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/password.h"
#include "auth/secret_file.h"

static void
clear_user(struct htpasswd_user *u)
{
	free(u->name);
	free(u->hash);
	*u = (struct htpasswd_user){0};
}

/* NULL, or what is wrong. */
static const char *
check_user(struct span name, struct span hash)
{
	if (!secret_name_is_good(name))
		return "the name has 1 to 64 letters, digits, and - . _ @ +, "
		       "and "
		       "a colon behind";
	if (!password_hash_is_good(hash.s, hash.len) ||
	    memchr(hash.s, '\0', hash.len) != NULL)
		return "behind the colon stands a hash of bcrypt, SHA-512 or "
		       "yescrypt: make it with openssl passwd -6, htpasswd -B "
		       "or mkpasswd (others are guessed too fast)";
	return NULL;
}

static int
add_user(struct htpasswd *h, struct span name, struct span hash, unsigned line)
{
	struct htpasswd_user u = {.line = line}, *grown = h->users;

	if ((h->count & (h->count - 1)) == 0)
		grown = realloc(h->users,
		    (h->count == 0 ? 1 : 2 * h->count) * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	h->users = grown;
	u.name = strndup(name.s, name.len);
	u.hash = strndup(hash.s, hash.len);
	if (u.name == NULL || u.hash == NULL) {
		clear_user(&u);
		return -ENOMEM;
	}
	grown[h->count++] = u;
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	const struct htpasswd_user *one = a, *other = b;
	int order = strcmp(one->name, other->name);

	return order != 0
		   ? order
		   : (one->line > other->line) - (one->line < other->line);
}

/* For htpasswd_find(). */
static void
sort_users(struct htpasswd *h, struct str *errors)
{
	size_t all = h->count;

	if (all == 0)
		return;
	qsort(h->users, all, sizeof(*h->users), compare_names);
	h->count = 1;
	for (size_t i = 1; i < all; i++) {
		struct htpasswd_user *u = &h->users[i];
		struct secret_lines at = {.number = u->line};

		if (strcmp(h->users[h->count - 1].name, u->name) != 0) {
			h->users[h->count++] = *u;
			continue;
		}
		secret_file_mistake(
		    errors, &at, "this name stands in an earlier line");
		clear_user(u);
	}
}

int
htpasswd_parse(
    struct htpasswd *h, const char *text, size_t len, struct str *errors)
{
	struct secret_lines lines = {.rest = {text, len}};
	struct span line;
	int err = 0;

	while (err == 0 && secret_lines_next(&lines, &line)) {
		const char *colon = memchr(line.s, ':', line.len), *why;
		size_t n = colon ? (size_t)(colon - line.s) : line.len;
		struct span name = {line.s, n}, hash = {line.s + n, 0};

		if (colon != NULL) /* and without what may follow the hash */
			hash = (struct span){colon + 1, line.len - n - 1};
		colon = memchr(hash.s, ':', hash.len);
		if (colon != NULL)
			hash.len = (size_t)(colon - hash.s);
		why = check_user(name, hash);
		if (why != NULL)
			secret_file_mistake(errors, &lines, why);
		else
			err = add_user(h, name, hash, lines.number);
	}
	sort_users(h, errors);
	if (err == 0 && !mac_sha256(text, len, h->seed))
		err = -ENOMEM;
	return err;
}

void
htpasswd_fini(struct htpasswd *h)
{
	for (size_t i = 0; i < h->count; i++)
		clear_user(&h->users[i]);
	free(h->users);
	*h = (struct htpasswd){0};
}

/* Like strcmp(), of a name that ends elsewhere. */
static int
compare_to_name(const void *a, const void *b)
{
	const struct span *name = a;
	const struct htpasswd_user *user = b;
	int order = strncmp(name->s, user->name, name->len);

	return order == 0 && user->name[name->len] != '\0' ? -1 : order;
}

const struct htpasswd_user *
htpasswd_find(const struct htpasswd *h, struct span name)
{
	/* No user's name has a NUL. */
	if (h->count == 0 || memchr(name.s, '\0', name.len) != NULL)
		return NULL;
	return bsearch(
	    &name, h->users, h->count, sizeof(*h->users), compare_to_name);
}

const struct htpasswd_user *
htpasswd_stand_in(const struct htpasswd *h, struct span name)
{
	unsigned char mac[MAC_BYTES] = {0};
	uint64_t n;

	if (h->count == 0)
		return NULL;
	/* Who does not have the file cannot tell which one it is. */
	if (!mac_hmac(h->seed, sizeof(h->seed), name.s, name.len, mac))
		return &h->users[0];
	memcpy(&n, mac, sizeof(n));
	return &h->users[n % h->count];
}
