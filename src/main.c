/*
 * penstock: takes uploads in over HTTP as fast as the disk takes them.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"
#include "config/config.h"
#include "config/directives.h"
#include "proc/about.h"
#include "proc/commands.h"
#include "proc/inherit.h"
#include "proc/master.h"
#include "proc/options.h"
#include "proc/owners.h"
#include "proc/pidfile.h"
#include "proc/status.h"
#include "proc/title.h"
#include "proc/dry_run.h"
#include "proc/verdict.h"

/* -s: whom the lock on the pid file names gets the signal, or is looked at. */
static int
send_signal(const struct config *conf, const char *name)
{
	static const struct {
		const char *name;
		int sig;
	} known[] = {
	    {"reload", SIGHUP}, {"reopen", SIGUSR1},
	    {"upgrade", SIGUSR2}, /* and are waited for */
	    {"stop", SIGTERM}, {"quit", SIGQUIT},
	    {"status", 0}, /* none: it is read */
	};
	size_t i = 0;
	pid_t pid;

	while (i < COUNT_OF(known) && strcmp(known[i].name, name) != 0)
		i++;
	if (i == COUNT_OF(known))
		return options_wrong("-s %s: it is reload, reopen, upgrade, "
				     "stop, quit or status",
		    name);
	pid = pidfile_owner(conf->pid_file);
	if (pid <= 0) {
		fprintf(stderr, "penstock: pid_file %s: %s\n", conf->pid_file,
		    pid == 0 || pid == -EINVAL ? "no penstock runs with it"
					       : strerror(-pid));
		return EXIT_FAILURE;
	}
	if (known[i].sig == 0)
		return status_ask(conf->pid_file, pid);
	if (known[i].sig == SIGHUP)
		return verdict_ask(
		    &verdict_of_reload, conf->pid_file, pid, conf->file);
	if (known[i].sig == SIGUSR1)
		return verdict_ask(
		    &verdict_of_reopen, conf->pid_file, pid, NULL);
	if (known[i].sig == SIGUSR2)
		return verdict_ask(
		    &verdict_of_upgrade, conf->pid_file, pid, NULL);
	if (kill(pid, known[i].sig) == 0)
		return EXIT_SUCCESS;
	fprintf(
	    stderr, "penstock: process %ld: %s\n", (long)pid, strerror(errno));
	return EXIT_FAILURE;
}

static struct config *
load(const struct options *o)
{
	struct str errors = {0};
	struct config *conf = NULL;

	if (config_load_with(o->file, o->directives, &errors, &conf) < 0)
		fputs(
		    errors.s ? errors.s : "penstock: out of memory\n", stderr);
	str_fini(&errors);
	return conf;
}

/* -t: the file is good; would the system let us have what it asks for? */
static int
check_only(const struct config *conf, const char *file)
{
	struct str rights = {0};

	if (!dry_run(conf))
		return EXIT_FAILURE;
	fprintf(stderr, "penstock: %s: the configuration is good\n",
	    file ? file : "built-in defaults");
	owners_describe(conf, &rights);
	if (rights.len > 0)
		fputs(rights.s, stderr);
	str_fini(&rights);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct config *conf;
	char **args;
	int status;

	inherit_tidy();
	args = title_init(argc, argv);
	if (args == NULL)
		die("out of memory");
	status = options_read(argc, args, &o);
	if (status != OPTIONS_GO_ON)
		return status;
	if (o.log_fields) {
		about_log_fields(stdout);
		return options_end_output();
	}
	if (o.markdown) {
		directives_markdown(stdout);
		return options_end_output();
	}
	if (o.manual) {
		directives_manual(stdout);
		return options_end_output();
	}
	if (o.command != NULL && !commands_has(o.command[0]))
		return options_wrong("what is \"%s\"?", o.command[0]);
	if (o.command != NULL && !commands_needs_config(o.command[0]))
		return commands_run(o.command, NULL);
	if (o.command != NULL) {
		const char *file = commands_take_file(o.command);

		o.file = file != NULL ? file : o.file;
	}
	conf = load(&o);
	if (conf == NULL && o.signal != NULL)
		fprintf(stderr,
		    "penstock: -s %s: not sent, nothing was changed\n",
		    o.signal);
	if (conf == NULL)
		return EXIT_FAILURE;
	if (o.command != NULL) {
		status = commands_run(o.command, conf);
	} else if (o.signal != NULL) {
		status = send_signal(conf, o.signal);
	} else if (o.print) {
		config_print(conf, stdout);
		status = options_end_output();
	} else if (o.check) {
		status = check_only(conf, o.file);
	} else {
		status = master_run(&conf);
	}
	config_free(&conf);
	return status;
}
