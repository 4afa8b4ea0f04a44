/*
 * proc/program.h - where on disk the program lies that this process executes.
 */
#ifndef PROC_PROGRAM_H
#define PROC_PROGRAM_H

/*
 * program_path(name):
 * The absolute path of what was started as `name`, argv[0]: what lies there later, a new version
 * of it, is what a binary upgrade executes; so symbolic links are left as they are.  To be
 * called at the start, while the working directory is that of the start.  The caller's to free;
 * NULL: it cannot be found out.
 */
char *program_path(const char *name);

#endif
