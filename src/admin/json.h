/*
 * admin/json.h - members of a JSON object: each begins with the comma before it.
 */
#ifndef ADMIN_JSON_H
#define ADMIN_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Text is escaped. */
void json_text(struct str *out, const char *name, const char *text, size_t len);
void json_number(struct str *out, const char *name, uint64_t n);
void json_ms(struct str *out, const char *name, uint64_t ns);
void json_null(struct str *out, const char *name);

#endif
