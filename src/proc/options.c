#include "proc/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/version.h"
#include "proc/about.h"

/* The Makefile says where; not to programs that look at the sources. */
#ifndef OPTIONS_CONF
#define OPTIONS_CONF "/etc/penstock/penstock.conf"
#endif

static const char usage[] =
    "usage: penstock [-c FILE] [-t] [-T] [-g DIRECTIVES] [-v] [-V] [-h]\n"
    "                [-s reload|reopen|upgrade|stop|quit|status]\n"
    "                [token|key|sign ...]\n";

static const char options_text[] =
    "\n"
    "  -c FILE        read this configuration; without it\n"
    "                 " OPTIONS_CONF ", if it exists, and else\n"
    "                 the built-in defaults hold\n"
    "  -g DIRECTIVES  these win over what FILE has outside of its blocks, "
    "also\n"
    "                 after a reload: -g 'worker_processes 1; sync off;'\n"
    "  -t             check the configuration and exit\n"
    "  -T             print the whole effective configuration, with what each\n"
    "                 directive means, and exit\n"
    "  -s SIGNAL      tell the penstock that runs with this configuration "
    "(the\n"
    "                 one that holds its pid_file):\n"
    "                   reload  check the file and apply it; uploads go on.\n"
    "                           Waits for what comes of it, and prints why if\n"
    "                           it was refused\n"
    "                   reopen  open the log files again, after they were\n"
    "                           moved away.  Waits for it, too\n"
    "                   upgrade have the program that is on disk now serve "
    "beside\n"
    "                           it.  Waits until that does, and prints why if\n"
    "                           not; QUIT to the old process completes it\n"
    "                   quit    finish all uploads, then stop.  Does not wait\n"
    "                   stop    stop at once; what is not complete is "
    "dropped.\n"
    "                           Does not wait\n"
    "                   status  sends none: print what runs since when, with\n"
    "                           which configuration and workers, how many\n"
    "                           uploads there are, until when its "
    "certificates\n"
    "                           are good, and how its disks are\n"
    "  -v             print the version and exit; so does --version\n"
    "  -V             print the version, the engines, the libraries and how "
    "it\n"
    "                 was built, and exit\n"
    "  -h             print this text and exit; so does --help\n"
    "\n"
    "Commands, for who may upload:\n"
    "  token FILE NAME [--methods PUT,POST] [--prefix /file/ci]\n"
    "      [--expires 30d] [--max-size 1g]\n"
    "                 make a token, and add its hash to FILE, for\n"
    "                 auth_bearer_file; prints the token\n"
    "  key FILE NAME [--first]\n"
    "                 make a key for signed links, and add it to FILE, for\n"
    "                 signed_link_keys; its first key signs\n"
    "  sign -c FILE METHOD /PATH --expires 1h [--max-size 1g] [--once]\n"
    "      [--base https://HOST]\n"
    "                 print a URL with which anybody may send that request;\n"
    "                 PATH is without %-escapes\n"
    "\n"
    "Signals for the master (the process whose id is in pid_file):\n"
    "  HUP        reload        QUIT  quit\n"
    "  TERM, INT  stop          USR1  reopen\n"
    "  USR2       upgrade       WINCH end the workers, until HUP\n"
    "\n"
    "Exit status:\n"
    "  0  it was done; a server: it was told to stop, and has\n"
    "  1  it could not be done: the configuration is wrong, the server cannot\n"
    "     start or did not end well, a reload was refused, no server runs;\n"
    "     -s status: a server that is starting or stopping, or has a\n"
    "     certificate that has expired, or a disk that is not well\n"
    "  2  the command line is wrong\n"
    "\n"
    "Upload with: curl -T FILE http://127.0.0.1:8000/file/NAME\n";

int
options_end_output(void)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return EXIT_SUCCESS;
	perror("penstock: standard output");
	return EXIT_FAILURE;
}

int
options_wrong(const char *fmt, ...)
{
	va_list ap;

	fputs("penstock: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n%spenstock --help says more\n", usage);
	return OPTIONS_EXIT_USAGE;
}

/* A path that cannot be looked at is no reason to go on with other settings than those
 * that an administrator has put there: reading it says what is wrong. */
static bool
is_installed(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static int
print_help(void)
{
	printf("%s%s", usage, options_text);
	return options_end_output();
}

static int
print_version(bool more)
{
	puts("penstock " PENSTOCK_VERSION);
	if (more)
		about_print(stdout);
	return options_end_output();
}

/* getopt() takes a long option for "-" with a value. */
static int
read_long(const char *name)
{
	if (strcmp(name, "help") == 0)
		return print_help();
	if (strcmp(name, "version") == 0)
		return print_version(false);
	return options_wrong("there is no option --%s", name);
}

static int
read_one(int opt, struct options *o)
{
	switch (opt) {
	case 'c':
		o->file = optarg;
		return OPTIONS_GO_ON;
	case 'g':
		if (o->directives != NULL)
			return options_wrong("-g is given twice: put all "
					     "directives into one");
		o->directives = optarg;
		return OPTIONS_GO_ON;
	case 's':
		o->signal = optarg;
		return OPTIONS_GO_ON;
	case 't':
		o->check = true;
		return OPTIONS_GO_ON;
	case 'T':
		o->print = true;
		return OPTIONS_GO_ON;
	case 'M': /* the README's tables, for scripts/readme-table */
		o->log_fields = o->markdown;
		o->markdown = true;
		return OPTIONS_GO_ON;
	case 'R': /* the manual's, for make install */
		o->manual = true;
		return OPTIONS_GO_ON;
	case 'v':
		return print_version(false);
	case 'V':
		return print_version(true);
	case 'h':
		return print_help();
	case '-':
		return read_long(optarg);
	case ':':
		return options_wrong(
		    "option requires an argument -- '%c'", optopt);
	default:
		return options_wrong("there is no option -%c", optopt);
	}
}

int
options_read(int argc, char **argv, struct options *ret)
{
	int opt, status;

	*ret = (struct options){0};
	while ((opt = getopt(argc, argv, "+:c:g:s:tTvVhMR-:")) != -1) {
		status = read_one(opt, ret);
		if (status != OPTIONS_GO_ON)
			return status;
	}
	if (ret->signal != NULL && (ret->check || ret->print))
		return options_wrong("-s sends a signal, -t and -T only look: "
				     "one at a time");
	if (ret->file == NULL && is_installed(OPTIONS_CONF))
		ret->file = OPTIONS_CONF;
	if (optind < argc)
		ret->command = argv + optind;
	return OPTIONS_GO_ON;
}
