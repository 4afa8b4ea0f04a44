/*
 * http/multipart_steps.h - a form from what is held of it, byte by byte: for multipart.c,
 * which receives.
 */
#ifndef HTTP_MULTIPART_STEPS_H
#define HTTP_MULTIPART_STEPS_H

#include "disk/chunk.h"
#include "http/multipart.h"

/* How far one step came. */
enum step {
	STEP_ON,    /* there may be more to do */
	STEP_WANTS, /* what is held is used up, or not enough: receive */
	STEP_FULL,  /* the chunk is */
	STEP_END,   /* the source that is read ends here */
	STEP_FAILED,
};

/* Bytes that are held. */
static inline size_t
multipart_held(const struct multipart *m)
{
	return m->held_len - m->held_at;
}

/* Bytes that fit into the chunk still. */
static inline size_t
multipart_room(const struct chunk *c, size_t size)
{
	return size - c->len;
}

/* STEP_FAILED, for both sources; multipart_steps_refuse(): BAD_FORM, with a static sentence. */
enum step multipart_steps_fail(struct multipart *m, struct failure why);
enum step multipart_steps_refuse(struct multipart *m, const char *why);

/* Give the memory back. */
void multipart_steps_drop(struct multipart *m);

/* Have room behind what is held; false: out of memory. */
NODISCARD bool multipart_steps_make_room(struct multipart *m);

/* Hold bytes that were received into a chunk too early, while none are; false: out of
 * memory. */
NODISCARD bool multipart_steps_keep(
    struct multipart *m, const unsigned char *bytes, size_t len);

/*
 * Where the delimiter begins in these bytes, or, at their end, may begin; `len`: nowhere.
 * *ret_matched: how many bytes of it are there.  No byte is looked at more than twice: CR
 * is the first byte of a delimiter and no other, so what was compared in vain has none.
 */
size_t multipart_steps_find(const struct multipart *m,
    const unsigned char *bytes, size_t len, size_t *ret_matched);

/* All of a delimiter has come. */
enum step multipart_steps_end_payload(struct multipart *m);

/* Steps as far as what is held leads; payload goes into the chunk, and never more than has
 * room in `size` bytes.  Outside of MULTIPART_DATA there may be no chunk; a step into that is
 * the last one then (STEP_ON). */
enum step multipart_steps_take(
    struct multipart *m, struct chunk *c, size_t size);

#endif
