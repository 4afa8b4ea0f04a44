/*
 * web/router.h - what a request asks for, by its method and its path.
 *
 *	/           a short text on how to upload
 *	/file       POST, PUT: store under a generated name; GET: the newest
 *	/file/      POST: as without the slash
 *	/file/NAME  POST, PUT: store there; GET, HEAD: read it
 *	/file/.penstock/ID
 *	            with `resume on`: PATCH, HEAD, GET, DELETE (web/resume.h)
 *
 * for each `location /file` of the server.  Nothing is opened to find out.
 */
#ifndef WEB_ROUTER_H
#define WEB_ROUTER_H

#include <stdbool.h>

#include "config/config.h"
#include "http/head.h"
#include "web/resume_dialect.h"

enum route_kind {
	ROUTE_REFUSED, /* with `status` and the fields behind it */
	ROUTE_INDEX,
	ROUTE_OPTIONS,
	ROUTE_STORE_NEW,   /* under a generated name */
	ROUTE_STORE_NAMED, /* under `name` */
	ROUTE_READ_NEWEST,
	ROUTE_READ_NAMED,
	ROUTE_RESUME_NEW, /* begin an upload that can be resumed, perhaps under
			     `name`, in the words of `dialect` */
	ROUTE_RESUME,	  /* `method` of the upload whose ID is `name` */
};

struct route {
	enum route_kind kind;
	const struct conf_location *location; /* NULL: the path is in none */
	struct span name; /* behind the location's slash, still encoded */
	/* The body is a form, and the location takes its files out of it; `name` may
	 * end in a slash then. */
	bool form;
	/* ROUTE_RESUME: as X-HTTP-Method-Override of a POST has it. */
	enum head_method method;
	const struct resume_dialect *dialect; /* NULL: none is spoken */
	const char *allow; /* methods for an Allow field; or NULL */
	int status;
	enum outcome outcome; /* for the access log */
	const char *why;      /* both are static */
	const char *fields;   /* of the response, each with its CRLF; or "" */
};

/* Find the route of a parsed request on server `s`. */
void router_route(
    const struct conf_server *s, const struct head *h, struct route *ret);

#endif
