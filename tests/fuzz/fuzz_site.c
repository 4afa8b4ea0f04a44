/*
 * Whose page asks, from any field lines: an origin that is read is printed in one
 * form only, which reads the same; two are equal if their forms are; a page is
 * our own if and only if its origin is that of a URL made of a host that we were
 * asked for, or it says so itself.
 *
 * Each line of the input is a field's value, its first byte says whose: `h` Host,
 * `o` Origin, `f` X-Forwarded-Host, `s` Sec-Fetch-Site, `n` a name of ours (as a
 * configuration has it); others are passed over.
 */
#include "http/site.h"

#include <ctype.h>

#include "base/host.h"
#include "base/origin.h"
#include "base/str.h"
#include "fuzz.h"

enum {
	FILE_NAME_MAX = 4,
};

static struct conf_list names;

/* Its only form; false: it is none. */
static bool
form_of(const char *s, size_t len, struct str *out)
{
	struct origin o, again;
	const char *why = NULL;
	struct str twice = {0};

	if (origin_parse(s, len, &o, &why) < 0) {
		check(why != NULL && *why != '\0');
		return false;
	}
	check(o.scheme == s && o.at.host > s && o.at.len > 0);
	check(o.at.host + o.at.len <= s + len);
	origin_format(&o, out);
	check(!str_failed(out));
	for (size_t i = 0; i < out->len; i++)
		check(islower((unsigned char)out->s[i]) ||
		      isdigit((unsigned char)out->s[i]) ||
		      strchr("+-.:/[]_", out->s[i]) != NULL);
	check(origin_parse(out->s, out->len, &again, &why) == 0);
	check(origin_equal(&o, &again) && origin_equal(&again, &o));
	origin_format(&again, &twice);
	check(strcmp(out->s, twice.s) == 0);
	str_fini(&twice);
	return true;
}

/* "a:" or "1:", whose port is empty; not "a:80:", which is no host. */
static bool
has_empty_port(struct span authority)
{
	size_t len = authority.len, host;

	if (len == 0 || authority.s[--len] != ':')
		return false;
	host = len;
	while (len > 0 && isdigit((unsigned char)authority.s[len - 1]))
		len--;
	return host > 0 && (len == 0 || authority.s[len - 1] != ':');
}

/* The scheme of the page, if it is one of the web, and this host[:port] make
 * the page's origin. */
static bool
is_at(struct span page, struct span authority)
{
	size_t scheme = 0, len = authority.len;
	struct str form = {0}, url = {0}, made = {0};
	bool is = false;

	while (scheme < page.len && page.s[scheme] != ':')
		scheme++;
	if (has_empty_port(authority))
		len--; /* allowed in a Host, not in an origin */
	str_add(&url, page.s, scheme);
	str_puts(&url, "://");
	str_add(&url, authority.s, len);
	if ((str_ieq(page.s, scheme, "http") ||
		str_ieq(page.s, scheme, "https")) &&
	    form_of(page.s, page.len, &form) && form_of(url.s, url.len, &made))
		is = strcmp(form.s, made.s) == 0;
	str_fini(&form);
	str_fini(&url);
	str_fini(&made);
	return is;
}

/* Label by label, from the right. */
static bool
is_named(const char *pattern, struct span host)
{
	size_t len = host.len, n;
	bool beneath = pattern[0] == '*';

	if (len > 1 && host.s[len - 1] == '.')
		len--;
	if (!beneath) {
		if (host_equal(pattern, strlen(pattern), host.s, len))
			return true;
		return false;
	}
	n = strlen(pattern) - 1;
	if (len <= n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (tolower((unsigned char)host.s[len - n + i]) !=
		    pattern[1 + i])
			return false;
	return true;
}

/* Where the host ends in host[:port]. */
static struct span
host_of(struct span authority)
{
	struct host_port at;

	if (!host_split(authority.s, authority.len, &at))
		return (struct span){NULL, 0};
	check(at.host == authority.s && at.len > 0 && at.len <= authority.len);
	check(at.port >= HOST_NO_PORT && at.port <= 65535);
	check(at.len == authority.len || authority.s[at.len] == ':');
	return (struct span){at.host, at.len};
}

static bool
has_name(struct span host)
{
	for (size_t i = 0; host.s != NULL && i < names.count; i++)
		if (is_named(names.values[i], host))
			return true;
	return false;
}

static bool
is_own(const struct head *h)
{
	struct origin o;
	const char *why;
	struct span at;

	if (h->host.s != NULL && is_at(h->origin, h->host))
		return true;
	for (unsigned i = 0; i < h->forwarded_host.count; i++) {
		const char *s = h->forwarded_host.line[i].s;
		const char *end = s + h->forwarded_host.line[i].len;

		while (s <= end) {
			const char *comma = s;

			while (comma < end && *comma != ',')
				comma++;
			if (is_at(h->origin, span_trim((struct span){
						 s, (size_t)(comma - s)})))
				return true;
			s = comma + 1;
		}
	}
	if (origin_parse(h->origin.s, h->origin.len, &o, &why) < 0)
		return false;
	at = (struct span){o.at.host, o.at.len};
	return has_name(at) && is_at(h->origin, at);
}

static enum site
expected(const struct head *h)
{
	struct span says = h->sec_fetch_site;

	if (says.s != NULL && str_ieq(says.s, says.len, "same-origin"))
		return SITE_OWN;
	if (says.s != NULL && str_ieq(says.s, says.len, "none"))
		return SITE_NONE;
	if (says.s != NULL && (str_ieq(says.s, says.len, "same-site") ||
				  str_ieq(says.s, says.len, "cross-site")))
		return SITE_FOREIGN;
	if (h->origin.s == NULL)
		return says.s == NULL ? SITE_NONE : SITE_FOREIGN;
	return is_own(h) ? SITE_OWN : SITE_FOREIGN;
}

/* As the URL standard has it: the last label is a number. */
static bool
ends_in_number(struct span host)
{
	size_t len = host.len, first;
	bool hex;

	if (len > 1 && host.s[len - 1] == '.')
		len--;
	first = len;
	while (first > 0 && host.s[first - 1] != '.')
		first--;
	hex = len - first >= 2 && host.s[first] == '0' &&
	      tolower((unsigned char)host.s[first + 1]) == 'x';
	for (size_t i = first + (hex ? 2 : 0); i < len; i++)
		if (hex ? !isxdigit((unsigned char)host.s[i])
			: !isdigit((unsigned char)host.s[i]))
			return false;
	return len > first;
}

static void
check_host(const struct head *h)
{
	static char localhost[] = "localhost", beneath[] = "*.localhost";
	struct span host;
	bool known;

	if (h->host.s == NULL) {
		check(site_knows_host(h, &names));
		return;
	}
	host = host_of(h->host);
	known = host.s != NULL &&
		(host.s[0] == '[' || ends_in_number(host) || has_name(host) ||
		    is_named(localhost, host) || is_named(beneath, host));
	check(site_knows_host(h, &names) == known);
}

static void
take_line(struct head *h, struct span line)
{
	char name[HOST_NAME_MAX_BYTES + 3];
	struct span v = {line.s + 1, line.len - 1};
	char *text;
	const char *why = NULL;

	switch (line.s[0]) {
	case 'h':
		h->host = v;
		break;
	case 'o':
		h->origin = v;
		break;
	case 's':
		h->sec_fetch_site = v;
		break;
	case 'f':
		if (h->forwarded_host.count < HEAD_LINES_MAX)
			h->forwarded_host.line[h->forwarded_host.count++] = v;
		break;
	case 'n':
		text = fuzz_alloc(v.len + 1);
		memcpy(text, v.s, v.len);
		text[v.len] = '\0';
		if (names.count < FILE_NAME_MAX &&
		    host_read_pattern(text, name, &why) == 0)
			names.values[names.count++] = strdup(name);
		else
			check(names.count == FILE_NAME_MAX || why != NULL);
		free(text);
		break;
	default:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy(data, size), *values[FILE_NAME_MAX];
	struct head h = {.method = METHOD_PUT};
	struct str form = {0};

	names = (struct conf_list){.values = values};
	for (size_t at = 0; at < size;) {
		const char *lf = memchr(copy + at, '\n', size - at);
		size_t len = lf ? (size_t)(lf - copy) - at : size - at;

		if (len > 0)
			take_line(&h, (struct span){copy + at, len});
		at += len + 1;
	}
	if (h.origin.s != NULL)
		(void)form_of(h.origin.s, h.origin.len, &form);
	check(site_of(&h, &names) == expected(&h));
	check_host(&h);
	for (size_t i = 0; i < names.count; i++)
		free(values[i]);
	str_fini(&form);
	free(copy);
	return 0;
}
