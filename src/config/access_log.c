#include "config/access_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <syslog.h>

#include "config/lexer.h"

enum {
	TAG_MAX = 32, /* RFC 3164, 4.1.3 */
};

const char *const access_log_formats[] = {
    [LOG_FORMAT_TEXT] = "text",
    [LOG_FORMAT_JSON] = "json",
    [LOG_FORMAT_COMBINED] = "combined",
    NULL,
};

/* As syslog(3) and nginx call them. */
struct code {
	const char *name;
	int value;
};

static const struct code facilities[] = {
    {"auth", LOG_AUTH},
    {"authpriv", 10 << 3},
    {"cron", LOG_CRON},
    {"daemon", LOG_DAEMON},
    {"ftp", 11 << 3},
    {"kern", LOG_KERN},
    {"local0", LOG_LOCAL0},
    {"local1", LOG_LOCAL1},
    {"local2", LOG_LOCAL2},
    {"local3", LOG_LOCAL3},
    {"local4", LOG_LOCAL4},
    {"local5", LOG_LOCAL5},
    {"local6", LOG_LOCAL6},
    {"local7", LOG_LOCAL7},
    {"lpr", LOG_LPR},
    {"mail", LOG_MAIL},
    {"news", LOG_NEWS},
    {"syslog", 5 << 3},
    {"user", LOG_USER},
    {"uucp", LOG_UUCP},
    {NULL, 0},
};

static const struct code severities[] = {
    {"alert", LOG_ALERT},
    {"crit", LOG_CRIT},
    {"debug", LOG_DEBUG},
    {"emerg", LOG_EMERG},
    {"error", LOG_ERR},
    {"info", LOG_INFO},
    {"notice", LOG_NOTICE},
    {"warn", LOG_WARNING},
    {NULL, 0},
};

/* What the parameters say; texts point into a copy that is cut up. */
struct syslog_words {
	const char *path, *tag;
	const struct code *facility, *severity;
};

static const struct code *
find_code(const struct code *codes, const char *name)
{
	for (; codes->name != NULL; codes++)
		if (strcmp(codes->name, name) == 0)
			return codes;
	return NULL;
}

bool
access_log_is_syslog(const char *text)
{
	return strcmp(text, "syslog") == 0 || strncmp(text, "syslog:", 7) == 0;
}

/* What a receiver takes as one word, followed by a colon. */
static bool
is_tag(const char *tag)
{
	size_t len = strlen(tag);

	return len > 0 && len <= TAG_MAX &&
	       strspn(tag, "abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			   "0123456789_-.") == len;
}

static int
read_server(const char *value, struct syslog_words *w, struct str *why)
{
	if (strncmp(value, "unix:/", 6) != 0) {
		str_puts(why, "server= takes unix:/PATH only: let the syslog "
			      "of this machine pass the lines on");
		return -EINVAL;
	}
	w->path = value + 5;
	if (strlen(w->path) < sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return 0;
	str_puts(why, "the path of server= is too long for a socket");
	return -EINVAL;
}

/* One of KEY=VALUE, which is cut at its =. */
static int
read_parameter(char *text, struct syslog_words *w, struct str *why)
{
	char *value = strchr(text, '='), shown[64];

	if (value != NULL)
		*value++ = '\0';
	if (value != NULL && strcmp(text, "server") == 0)
		return read_server(value, w, why);
	if (value != NULL && strcmp(text, "tag") == 0 && is_tag(value))
		w->tag = value;
	else if (value != NULL && strcmp(text, "facility") == 0)
		w->facility = find_code(facilities, value);
	else if (value != NULL && strcmp(text, "severity") == 0)
		w->severity = find_code(severities, value);
	else if (value != NULL || strcmp(text, "nohostname") != 0)
		w->tag = NULL;
	if (w->facility != NULL && w->severity != NULL && w->tag != NULL)
		return 0;
	if (value != NULL)
		value[-1] = '=';
	str_printf(why,
	    "\"%s\" is no parameter of syslog; allowed: server=unix:/PATH, "
	    "facility=local7, severity=info, tag=NAME (up to %d letters, "
	    "digits, _, - and .)",
	    str_quote(text, strlen(text), shown, sizeof(shown)), TAG_MAX);
	return -EINVAL;
}

static int
store_syslog(const struct syslog_words *w, struct conf_access_log *ret)
{
	struct str target = {0};

	check(w->facility != NULL && w->severity != NULL);
	str_printf(&target,
	    "syslog:server=unix:%s,facility=%s,severity=%s,tag=%s", w->path,
	    w->facility->name, w->severity->name, w->tag);
	if (!str_failed(&target))
		ret->target = target.s;
	else
		str_fini(&target);
	ret->socket = strdup(w->path);
	ret->tag = strdup(w->tag);
	ret->priority = w->facility->value | w->severity->value;
	if (ret->target != NULL && ret->socket != NULL && ret->tag != NULL)
		return 0;
	access_log_clear(ret);
	return -ENOMEM;
}

int
access_log_read_syslog(
    const char *text, struct conf_access_log *ret, struct str *why)
{
	struct syslog_words w = {.path = "/dev/log",
	    .tag = "penstock",
	    .facility = find_code(facilities, "local7"),
	    .severity = find_code(severities, "info")};
	const char *more = strchr(text, ':');
	char *copy = strdup(more != NULL ? more + 1 : ""), *at = copy;
	int err = copy != NULL ? 0 : -ENOMEM;

	if (err == 0 && is_tag(copy) && strcmp(copy, "nohostname") != 0) {
		w.tag = copy;
		at = NULL;
	}
	while (err == 0 && more != NULL && at != NULL) {
		char *end = strchr(at, ',');

		if (end != NULL)
			*end++ = '\0';
		err = read_parameter(at, &w, why);
		at = end;
	}
	if (err == 0)
		err = store_syslog(&w, ret);
	free(copy);
	return err;
}

static char *
copy_of(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

int
access_log_copy(struct conf_access_log *to, const struct conf_access_log *from)
{
	struct conf_access_log copy = *from;

	copy.target = copy_of(from->target);
	copy.socket = copy_of(from->socket);
	copy.tag = copy_of(from->tag);
	if ((copy.target == NULL) != (from->target == NULL) ||
	    (copy.socket == NULL) != (from->socket == NULL) ||
	    (copy.tag == NULL) != (from->tag == NULL)) {
		access_log_clear(&copy);
		return -ENOMEM;
	}
	access_log_clear(to);
	*to = copy;
	return 0;
}

void
access_log_clear(struct conf_access_log *l)
{
	free(l->target);
	free(l->socket);
	free(l->tag);
	*l = (struct conf_access_log){0};
}

void
access_log_format(const struct conf_access_log *l, struct str *out)
{
	lexer_quote(out, l->target);
	if (l->format != LOG_FORMAT_TEXT)
		str_printf(out, " %s", access_log_formats[l->format]);
}

const struct conf_access_log *
config_next_access_log(const struct config *c, struct conf_log_walk *walk,
    const struct conf_place **ret_at)
{
	const struct conf_server *s = &c->servers[walk->server];
	size_t which = walk->location;

	if (walk->server == c->server_count)
		return NULL;
	if (which == s->location_count) {
		walk->server++;
		walk->location = 0;
	} else {
		walk->location++;
	}
	*ret_at = which == 0 ? &s->access_log_at
			     : &s->locations[which - 1].access_log_at;
	return which == 0 ? &s->access_log
			  : &s->locations[which - 1].access_log;
}
