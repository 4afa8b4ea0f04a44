/*
 * The config layer: grammar, every mistake word for word, inheritance,
 * printing and reading back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/directives.h"
#include "config/lexer.h"
#include "config/value.h"

#define LOC " location /f { } "

/* The config of a text without mistakes. */
static struct config *
good(const char *text)
{
	struct config *c = NULL;
	struct str errors = {0};
	int err;

	err = config_parse_text("t.conf", text, strlen(text), &errors, &c);
	if (err != 0)
		print_error("%s", errors.s ? errors.s : "");
	assert_int_equal(err, 0);
	assert_int_equal(errors.len, 0);
	str_fini(&errors);
	return c;
}

static void
expect_mistakes(const char *text, size_t len, const char *expected)
{
	struct config *c = NULL;
	struct str errors = {0};
	int err;

	err = config_parse_text("t.conf", text, len, &errors, &c);
	assert_int_equal(err, -EINVAL);
	assert_null(c);
	assert_string_equal(errors.s, expected);
	str_fini(&errors);
}

/* What -T says, without its first line, which names the file. */
static char *
print(const struct config *c)
{
	char *text = NULL, *body;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	config_print(c, out);
	fclose(out);
	body = strchr(text, '\n');
	assert_non_null(body);
	body = strdup(body);
	free(text);
	return body;
}

static void
assert_same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a != NULL && b != NULL)
		assert_string_equal(a, b);
}

static void
assert_same_location(
    const struct conf_location *a, const struct conf_location *b)
{
	assert_string_equal(a->prefix, b->prefix);
	assert_string_equal(a->policy.output_dir, b->policy.output_dir);
	assert_int_equal(a->queue_depth, b->queue_depth);
	assert_int_equal(a->max_body_size, b->max_body_size);
	assert_int_equal(a->policy.keep, b->policy.keep);
	assert_int_equal(a->policy.overwrite, b->policy.overwrite);
	assert_int_equal(a->policy.sync, b->policy.sync);
	assert_int_equal(a->read, b->read);
	assert_int_equal(a->policy.dotfiles, b->policy.dotfiles);
	assert_int_equal(a->trace, b->trace);
}

static void
assert_same_server(const struct conf_server *a, const struct conf_server *b)
{
	assert_int_equal(a->listen_count, b->listen_count);
	for (size_t i = 0; i < a->listen_count; i++) {
		const struct conf_listen *x = &a->listens[i];
		const struct conf_listen *y = &b->listens[i];

		assert_true(addr_equal(&x->addr, &y->addr));
		assert_int_equal(x->mode, y->mode);
		assert_int_equal(x->backlog, y->backlog);
		assert_int_equal(x->ipv6only, y->ipv6only);
		assert_same_text(x->owner.name, y->owner.name);
		assert_same_text(x->group.name, y->group.name);
	}
	assert_string_equal(a->access_log.target, b->access_log.target);
	assert_true(a->header_timeout_s == b->header_timeout_s);
	assert_true(a->body_timeout_s == b->body_timeout_s);
	assert_true(a->keepalive_timeout_s == b->keepalive_timeout_s);
	assert_int_equal(a->keepalive_requests, b->keepalive_requests);
	assert_int_equal(a->location_count, b->location_count);
	for (size_t i = 0; i < a->location_count; i++)
		assert_same_location(&a->locations[i], &b->locations[i]);
}

/* Equal in all but where it came from. */
static void
assert_same(const struct config *a, const struct config *b)
{
	char *a_text = print(a), *b_text = print(b);

	assert_int_equal(a->worker_processes, b->worker_processes);
	assert_int_equal(a->worker_auto, b->worker_auto);
	assert_int_equal(a->worker_connections, b->worker_connections);
	assert_int_equal(a->max_generations, b->max_generations);
	assert_int_equal(a->buffer_memory, b->buffer_memory);
	assert_int_equal(a->chunk_size, b->chunk_size);
	assert_int_equal(a->io_engine, b->io_engine);
	assert_string_equal(a->pid_file, b->pid_file);
	assert_string_equal(a->error_log, b->error_log);
	assert_int_equal(a->error_level, b->error_level);
	assert_int_equal(a->daemonize, b->daemonize);
	assert_same_text(a->user, b->user);
	assert_true(a->shutdown_timeout_s == b->shutdown_timeout_s);
	assert_true(a->shutdown_delay_s == b->shutdown_delay_s);
	assert_int_equal(a->server_count, b->server_count);
	for (size_t i = 0; i < a->server_count; i++)
		assert_same_server(&a->servers[i], &b->servers[i]);
	assert_string_equal(a_text, b_text);
	free(a_text);
	free(b_text);
}

static void
in_cwd(const char *name, char ret_path[PATH_MAX])
{
	size_t len;

	assert_non_null(getcwd(ret_path, PATH_MAX));
	len = strlen(ret_path);
	assert_true(len + strlen(name) + 2 < PATH_MAX);
	snprintf(ret_path + len, PATH_MAX - len, "/%s", name);
}

static void
test_table_is_sorted_and_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < directives_count; i++) {
		const struct directive *d = &directives[i];

		if (i > 0)
			assert_true(
			    strcmp(directives[i - 1].name, d->name) < 0);
		assert_ptr_equal(directives_find(d->name), d);
		assert_int_equal(directives_index(d), i);
		assert_non_null(d->help);
		assert_in_range(d->topic, TOPIC_NONE + 1, TOPIC_COUNT - 1);
		assert_true(d->contexts != 0);
		assert_true(d->min <= d->max);
		if (directives_has_value(d) && d->type != VALUE_TEXT &&
		    d->type != VALUE_NAMES && d->type != VALUE_ORIGINS &&
		    d->type != VALUE_RULES && d->type != VALUE_NETWORKS &&
		    d->type != VALUE_FILES &&
		    strcmp(d->name, "ssl_client_certificate") != 0 &&
		    strcmp(d->name, "ssl_crl") != 0)
			assert_non_null(d->dflt);
	}
	assert_null(directives_find("nonsense"));
}

static void
test_defaults(void **state)
{
	struct config *c = NULL;
	struct str errors = {0};
	struct conf_location *l;
	struct conf_server *s;
	char path[PATH_MAX], text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(config_load_with(NULL, NULL, &errors, &c), 0);
	assert_null(c->file);
	assert_true(c->worker_auto);
	assert_in_range(c->worker_processes, 1, 256);
	assert_int_equal(c->worker_connections, 4096);
	assert_int_equal(c->buffer_memory, 256 << 20);
	assert_int_equal(c->chunk_size, 256 << 10);
	assert_int_equal(c->io_engine, ENGINE_AUTO);
	in_cwd("penstock.pid", path);
	assert_string_equal(c->pid_file, path);
	assert_string_equal(c->error_log, "stderr");
	assert_int_equal(c->error_level, LEVEL_INFO);
	assert_false(c->daemonize);
	assert_null(c->user);
	assert_true(c->shutdown_timeout_s == 0);
	assert_true(c->shutdown_delay_s == 0);
	assert_int_equal(c->server_count, 1);
	s = &c->servers[0];
	assert_int_equal(s->listen_count, 1);
	addr_format(&s->listens[0].addr, text);
	assert_string_equal(text, "127.0.0.1:8000");
	assert_string_equal(s->access_log.target, "stdout");
	assert_true(s->header_timeout_s == 15);
	assert_true(s->body_timeout_s == 60);
	assert_true(s->keepalive_timeout_s == 65);
	assert_int_equal(s->keepalive_requests, 1000);
	assert_int_equal(s->location_count, 1);
	l = &s->locations[0];
	assert_string_equal(l->prefix, "/file");
	in_cwd("uploads", path);
	assert_string_equal(l->policy.output_dir, path);
	assert_int_equal(l->queue_depth, 8);
	assert_int_equal(l->max_body_size, 0);
	assert_int_equal(l->policy.keep, KEEP_ALL);
	assert_int_equal(s->server_name.count, 0);
	assert_int_equal(l->allow_origin.count, 0);
	assert_false(l->policy.overwrite);
	assert_true(l->policy.sync);
	assert_true(l->read);
	assert_false(l->policy.dotfiles);
	assert_false(l->trace);
	assert_false(l->policy.resume);
	assert_true(l->policy.resume_expire_s == 86400);
	assert_int_equal(l->policy.max_resumable, 10000);
	assert_int_equal(l->policy.max_resumable_per_client, 1000);
	assert_int_equal(l->resume_versions, 127);
	assert_string_equal(l->resume_url, "relative");
	config_free(&c);
	assert_null(c);
	config_free(&c);
	str_fini(&errors);
}

/* To be run from the top of the tree. */
static void
test_shipped_file_is_the_defaults(void **state)
{
	const char *name = "conf/penstock.conf";
	struct config *built_in = NULL, *shipped = NULL;
	struct str errors = {0};
	size_t spelt = 0;
	char line[256], word[64];
	FILE *in;

	(void)state;
	in = fopen(name, "r");
	if (in == NULL)
		fail_msg("%s: run this from the top of the tree", name);
	assert_int_equal(config_load_with(NULL, NULL, &errors, &built_in), 0);
	assert_int_equal(config_load_with(name, NULL, &errors, &shipped), 0);
	assert_string_equal(shipped->file, name);
	assert_same(built_in, shipped);
	/* It spells out every directive but include. */
	while (fgets(line, sizeof(line), in) != NULL)
		if (sscanf(line, " %63[a-z_#]", word) == 1 &&
		    directives_find(word + (*word == '#')) != NULL)
			spelt++;
	assert_int_equal(spelt, directives_count - 1);
	fclose(in);
	config_free(&built_in);
	config_free(&shipped);
	str_fini(&errors);
}

static void
test_inheritance_does_not_ask_for_order(void **state)
{
	struct config *c;
	struct conf_location *l;

	(void)state;
	c = good("server { location /b { queue_depth 5; } location /a { }"
		 "  location /long { sync on; }  queue_depth 4;"
		 "  header_timeout 2s; }\n"
		 "server { listen 9; location /c { } }\n"
		 "queue_depth 3; sync off; header_timeout 1h30m;"
		 "output_dir /d;");
	l = c->servers[0].locations;
	assert_string_equal(l[0].prefix, "/long");
	assert_int_equal(l[0].queue_depth, 4);
	assert_true(l[0].policy.sync);
	assert_string_equal(l[1].prefix, "/a");
	assert_int_equal(l[1].queue_depth, 4);
	assert_false(l[1].policy.sync);
	assert_string_equal(l[2].prefix, "/b");
	assert_int_equal(l[2].queue_depth, 5);
	assert_string_equal(l[2].policy.output_dir, "/d");
	assert_true(c->servers[0].header_timeout_s == 2);
	assert_true(c->servers[1].header_timeout_s == 5400);
	assert_int_equal(c->servers[1].locations[0].queue_depth, 3);
	assert_string_equal(c->servers[1].locations[0].policy.output_dir, "/d");
	assert_string_equal(l[2].place.file, "t.conf");
	assert_int_equal(l[2].place.line, 1);
	assert_int_equal(l[2].place.column, 10);
	config_free(&c);
}

static void
assert_place(const struct conf_place *p, unsigned line, unsigned column)
{
	assert_int_equal(p->line, line);
	assert_int_equal(p->column, column);
	if (line != 0)
		assert_string_equal(p->file, "t.conf");
}

/* For messages that come later; where a value is inherited, of the line that it
 * comes from. */
static void
test_where_values_were_given_is_kept(void **state)
{
	struct conf_server *s;
	struct config *c;
	struct str text = {0};

	(void)state;
	c = good("user a;\n pid_file /p; output_dir /d;\n"
		 "server { access_log /l; location /a { output_dir /e; }\n"
		 " location /b { } }\n"
		 "server { listen 9; location /c { } }\n");
	assert_place(&c->user_at, 1, 1);
	assert_place(&c->pid_file_at, 2, 2);
	assert_place(&c->error_log_at, 0, 0);
	s = c->servers;
	assert_place(&s[0].access_log_at, 3, 10);
	assert_place(&s[1].access_log_at, 0, 0);
	assert_place(&s[0].locations[0].output_dir_at, 3, 39);
	assert_place(&s[0].locations[1].output_dir_at, 2, 15);
	assert_place(&s[1].locations[0].output_dir_at, 2, 15);
	config_name_value(&c->pid_file_at, "pid_file", c->pid_file, &text);
	assert_string_equal(text.s, "t.conf:2:2: pid_file /p");
	str_clear(&text);
	config_name_value(&c->error_log_at, "error_log", "a\nb", &text);
	assert_string_equal(text.s, "error_log a\\u000ab (by default)");
	str_fini(&text);
	config_free(&c);
}

static void
test_words_and_paths(void **state)
{
	static const struct {
		const char *written, *path;
	} cases[] = {
	    {"/a/b", "/a/b"},
	    {"\"/a b;{}#\"", "/a b;{}#"},
	    {"'/a\"b'", "/a\"b"},
	    {"\"/a\\\"\\\\\\'\\n\\r\\t\\x41\"", "/a\"\\'\n\r\tA"},
	    {"/a\\ b\\;\\{\\}\\#", "/a b;{}#"},
	    {"/a\"b'c#d", "/a\"b'c#d"},
	    {"//a///b/./c/.", "/a/b/c"},
	    {"/", "/"},
	    {"/.", "/"},
	    {"/a/../b/..c/.d", "/a/../b/..c/.d"},
	    {"/\xc3\xa4\xff", "/\xc3\xa4\xff"},
	    {"/a\r\n\t", "/a"},
	    {"# comment { ; }\n/a # \"\n", "/a"},
	    {"/off", "/off"},
	    {"\"/a$b${c}\"", "/a$b${c}"},
	    {"/a\\$b", "/a$b"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[256];
		struct config *c;

		snprintf(text, sizeof(text),
		    "server { location /f { "
		    "output_dir %s; } }",
		    cases[i].written);
		c = good(text);
		assert_string_equal(
		    c->servers[0].locations[0].policy.output_dir,
		    cases[i].path);
		config_free(&c);
	}
}

static void
test_options_of_addresses(void **state)
{
	struct config *c;
	const struct conf_listen *l;
	char *text;

	(void)state;
	c = good(
	    "server { listen unix:/s; listen unix:/t mode=600 owner=joe "
	    "'group=a b' backlog=7; listen [::]:1; listen 2;\n"
	    "listen [::]:3 ipv6only=off; listen [::1]:4 ipv6only=on;" LOC "}");
	l = c->servers[0].listens;
	assert_int_equal(l[0].mode, 0660);
	assert_null(l[0].owner.name);
	assert_null(l[0].group.name);
	assert_int_equal(l[0].backlog, 4096);
	assert_int_equal(l[1].mode, 0600);
	assert_string_equal(l[1].owner.name, "joe");
	assert_int_equal(l[1].owner.place.column, 50);
	assert_string_equal(l[1].group.name, "a b");
	assert_int_equal(l[1].backlog, 7);
	assert_true(l[2].ipv6only);
	assert_false(l[4].ipv6only);
	assert_true(l[5].ipv6only);
	text = print(c);
	assert_non_null(strstr(text, " unix:/s mode=0660;"));
	assert_non_null(strstr(
	    text, " unix:/t mode=0600 owner=joe \"group=a b\" backlog=7;"));
	assert_non_null(strstr(text, " [::]:1;"));
	assert_non_null(strstr(text, " [::]:3 ipv6only=off;"));
	free(text);
	config_free(&c);
}

static void
test_directives_of_the_command_line(void **state)
{
	struct config *c = NULL, *again = NULL;
	struct str errors = {0};

	(void)state;
	assert_int_equal(
	    config_load_with(NULL,
		"queue_depth 3; error_log /x warn; pid_file off;", &errors, &c),
	    0);
	assert_int_equal(c->servers[0].locations[0].queue_depth, 3);
	assert_string_equal(c->error_log, "/x");
	assert_string_equal(c->pid_file, "off");
	assert_int_equal(config_reload(c, &errors, &again), 0);
	assert_int_equal(again->servers[0].locations[0].queue_depth, 3);
	assert_same(c, again);
	config_free(&again);
	config_free(&c);
	assert_int_equal(
	    config_load_with(NULL, "keep latest; keep; }", &errors, &c),
	    -EINVAL);
	assert_string_equal(errors.s,
	    "-g:1:14: keep: given twice in this block, first at -g:1:1\n"
	    "-g:1:20: } closes no block\n");
	str_fini(&errors);
}

static void
assert_list(const struct conf_list *l, const char *a, const char *b)
{
	assert_int_equal(l->count, (a != NULL) + (b != NULL));
	if (a != NULL)
		assert_string_equal(l->values[0], a);
	if (b != NULL)
		assert_string_equal(l->values[1], b);
}

/* As they are compared; those of the block around are for blocks without any. */
static void
test_names_and_origins(void **state)
{
	struct config *c;

	(void)state;
	c = good("allow_origin HTTPS://A.b:443 http://[0::1]:1 https://a.b;\n"
		 "server { server_name A.B. *.C a.b; " LOC
		 "location /any { allow_origin *; }"
		 "location /one { allow_origin http://x; } }");
	assert_list(&c->servers[0].server_name, "a.b", "*.c");
	assert_list(&config_location(&c->servers[0], "/f", 2)->allow_origin,
	    "https://a.b", "http://[::1]:1");
	assert_list(&config_location(&c->servers[0], "/any", 4)->allow_origin,
	    "*", NULL);
	assert_list(&config_location(&c->servers[0], "/one", 4)->allow_origin,
	    "http://x", NULL);
	config_free(&c);
}

static void
test_limits_are_allowed(void **state)
{
	struct config *c;

	(void)state;
	c = good("\xef\xbb\xbfworker_processes 0; worker_connections 1000000;"
		 "buffer_memory 1024G; chunk_size 64M; pid_file off;"
		 "error_log stdout; io_engine threads; user \"a b\";"
		 "server { listen unix:sock; listen [::1]:1; listen *:65535;"
		 "  keepalive_timeout 0; access_log off;"
		 "  location / { queue_depth 4096; max_body_size 16384g;"
		 "    keep latest; read off; } }");
	assert_int_equal(c->worker_processes, 0);
	assert_false(c->worker_auto);
	assert_int_equal(c->buffer_memory, UINT64_C(1) << 40);
	assert_int_equal(c->chunk_size, 64 << 20);
	assert_string_equal(c->pid_file, "off");
	assert_string_equal(c->error_log, "stdout");
	assert_int_equal(c->error_level, LEVEL_INFO);
	assert_string_equal(c->user, "a b");
	assert_int_equal(c->io_engine, ENGINE_THREADS);
	assert_int_equal(c->servers[0].listen_count, 3);
	assert_int_equal(*addr_unix_path(&c->servers[0].listens[0].addr), '/');
	assert_true(c->servers[0].keepalive_timeout_s == 0);
	assert_string_equal(c->servers[0].access_log.target, "off");
	assert_int_equal(c->servers[0].locations[0].policy.keep, KEEP_LATEST);
	assert_false(c->servers[0].locations[0].read);
	config_free(&c);
}

/* A file of one location besides `text`, and what it must be told. */
struct mistake {
	const char *text, *told;
};

/* clang-format off */
static const struct mistake value_mistakes[] = {
	{ "chunk_sze 1k;", "chunk_sze: no such directive; did you mean "
			   "chunk_size?" },
	{ "chunk-size 1k;", "chunk-size: no such directive; did you mean "
			    "chunk_size?" },
	{ "Chunk_Size 1k;", "Chunk_Size: no such directive; did you mean "
			    "chunk_size?" },
	{ "lsiten 80;", "lsiten: no such directive; did you mean listen, "
			"which is allowed in server?" },
	{ "odirect auto;", "odirect: no such directive" },
	{ "\"\" 1;", ": no such directive" },
	{ "listen 80;", "listen: not allowed at top level; allowed in "
			"server" },
	{ "location /a { }", "location: not allowed at top level; allowed in "
			     "server" },
	{ "queue_depth;", "queue_depth: a value is missing; allowed: 2 to "
			  "4096" },
	{ "chunk_size;", "chunk_size: a value is missing; allowed: 4k to 64m, "
			 "a multiple of 4k" },
	{ "keep all latest;", "keep: takes one value, 2 given; allowed: all or "
			      "latest" },
	{ "error_log a b c;", "error_log: takes one or two values, 3 given; "
			      "allowed: stderr, stdout or a path; then error, "
			      "warn, notice, info or debug" },
	{ "allow_origin;", "allow_origin: a value is missing; allowed: "
			   "origins such as https://www.example.org, or *" },
	{ "queue_depth { }", "queue_depth: it has no block; end it with ;" },
	{ ";", "; ends no directive" },
	{ "}", "} closes no block" },
	{ "{ keep all; }", "{ opens no block; a name must stand before it" },
};
/* clang-format on */

/* clang-format off */
static const struct mistake column_mistakes[] = {
	{ "queue_depth 1;", "queue_depth: 1 is below 2" },
	{ "queue_depth 4097;", "queue_depth: 4097 is above 4096" },
	{ "queue_depth 99999999999999999999;",
	    "queue_depth: 99999999999999999999 is above 4096" },
	{ "queue_depth auto;", "queue_depth: \"auto\" is no number; allowed: 2 "
			       "to 4096" },
	{ "queue_depth -1;", "queue_depth: \"-1\" is no number; allowed: 2 to "
			     "4096" },
	{ "queue_depth 8k;", "queue_depth: \"8k\" is no number; allowed: 2 to "
			     "4096" },
	{ "worker_processes all;", "worker_processes: \"all\" is no number; "
				   "allowed: auto or 0 to 256" },
	{ "worker_processes 257;", "worker_processes: 257 is above 256" },
	{ "worker_connections 0;", "worker_connections: 0 is below 1" },
	{ "chunk_size 1k;", "chunk_size: 1k is below 4k" },
	{ "chunk_size 65m;", "chunk_size: 65m is above 64m" },
	{ "chunk_size 5000;", "chunk_size: 5000 is no multiple of 4k" },
	{ "chunk_size 1x;", "chunk_size: \"1x\" is no size such as 256k or 1g; "
			    "allowed: 4k to 64m, a multiple of 4k" },
	{ "chunk_size k;", "chunk_size: \"k\" is no size such as 256k or 1g; "
			   "allowed: 4k to 64m, a multiple of 4k" },
	{ "chunk_size 99999999999g;", "chunk_size: 99999999999g is above "
				      "64m" },
	{ "buffer_memory 1023k;", "buffer_memory: 1023k is below 1m" },
	{ "buffer_memory 1025g;", "buffer_memory: 1025g is above 1024g" },
	{ "body_timeout 5x;", "body_timeout: \"5x\" is no time such as 500ms "
			      "or 15s; allowed: 1ms to 365d" },
	{ "body_timeout 1m1h;", "body_timeout: \"1m1h\" is no time such as "
				"500ms or 15s; allowed: 1ms to 365d" },
	{ "header_timeout 0;", "header_timeout: 0 is below 1ms" },
	{ "header_timeout 366d;", "header_timeout: 366d is above 365d" },
	{ "sync yes;", "sync: \"yes\" is neither on nor off; allowed: on or "
		       "off" },
	{ "keep last;", "keep: \"last\" is no such choice; allowed: all or "
			"latest" },
	{ "io_engine aio;", "io_engine: \"aio\" is no such choice; allowed: "
			    "auto, io_uring or threads" },
	{ "output_dir \"\";", "output_dir: the path is empty" },
	{ "user \"\";", "user: \"\" is empty; allowed: a name" },
	{ "error_log off;", "error_log: it cannot be off; the least is: "
			    "error_log stderr error" },
	{ "keep \"a\\x1bll\";", "keep: \"a\\u001bll\" is no such choice; "
				"allowed: all or latest" },
	{ "keep \"all;", "keep: the quote is not closed on its line" },
	{ "keep 'all'latest;", "keep: a blank or ; must follow the closing "
			       "quote" },
	{ "keep a\\ll;", "keep: after a \\ only n, r, t, xHH, a sign or a "
			 "blank is allowed" },
	{ "keep a\\x0g;", "keep: two hexadecimal digits, not 00, must follow "
			  "\\x" },
	{ "keep a\\x00;", "keep: two hexadecimal digits, not 00, must follow "
			  "\\x" },
	{ "keep a\x1b;", "keep: a control character is not allowed; write "
			 "\\xHH" },
	{ "include nope.conf;", "include: nope.conf: cannot be read: No such "
				"file or directory" },
	{ "include /dev/null;", "include: /dev/null: cannot be read: it is not "
				"a regular file" },
	{ "include /;", "include: /: cannot be read: Is a directory" },
	{ "include '';", "include: the path is empty" },
};
/* clang-format on */

/* Told of the value, or of the name. */
static void
expect_one(const struct mistake *m, bool of_value)
{
	char text[512], told[512];
	unsigned column = 1;

	if (of_value)
		column = (unsigned)(strchr(m->text, ' ') - m->text) + 2;
	snprintf(text, sizeof(text), "%s\nserver {" LOC "}\n", m->text);
	snprintf(told, sizeof(told), "t.conf:1:%u: %s\n", column, m->told);
	expect_mistakes(text, strlen(text), told);
}

static void
test_each_mistake(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(value_mistakes); i++)
		expect_one(&value_mistakes[i], false);
	for (size_t i = 0; i < COUNT_OF(column_mistakes); i++)
		expect_one(&column_mistakes[i], true);
}

/* clang-format off */
static const struct mistake whole_mistakes[] = {
	{ "", "t.conf:1:1: server: there is none; write server { location "
	      "/PREFIX { } }\n" },
	{ "what { server { } }", "t.conf:1:1: what: no such directive\n" },
	{ "http { server { } }",
	  "t.conf:1:1: http: there is no such block here: write what is in it "
	  "at top level\n"
	  "t.conf:1:8: server: it has no location; write location /PREFIX { "
	  "}\n" },
	{ "server { }", "t.conf:1:1: server: it has no location; write "
			"location /PREFIX { }\n" },
	{ "server x {" LOC "}", "t.conf:1:1: server: takes no value, 1 given; "
				"allowed: { ... }\n" },
	{ "server;", "t.conf:1:7: server: a block must follow: { ... }\n" },
	{ "server { location { } }",
	    "t.conf:1:10: location: a value is missing; allowed: /PREFIX { ... "
	    "}\n" },
	{ "server { location /a }",
	    "t.conf:1:21: location: a block must follow: { ... }\n" },
	{ "server { location file { } }",
	    "t.conf:1:19: location: \"file\" does not begin with a slash; "
	    "write /file\n" },
	{ "server { location /file/ { } }",
	    "t.conf:1:19: location: \"/file/\" ends with a slash; write "
	    "/file\n" },
	{ "server { location // { } }",
	    "t.conf:1:19: location: \"//\" has an empty part; write /\n" },
	{ "server { location /a//b/ { } }",
	    "t.conf:1:19: location: \"/a//b/\" has an empty part; write "
	    "/a/b\n" },
	{ "server { location '' { } }",
	    "t.conf:1:19: location: \"\" does not begin with a slash; write "
	    "/\n" },
	{ "server { location /a/../b { } }",
	    "t.conf:1:19: location: \"/a/../b\" has a part . or .., which no "
	    "request can match\n" },
	{ "server { location /a%20b { } }",
	    "t.conf:1:19: location: \"/a%20b\" has characters other than "
	    "letters, digits, -, ., _, ~ and /\n" },
	{ "server { location a /a { } }",
	    "t.conf:1:10: location: takes one value, 2 given; allowed: "
	    "/PREFIX { ... }\n" },
	{ "server { location = /a { } }",
	    "t.conf:1:19: location: a location is of a prefix only, location "
	    "/PREFIX { }, and the longest that matches is the one\n" },
	{ "server { location /a { }\n location /b { }\n location /a { } }",
	    "t.conf:3:2: location: /a was given in this server at "
	    "t.conf:1:10\n" },
	{ "server { location /a { location /a/b { kep all; } } }",
	    "t.conf:1:24: location: not allowed in location; allowed in "
	    "server\n"
	    "t.conf:1:40: kep: no such directive; did you mean keep?\n" },
	{ "server { location /a { chunk_size 4k; } }",
	    "t.conf:1:24: chunk_size: not allowed in location; allowed at top "
	    "level\n" },
	{ "server { location /a { header_timeout 1s; } }",
	    "t.conf:1:24: header_timeout: not allowed in location; allowed at "
	    "top level or in server\n" },
	{ "keep all;\nkeep all;\nserver {" LOC "}",
	    "t.conf:2:1: keep: given twice in this block, first at "
	    "t.conf:1:1\n" },
	{ "keep all\nsync off;\nserver {" LOC "}",
	    "t.conf:1:9: keep: ; is missing\n" },
	{ "keep all\nxyz off;\nserver {" LOC "}",
	    "t.conf:1:9: keep: ; is missing\n"
	    "t.conf:2:1: xyz: no such directive\n" },
	{ "server { location /f { keep all } }",
	    "t.conf:1:32: keep: ; is missing\n" },
	{ "server {" LOC "} keep all", "t.conf:1:36: keep: ; is missing\n" },
	{ "server {" LOC, "t.conf:1:1: server: the block is never closed; } is "
			  "missing\n" },
	{ "server { location /f {",
	    "t.conf:1:10: location: the block is never closed; } is missing\n"
	    "t.conf:1:1: server: the block is never closed; } is missing\n" },
	{ "server { listen nowhere;" LOC "}",
	    "t.conf:1:17: listen: \"nowhere\": write PORT, ADDRESS:PORT, "
	    "[IPV6]:PORT or unix:PATH\n" },
	{ "server { listen 1.2.3.4:99999;" LOC "}",
	    "t.conf:1:17: listen: \"1.2.3.4:99999\": the port is a number from "
	    "1 to 65535\n" },
	{ "server { listen 8000; listen *:8000;" LOC "}",
	    "t.conf:1:23: listen: 0.0.0.0:8000 is taken at t.conf:1:10; each "
	    "address may be given once\n" },
	{ "server { listen 0.0.0.0:8000;" LOC "}\n"
	  "server { listen *:8000;" LOC "}",
	    "t.conf:2:10: listen: 0.0.0.0:8000 is taken at t.conf:1:10; each "
	    "address may be given once\n" },
	{ "server {" LOC "}\nserver {" LOC "}",
	    "t.conf:2:1: listen: 127.0.0.1:8000 is taken at t.conf:1:1; each "
	    "address may be given once\n" },
	{ "server { listen *:8000;" LOC "}\n"
	  "server { listen 127.0.0.1:8000;" LOC "}",
	    "t.conf:2:10: listen: 127.0.0.1:8000 overlaps 0.0.0.0:8000 at "
	    "t.conf:1:10; both cannot be bound\n" },
	{ "server { listen [::1]:8000;" LOC "}\n"
	  "server { listen [::]:8000;" LOC "}",
	    "t.conf:2:10: listen: [::]:8000 overlaps [::1]:8000 at "
	    "t.conf:1:10; both cannot be bound\n" },
	{ "server { listen unix:/s;" LOC "}\n"
	  "server { listen unix://./s;" LOC "}",
	    "t.conf:2:10: listen: unix:/s is taken at t.conf:1:10; each "
	    "address may be given once\n" },
	/* Options of an address: each told at its own word. */
	{ "server { listen unix:/s mode=0678;" LOC "}",
	    "t.conf:1:25: listen: \"mode=0678\": mode is octal, from 0000 to "
	    "0777, such as 0660\n" },
	{ "server { listen unix:/s mode=01777;" LOC "}",
	    "t.conf:1:25: listen: \"mode=01777\": mode is octal, from 0000 to "
	    "0777, such as 0660\n" },
	{ "server { listen unix:/s mode=;" LOC "}",
	    "t.conf:1:25: listen: \"mode=\": mode is octal, from 0000 to "
	    "0777, such as 0660\n" },
	{ "server { listen unix:/s owner=;" LOC "}",
	    "t.conf:1:25: listen: \"owner=\": the name is missing after "
	    "owner=\n" },
	{ "server { listen 80 mode=0660;" LOC "}",
	    "t.conf:1:20: listen: \"mode=0660\": mode is for UNIX sockets: "
	    "unix:PATH\n" },
	{ "server { listen 80 backlog=9\ngroup=x;" LOC "}",
	    "t.conf:2:1: listen: \"group=x\": group is for UNIX sockets: "
	    "unix:PATH\n" },
	{ "server { listen unix:/s mode=0600 mode=0600;" LOC "}",
	    "t.conf:1:35: listen: mode is given twice for this address\n" },
	{ "server { listen 80 ipv6only=on;" LOC "}",
	    "t.conf:1:20: listen: \"ipv6only=on\": ipv6only is for IPv6: "
	    "write [::]:PORT\n" },
	{ "server { listen unix:/s ipv6only=on;" LOC "}",
	    "t.conf:1:25: listen: \"ipv6only=on\": ipv6only is for IPv6: "
	    "write [::]:PORT\n" },
	{ "server { listen [::1]:80 ipv6only=off;" LOC "}",
	    "t.conf:1:26: listen: \"ipv6only=off\": ipv6only=off is for "
	    "[::]:PORT, all addresses there are\n" },
	{ "server { listen [::]:80 ipv6only=maybe;" LOC "}",
	    "t.conf:1:25: listen: \"ipv6only=maybe\": ipv6only is on or "
	    "off\n" },
	{ "server { listen 80 backlog=0;" LOC "}",
	    "t.conf:1:20: listen: \"backlog=0\": backlog is a number from 1 "
	    "to 65535\n" },
	{ "server { listen 80 fast;" LOC "}",
	    "t.conf:1:20: listen: \"fast\" is no option of an address; "
	    "allowed: ssl, backlog=N, ipv6only=on or off, mode=OCTAL, owner=USER, "
	    "group=GROUP, proxy_protocol\n" },
	/* The ; that is missing is missed where it should be. */
	{ "server { listen 80\nlsiten 81;" LOC "}",
	    "t.conf:1:19: listen: ; is missing\n"
	    "t.conf:2:1: lsiten: no such directive; did you mean listen?\n" },
	/* One address has one set of options. */
	{ "server { listen unix:/s mode=0600;" LOC "}\n"
	  "server { listen unix:/s mode=0666;" LOC "}",
	    "t.conf:2:10: listen: unix:/s is taken at t.conf:1:10; each "
	    "address may be given once\n" },
	{ "server { listen [::]:80 ipv6only=off; listen 1.2.3.4:80;" LOC "}",
	    "t.conf:1:39: listen: 1.2.3.4:80 overlaps [::]:80 at t.conf:1:10; "
	    "both cannot be bound, since ipv6only=off takes the IPv4 addresses "
	    "as well\n" },
	{ "server { location /a { output_dir /d; }\n"
	  "location /b { output_dir //d/; keep latest; } }",
	    "t.conf:2:1: output_dir: /d has keep latest here and keep all in "
	    "location /a at t.conf:1:10; latest would remove files of the "
	    "other\n" },
	{ "buffer_memory 1m; server {" LOC "}",
	    "t.conf:1:1: buffer_memory: 1m is below 2560k, the 8 + 2 chunks of "
	    "256k (queue_depth, chunk_size) of location /f\n" },
	{ "server { location /f {\n  queue_depth 4096; } }",
	    "t.conf:2:3: buffer_memory: 256m is below 1049088k, the 4096 + 2 "
	    "chunks of 256k (queue_depth, chunk_size) of location /f\n" },
	{ "chunk_size 64m; server {" LOC "}",
	    "t.conf:1:1: buffer_memory: 256m is below 640m, the 8 + 2 chunks "
	    "of 64m (queue_depth, chunk_size) of location /f\n" },
	/* What follows from a mistake that was told is not told too. */
	{ "buffer_memory 1k; server {" LOC "}",
	    "t.conf:1:15: buffer_memory: 1k is below 1m\n" },
	{ "server { listen x; listen 9;" LOC "} server {" LOC "}",
	    "t.conf:1:17: listen: \"x\": write PORT, ADDRESS:PORT, "
	    "[IPV6]:PORT or unix:PATH\n" },
	{ "server { location /a { keep latest; } location /b { keep x; } }",
	    "t.conf:1:58: keep: \"x\" is no such choice; allowed: all or "
	    "latest\n" },
	{ "allow_origin http://a http://b/; server {" LOC "}",
	    "t.conf:1:23: allow_origin: \"http://b/\": an origin ends behind "
	    "the host or the port: leave out the slash\n" },
	{ "allow_origin http://a *; server {" LOC "}",
	    "t.conf:1:23: allow_origin: \"*\": * is all origins there are: "
	    "leave out the others\n" },
	{ "server { server_name a a:80;" LOC "}",
	    "t.conf:1:24: server_name: \"a:80\": the port does not count here: "
	    "write the name alone\n" },
	{ "error_log stderr loud; server {" LOC "}",
	    "t.conf:1:18: error_log: \"loud\" is no level; allowed: error, "
	    "warn, notice, info or debug\n" },
	/* All in one run. */
	{ "queue_depth 1;\nserver {\n\tchunk_sze 1;\n\tlocation /f {\n"
	  "\t\tsync maybe;\n\t}\n}\n",
	    "t.conf:1:13: queue_depth: 1 is below 2\n"
	    "t.conf:3:2: chunk_sze: no such directive; did you mean "
	    "chunk_size, which is allowed at top level?\n"
	    "t.conf:5:8: sync: \"maybe\" is neither on nor off; allowed: on or "
	    "off\n" },
};
/* clang-format on */

static void
test_mistakes_of_the_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(whole_mistakes); i++)
		expect_mistakes(whole_mistakes[i].text,
		    strlen(whole_mistakes[i].text), whole_mistakes[i].told);
}

static void
test_nul_and_huge_words(void **state)
{
	static const char nul[] = "keep a\0b;\nserver {" LOC "}";
	static const char tail[] = "; server {" LOC "}";
	struct str text = {0};
	struct config *c;

	(void)state;
	expect_mistakes(nul, sizeof(nul) - 1,
	    "t.conf:1:6: keep: a NUL byte is not allowed\n");
	str_puts(&text, "user ");
	for (int i = 0; i < TOKEN_BYTES_MAX; i++)
		str_puts(&text, "u");
	str_puts(&text, tail);
	c = good(text.s);
	assert_int_equal(strlen(c->user), TOKEN_BYTES_MAX);
	config_free(&c);
	str_clear(&text);
	str_puts(&text, "user ");
	for (int i = 0; i < TOKEN_BYTES_MAX + 1; i++)
		str_puts(&text, "u");
	str_puts(&text, tail);
	expect_mistakes(
	    text.s, text.len, "t.conf:1:6: user: longer than 4096 bytes\n");
	str_clear(&text);
	str_puts(&text, "output_dir ");
	for (int i = 0; i < TOKEN_BYTES_MAX; i++)
		str_puts(&text, "u");
	str_puts(&text, tail);
	expect_mistakes(text.s, text.len,
	    "t.conf:1:12: output_dir: the path is longer than 4095 bytes\n");
	str_fini(&text);
}

static void
test_deep_nesting(void **state)
{
	struct str text = {0}, errors = {0};
	struct config *c = NULL;

	(void)state;
	for (int i = 0; i < 100000; i++)
		str_puts(&text, "server{");
	assert_int_equal(
	    config_parse_text("t.conf", text.s, text.len, &errors, &c),
	    -EINVAL);
	assert_null(c);
	str_fini(&text);
	str_fini(&errors);
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void
remove_file(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(remove(path), 0);
}

/* Load DIR/main.conf; each @ in what is expected stands for DIR. */
static void
expect_load(const char *dir, const char *expected)
{
	struct str told = {0}, errors = {0};
	struct config *c = NULL;
	char path[256];
	int err;

	for (; *expected != '\0'; expected++) {
		if (*expected == '@')
			str_puts(&told, dir);
		else
			str_add(&told, expected, 1);
	}
	snprintf(path, sizeof(path), "%s/main.conf", dir);
	err = config_load_with(path, NULL, &errors, &c);
	assert_int_equal(err, told.len > 0 ? -EINVAL : 0);
	assert_string_equal(errors.s ? errors.s : "", told.s ? told.s : "");
	config_free(&c);
	str_fini(&errors);
	str_fini(&told);
}

static void
test_include(void **state)
{
	char dir[] = "/tmp/test_config[x].XXXXXX", sub[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	expect_load(dir, "@/main.conf: cannot be read: No such file or "
			 "directory\n");
	write_file(dir, "main.conf",
	    "include top.inc;\nserver { include sub/*.conf; }\n"
	    "include none*;");
	write_file(dir, "top.inc", "keep latest; queue_depth 3;");
	write_file(sub, "a.conf", "location /a { include ../loc.inc; }");
	write_file(sub, "b.conf", "location /b { output_dir /b; }");
	write_file(dir, "loc.inc", "output_dir /a;");
	expect_load(dir, "");
	/* A file is closed by itself, and mistakes name it. */
	write_file(sub, "b.conf", "location /b {\n kep all;");
	write_file(dir, "loc.inc", "output_dir /a; }");
	expect_load(dir, "@/sub/../loc.inc:1:16: } closes no block\n"
			 "@/sub/b.conf:2:2: kep: no such directive; did you "
			 "mean keep?\n"
			 "@/sub/b.conf:1:1: location: the block is never "
			 "closed; } is missing\n");
	write_file(sub, "b.conf", "include ../sub/b.conf;");
	write_file(dir, "loc.inc", "");
	expect_load(dir, "@/sub/b.conf:1:9: include: @/sub/../sub/b.conf "
			 "includes itself\n");
	remove_file(sub, "a.conf");
	remove_file(sub, "b.conf");
	remove_file(dir, "loc.inc");
	remove_file(dir, "top.inc");
	remove_file(dir, "main.conf");
	remove_file(dir, "sub");
	assert_int_equal(rmdir(dir), 0);
}

/* Files 0 to 17, each including the next one twice. */
static void
test_include_is_bounded(void **state)
{
	char dir[] = "/tmp/test_config.XXXXXX", name[32], text[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_file(dir, "main.conf", "include 0; server { location /f { } }");
	for (int i = 0; i < 18; i++) {
		snprintf(name, sizeof(name), "%d", i);
		snprintf(text, sizeof(text), "include %d; include %d;", i + 1,
		    i + 1);
		write_file(dir, name, text);
	}
	expect_load(dir, "@/15:1:9: include: more than 16 files deep\n");
	for (int i = 10; i < 18; i++) {
		snprintf(name, sizeof(name), "%d", i);
		write_file(dir, name, "");
	}
	expect_load(dir, "@/8:1:20: include: more than 1000 files\n");
	for (int i = 0; i < 18; i++) {
		snprintf(name, sizeof(name), "%d", i);
		remove_file(dir, name);
	}
	remove_file(dir, "main.conf");
	assert_int_equal(rmdir(dir), 0);
}

static void
test_print_reads_back(void **state)
{
	static const char *const texts[] = {
	    "server {" LOC "}",
	    "worker_processes 3; chunk_size 12k; shutdown_timeout 90s; "
	    "shutdown_delay 5s;"
	    "error_log '/var/log/a b\\x01\\\"\\\\\\n\\xff;{}#' debug;"
	    "pid_file off; user \"x y\"; daemonize on; io_engine io_uring;"
	    "server { listen 1; listen [::]:2 ipv6only=off backlog=3;"
	    "  listen 'unix:/a b' mode=7 \"owner=x y\" group=z;"
	    "  header_timeout 1500ms; keepalive_timeout 0;"
	    "  access_log log/access; keepalive_requests 7;"
	    "  location /long/er { output_dir \"\xc3\xa4 \xff\"; }"
	    "  location / { keep latest; overwrite on; sync off;"
	    "    read off; dotfiles on; trace on; max_body_size 1025;"
	    "    queue_depth 2; } }"
	    "server { listen 10.0.0.1:3; location /x { output_dir /x; } }",
	    "allow_origin http://a https://[::1]:1; server { server_name a "
	    "*.b;" LOC "location /y { allow_origin *; } }",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct config *c = good(texts[i]), *again;
		char *text = print(c);

		again = good(text);
		assert_same(c, again);
		config_free(&c);
		config_free(&again);
		free(text);
	}
}

static void
test_print_says_it_all(void **state)
{
	struct config *c = good("server {" LOC "}");
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	config_print(c, out);
	fclose(out);
	assert_memory_equal(text, "# configuration of t.conf\n\n", 27);
	for (size_t i = 0; i < directives_count; i++) {
		const struct directive *d = &directives[i];

		assert_true(
		    d->type == VALUE_INCLUDE || strstr(text, d->name) != NULL);
		if (directives_has_value(d))
			assert_non_null(strstr(text, d->help));
	}
	assert_non_null(strstr(text,
	    "\nworker_processes        auto;                     # workers, "));
	assert_non_null(strstr(text, "\n    listen                  "
				     "127.0.0.1:8000;           # address"));
	config_free(&c);
	free(text);
}

static void
test_markdown_has_every_row(void **state)
{
	char *text = NULL, row[64];
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	directives_markdown(out);
	fclose(out);
	for (size_t i = 0; i < directives_count; i++) {
		snprintf(row, sizeof(row), "\n| `%s` | ", directives[i].name);
		assert_non_null(strstr(text, row));
	}
	assert_non_null(strstr(text,
	    "| `chunk_size` | at top level | `256k` | 4k to 64m, a multiple of "
	    "4k | bytes in a chunk, the unit of memory that goes through "
	    "the queue |\n"));
	assert_non_null(strstr(text, "process id; a change needs a restart"));
	free(text);
}

/* What `d` has in `c`, as a file has it; "none" where it has nothing. */
static void
format_value(const struct directive *d, const struct config *c, struct str *out)
{
	if (!value_format(d, c, out))
		str_puts(out, "none");
	assert_false(str_failed(out));
}

static void
assert_same_value(
    const struct directive *d, const struct config *a, const struct config *b)
{
	struct str x = {0}, y = {0};

	format_value(d, a, &x);
	format_value(d, b, &y);
	assert_string_equal(x.s, y.s);
	str_fini(&x);
	str_fini(&y);
}

/* Each row of the table that needs a restart is changed here: it is named, and
 * what it was is kept.  A new row has to be added. */
static void
test_each_restart_only_is_kept(void **state)
{
	struct config *old = good("daemonize on; pid_file /a; user me;"
				  "worker_processes 3; server {" LOC "}");
	struct config *fresh = good("daemonize off; pid_file /b; user you;"
				    "worker_processes 0; server {" LOC "}");
	struct str why = {0};
	int kept = 0;

	(void)state;
	assert_int_equal(config_keep_until_restart(old, fresh, &why), 4);
	for (size_t i = 0; i < directives_count; i++) {
		const struct directive *d = &directives[i];
		char named[64];

		if (d->apply == APPLY_RELOAD)
			continue;
		kept++;
		snprintf(named, sizeof(named), "%s: the change from", d->name);
		if (strstr(why.s, named) == NULL)
			print_error("%s is not named\n", d->name);
		assert_non_null(strstr(why.s, named));
		assert_same_value(d, old, fresh);
	}
	assert_int_equal(kept, 4);
	assert_string_equal(fresh->pid_file, "/a");
	assert_ptr_not_equal(fresh->pid_file, old->pid_file);
	assert_string_equal(fresh->user, "me");
	assert_true(fresh->daemonize);
	assert_int_equal(fresh->worker_processes, 3);
	str_fini(&why);
	config_free(&old);
	config_free(&fresh);
}

static void
test_needs_restart(void **state)
{
	static const struct {
		const char *old, *fresh, *why;
	} cases[] = {
	    {"", "", ""},
	    {"queue_depth 3; error_log stdout;", "chunk_size 8k;", ""},
	    {"worker_processes 1;", "worker_processes 2;", ""},
	    {"worker_processes auto;", "worker_processes 2;", ""},
	    {"worker_processes 0;", "worker_processes 0;", ""},
	    {"worker_processes 0;", "worker_processes 2;",
		"worker_processes: the change from 0 to 2 needs a "
		"restart\n"},
	    {"daemonize on; pid_file /a;", "pid_file off; user me;",
		"daemonize: the change from on to off needs a restart\n"
		"pid_file: the change from /a to off needs a restart\n"
		"user: the change from none to me needs a restart\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[128];
		struct config *old, *fresh;
		struct str why = {0};

		snprintf(
		    text, sizeof(text), "%s server {" LOC "}", cases[i].old);
		old = good(text);
		snprintf(
		    text, sizeof(text), "%s server {" LOC "}", cases[i].fresh);
		fresh = good(text);
		assert_int_equal(
		    config_keep_until_restart(old, fresh, &why) > 0,
		    cases[i].why[0] != '\0');
		assert_string_equal(why.s ? why.s : "", cases[i].why);
		/* Now there is nothing that a restart would apply. */
		assert_int_equal(
		    config_keep_until_restart(old, fresh, NULL), 0);
		str_fini(&why);
		config_free(&old);
		config_free(&fresh);
	}
}

static void
test_location_matching(void **state)
{
	static const struct {
		const char *path, *prefix;
	} cases[] = {
	    {"/file", "/file"},
	    {"/file/", "/file"},
	    {"/file/x", "/file"},
	    {"/file/xyz", "/file"},
	    {"/file/x/y", "/file"},
	    {"/file/deep", "/file/deep"},
	    {"/file/deep/er", "/file/deep"},
	    {"/filex", NULL},
	    {"/fil", NULL},
	    {"/", NULL},
	    {"", NULL},
	    {"*", NULL},
	};
	struct config *c, *root;

	(void)state;
	c = good("server { location /file { } location /file/deep { } }");
	root = good("server { location / { } location /a { } }");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct conf_location *l;

		l = config_location(
		    &c->servers[0], cases[i].path, strlen(cases[i].path));
		assert_same_text(l ? l->prefix : NULL, cases[i].prefix);
	}
	/* The length counts, not a NUL. */
	assert_non_null(config_location(&c->servers[0], "/filex", 5));
	assert_string_equal(
	    config_location(&root->servers[0], "/ab", 3)->prefix, "/");
	assert_string_equal(
	    config_location(&root->servers[0], "/a/b", 4)->prefix, "/a");
	assert_null(config_location(&root->servers[0], "a", 1));
	config_free(&c);
	config_free(&root);
}

static void
test_lexer_places(void **state)
{
	static const char text[] = "a  \"b\" # c\n\t'd';{\n}";
	static const struct {
		enum token_kind kind;
		unsigned line, column, end_line, end_column;
		const char *text;
	} expected[] = {
	    {TOKEN_WORD, 1, 1, 1, 2, "a"},
	    {TOKEN_WORD, 1, 4, 1, 7, "b"},
	    {TOKEN_WORD, 2, 2, 2, 5, "d"},
	    {TOKEN_SEMICOLON, 2, 5, 2, 6, ""},
	    {TOKEN_OPEN, 2, 6, 2, 7, ""},
	    {TOKEN_CLOSE, 3, 1, 3, 2, ""},
	    {TOKEN_END, 3, 2, 3, 2, ""},
	    {TOKEN_END, 3, 2, 3, 2, ""},
	};
	struct lexer lx;
	struct token t;

	(void)state;
	lexer_init(&lx, "t", text, sizeof(text) - 1);
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		lexer_next(&lx, &t);
		assert_int_equal(t.kind, expected[i].kind);
		assert_int_equal(t.at.line, expected[i].line);
		assert_int_equal(t.at.column, expected[i].column);
		assert_int_equal(t.end.line, expected[i].end_line);
		assert_int_equal(t.end.column, expected[i].end_column);
		assert_string_equal(t.text, expected[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table_is_sorted_and_whole),
	    cmocka_unit_test(test_lexer_places),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_shipped_file_is_the_defaults),
	    cmocka_unit_test(test_inheritance_does_not_ask_for_order),
	    cmocka_unit_test(test_where_values_were_given_is_kept),
	    cmocka_unit_test(test_words_and_paths),
	    cmocka_unit_test(test_options_of_addresses),
	    cmocka_unit_test(test_directives_of_the_command_line),
	    cmocka_unit_test(test_names_and_origins),
	    cmocka_unit_test(test_limits_are_allowed),
	    cmocka_unit_test(test_each_mistake),
	    cmocka_unit_test(test_mistakes_of_the_whole),
	    cmocka_unit_test(test_nul_and_huge_words),
	    cmocka_unit_test(test_deep_nesting),
	    cmocka_unit_test(test_include),
	    cmocka_unit_test(test_include_is_bounded),
	    cmocka_unit_test(test_print_reads_back),
	    cmocka_unit_test(test_print_says_it_all),
	    cmocka_unit_test(test_markdown_has_every_row),
	    cmocka_unit_test(test_needs_restart),
	    cmocka_unit_test(test_each_restart_only_is_kept),
	    cmocka_unit_test(test_location_matching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
