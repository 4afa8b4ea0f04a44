/*
 * lib/guarded.h - a server as of lib/web.h, whose location has rules; files of secrets; and
 * what its clients are told.
 */
#ifndef LIB_GUARDED_H
#define LIB_GUARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "config/config.h"
#include "lib/web.h"

extern struct test_web guarded;
extern char guarded_dir[]; /* of the files of secrets */

/* All anew, with the files `a` and `ab/c`, of 100 bytes. */
int guarded_begin(void **state);
int guarded_end(void **state);

/* Make the directory, before all tests; and remove it, with its files. */
int guarded_make_dir(void **state);
int guarded_remove_dir(void **state);

void guarded_write_file(const char *name, mode_t mode, const char *text);

/* False: that is for root. */
bool guarded_give_to_group(const char *name, gid_t group);

/* The file `tokens`, with one that these limits hold for; and a PUT of `len` bytes with it. */
extern struct str guarded_token;
void guarded_make_token(const char *limits);
void guarded_bear(const char *path, size_t len);

/* Use these rules in the location, and (the first one) in the server around it.  A @
 * before / or ; stands for the directory. */
void guarded_use(const char *rules);
void guarded_use_server(const char *server, const char *rules);

/* What this one tells in that field is believed; NULL: nobody is. */
void guarded_trust(const char *proxy, enum conf_real_ip header);

/* Make the rights anew from what locations the server has by now. */
void guarded_apply(void);

/* `text` with the directory in place of each @. */
void guarded_add_text(struct str *out, const char *text);

/* What `text` becomes in a file of secrets is refused with `errors`, or warned of. */
void guarded_assert_secrets(
    const char *rules, const char *errors, const char *warnings);

/* `rules` of a location is a mistake; `expected` is in what is said about it. */
void guarded_assert_mistake(const char *rules, const char *expected);

/* The client is at this address, as addr_parse() reads it, and has a new connection. */
void guarded_come_from(const char *address);

/* A request without a body, and the status of its answer. */
void guarded_assert_status(
    const char *method, const char *path, const char *status);

/* A PUT of `len` bytes with these fields, and its answer up to the content. */
void guarded_put(const char *path, size_t len, const char *fields);

/* The client hears it, also when a thread has to do something before. */
void guarded_await(const char *text);

void guarded_assert_heard(const char *text);
void guarded_assert_not_heard(const char *text);

#endif
