#include "proc/about.h"
#include "http/access_lines.h"

#include <ev.h>
#include <http_parser.h>
#include <isa-l.h>
#include <openssl/crypto.h>
#include <string.h>

/* The Makefile says them. */
#ifndef ABOUT_ENGINES
#define ABOUT_ENGINES "unknown"
#endif
#ifndef ABOUT_URING
#define ABOUT_URING ""
#endif
#ifndef ABOUT_BUILD
#define ABOUT_BUILD "unknown"
#endif

enum {
	VERSION_MAX = 256,
};

static void
print_library(
    FILE *out, const char *name, const char *loaded, const char *built)
{
	fprintf(out, "  %-12s %s (built with %s)\n", name, loaded, built);
}

/* One that has no function to say its version: the name of its file does. */
static void
print_file(FILE *out, const char *name, const char *file, const char *built)
{
	char loaded[VERSION_MAX];

	if (!about_library(file, loaded, sizeof(loaded)))
		snprintf(loaded, sizeof(loaded), "not known");
	print_library(out, name, loaded, built);
}

static void
print_ev(FILE *out)
{
	char loaded[VERSION_MAX], built[VERSION_MAX];

	snprintf(loaded, sizeof(loaded), "%d.%d", ev_version_major(),
	    ev_version_minor());
	snprintf(
	    built, sizeof(built), "%d.%d", EV_VERSION_MAJOR, EV_VERSION_MINOR);
	print_library(out, "libev", loaded, built);
}

static void
print_http_parser(FILE *out)
{
	unsigned long v = http_parser_version();
	char loaded[VERSION_MAX], built[VERSION_MAX];

	snprintf(loaded, sizeof(loaded), "%lu.%lu.%lu", v >> 16 & 255,
	    v >> 8 & 255, v & 255);
	snprintf(built, sizeof(built), "%d.%d.%d", HTTP_PARSER_VERSION_MAJOR,
	    HTTP_PARSER_VERSION_MINOR, HTTP_PARSER_VERSION_PATCH);
	print_library(out, "http-parser", loaded, built);
}

void
about_print(FILE *out)
{
	char isal[VERSION_MAX];

	fprintf(out, "engines: %s\nlibraries:\n", ABOUT_ENGINES);
	print_ev(out);
	print_http_parser(out);
	print_library(out, "libcrypto", OpenSSL_version(OPENSSL_VERSION),
	    OPENSSL_VERSION_TEXT);
	snprintf(isal, sizeof(isal), "%d.%d.%d", ISAL_MAJOR_VERSION,
	    ISAL_MINOR_VERSION, ISAL_PATCH_VERSION);
	print_file(out, "isa-l", "libisal.so", isal);
	if (strlen(ABOUT_URING) > 0)
		print_file(out, "liburing", "liburing.so", ABOUT_URING);
#ifdef __VERSION__
	fprintf(out, "compiler: %s\n", __VERSION__);
#endif
	fprintf(out, "built by: %s\n", ABOUT_BUILD);
}

void
about_log_fields(FILE *out)
{
	access_markdown(out);
}
