/*
 * penstock: takes uploads in over HTTP as fast as the disk takes them.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/version.h"
#include "config/config.h"
#include "config/directives.h"
#include "proc/inherit.h"
#include "proc/master.h"
#include "proc/needs.h"
#include "proc/owners.h"
#include "proc/pidfile.h"
#include "proc/verdict.h"

enum {
	EXIT_USAGE = 2,
};

static const char usage[] =
    "usage: penstock [-c FILE] [-t] [-T] [-s reload|stop|quit] [-v] [-h]\n"
    "\n"
    "  -c FILE    read this configuration; without it, built-in defaults\n"
    "  -t         check the configuration and exit\n"
    "  -T         print the whole effective configuration and exit\n"
    "  -s SIGNAL  tell the penstock that runs with this configuration:\n"
    "               reload  check the file and apply it; uploads go on;\n"
    "                       waits, and ends with 1 and why if it was refused\n"
    "               stop    stop at once; what is not complete is dropped\n"
    "               quit    finish all uploads, then stop\n"
    "  -v         print the version and exit\n"
    "  -h         this text\n"
    "\n"
    "upload with: curl -T FILE http://127.0.0.1:8000/file/NAME\n";

struct options {
	const char *file;
	const char *signal;
	bool check, print, markdown;
};

/* 0: go on; else the exit status + 1. */
static int
read_options(int argc, char **argv, struct options *o)
{
	int opt;

	while ((opt = getopt(argc, argv, "c:tTs:vhM")) != -1) {
		switch (opt) {
		case 'c':
			o->file = optarg;
			break;
		case 't':
			o->check = true;
			break;
		case 'T':
			o->print = true;
			break;
		case 's':
			o->signal = optarg;
			break;
		case 'v':
			puts("penstock " PENSTOCK_VERSION);
			return 1;
		case 'h':
			fputs(usage, stdout);
			return 1;
		case 'M': /* the README's table, for scripts/readme-table */
			o->markdown = true;
			break;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE + 1;
		}
	}
	if (o->signal != NULL && (o->check || o->print)) {
		fprintf(stderr, "penstock: -s sends a signal, -t and -T only "
				"look: one at a time\n");
		return EXIT_USAGE + 1;
	}
	if (optind < argc) {
		fprintf(stderr, "penstock: what is \"%s\"?\n%s", argv[optind],
		    usage);
		return EXIT_USAGE + 1;
	}
	return 0;
}

/* -s: whom the lock on the pid file names gets the signal. */
static int
send_signal(const struct config *conf, const char *name)
{
	static const struct {
		const char *name;
		int sig;
	} known[] = {
	    {"reload", SIGHUP}, /* and is waited for */
	    {"stop", SIGTERM},
	    {"quit", SIGQUIT},
	};
	size_t i = 0;
	pid_t pid;

	while (i < COUNT_OF(known) && strcmp(known[i].name, name) != 0)
		i++;
	if (i == COUNT_OF(known)) {
		fprintf(stderr, "penstock: -s %s: it is reload, stop or quit\n",
		    name);
		return EXIT_USAGE;
	}
	pid = pidfile_owner(conf->pid_file);
	if (pid <= 0) {
		fprintf(stderr, "penstock: pid_file %s: %s\n", conf->pid_file,
		    pid == 0 || pid == -EINVAL ? "no penstock runs with it"
					       : strerror(-pid));
		return EXIT_FAILURE;
	}
	if (known[i].sig == SIGHUP)
		return verdict_ask(conf->pid_file, pid, conf->file);
	if (kill(pid, known[i].sig) == 0)
		return EXIT_SUCCESS;
	fprintf(
	    stderr, "penstock: process %ld: %s\n", (long)pid, strerror(errno));
	return EXIT_FAILURE;
}

static struct config *
load(const char *file)
{
	struct str errors = {0};
	struct config *conf = NULL;

	if (config_load(file, &errors, &conf) < 0)
		fputs(
		    errors.s ? errors.s : "penstock: out of memory\n", stderr);
	str_fini(&errors);
	return conf;
}

/* -t: is the file good, and lets the system have what it asks for? */
static int
check_only(const struct config *conf, const char *file)
{
	struct str errors = {0};
	bool good = needs_are_met(conf, &errors);

	if (good) {
		fprintf(stderr, "penstock: %s: the configuration is good\n",
		    file ? file : "built-in defaults");
		owners_describe(conf, &errors);
	}
	if (!good || errors.len > 0)
		fputs(
		    errors.s ? errors.s : "penstock: out of memory\n", stderr);
	str_fini(&errors);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	struct config *conf;
	int status;

	inherit_tidy();
	status = read_options(argc, argv, &o);
	if (status != 0)
		return status - 1;
	if (o.markdown) {
		directives_markdown(stdout);
		return EXIT_SUCCESS;
	}
	conf = load(o.file);
	if (conf == NULL)
		return EXIT_FAILURE;
	if (o.signal != NULL) {
		status = send_signal(conf, o.signal);
	} else if (o.print) {
		config_print(conf, stdout);
	} else if (o.check) {
		status = check_only(conf, o.file);
	} else {
		status = master_run(&conf);
	}
	config_free(&conf);
	return status;
}
