/*
 * config/choices.h - the enums of directives whose value is one of several words, for
 * the folders that act on them.  Each is the index of the word in the directive table.
 */
#ifndef CONFIG_CHOICES_H
#define CONFIG_CHOICES_H

/* `io_engine`: what writes files. */
enum conf_engine {
	ENGINE_AUTO, /* io_uring if the kernel allows it, else threads */
	ENGINE_IO_URING,
	ENGINE_THREADS,
};

/* The form of lines in an access log. */
enum conf_log_format {
	LOG_FORMAT_TEXT,     /* of this server, for people */
	LOG_FORMAT_JSON,     /* an object in each line */
	LOG_FORMAT_COMBINED, /* nginx's and Apache's */
	LOG_FORMAT_COUNT
};

/* `direct_io`: when to write past the page cache (O_DIRECT). */
enum conf_direct {
	DIRECT_AUTO, /* where it pays */
	DIRECT_ON,   /* wherever the file system lets us */
	DIRECT_OFF,
};

/* `satisfy`: whether address and person must be good, or one of them. */
enum conf_satisfy {
	SATISFY_ALL,
	SATISFY_ANY,
};

/* `real_ip_header`: the field in which a trusted proxy tells the client's address. */
enum conf_real_ip {
	REAL_IP_OFF,
	REAL_IP_X_FORWARDED_FOR,
	REAL_IP_FORWARDED,
	REAL_IP_X_REAL_IP,
};

/* `keep`: which uploads stay. */
enum conf_keep {
	KEEP_ALL,
	KEEP_LATEST, /* each new one removes the one before */
};

/* `ssl_verify_client`: whether clients are asked for a certificate. */
enum conf_verify {
	VERIFY_OFF,
	VERIFY_ON, /* and must have one */
	VERIFY_OPTIONAL,
};

/* `ssl_protocols`: bits. */
enum {
	PROTOCOL_TLS_1_2 = 1,
	PROTOCOL_TLS_1_3 = 2,
};

/* `resume_interim`: is a client told early that its upload can be resumed? */
enum conf_interim {
	INTERIM_AUTO, /* unless a proxy is in between */
	INTERIM_ON,
	INTERIM_OFF,
};

/* `resume_versions`: bits. */
enum {
	RESUME_TUS = 1,
	RESUME_DRAFT_3 = 2, /* interop versions of the IETF's drafts */
	RESUME_DRAFT_5 = 4,
	RESUME_DRAFT_6 = 8,
	RESUME_DRAFT_8 = 16,
	RESUME_DRAFT_9 = 32,
	RESUME_DRAFT_10 = 64,
};

#endif
