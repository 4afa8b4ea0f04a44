/*
 * http/retrying.h - tells an operator of a client that sends the same upload again and again,
 * though it never is stored: one line, of one worker (shared/retries.h).
 *
 * The same is what comes from one address (IPv6: network), for one path.  A request that has
 * brought a part of an upload is none that failed.
 */
#ifndef HTTP_RETRYING_H
#define HTTP_RETRYING_H

struct exchange_ended;
struct retries;

/* An upload has ended. */
void retrying_note(struct retries *r, const struct exchange_ended *e);

#endif
