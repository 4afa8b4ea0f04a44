/*
 * config/store_policy.h - what the configuration says to a store.
 *
 * Each location contains one.  The store is given a pointer to it, which stays valid as
 * long as the store: a configuration that is loaded never changes.
 */
#ifndef CONFIG_STORE_POLICY_H
#define CONFIG_STORE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/choices.h"

struct store_policy {
	char *output_dir; /* absolute */
	bool overwrite;	  /* an upload may replace a file of the same name */
	bool sync;     /* answer 201 only when the file is on stable storage */
	bool dotfiles; /* names may begin with a dot */
	enum conf_keep keep;
	enum conf_direct direct_io;
	uint64_t direct_io_min; /* bytes; smaller files use the page cache */
	uint64_t write_behind;	/* bytes of a file in the page cache that are
				   not on their way to the disk, 0: any */
	double small_latency_s; /* what a small upload that is synced may take
				   beside large ones, 0: any time */
	/* Permissions of files, and of directories that names need; 0: what the umask
	 * leaves of all */
	uint64_t file_mode, dir_mode;
	uint64_t min_free; /* bytes that stay free on the disk */
	/* Uploads that outlive their connection: store/partial.h */
	bool resume;
	double resume_expire_s; /* without a request for it, an upload goes */
	uint64_t max_resumable; /* that wait in this directory, 0: any */
	uint64_t max_resumable_per_client; /* the same, of one client */
};

#endif
