#include "proc/dry_run.h"

#include <stdio.h>

#include "auth/secrets.h"
#include "base/log.h"
#include "proc/certificates.h"
#include "proc/logs.h"
#include "proc/needs.h"
#include "proc/pidfile.h"
#include "proc/preflight.h"
#include "proc/privileges.h"
#include "proc/secret_files.h"
#include "proc/sockets.h"

/* Lines of a log, as those of a command. */
static bool
dry_run_print(void *arg, enum log_level level, const char *message)
{
	(void)arg;
	if (level <= LEVEL_WARN)
		fprintf(stderr, "%s%s\n",
		    level == LEVEL_WARN ? "warning: " : "", message);
	return true;
}

static bool
dry_run_never(void *arg)
{
	(void)arg;
	return false;
}

static bool
counts_are_met(const struct config *conf)
{
	struct shared shared;
	bool met = needs_are_met(conf);

	return needs_share(conf, &shared) && met;
}

static bool
certificates_are_good(const struct config *conf)
{
	struct certificates c;

	if (certificates_load(conf, NULL, &c) < 0)
		return false;
	certificates_free(&c);
	return true;
}

static bool
secrets_are_good(const struct config *conf)
{
	struct secrets *secrets = NULL;
	bool good = secret_files_read(conf, "", &secrets);

	secrets_free(&secrets);
	return good;
}

bool
dry_run(const struct config *conf)
{
	bool has_user, good;

	log_listen(dry_run_print, NULL);
	has_user = privileges_check(conf) == 0;
	good = has_user;
	good &= counts_are_met(conf);
	good &= certificates_are_good(conf);
	good &= secrets_are_good(conf);
	good &= logs_look(conf);
	good &= pidfile_look(conf);
	good &= sockets_look(conf);
	if (has_user)
		good &= preflight_run(conf, PREFLIGHT_LOOK, NULL, dry_run_never,
			    NULL) == 0;
	log_listen(NULL, NULL);
	return good;
}
