#include "config/listen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "config/lexer.h"

enum {
	BACKLOG = 4096, /* by default */
	BACKLOG_MAX = 65535,
	MODE = 0660, /* 0666 would let any user bypass the proxy's checks */
};

/* One option, as it stands behind an address. */
struct option {
	const char *value; /* behind the = */
	struct conf_place place;
};

static int listen_refuse(struct value_input *in, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

static int
listen_refuse(struct value_input *in, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&in->why, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static bool
is_unix(const struct conf_listen *l)
{
	return l->addr.ss.ss_family == AF_UNIX;
}

static bool
is_v6(const struct conf_listen *l)
{
	return l->addr.ss.ss_family == AF_INET6;
}

static bool
is_any_v6(const struct conf_listen *l)
{
	return is_v6(l) && IN6_IS_ADDR_UNSPECIFIED(&l->addr.ss.in6.sin6_addr);
}

bool
listen_is_both(const struct conf_listen *l)
{
	return is_any_v6(l) && !l->ipv6only;
}

/* ---- one function for each option ---- */

static int
set_ssl(struct conf_listen *l, const struct option *o, struct value_input *in)
{
	(void)o;
	(void)in;
	l->ssl = true;
	return 0;
}

static int
set_backlog(
    struct conf_listen *l, const struct option *o, struct value_input *in)
{
	uint64_t n;

	if (num_parse_u64(o->value, strlen(o->value), &n) < 0 || n < 1 ||
	    n > BACKLOG_MAX)
		return listen_refuse(
		    in, "backlog is a number from 1 to %d", (int)BACKLOG_MAX);
	l->backlog = n;
	return 0;
}

static int
set_ipv6only(
    struct conf_listen *l, const struct option *o, struct value_input *in)
{
	bool on = strcmp(o->value, "on") == 0;

	if (!is_v6(l))
		return listen_refuse(
		    in, "ipv6only is for IPv6: write [::]:PORT");
	if (!on && strcmp(o->value, "off") != 0)
		return listen_refuse(in, "ipv6only is on or off");
	if (!on && !is_any_v6(l))
		return listen_refuse(in,
		    "ipv6only=off is for [::]:PORT, all addresses there are");
	l->ipv6only = on;
	return 0;
}

static int
set_mode(struct conf_listen *l, const struct option *o, struct value_input *in)
{
	size_t len = strlen(o->value);

	if (!is_unix(l))
		return listen_refuse(in, "mode is for UNIX sockets: unix:PATH");
	if (len < 1 || len > 4 || strspn(o->value, "01234567") != len ||
	    strtoul(o->value, NULL, 8) > 0777)
		return listen_refuse(
		    in, "mode is octal, from 0000 to 0777, such as 0660");
	l->mode = strtoul(o->value, NULL, 8);
	return 0;
}

static int
set_account(struct conf_account *a, const char *name, const struct option *o,
    const struct conf_listen *l, struct value_input *in)
{
	if (!is_unix(l))
		return listen_refuse(
		    in, "%s is for UNIX sockets: unix:PATH", name);
	if (*o->value == '\0')
		return listen_refuse(in, "the name is missing after %s=", name);
	a->name = strdup(o->value);
	a->place = o->place;
	return a->name == NULL ? -ENOMEM : 0;
}

static int
set_owner(struct conf_listen *l, const struct option *o, struct value_input *in)
{
	return set_account(&l->owner, "owner", o, l, in);
}

static int
set_group(struct conf_listen *l, const struct option *o, struct value_input *in)
{
	return set_account(&l->group, "group", o, l, in);
}

static int
set_proxy_protocol(
    struct conf_listen *l, const struct option *o, struct value_input *in)
{
	(void)o;
	(void)in;
	l->proxy_protocol = true;
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct conf_listen *l, const struct option *o,
	    struct value_input *in);
	bool is_word; /* it stands alone, without a value */
} options[] = {
    {"ssl", set_ssl, true},
    {"backlog", set_backlog, false},
    {"ipv6only", set_ipv6only, false},
    {"mode", set_mode, false},
    {"owner", set_owner, false},
    {"group", set_group, false},
    {"proxy_protocol", set_proxy_protocol, true},
};

/* Which one the word is, with the = that most have; COUNT_OF(options): none. */
static size_t
find_option(const char *word)
{
	size_t len = strcspn(word, "="), i = 0;

	while (i < COUNT_OF(options) &&
	       ((word[len] == '\0') != options[i].is_word ||
		   strlen(options[i].name) != len ||
		   memcmp(options[i].name, word, len) != 0))
		i++;
	return i;
}

int
listen_options(struct conf_listen *l, struct value_input *in)
{
	bool given[COUNT_OF(options)] = {false};
	char shown[64];

	l->backlog = BACKLOG;
	l->ipv6only = true;
	l->mode = MODE;
	for (size_t i = 1; i < in->count; i++) {
		const char *word = in->values[i];
		size_t k = find_option(word);
		struct option o;
		int err;

		in->wrong = i;
		str_quote(word, strlen(word), shown, sizeof(shown));
		if (k == COUNT_OF(options))
			return listen_refuse(in,
			    "\"%s\" is no option of an address; allowed: "
			    "ssl, backlog=N, ipv6only=on or off, mode=OCTAL, "
			    "owner=USER, group=GROUP, proxy_protocol",
			    shown);
		if (given[k])
			return listen_refuse(in,
			    "%s is given twice for this address",
			    options[k].name);
		given[k] = true;
		o = (struct option){
		    word + strlen(options[k].name) + !options[k].is_word,
		    in->places[i]};
		str_printf(&in->why, "\"%s\": ", shown);
		err = options[k].set(l, &o, in);
		if (err < 0)
			return err;
		str_clear(&in->why);
	}
	return 0;
}

/* ---- the rest ---- */

int
listen_copy(struct conf_listen *to, const struct conf_listen *l)
{
	*to = *l;
	to->owner.name = l->owner.name ? strdup(l->owner.name) : NULL;
	to->group.name = l->group.name ? strdup(l->group.name) : NULL;
	if ((l->owner.name != NULL && to->owner.name == NULL) ||
	    (l->group.name != NULL && to->group.name == NULL)) {
		listen_clear(to);
		return -ENOMEM;
	}
	return 0;
}

void
listen_clear(struct conf_listen *l)
{
	free(l->owner.name);
	free(l->group.name);
	l->owner.name = l->group.name = NULL;
}

static void
add_account(struct str *out, const char *what, const struct conf_account *a)
{
	struct str word = {0};

	if (a->name == NULL)
		return;
	str_printf(&word, "%s%s", what, a->name);
	str_puts(out, " ");
	if (str_failed(&word))
		out->failed = true;
	else
		lexer_quote(out, word.s);
	str_fini(&word);
}

void
listen_format(const struct conf_listen *l, struct str *out)
{
	char text[ADDR_TEXT_MAX];

	addr_format(&l->addr, text);
	lexer_quote(out, text);
	if (l->ssl)
		str_puts(out, " ssl");
	if (is_unix(l))
		str_printf(out, " mode=%04o", (unsigned)l->mode);
	add_account(out, "owner=", &l->owner);
	add_account(out, "group=", &l->group);
	if (is_v6(l) && !l->ipv6only)
		str_puts(out, " ipv6only=off");
	if (l->proxy_protocol)
		str_puts(out, " proxy_protocol");
	if (l->backlog != BACKLOG)
		str_printf(out, " backlog=%" PRIu64, l->backlog);
}
