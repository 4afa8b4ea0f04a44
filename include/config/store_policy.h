/*
 * config/store_policy.h - what a store is told by the configuration.
 *
 * Part of each location; it goes down to the store as one pointer, and outlives
 * it: a configuration never changes once it is loaded.
 */
#ifndef CONFIG_STORE_POLICY_H
#define CONFIG_STORE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/choices.h"

struct store_policy {
	char *output_dir; /* absolute: resolved when the file was read */
	bool overwrite;	  /* an upload may replace a file of its name */
	bool sync;	  /* 201 means: on stable storage */
	bool dotfiles;	  /* names may begin with a dot */
	enum conf_keep keep;
	enum conf_direct direct_io;
	uint64_t direct_io_min; /* bytes; smaller files are not written so */
	uint64_t write_behind;	/* bytes of a file in the page cache that are
				   not on their way to the disk, 0: any */
	uint64_t min_free;	/* bytes that stay free on the disk */
};

#endif
