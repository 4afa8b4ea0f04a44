/*
 * Files of secrets, and signed links.  A line is taken, or refused with its number; what is
 * said of it has nothing of what stands in it; what is taken is as the headers say.  A link
 * verifies for what was signed, and with one byte changed for nothing.
 *
 * The first byte says what follows: `b` a file of tokens, `h` of passwords, `k` of keys; `l` two
 * knobs (which byte is changed, and how) and the path of a link; `q` a query.
 */
#include <ctype.h>

#include "auth/bearer.h"
#include "auth/htpasswd.h"
#include "auth/password.h"
#include "auth/secret_file.h"
#include "auth/signed_link.h"
#include "base/method_set.h"
#include "fuzz.h"

static const char key_file[] =
    "k1 0001020304050607080900010203040506070809000102030405060708090001\n";
static struct link_keys keys;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct str errors = {0};

	(void)argc;
	(void)argv;
	check(link_keys_parse(&keys, key_file, strlen(key_file), &errors) == 0);
	check(keys.count == 1 && errors.len == 0);
	return 0;
}

/* ---- files ---- */

static size_t
count_lines(const char *s, size_t len)
{
	size_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += s[i] == '\n';
	return lines;
}

/* Each is "line N: " and a text of ours: lines of the file that are not in
 * any of our texts could not be there, since those have no line of 8 bytes in common. */
static size_t
check_errors(const struct str *errors, size_t lines)
{
	unsigned long number;
	const char *s = errors->s ? errors->s : "";
	size_t count = 0;

	check(!str_failed(errors));
	for (; *s != '\0'; count++) {
		char *end;

		check(strncmp(s, "line ", 5) == 0 &&
		      isdigit((unsigned char)s[5]));
		number = strtoul(s + 5, &end, 10);
		check(number > 0 && number <= lines + 1);
		check(strncmp(end, ": ", 2) == 0);
		s = strchr(s, '\n');
		check(s != NULL);
		s++;
	}
	return count;
}

static void
check_name(const char *name)
{
	check(secret_name_is_good((struct span){name, strlen(name)}));
}

static void
fuzz_tokens(const char *text, size_t len)
{
	struct str errors = {0};
	struct bearer b = {0};
	size_t wrong;

	check(bearer_parse(&b, text, len, &errors) == 0);
	wrong = check_errors(&errors, count_lines(text, len));
	check(b.count + wrong <= count_lines(text, len) + 1);
	for (size_t i = 0; i < b.count; i++) {
		const struct bearer_token *t = &b.tokens[i];

		check_name(t->name);
		check(t->methods != 0);
		check(t->prefix == NULL || t->prefix[0] == '/');
	}
	bearer_fini(&b);
	str_fini(&errors);
}

static void
fuzz_passwords(const char *text, size_t len)
{
	struct str errors = {0};
	struct htpasswd h = {0};

	check(htpasswd_parse(&h, text, len, &errors) == 0);
	(void)check_errors(&errors, count_lines(text, len));
	for (size_t i = 0; i < h.count; i++) {
		const struct htpasswd_user *u = &h.users[i];

		check_name(u->name);
		check(password_hash_is_good(u->hash, strlen(u->hash)));
		check(htpasswd_find(
			  &h, (struct span){u->name, strlen(u->name)}) == u);
	}
	htpasswd_fini(&h);
	str_fini(&errors);
}

static void
fuzz_keys(const char *text, size_t len)
{
	struct str errors = {0};
	struct link_keys k = {0};

	check(link_keys_parse(&k, text, len, &errors) == 0);
	(void)check_errors(&errors, count_lines(text, len));
	for (size_t i = 0; i < k.count; i++) {
		check_name(k.keys[i].name);
		for (size_t j = 0; j < i; j++)
			check(strcmp(k.keys[i].name, k.keys[j].name) != 0);
	}
	link_keys_fini(&k);
	str_fini(&errors);
}

/* ---- links ---- */

static enum signed_link_answer
verify(struct span path, struct span query)
{
	const struct link_key *key = NULL;
	struct signed_link l = {.method = {"PUT", 3}, .path = path};
	enum signed_link_answer a =
	    signed_link_verify(&keys, query, &l, 1000, &key);

	check((a == SIGNED_LINK_BAD) == (key == NULL));
	check(a == SIGNED_LINK_BAD || strlen(l.once) == 0 ||
	      strlen(l.once) == SIGNED_LINK_ONCE_HEX);
	return a;
}

static void
fuzz_link(unsigned which, unsigned how, const char *path, size_t len)
{
	struct signed_link l = {
	    .method = {"PUT", 3}, .path = {path, len}, .expires_s = 2000};
	struct str query = {0};
	char was, is;

	if (memchr(path, '\n', len) != NULL)
		return; /* names have none */
	l.max_size = how % 3;
	if (which % 2 == 0)
		signed_link_make_once(&l);
	check(signed_link_sign(&keys.keys[0], &l, &query));
	check(verify(l.path, (struct span){query.s, query.len}) ==
	      SIGNED_LINK_GOOD);
	check(signed_link_is((struct span){query.s, query.len}));
	was = query.s[which % query.len];
	is = (char)how;
	query.s[which % query.len] = is;
	/* Hexadecimal digits have two forms. */
	if (tolower((unsigned char)is) != tolower((unsigned char)was))
		check(verify(l.path, (struct span){query.s, query.len}) ==
		      SIGNED_LINK_BAD);
	query.s[which % query.len] = was;
	if (len > 0)
		check(
		    verify((struct span){path, len - 1},
			(struct span){query.s, query.len}) == SIGNED_LINK_BAD);
	str_fini(&query);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;
	size_t len;

	if (size < 3)
		return 0;
	len = size - 1;
	text = fuzz_copy(data + 1, len);
	switch (data[0]) {
	case 'b':
		fuzz_tokens(text, len);
		break;
	case 'h':
		fuzz_passwords(text, len);
		break;
	case 'k':
		fuzz_keys(text, len);
		break;
	case 'l':
		fuzz_link(fuzz_knob(data, 1), data[2], text + 2, len - 2);
		break;
	case 'q':
		(void)signed_link_is((struct span){text, len});
		(void)verify(
		    (struct span){"/file/a", 7}, (struct span){text, len});
		break;
	default:
		break;
	}
	free(text);
	return 0;
}
