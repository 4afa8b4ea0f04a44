/*
 * base/log.h - the error log: one line, one write(), per event.
 *
 *	2026-11-22T12:00:00.123Z notice 4711 1.2: upload 7: message
 *
 * A process has one error log, a descriptor that may be shared with others
 * (O_APPEND keeps the lines whole).  Lower layers return errors and do not log;
 * the layer that knows the request logs once.  Text that came from a client
 * must go through str_escape() first.  Not for signal handlers.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

enum log_level {
	LEVEL_ERROR,  /* needs attention */
	LEVEL_WARN,   /* we coped */
	LEVEL_NOTICE, /* life cycle */
	LEVEL_INFO,
	LEVEL_DEBUG,
	LEVEL_COUNT
};

/* The level's name as the config file spells it: "error", "warn", ... */
extern const char *const log_level_name[LEVEL_COUNT];

/*
 * log_to(fd, level):
 * Write lines up to `level` to `fd`, which stays the caller's and must stay
 * open until the next log_to().  Before the first call: stderr, notice.
 */
void log_to(int fd, enum log_level level);

/*
 * log_via(deliver, arg):
 * Pass lines to deliver() instead of writing them to the descriptor, which may
 * block.  Only one thread may log then.  NULL: write them again.  A failed
 * check() is always written, see base/check.h.
 */
typedef void log_fn(void *arg, const char *line, size_t len);
void log_via(log_fn *deliver, void *arg);

/*
 * log_listen(heard, arg):
 * Call heard() with each message of any level, without the line's prefix (time,
 * level, pid).  When it returns true the message is not written.  NULL: stop.
 */
typedef bool log_heard_fn(void *arg, enum log_level level, const char *message);
void log_listen(log_heard_fn *heard, void *arg);

/* The descriptor that lines go to now. */
int log_fd(void);

/*
 * log_set_who(who):
 * What stands after the pid, such as "1.2" (worker 1 of generation 2).  It is
 * copied and clipped to 15 bytes; "" leaves it out.
 */
void log_set_who(const char *who);

/* The last level that is written: log_to() sets it, log_enabled() asks it. */
extern enum log_level log_most;

/* True when a line of this level would be written: for costly arguments. */
static inline bool
log_enabled(enum log_level level)
{
	return level <= log_most;
}

/* Write one line, clipped at 2 KiB; errno is left as it was. */
void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Write each line of `text` as a line of its own, prefixed with `what`.  NULL
 * stands for a text that could not be built; then a line says that memory ran
 * out. */
void log_lines(enum log_level level, const char *what, const char *text);

#define log_error(...) log_line(LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LEVEL_WARN, __VA_ARGS__)
#define log_notice(...) log_line(LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                         \
	(log_enabled(LEVEL_DEBUG) ? log_line(LEVEL_DEBUG, __VA_ARGS__)         \
				  : (void)0)

/*
 * log_allowed(limit):
 * For lines that a client can cause: true at most once a second for each
 * `limit` (a static, zeroed struct of the caller).  The next line that passes
 * is preceded by one that says how many were suppressed.
 */
struct log_limit {
	uint64_t last_ns;
	unsigned held_back;
};
NODISCARD bool log_allowed(struct log_limit *limit);

/* The same, at most once in so many seconds. */
NODISCARD bool log_allowed_each(struct log_limit *limit, unsigned seconds);

#endif
