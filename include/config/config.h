/*
 * config/config.h - what the user asked for, checked and complete.
 *
 *	file -> lexer -> directives (the table) -> struct config
 *
 * A config is loaded into a fresh struct, checked as a whole and never
 * changed afterwards: it can be read without a lock, and a bad file never
 * replaces a good one.  Every value is set: by the file,
 * by the block around it (top -> server -> location), or by the default that
 * the directive table names.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/log.h"
#include "base/str.h"
#include "config/choices.h"
#include "config/place.h"
#include "config/rights.h"
#include "config/store_policy.h"

enum {
	CONFIG_MISTAKES_MAX = 20, /* lines; further ones are only counted */
};

/* The values of a directive that takes many. */
struct conf_list {
	char **values;
	size_t count;
};

/* The values of a directive that names a file and may be given several times. */
struct conf_files {
	struct conf_file {
		char *path; /* absolute */
		struct conf_place place;
	} * values;
	size_t count;
};

struct conf_access_log {
	/* "off", "stdout", "stderr", an absolute path; or syslog with all its
	 * parameters.  Two that are equal are one log. */
	char *target;
	enum conf_log_format format;
	/* Of syslog, else NULL: its socket and who we are; and what each line
	 * begins with. */
	char *socket, *tag;
	int priority;
};

struct conf_location {
	char *prefix; /* "/file": begins with a slash, ends with none but "/" */
	struct conf_place place;
	struct store_policy policy; /* for its store */
	struct conf_place output_dir_at;
	uint64_t queue_depth;	/* chunks between reader and writer */
	uint64_t max_body_size; /* bytes, 0: any */
	uint64_t limit_rate;	/* bytes per second, 0: any */
	uint64_t min_rate;	/* bytes per second, 0: any */
	double min_rate_grace_s;
	/* Room on the disk below which that is said; 0: never. */
	uint64_t warn_free, alarm_free;
	struct conf_place warn_free_at, alarm_free_at;
	double warn_write_bound_s; /* for so long: it is said; 0: never */
	uint64_t max_uploads;	   /* at once, over all workers, 0: any */
	uint64_t write_depth;	   /* chunks being written */
	unsigned checksum;	   /* a set of digests: base/digest.h */
	/* Web pages of these origins may send any request: in the form of
	 * origin_format(), or one "*": all origins. */
	struct conf_list allow_origin;
	bool read; /* GET and HEAD are answered */
	bool form; /* multipart/form-data is taken apart */
	bool form_atomic;
	/* One of filename, generated; or field, and the name of one. */
	struct conf_list form_name;
	char *form_redirect;	 /* of pages; "off": they get what all get */
	uint64_t form_max_parts; /* fields and files */
	uint64_t
	    form_max_field_size;     /* bytes of all fields, with their names */
	uint64_t form_max_file_size; /* bytes, 0: any */
	bool trace;
	struct conf_access_log access_log;
	struct conf_place access_log_at;
	/* Where policy.resume is on: */
	enum conf_interim resume_interim;
	int resume_versions; /* RESUME_TUS ... */
	/* What URLs of uploads begin with: "relative" (a path), "absolute" (what the
	 * request was for), or the scheme and the host. */
	char *resume_url;
	struct conf_place resume_url_at;
	struct conf_rights rights;
	struct conf_except except;
};

/* A user or a group.  Whether it exists is checked later (proc/owners.h), so that
 * `-s stop` works even when it was removed. */
struct conf_account {
	char *name; /* or a number; NULL: not given */
	struct conf_place place;
};

struct conf_listen {
	struct addr addr;
	struct conf_place place;
	uint64_t backlog;
	bool ipv6only; /* of an IPv6 address */
	bool ssl;
	bool proxy_protocol; /* connections begin with a PROXY line */
	/* Of a UNIX socket: */
	uint64_t mode; /* 0000 to 0777 */
	struct conf_account owner, group;
};

struct conf_server {
	struct conf_place place;
	struct conf_listen *listens;
	size_t listen_count;
	struct conf_location *locations; /* longest prefix first; one or more */
	size_t location_count;
	/* Of a block `admin`, which has no location for uploads: the one, /, whose
	 * rights hold for all that it serves; NULL: it is a block `server`. */
	struct conf_location *admin;
	bool admin_write; /* of a block `admin`: what can be changed may be */
	struct conf_place admin_write_at;
	char *health; /* a path that tells how the server is; or "off" */
	struct conf_place health_at;
	struct conf_list server_name; /* as host_read_pattern() has them */
	/* Of requests that are in no location, or were not looked at so far. */
	struct conf_access_log access_log;
	struct conf_place access_log_at;
	double handshake_timeout_s;
	double header_timeout_s;
	double body_timeout_s;
	double keepalive_timeout_s;
	uint64_t keepalive_requests;
	double send_timeout_s;
	double lingering_time_s;
	double lingering_timeout_s;
	uint64_t max_request_line;	 /* bytes */
	uint64_t max_header_size;	 /* bytes */
	uint64_t max_header_fields;	 /* lines */
	uint64_t max_connections_per_ip; /* over all workers, 0: any */
	bool server_tokens;
	/* Of TLS, for the addresses that have `ssl`: */
	struct conf_files ssl_certificate;
	struct conf_files ssl_certificate_key; /* in the same order */
	int ssl_protocols;		       /* PROTOCOL_TLS_1_2 ... */
	char *ssl_ciphers;
	char *ssl_client_certificate, *ssl_crl; /* NULL: not given */
	enum conf_verify ssl_verify_client;
	bool ssl_session_tickets;
	struct conf_place ssl_ciphers_at, ssl_client_certificate_at, ssl_crl_at;
	struct conf_place ssl_verify_client_at;
	struct conf_networks trusted_proxies;
	enum conf_real_ip real_ip_header;
	struct conf_place real_ip_header_at;
};

struct config {
	char *file; /* the path it came from, NULL: the built-in defaults */
	char *directives; /* those of -g on the command line; NULL: none */
	uint64_t worker_processes; /* 0: no fork; `auto` is resolved already */
	bool worker_auto;	   /* it was `auto`, which -T prints again */
	uint64_t worker_connections;
	uint64_t buffer_memory; /* bytes per worker */
	uint64_t chunk_size;	/* bytes, a multiple of 4096 */
	enum conf_engine io_engine;
	uint64_t max_generations; /* of workers at once */
	struct conf_place worker_processes_at, worker_connections_at;
	struct conf_place max_generations_at;
	struct conf_place io_engine_at, pid_file_at, error_log_at, user_at;
	char *pid_file;	 /* absolute, or "off" */
	char *error_log; /* "stderr", "stdout" or an absolute path */
	enum log_level error_level;
	bool daemonize;
	char *user; /* of the workers; NULL: that of the master */
	double shutdown_timeout_s;
	double shutdown_delay_s;
	double disk_stall_timeout_s;
	struct conf_server *servers;
	size_t server_count;
	/* Also owned: the file names that conf_place points to. */
	char **files;
	size_t file_count;
};

/* Where to begin with config_next_access_log(): zeroed. */
struct conf_log_walk {
	size_t server, location;
};

/* The next access log: that of each server, then those of its locations; *ret_at is where it
 * was given.  Many are equal.  NULL: that was all. */
const struct conf_access_log *config_next_access_log(const struct config *c,
    struct conf_log_walk *walk, const struct conf_place **ret_at);

/*
 * config_load_with(path, extra, errors, ret):
 * Read and check the file at `path`, or take the built-in defaults when it is NULL.
 * All mistakes are added to `errors`, a line each: "file:line:column: directive: what is
 * wrong and what is allowed"; after CONFIG_MISTAKES_MAX lines comes "and N more".
 * Returns 0 and *ret, which the caller owns until config_free(); -EINVAL when there
 * was a mistake; or -ENOMEM, about which `errors` says nothing.
 *
 * Paths are relative to the working directory, and those of `include` to the file that
 * includes.  So a process that reloads must not change its working directory; if that
 * was removed, relative paths are mistakes.
 *
 * `extra` (NULL: none) are directives from the command line.  Each replaces a
 * directive of that name which the file has outside of its blocks.  In messages about
 * them the file is called "-g".
 */
NODISCARD int config_load_with(const char *path, const char *extra,
    struct str *errors, struct config **ret);

/*
 * config_reload(old, errors, ret):
 * The same, for the file and the command line that `old` came from, in a server that
 * runs.  There a pipe is a mistake, since reading it could block.
 */
NODISCARD int config_reload(
    const struct config *old, struct str *errors, struct config **ret);

/*
 * config_parse_text(name, text, len, errors, ret):
 * For tests: the same from memory; `text` may be any bytes.  Messages and
 * config_print() call it `name`, and `include` is relative to that.
 */
NODISCARD int config_parse_text(const char *name, const char *text, size_t len,
    struct str *errors, struct config **ret);

/*
 * config_check(c, errors):
 * Part of loading: look for mistakes that no single value shows, such as two servers
 * on one address, and add them to `errors`.  Strings of `c` may be NULL where a mistake
 * was reported already.
 */
void config_check(const struct config *c, struct str *errors);

/*
 * config_name_value(at, directive, value, out):
 * Add to `out` the beginning of a message about a value, for messages after parsing:
 * "file:line:column: directive value", or "directive value (by default)".  `value` may
 * be NULL: then it is left out.
 */
void config_name_value(const struct conf_place *at, const char *directive,
    const char *value, struct str *out);

/* Free it and clear the caller's pointer; nothing when *cp is NULL. */
void config_free(struct config **cp);

/*
 * config_keep_until_restart(old, fresh, why):
 * Copy into `fresh` the values of `old` that a reload cannot change (APPLY_RESTART
 * in the directive table).  Adds a line to `why` for each change that takes no effect,
 * and returns how many those are; or -ENOMEM.
 */
NODISCARD int config_keep_until_restart(
    const struct config *old, struct config *fresh, struct str *why);

/* Print the whole effective configuration (-T) as a file that gives this
 * configuration again, with a comment on every directive. */
void config_print(const struct config *c, FILE *out);

/*
 * config_ruled(s, i):
 * The locations of `s` that have rights, from i 0 on; NULL: there are no more.  Those for
 * uploads, or that of a block `admin`.
 */
static inline const struct conf_location *
config_ruled(const struct conf_server *s, size_t i)
{
	if (s->admin != NULL)
		return i == 0 ? s->admin : NULL;
	return i < s->location_count ? &s->locations[i] : NULL;
}

/* Where config_ruled() has the location `l` of `s`. */
static inline size_t
config_ruled_index(const struct conf_server *s, const struct conf_location *l)
{
	return l == s->admin ? 0 : (size_t)(l - s->locations);
}

/* The location that serves `path` on `s`: the longest prefix that matches at
 * a "/" boundary; NULL when none does. */
const struct conf_location *config_location(
    const struct conf_server *s, const char *path, size_t len);

#endif
