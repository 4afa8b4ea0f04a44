/*
 * http/upload_kind.h - what the body of a PUT or POST is, by its head.
 *
 * A body is stored as the file that it is.  Some bodies are no file: a form, a
 * part of a file, the request that begins a resumable upload, or encoded
 * content.  None of them may be stored with 201 as if it were the user's file;
 * each is refused by its head, before it is sent, with a sentence that says what
 * to do instead.  Nothing but the head is looked at.
 *
 * Which client sends what, and the reasons for the answers:
 *
 * - curl -F and FormData send multipart/form-data, and no client sends that for a
 *   file.  application/x-www-form-urlencoded is what curl -d, --data-binary and
 *   wget --post-file say of every file, so it is a form only when a browser
 *   says that it sends it (Origin, Sec-Fetch-Mode).  text/plain is also what
 *   fetch() says of a text file, so it is one only when it navigates
 *   (Sec-Fetch-Mode, or, over plain http, Upgrade-Insecure-Requests).
 * - tus (Tus-Resumable) first POSTs a creation without a body: 400, since its
 *   clients repeat what is answered with a 5xx, up to 50 times.
 * - Resumable uploads of the IETF drafts: Apple's clients send the whole file
 *   with Upload-Complete: ?1 (before: Upload-Incomplete: ?0), which is stored;
 *   everything else of that kind is a part, or begins one.
 * - Content-Range is sent by curl -C and -r.  With -C - it names the whole file.
 * - S3's clients begin a large upload with POST NAME?uploads, go on with PUT
 *   NAME?partNumber=1&uploadId=ID, end with POST NAME?uploadId=ID, and delete with
 *   POST ?delete.  A copy is an empty PUT with X-Amz-Copy-Source; and a body with
 *   X-Amz-Decoded-Content-Length has signatures in between, of which not all say
 *   Content-Encoding: aws-chunked.
 * - X-HTTP-Method-Override makes a POST stand for a PATCH or DELETE.
 */
#ifndef HTTP_UPLOAD_KIND_H
#define HTTP_UPLOAD_KIND_H

#include <stdbool.h>

#include "http/head.h"

enum upload_kind {
	UPLOAD_FILE, /* the body is the file; all others are refused */
	UPLOAD_EXPECTING,
	UPLOAD_TUS,
	UPLOAD_OTHER_METHOD,
	UPLOAD_RESUMABLE_PART,
	UPLOAD_LENGTH_DIFFERS,
	UPLOAD_S3,
	UPLOAD_S3_COPY,
	UPLOAD_S3_CHUNKS,
	UPLOAD_RANGE,
	UPLOAD_FORM,
	UPLOAD_PAGE_FORM,
	UPLOAD_CODED,
	UPLOAD_WITHOUT_LENGTH,
	UPLOAD_KIND_COUNT
};

/* The response to a body that is no file.  All texts are static. */
struct upload_refusal {
	int status;
	enum outcome outcome; /* for the access log */
	const char *fields;   /* of the answer, each with its CRLF */
	const char *why;      /* what it is and what to do */
};

/* What the body of a PUT or POST with this head is. */
enum upload_kind upload_kind_of(const struct head *h);

/* The same, where a request of a draft may begin an upload: what it says of that is not
 * looked at, and its body may be missing. */
enum upload_kind upload_kind_of_begun(const struct head *h);

/* True for a request of the tus protocol: one that uploads, asks for the state of an
 * upload, or ends one. */
bool upload_kind_is_tus(const struct head *h);

/* The refusal for a kind other than UPLOAD_FILE. */
const struct upload_refusal *upload_kind_refusal(enum upload_kind kind);

#endif
