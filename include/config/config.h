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
#include "config/store_policy.h"

enum {
	CONFIG_MISTAKES_MAX = 20, /* that are told; of more, only the number */
};

/* Where a directive stands, for messages that come after parsing.  X_at, beside
 * a value x, is that of the line that gave it; line 0: it holds by default. */
struct conf_place {
	const char *file; /* owned by the config */
	unsigned line, column;
};

/* The values of a directive that takes many. */
struct conf_list {
	char **values;
	size_t count;
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
	uint64_t max_uploads; /* at once, over all workers, 0: any */
	uint64_t write_depth; /* chunks being written */
	unsigned checksum;    /* a set of digests: base/digest.h */
	/* Pages of these origins may ask for anything: as origin_format() has
	 * them, or one "*": all. */
	struct conf_list allow_origin;
	bool read; /* GET and HEAD are answered */
	bool trace;
};

/* A user or a group; whether there is such a one is asked later (proc/owners.h),
 * so that -s stop works when it is gone. */
struct conf_account {
	char *name; /* or a number; NULL: not given */
	struct conf_place place;
};

struct conf_listen {
	struct addr addr;
	struct conf_place place;
	uint64_t backlog;
	bool ipv6only; /* of an IPv6 address */
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
	struct conf_list server_name; /* as host_read_pattern() has them */
	char *access_log; /* "off", "stdout", "stderr" or an absolute path */
	struct conf_place access_log_at;
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
};

struct config {
	char *file; /* the path it came from, NULL: the built-in defaults */
	char *directives; /* and those of the command line; NULL: none */
	uint64_t worker_processes; /* 0: no fork; `auto` is resolved already */
	bool worker_auto;	   /* it was `auto`, and -T says so again */
	uint64_t worker_connections;
	uint64_t buffer_memory; /* bytes per worker */
	uint64_t chunk_size;	/* bytes, a multiple of 4096 */
	enum conf_engine io_engine;
	struct conf_place worker_processes_at, worker_connections_at;
	struct conf_place io_engine_at, pid_file_at, error_log_at, user_at;
	char *pid_file;	 /* absolute, or "off" */
	char *error_log; /* "stderr", "stdout" or an absolute path */
	enum log_level error_level;
	bool daemonize;
	char *user; /* of the workers; NULL: that of the master */
	double shutdown_timeout_s;
	double disk_stall_timeout_s;
	struct conf_server *servers;
	size_t server_count;
	/* what else the loader owns: file names that places point to */
	char **files;
	size_t file_count;
};

/*
 * config_load_with(path, extra, errors, ret):
 * Read and check the file at `path`, or the built-in defaults when NULL.  Not
 * one mistake but all of them are added to `errors`, a line each, as
 * "file:line:column: directive: what is wrong and what is allowed"; behind the
 * first CONFIG_MISTAKES_MAX only "and N more".
 * 0 and *ret, which the caller owns until config_free(); or -EINVAL; or
 * -ENOMEM, with nothing to be said for it in `errors`.
 *
 * Relative paths are relative to the working directory (those of `include` to
 * the file), so a process that reloads must not change it.  Where that is gone,
 * a relative path is a mistake, an absolute one is not.
 *
 * `extra` are directives from the command line (NULL: none): they take the place
 * of those that the file has outside of its blocks.  Their mistakes are those of
 * a file of the name "-g".
 */
NODISCARD int config_load_with(const char *path, const char *extra,
    struct str *errors, struct config **ret);

/*
 * config_reload(old, errors, ret):
 * The same for the file and the directives that `old` came from, in a server that
 * runs: a pipe is a mistake then, since it would have to be waited for.
 */
NODISCARD int config_reload(
    const struct config *old, struct str *errors, struct config **ret);

/*
 * config_parse_text(name, text, len, errors, ret):
 * For tests: the same from memory, any bytes at all.  `name` is what the messages and
 * config_print() call it, and `include` is relative to.
 */
NODISCARD int config_parse_text(const char *name, const char *text, size_t len,
    struct str *errors, struct config **ret);

/*
 * config_check(c, errors):
 * Part of loading: look for what no value shows alone, such as two servers on
 * one address.  Strings may be NULL where a mistake was told already.
 */
void config_check(const struct config *c, struct str *errors);

/*
 * config_name_value(at, directive, value, out):
 * Add how a message about a value begins that comes after parsing,
 * "file:line:column: directive value"; or "directive value (by default)".
 * The value is left out where it is NULL.
 */
void config_name_value(const struct conf_place *at, const char *directive,
    const char *value, struct str *out);

/* Free it and clear the caller's pointer; nothing when *cp is NULL. */
void config_free(struct config **cp);

/*
 * config_keep_until_restart(old, fresh, why):
 * What the directive table says a reload cannot apply is in `fresh` as it is in
 * `old` from here on; a line for each change that is lost so goes into `why`.
 * How many there were, or -ENOMEM.
 */
NODISCARD int config_keep_until_restart(
    const struct config *old, struct config *fresh, struct str *why);

/* The whole effective configuration, a comment on every directive (-T): a
 * config file that gives this config again. */
void config_print(const struct config *c, FILE *out);

/* The location that serves `path` on `s`: the longest prefix that matches at
 * a "/" boundary; NULL when none does. */
const struct conf_location *config_location(
    const struct conf_server *s, const char *path, size_t len);

#endif
