#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

void
check_failed(const char *cond, const char *file, int line, const char *func)
{
	log_via(NULL, NULL);
	log_error("check failed: %s: %s:%d: %s", cond, file, line, func);
	abort();
}

void
die(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_via(NULL, NULL);
	log_error("check failed: %s", text);
	abort();
}
