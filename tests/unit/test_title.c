/*
 * proc/title: what is written over the command line and the begin of the
 * environment, and that both stay what they were for this program.
 */
#include "proc/title.h"

#include <string.h>
#include <unistd.h>

#include "lib/portable.h"

extern char **environ;

enum {
	ROOM = 400,
};

/* As execve(2) lays them out: the last variable is a long one. */
struct layout {
	char bytes[ROOM];
	char *argv[3];
	char *environment[4];
	size_t args; /* bytes of the command line */
};

static char *
put(char **at, const char *text)
{
	char *s = *at;

	memcpy(s, text, strlen(text) + 1);
	*at += strlen(text) + 1;
	return s;
}

static void
lay_out(struct layout *l)
{
	char *at = l->bytes;

	memset(l, 0, sizeof(*l));
	memset(l->bytes, '~', sizeof(l->bytes));
	l->argv[0] = put(&at, "prog");
	l->argv[1] = put(&at, "-c/f");
	l->args = (size_t)(at - l->bytes);
	l->environment[0] = put(&at, "FIRST=1");
	l->environment[1] = put(&at, "SECOND=2");
	l->environment[2] = at;
	memcpy(at, "THIRD=", 6);
	memset(at + 6, 'x', 200);
	at[206] = '\0';
	environ = l->environment;
}

/* The same text is there, behind which there is nothing but NUL. */
static void
assert_shown(const struct layout *l, const char *text)
{
	size_t len = strlen(text);

	assert_memory_equal(l->bytes, text, len + 1);
	for (size_t i = len; i < l->args; i++)
		assert_int_equal(l->bytes[i], '\0');
}

static void
test_title(void **state)
{
	static struct layout l;
	char **copy;
	char was[ROOM];

	(void)state;
	lay_out(&l);
	memcpy(was, l.bytes, sizeof(was));
	copy = title_init(2, l.argv);
	assert_non_null(copy);
	assert_memory_equal(was, l.bytes, sizeof(was));
	title_set(NULL, "a");
	if (IS_PORTABLE)
		assert_memory_equal(was, l.bytes, sizeof(was));
	SKIP_PORTABLE("title in ps");
	/* One byte longer than the command line. */
	assert_shown(&l, "penstock: a");
	title_set_command("master");
	assert_shown(&l, "penstock: master prog -c/f");
	/* Shorter again: nothing is left of what was longer. */
	title_set(NULL, "b");
	assert_shown(&l, "penstock: b");
	for (size_t i = strlen("penstock: b"); i < 26; i++)
		assert_int_equal(l.bytes[i], '\0');
	/* Clipped: most of the environment is where it was. */
	title_set(NULL, "%0300d", 7);
	assert_int_equal(strlen(l.bytes), l.args + 63);
	assert_memory_equal(l.bytes + l.args + 64, was + l.args + 64,
	    sizeof(was) - l.args - 64);
	/* For the program both are as before. */
	assert_string_equal(copy[0], "prog");
	assert_string_equal(copy[1], "-c/f");
	assert_null(copy[2]);
	assert_string_equal(getenv("FIRST"), "1");
	assert_string_equal(getenv("SECOND"), "2");
	assert_int_equal(strlen(getenv("THIRD")), 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_title),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
