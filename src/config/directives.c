#include "config/directives.h"

#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "base/num.h"
#include "config/config.h"

#define DAYS(n) (UINT64_C(n) * 86400000)
#define RANGE(lo, hi) .min = (lo), .max = (hi)

#define IN_TOP (1U << BLOCK_TOP)
#define IN_SERVER (1U << BLOCK_SERVER)
#define IN_ADMIN (1U << BLOCK_ADMIN)
#define IN_LOCATION (1U << BLOCK_LOCATION)
#define IN_EXCEPT (1U << BLOCK_EXCEPT)

/* Where the value lives, and so where the directive may stand. */
#define OF_TOP(m)                                                              \
	.owner = BLOCK_TOP, .contexts = IN_TOP,                                \
	.offset = offsetof(struct config, m)
#define OF_SERVER(m)                                                           \
	.owner = BLOCK_SERVER, .contexts = IN_TOP | IN_SERVER,                 \
	.offset = offsetof(struct conf_server, m)
#define OF_LOCATION(m)                                                         \
	.owner = BLOCK_LOCATION, .contexts = IN_TOP | IN_SERVER | IN_LOCATION, \
	.offset = offsetof(struct conf_location, m)

#define OF_RIGHTS(m)                                                           \
	.owner = BLOCK_EXCEPT,                                                 \
	.contexts = IN_TOP | IN_SERVER | IN_LOCATION | IN_EXCEPT,              \
	.offset = offsetof(struct conf_rights, m)

/* The same, and where it was given is kept beside it. */
#define OF_RIGHTS_AT(m)                                                        \
	OF_RIGHTS(m), .place = offsetof(struct conf_rights, m##_at)
#define OF_TOP_AT(m) OF_TOP(m), .place = offsetof(struct config, m##_at)
#define OF_LOCATION_AT(m)                                                      \
	OF_LOCATION(m), .place = offsetof(struct conf_location, m##_at)
/* In a block admin alone. */
#define OF_ADMIN_AT(m)                                                         \
	.owner = BLOCK_SERVER, .contexts = IN_ADMIN,                           \
	.offset = offsetof(struct conf_server, m),                             \
	.place = offsetof(struct conf_server, m##_at)
#define OF_SERVER_AT(m)                                                        \
	OF_SERVER(m), .place = offsetof(struct conf_server, m##_at)

static const char *const words_auto[] = {"auto", NULL};
static const char *const words_umask[] = {"umask", NULL};
static const char *const words_off[] = {"off", NULL};
static const char *const words_log[] = {"off", "stdout", "stderr", NULL};
static const char *const words_error_log[] = {"stderr", "stdout", NULL};
static const char *const words_engine[] = {
    [ENGINE_AUTO] = "auto",
    [ENGINE_IO_URING] = "io_uring",
    [ENGINE_THREADS] = "threads",
    NULL,
};
static const char *const words_direct[] = {
    [DIRECT_AUTO] = "auto",
    [DIRECT_ON] = "on",
    [DIRECT_OFF] = "off",
    NULL,
};
static const char *const words_checksum[] = {"off", "crc32c", "sha256", NULL};
static const int values_checksum[] = {
    0,
    1 << DIGEST_CRC32C,
    1 << DIGEST_SHA256,
};
static const char *const words_satisfy[] = {
    [SATISFY_ALL] = "all",
    [SATISFY_ANY] = "any",
    NULL,
};
static const char *const words_real_ip[] = {
    [REAL_IP_OFF] = "off",
    [REAL_IP_X_FORWARDED_FOR] = "X-Forwarded-For",
    [REAL_IP_FORWARDED] = "Forwarded",
    [REAL_IP_X_REAL_IP] = "X-Real-IP",
    NULL,
};
static const char *const words_interim[] = {
    [INTERIM_AUTO] = "auto",
    [INTERIM_ON] = "on",
    [INTERIM_OFF] = "off",
    NULL,
};
static const char *const words_versions[] = {
    "tus", "3", "5", "6", "8", "9", "10", NULL};
static const int values_versions[] = {
    RESUME_TUS,
    RESUME_DRAFT_3,
    RESUME_DRAFT_5,
    RESUME_DRAFT_6,
    RESUME_DRAFT_8,
    RESUME_DRAFT_9,
    RESUME_DRAFT_10,
};
static const char *const words_resume_url[] = {"relative", "absolute", NULL};
static const char *const words_form_name[] = {
    "filename", "generated", "field", NULL};
static const char *const words_keep[] = {
    [KEEP_ALL] = "all",
    [KEEP_LATEST] = "latest",
    NULL,
};

static const char *const words_protocols[] = {"TLSv1.2", "TLSv1.3", NULL};
static const int values_protocols[] = {
    PROTOCOL_TLS_1_2,
    PROTOCOL_TLS_1_3,
};
static const char *const words_verify[] = {
    [VERIFY_OFF] = "off",
    [VERIFY_ON] = "on",
    [VERIFY_OPTIONAL] = "optional",
    NULL,
};

/* clang-format off */
const struct directive directives[] = {
	{ "access_log", VALUE_ACCESS_LOG, APPLY_RELOAD,
	  OF_LOCATION_AT(access_log), .words = words_log, .dflt = "stdout",
	  .topic = TOPIC_LOGS,
	  .help = "where a line for each request goes, and in which form (text "
		  "when left out)" },
	{ "admin", VALUE_BLOCK, APPLY_RELOAD,
	  .owner = BLOCK_ADMIN, .contexts = IN_TOP,
	  .topic = TOPIC_ADDRESS,
	  .help = "addresses of their own that say how the server is: /metrics, "
		  "/healthz, /readyz, /status, /uploads; in it stand listen, and what may "
		  "stand in server, but for location; allow, deny and auth_... "
		  "hold for all of it; its access_log is off unless given there" },
	{ "admin_write", VALUE_FLAG, APPLY_RELOAD, OF_ADMIN_AT(admin_write),
	  .dflt = "off",
	  .topic = TOPIC_ADDRESS,
	  .help = "DELETE of /uploads/ID cuts an upload; on an address that is no "
		  "UNIX socket a rule has to say who may (allow, deny, auth_...)" },
	{ "alarm_free", VALUE_SIZE, APPLY_RELOAD, OF_LOCATION_AT(alarm_free),
	  RANGE(0, 1024 * 1024 * GIB), .dflt = "0",
	  .topic = TOPIC_STORED,
	  .help = "bytes free on the disk below which the log has an error, and "
		  "/metrics says so, before uploads get 507; 0: never" },
	{ "allow", VALUE_RULES, APPLY_RELOAD, OF_RIGHTS_AT(access),
	  .topic = TOPIC_RIGHTS,
	  .help = "clients at these addresses may; the first allow or deny that "
		  "matches counts, and those of a block replace those around it" },
	{ "allow_origin", VALUE_ORIGINS, APPLY_RELOAD,
	  OF_LOCATION(allow_origin),
	  .topic = TOPIC_ADDRESS,
	  .help = "web pages of other sites that may upload and read what is "
		  "answered, *: those of all sites (CORS)" },
	{ "auth_basic", VALUE_TEXT, APPLY_RELOAD, OF_RIGHTS_AT(auth_basic),
	  .words = words_off, .dflt = "off",
	  .topic = TOPIC_RIGHTS,
	  .help = "ask for a name and a password of auth_basic_user_file, for "
		  "what is called so; over TLS only, or on this machine" },
	{ "auth_basic_user_file", VALUE_PATH, APPLY_RELOAD,
	  OF_RIGHTS_AT(auth_basic_user_file), .words = words_off,
	  .dflt = "off",
	  .topic = TOPIC_RIGHTS,
	  .help = "file of names and hashes: openssl passwd -6, or htpasswd -B" },
	{ "auth_bearer_file", VALUE_PATH, APPLY_RELOAD,
	  OF_RIGHTS_AT(auth_bearer_file), .words = words_off, .dflt = "off",
	  .topic = TOPIC_RIGHTS,
	  .help = "file of tokens, whose holders may do what their lines say "
		  "(penstock token makes them)" },
	{ "auth_client_certificate", VALUE_FLAG, APPLY_RELOAD,
	  OF_RIGHTS_AT(auth_client_certificate), .dflt = "off",
	  .topic = TOPIC_RIGHTS,
	  .help = "who has shown a certificate (ssl_verify_client) has said who "
		  "it is: its subject is the name of the user" },
	{ "body_timeout", VALUE_TIME, APPLY_RELOAD, OF_SERVER(body_timeout_s),
	  RANGE(1, DAYS(365)), .dflt = "60s",
	  .topic = TOPIC_PATIENCE,
	  .help = "longest silence of a client inside a body, "
		  "counted only while it is read" },
	{ "buffer_memory", VALUE_SIZE, APPLY_RELOAD, OF_TOP(buffer_memory),
	  RANGE(1 * MIB, 1024 * GIB), .dflt = "256m",
	  .topic = TOPIC_SPEED,
	  .help = "most memory for chunks, per worker; at least (queue_depth + 2) "
		  "x chunk_size of each location" },
	{ "checksum", VALUE_CHOICE, APPLY_RELOAD, OF_LOCATION(checksum),
	  .words = words_checksum, .values = values_checksum, .dflt = "off",
	  .topic = TOPIC_STORED,
	  .help = "computed of each upload, for the receipt and Repr-Digest" },
	{ "chunk_size", VALUE_SIZE, APPLY_RELOAD, OF_TOP(chunk_size),
	  RANGE(4 * KIB, 64 * MIB), .multiple = 4096, .dflt = "256k",
	  .topic = TOPIC_SPEED,
	  .help = "bytes in a chunk, the unit of memory that goes through the queue" },
	{ "daemonize", VALUE_FLAG, APPLY_RESTART, OF_TOP(daemonize),
	  .dflt = "off",
	  .topic = TOPIC_PROCESS,
	  .help = "detach from the terminal" },
	{ "deny", VALUE_DENY, APPLY_RELOAD, OF_RIGHTS_AT(access),
	  .topic = TOPIC_RIGHTS,
	  .help = "clients at these addresses get 403" },
	{ "dir_mode", VALUE_MODE, APPLY_RELOAD, OF_LOCATION(policy.dir_mode),
	  RANGE(0700, 0777), .words = words_umask, .dflt = "umask",
	  .topic = TOPIC_FILES,
	  .help = "permissions of directories that are made for names, exactly; "
		  "a setgid bit that they inherit stays" },
	{ "direct_io", VALUE_CHOICE, APPLY_RELOAD, OF_LOCATION(policy.direct_io),
	  .words = words_direct, .dflt = "auto",
	  .topic = TOPIC_SPEED,
	  .help = "write large uploads past the page cache, auto: on ext4 and XFS" },
	{ "direct_io_min", VALUE_SIZE, APPLY_RELOAD, OF_LOCATION(policy.direct_io_min),
	  RANGE(0, 1024 * GIB), .dflt = "1m",
	  .topic = TOPIC_SPEED,
	  .help = "smaller uploads go through the page cache; those of unknown "
		  "length until they have become so large" },
	{ "disk_stall_timeout", VALUE_TIME, APPLY_RELOAD,
	  OF_TOP(disk_stall_timeout_s), RANGE(100, DAYS(1)), .dflt = "30s",
	  .topic = TOPIC_STORED,
	  .help = "when an operation takes longer its disk is sick: uploads to it "
		  "get 503 until it answers" },
	{ "dotfiles", VALUE_FLAG, APPLY_RELOAD, OF_LOCATION(policy.dotfiles),
	  .dflt = "off",
	  .topic = TOPIC_FILES,
	  .help = "allow names that begin with a dot" },
	{ "error_log", VALUE_ERROR_LOG, APPLY_RELOAD, OF_TOP_AT(error_log),
	  .words = words_error_log, .dflt = "stderr info",
	  .topic = TOPIC_LOGS,
	  .help = "where the server's own messages go, and up to which level "
		  "(info when left out)" },
	{ "file_mode", VALUE_MODE, APPLY_RELOAD, OF_LOCATION(policy.file_mode),
	  RANGE(0600, 0777), .words = words_umask, .dflt = "umask",
	  .topic = TOPIC_FILES,
	  .help = "permissions of files that are stored, exactly" },
	{ "form", VALUE_FLAG, APPLY_RELOAD, OF_LOCATION(form),
	  .dflt = "on",
	  .topic = TOPIC_FORMS,
	  .help = "take the files out of forms (multipart/form-data), off: 415" },
	{ "form_atomic", VALUE_FLAG, APPLY_RELOAD, OF_LOCATION(form_atomic),
	  .dflt = "off",
	  .topic = TOPIC_FORMS,
	  .help = "store all files of a form or none, off: each on its own" },
	{ "form_max_field_size", VALUE_SIZE, APPLY_RELOAD,
	  OF_LOCATION(form_max_field_size), RANGE(0, 16 * MIB), .dflt = "64k",
	  .topic = TOPIC_FORMS,
	  .help = "most bytes of the fields of a form that are no files, all "
		  "together and with their names; more get 413" },
	{ "form_max_file_size", VALUE_SIZE, APPLY_RELOAD,
	  OF_LOCATION(form_max_file_size), RANGE(0, 16384 * GIB), .dflt = "0",
	  .topic = TOPIC_FORMS,
	  .help = "largest file in a form, 0: any; a larger one gets 413 "
		  "(max_body_size is for the whole form)" },
	{ "form_max_parts", VALUE_NUMBER, APPLY_RELOAD,
	  OF_LOCATION(form_max_parts), RANGE(1, 100000), .dflt = "1000",
	  .topic = TOPIC_FORMS,
	  .help = "most files and fields of a form; more get 413" },
	{ "form_name", VALUE_FORM_NAME, APPLY_RELOAD, OF_LOCATION(form_name),
	  .words = words_form_name, .dflt = "filename",
	  .topic = TOPIC_FORMS,
	  .help = "what names a file of a form: what its client calls it, with "
		  "its directories; nobody; or the field of that name before it" },
	{ "form_redirect", VALUE_REFERENCE, APPLY_RELOAD,
	  OF_LOCATION(form_redirect), .words = words_off, .dflt = "off",
	  .topic = TOPIC_FORMS,
	  .help = "where a browser goes (303) when the files of a page's form "
		  "are stored; scripts that do not ask for HTML get the receipts" },
	{ "handshake_timeout", VALUE_TIME, APPLY_RELOAD,
	  OF_SERVER(handshake_timeout_s), RANGE(1, DAYS(365)), .dflt = "15s",
	  .topic = TOPIC_TLS,
	  .help = "longest time a client may take for the handshake of TLS" },
	{ "header_timeout", VALUE_TIME, APPLY_RELOAD,
	  OF_SERVER(header_timeout_s), RANGE(1, DAYS(365)), .dflt = "15s",
	  .topic = TOPIC_PATIENCE,
	  .help = "longest time a client may take for the head of a request" },
	{ "health", VALUE_TEXT, APPLY_RELOAD, OF_SERVER_AT(health),
	  .words = words_off, .dflt = "off",
	  .topic = TOPIC_LOGS,
	  .help = "a path, such as /healthz, that answers 200 while uploads are "
		  "taken, else 503 and why; not logged" },
	{ "include", VALUE_INCLUDE, APPLY_RELOAD,
	  .contexts = IN_TOP | IN_SERVER | IN_LOCATION | IN_EXCEPT,
	  .topic = TOPIC_ADDRESS,
	  .help = "read other files in its place, relative to this file" },
	{ "io_engine", VALUE_CHOICE, APPLY_RELOAD, OF_TOP_AT(io_engine),
	  .words = words_engine, .dflt = "auto",
	  .topic = TOPIC_SPEED,
	  .help = "who writes files: io_uring, a thread pool, "
		  "or the better one that works" },
	{ "keep", VALUE_CHOICE, APPLY_RELOAD, OF_LOCATION(policy.keep),
	  .words = words_keep, .dflt = "all",
	  .topic = TOPIC_FILES,
	  .help = "latest: each new upload removes the one before" },
	{ "keepalive_requests", VALUE_NUMBER, APPLY_RELOAD,
	  OF_SERVER(keepalive_requests), RANGE(1, 1000000000), .dflt = "1000",
	  .topic = TOPIC_PATIENCE,
	  .help = "requests on one connection before it is closed" },
	{ "keepalive_timeout", VALUE_TIME, APPLY_RELOAD,
	  OF_SERVER(keepalive_timeout_s), RANGE(0, DAYS(365)), .dflt = "65s",
	  .topic = TOPIC_PATIENCE,
	  .help = "how long a connection may idle between requests, "
		  "0: closed after each" },
	{ "limit_except", VALUE_BLOCK, APPLY_RELOAD,
	  .owner = BLOCK_EXCEPT, .contexts = IN_LOCATION,
	  .topic = TOPIC_RIGHTS,
	  .help = "who may send requests with other methods than these; GET is "
		  "HEAD as well" },
	{ "limit_rate", VALUE_SIZE, APPLY_RELOAD, OF_LOCATION(limit_rate),
	  RANGE(0, 1024 * GIB), .dflt = "0",
	  .topic = TOPIC_LIMITS,
	  .help = "bytes per second an upload is read with at most, 0: any" },
	{ "lingering_time", VALUE_TIME, APPLY_RELOAD,
	  OF_SERVER(lingering_time_s), RANGE(1, DAYS(1)), .dflt = "30s",
	  .topic = TOPIC_PATIENCE,
	  .help = "how long a client that was answered early may go on sending "
		  "before its connection is closed, so that it sees the answer; a "
		  "browser, which looks at it only then, some 2 s at most (not "
		  "behind a proxy that sends X-Forwarded-For or Via)" },
	{ "lingering_timeout", VALUE_TIME, APPLY_RELOAD,
	  OF_SERVER(lingering_timeout_s), RANGE(1, DAYS(1)), .dflt = "5s",
	  .topic = TOPIC_PATIENCE,
	  .help = "longest silence of such a client" },
	{ "listen", VALUE_LISTEN, APPLY_RELOAD,
	  .owner = BLOCK_SERVER, .contexts = IN_SERVER,
	  .dflt = "127.0.0.1:8000",
	  .topic = TOPIC_ADDRESS,
	  .help = "address to take connections on, PORT alone: on all of IPv4; may be given many times; "
		  "ssl: with TLS, several server blocks may then share the address; "
		  "a UNIX socket has mode 0660 and the group of user, unless told otherwise" },
	{ "location", VALUE_BLOCK, APPLY_RELOAD,
	  .owner = BLOCK_LOCATION, .contexts = IN_SERVER,
	  .topic = TOPIC_ADDRESS,
	  .help = "what holds for request paths at and below a prefix" },
	{ "max_body_size", VALUE_SIZE, APPLY_RELOAD, OF_LOCATION(max_body_size),
	  RANGE(0, 16384 * GIB), .dflt = "0",
	  .topic = TOPIC_LIMITS,
	  .help = "largest upload taken, 0: any; a larger one gets 413" },
	{ "max_connections_per_ip", VALUE_NUMBER, APPLY_RELOAD,
	  OF_SERVER(max_connections_per_ip), RANGE(0, 1000000), .dflt = "0",
	  .topic = TOPIC_LIMITS,
	  .help = "most connections at once from an IPv4 address or an IPv6 /64 "
		  "network to this server, over all workers, 0: any; one more "
		  "gets 503, and beyond twice as many it is just closed" },
	{ "max_generations", VALUE_NUMBER, APPLY_RELOAD, OF_TOP_AT(max_generations),
	  RANGE(2, 256), .dflt = "8",
	  .topic = TOPIC_PROCESS,
	  .help = "so many generations of workers at once: those of now, and those that "
		  "still finish what they had before a reload; a reload that would be "
		  "one more is refused" },
	{ "max_header_fields", VALUE_NUMBER, APPLY_RELOAD,
	  OF_SERVER(max_header_fields), RANGE(8, 10000), .dflt = "100",
	  .topic = TOPIC_LIMITS,
	  .help = "most header fields of a request; more get 431" },
	{ "max_header_size", VALUE_SIZE, APPLY_RELOAD,
	  OF_SERVER(max_header_size), RANGE(1 * KIB, 64 * KIB), .dflt = "32k",
	  .topic = TOPIC_LIMITS,
	  .help = "largest head of a request, request line included; "
		  "a larger one gets 431" },
	{ "max_request_line", VALUE_SIZE, APPLY_RELOAD,
	  OF_SERVER(max_request_line), RANGE(256, 64 * KIB), .dflt = "8k",
	  .topic = TOPIC_LIMITS,
	  .help = "longest request line; a longer one gets 414" },
	{ "max_resumable", VALUE_NUMBER, APPLY_RELOAD,
	  OF_LOCATION(policy.max_resumable), RANGE(0, 10000000),
	  .dflt = "10000",
	  .topic = TOPIC_LIMITS,
	  .help = "most uploads that wait in an output_dir to be resumed, 0: any; "
		  "one more gets 503" },
	{ "max_resumable_per_client", VALUE_NUMBER, APPLY_RELOAD,
	  OF_LOCATION(policy.max_resumable_per_client), RANGE(0, 10000000),
	  .dflt = "1000",
	  .topic = TOPIC_LIMITS,
	  .help = "the same, of one client: who has let itself in, or an address "
		  "(of IPv6 a /64 network); with it some 16,000 clients may have "
		  "uploads that wait, and one more gets 503, too" },
	{ "max_uploads", VALUE_NUMBER, APPLY_RELOAD, OF_LOCATION(max_uploads),
	  RANGE(0, 1000000), .dflt = "0",
	  .topic = TOPIC_LIMITS,
	  .help = "most uploads at once to a location, over all workers, 0: any; "
		  "one more gets 503" },
	{ "min_free", VALUE_SIZE, APPLY_RELOAD, OF_LOCATION(policy.min_free),
	  RANGE(0, 1024 * 1024 * GIB), .dflt = "0",
	  .topic = TOPIC_STORED,
	  .help = "bytes that stay free on the disk; an upload that would leave "
		  "less gets 507" },
	{ "min_rate", VALUE_SIZE, APPLY_RELOAD, OF_LOCATION(min_rate),
	  RANGE(0, 1 * GIB), .dflt = "0",
	  .topic = TOPIC_LIMITS,
	  .help = "bytes per second a client must send of a body, 0: any; "
		  "counted only while it is read, a slower one gets 408" },
	{ "min_rate_grace", VALUE_TIME, APPLY_RELOAD,
	  OF_LOCATION(min_rate_grace_s), RANGE(1000, DAYS(1)), .dflt = "10s",
	  .topic = TOPIC_LIMITS,
	  .help = "time over which min_rate is measured, again and again" },
	{ "output_dir", VALUE_PATH, APPLY_RELOAD, OF_LOCATION(policy.output_dir),
	  .place = offsetof(struct conf_location, output_dir_at),
	  .dflt = "uploads",
	  .topic = TOPIC_FILES,
	  .help = "directory the uploads are stored in" },
	{ "overwrite", VALUE_FLAG, APPLY_RELOAD, OF_LOCATION(policy.overwrite),
	  .dflt = "off",
	  .topic = TOPIC_FILES,
	  .help = "an upload may replace a file of its name" },
	{ "pid_file", VALUE_PATH, APPLY_RESTART, OF_TOP_AT(pid_file),
	  .words = words_off, .dflt = "penstock.pid",
	  .topic = TOPIC_PROCESS,
	  .help = "file that holds the master's process id" },
	{ "queue_depth", VALUE_NUMBER, APPLY_RELOAD, OF_LOCATION(queue_depth),
	  RANGE(2, 4096), .dflt = "8",
	  .topic = TOPIC_SPEED,
	  .help = "chunks between reader and writer; when so many wait, the socket "
		  "is left unread" },
	{ "read", VALUE_FLAG, APPLY_RELOAD, OF_LOCATION(read),
	  .dflt = "on",
	  .topic = TOPIC_FILES,
	  .help = "answer GET and HEAD" },
	{ "real_ip_header", VALUE_CHOICE, APPLY_RELOAD,
	  OF_SERVER_AT(real_ip_header), .words = words_real_ip, .dflt = "off",
	  .topic = TOPIC_RIGHTS,
	  .help = "field in which trusted_proxies tell the client's address, "
		  "for rules, limits and logs" },
	{ "resume", VALUE_FLAG, APPLY_RELOAD, OF_LOCATION(policy.resume),
	  .dflt = "off",
	  .topic = TOPIC_RESUME,
	  .help = "uploads can go on after a cut: tus 1.0.0, and the drafts of the "
		  "IETF; what there is of them is in .penstock of output_dir" },
	{ "resume_expire", VALUE_TIME, APPLY_RELOAD,
	  OF_LOCATION(policy.resume_expire_s), RANGE(1000, DAYS(365)),
	  .dflt = "1d",
	  .topic = TOPIC_RESUME,
	  .help = "an upload that nobody has gone on with for so long is removed" },
	{ "resume_interim", VALUE_CHOICE, APPLY_RELOAD,
	  OF_LOCATION(resume_interim), .words = words_interim, .dflt = "auto",
	  .topic = TOPIC_RESUME,
	  .help = "tell clients of the drafts early, with 104, where their upload "
		  "can be resumed; auto: unless a proxy is in between, since some "
		  "take 104 for the answer (nginx)" },
	{ "resume_url", VALUE_TEXT, APPLY_RELOAD, OF_LOCATION_AT(resume_url),
	  .words = words_resume_url, .dflt = "relative",
	  .topic = TOPIC_RESUME,
	  .help = "what the URLs of uploads are: relative, a path alone; absolute, "
		  "with the Host of the request, or what trusted_proxies say "
		  "(X-Forwarded-Host, X-Forwarded-Proto); or what stands before "
		  "the path, such as https://files.example.org" },
	{ "resume_versions", VALUE_SET, APPLY_RELOAD,
	  OF_LOCATION(resume_versions), .words = words_versions,
	  .values = values_versions, .dflt = "tus 3 5 6 8 9 10",
	  .topic = TOPIC_RESUME,
	  .help = "what is spoken: tus, and the interop versions of the drafts" },
	{ "satisfy", VALUE_CHOICE, APPLY_RELOAD, OF_RIGHTS(satisfy),
	  .words = words_satisfy, .dflt = "all",
	  .topic = TOPIC_RIGHTS,
	  .help = "all: the address must be allowed, and the person known; any: "
		  "one of them will do" },
	{ "send_timeout", VALUE_TIME, APPLY_RELOAD, OF_SERVER(send_timeout_s),
	  RANGE(1, DAYS(365)), .dflt = "60s",
	  .topic = TOPIC_PATIENCE,
	  .help = "how long a client may take nothing of its answer; then it is "
		  "reset" },
	{ "server", VALUE_BLOCK, APPLY_RELOAD,
	  .owner = BLOCK_SERVER, .contexts = IN_TOP,
	  .topic = TOPIC_ADDRESS,
	  .help = "addresses, and the locations behind them" },
	{ "server_name", VALUE_NAMES, APPLY_RELOAD, OF_SERVER(server_name),
	  .topic = TOPIC_ADDRESS,
	  .help = "names that this server goes by: a listener on a loopback "
		  "address answers 421 to any other Host, but for localhost and "
		  "IP addresses; where several server blocks share an address with "
		  "TLS, the name that the client asks for (SNI) chooses one, and "
		  "the first is for all other clients" },
	{ "server_tokens", VALUE_FLAG, APPLY_RELOAD, OF_SERVER(server_tokens),
	  .dflt = "off",
	  .topic = TOPIC_LOGS,
	  .help = "say the version in the Server field of answers" },
	{ "shutdown_delay", VALUE_TIME, APPLY_RELOAD,
	  OF_TOP(shutdown_delay_s), RANGE(0, DAYS(1)), .dflt = "0",
	  .topic = TOPIC_PROCESS,
	  .help = "how long clients are still served after TERM or QUIT, while "
		  "/readyz and the path of health answer 503, so that a load "
		  "balancer sends no more; then the stop begins, a second signal "
		  "begins it at once" },
	{ "shutdown_timeout", VALUE_TIME, APPLY_RELOAD,
	  OF_TOP(shutdown_timeout_s), RANGE(0, DAYS(365)), .dflt = "0",
	  .topic = TOPIC_PROCESS,
	  .help = "how long a worker that is stopped gracefully, or replaced by a "
		  "reload, may finish uploads, 0: as long as they take" },
	{ "signed_link_keys", VALUE_PATH, APPLY_RELOAD,
	  OF_RIGHTS_AT(signed_link_keys), .words = words_off, .dflt = "off",
	  .topic = TOPIC_RIGHTS,
	  .help = "file of keys for links that need no name and no token "
		  "(penstock key makes them, penstock sign the links)" },
	{ "signed_link_spent", VALUE_PATH, APPLY_RELOAD,
	  OF_RIGHTS_AT(signed_link_spent), .words = words_off, .dflt = "off",
	  .topic = TOPIC_RIGHTS,
	  .help = "directory of the workers' user, for marks of links that are "
		  "good once (penstock sign --once)" },
	{ "small_latency", VALUE_TIME, APPLY_RELOAD,
	  OF_LOCATION(policy.small_latency_s), RANGE(0, DAYS(1)),
	  .dflt = "20ms",
	  .topic = TOPIC_SPEED,
	  .help = "what an upload of up to chunk_size, with sync on, is to take "
		  "at most beside large ones on the same disk, which give way "
		  "for that (the smallest value of its locations counts), 0: "
		  "they do not" },
	{ "ssl_certificate", VALUE_FILES, APPLY_RELOAD,
	  OF_SERVER(ssl_certificate),
	  .topic = TOPIC_TLS,
	  .help = "certificate of this server in PEM, with those that lead to its "
		  "root behind it; once for each kind of key (RSA, ECDSA); read "
		  "again by each reload" },
	{ "ssl_certificate_key", VALUE_FILES, APPLY_RELOAD,
	  OF_SERVER(ssl_certificate_key),
	  .topic = TOPIC_TLS,
	  .help = "key of the certificate in PEM, without a passphrase; as many as "
		  "there are certificates, in the same order; read by the master, "
		  "before it becomes user" },
	{ "ssl_ciphers", VALUE_TEXT, APPLY_RELOAD, OF_SERVER_AT(ssl_ciphers),
	  .dflt = "ECDHE+AESGCM:ECDHE+CHACHA20",
	  .topic = TOPIC_TLS,
	  .help = "ciphers of TLS 1.2, as openssl-ciphers(1) has them; those of "
		  "1.3 are all good" },
	{ "ssl_client_certificate", VALUE_PATH, APPLY_RELOAD,
	  OF_SERVER_AT(ssl_client_certificate),
	  .topic = TOPIC_TLS,
	  .help = "authorities that may have signed certificates of clients, in "
		  "PEM" },
	{ "ssl_crl", VALUE_PATH, APPLY_RELOAD, OF_SERVER_AT(ssl_crl),
	  .topic = TOPIC_TLS,
	  .help = "certificates of clients that are revoked (CRL): lists of all "
		  "authorities on the way to a client, in PEM; read again by "
		  "each reload" },
	{ "ssl_protocols", VALUE_SET, APPLY_RELOAD, OF_SERVER(ssl_protocols),
	  .words = words_protocols, .values = values_protocols,
	  .dflt = "TLSv1.2 TLSv1.3",
	  .topic = TOPIC_TLS,
	  .help = "versions that are spoken" },
	{ "ssl_session_tickets", VALUE_FLAG, APPLY_RELOAD,
	  OF_SERVER(ssl_session_tickets), .dflt = "on",
	  .topic = TOPIC_TLS,
	  .help = "let a client that comes back within an hour do a short "
		  "handshake; the keys for that are made, shared by the workers "
		  "and replaced by themselves" },
	{ "ssl_verify_client", VALUE_CHOICE, APPLY_RELOAD,
	  OF_SERVER_AT(ssl_verify_client), .words = words_verify, .dflt = "off",
	  .topic = TOPIC_TLS,
	  .help = "ask clients for a certificate; on: those without one get 400, "
		  "as do those with a bad one" },
	{ "sync", VALUE_FLAG, APPLY_RELOAD, OF_LOCATION(policy.sync),
	  .dflt = "on",
	  .topic = TOPIC_STORED,
	  .help = "answer 201 only when the upload is on stable storage" },
	{ "trace", VALUE_FLAG, APPLY_RELOAD, OF_LOCATION(trace),
	  .dflt = "off",
	  .topic = TOPIC_LOGS,
	  .help = "print each step of the reader and the writer" },
	{ "trusted_proxies", VALUE_NETWORKS, APPLY_RELOAD,
	  OF_SERVER(trusted_proxies),
	  .topic = TOPIC_RIGHTS,
	  .help = "proxies that are believed what they say of their clients: "
		  "real_ip_header, X-Forwarded-Host" },
	{ "user", VALUE_TEXT, APPLY_RESTART, OF_TOP_AT(user),
	  .topic = TOPIC_PROCESS,
	  .help = "who the workers become when started as root" },
	{ "warn_free", VALUE_SIZE, APPLY_RELOAD, OF_LOCATION_AT(warn_free),
	  RANGE(0, 1024 * 1024 * GIB), .dflt = "0",
	  .topic = TOPIC_STORED,
	  .help = "bytes free on the disk below which the log has a warning; 0: "
		  "never" },
	{ "warn_write_bound", VALUE_TIME, APPLY_RELOAD,
	  OF_LOCATION(warn_write_bound_s), RANGE(0, DAYS(1)), .dflt = "5m",
	  .topic = TOPIC_LOGS,
	  .help = "time for which uploads wait for the disk most of the time "
		  "until the log says so, once an hour; 0: never" },
	{ "worker_connections", VALUE_NUMBER, APPLY_RELOAD,
	  OF_TOP_AT(worker_connections), RANGE(1, 1000000), .dflt = "4096",
	  .topic = TOPIC_PROCESS,
	  .help = "most connections at once, per worker" },
	{ "worker_processes", VALUE_NUMBER, APPLY_RESTART_ZERO,
	  OF_TOP_AT(worker_processes), RANGE(0, 256), .words = words_auto,
	  .dflt = "auto",
	  .topic = TOPIC_PROCESS,
	  .help = "workers, auto: one per core, "
		  "0: one process that never forks, for debuggers" },
	{ "write_behind", VALUE_SIZE, APPLY_RELOAD, OF_LOCATION(policy.write_behind),
	  RANGE(0, 1024 * GIB), .dflt = "8m",
	  .topic = TOPIC_SPEED,
	  .help = "most bytes of an upload that are in the page cache and not on "
		  "their way to the disk, 0: any" },
	{ "write_depth", VALUE_NUMBER, APPLY_RELOAD, OF_LOCATION(write_depth),
	  RANGE(1, 1024), .dflt = "8",
	  .topic = TOPIC_SPEED,
	  .help = "chunks of a request that may be in writing at once" },
};
/* clang-format on */

const size_t directives_count = COUNT_OF(directives);
_Static_assert(COUNT_OF(directives) <= DIRECTIVES_MAX, "marks for every row");

const char *const directives_block_text[BLOCK_COUNT] = {
    [BLOCK_TOP] = "at top level",
    [BLOCK_SERVER] = "in server",
    [BLOCK_ADMIN] = "in admin",
    [BLOCK_LOCATION] = "in location",
    [BLOCK_EXCEPT] = "in limit_except",
};

const struct directive *
directives_find(const char *name)
{
	for (size_t i = 0; i < directives_count; i++)
		if (strcmp(directives[i].name, name) == 0)
			return &directives[i];
	return NULL;
}

size_t
directives_index(const struct directive *d)
{
	check(d >= directives && d < directives + directives_count);
	return (size_t)(d - directives);
}

bool
directives_is_allowed(const struct directive *d, enum directives_block block)
{
	bool of_server = d->owner == BLOCK_SERVER || d->owner == BLOCK_EXCEPT ||
			 d->type == VALUE_INCLUDE ||
			 d->type == VALUE_ACCESS_LOG;

	if (block == BLOCK_ADMIN) /* also what a location would inherit */
		return (d->contexts & IN_ADMIN) != 0 ||
		       (of_server && (d->contexts & IN_SERVER) != 0);
	return (d->contexts & 1U << block) != 0;
}

const struct directive *
directives_holder(const struct directive *d)
{
	return d->type == VALUE_DENY ? directives_find("allow") : d;
}

bool
directives_repeats(const struct directive *d)
{
	return d->type == VALUE_LISTEN || d->type == VALUE_FILES ||
	       d->type == VALUE_RULES || d->type == VALUE_DENY;
}

bool
directives_has_value(const struct directive *d)
{
	return d->type != VALUE_INCLUDE && d->type != VALUE_BLOCK &&
	       d->type != VALUE_DENY;
}

size_t
directives_values_max(const struct directive *d)
{
	if (d->type == VALUE_ERROR_LOG || d->type == VALUE_ACCESS_LOG ||
	    d->type == VALUE_FORM_NAME)
		return 2;
	if (d->type == VALUE_LISTEN)
		return DIRECTIVES_LISTEN_VALUES;
	if (d->type == VALUE_NAMES || d->type == VALUE_ORIGINS ||
	    d->type == VALUE_NETWORKS || d->type == VALUE_SET)
		return DIRECTIVES_LIST_VALUES;
	if (d->type != VALUE_BLOCK || d->owner == BLOCK_LOCATION)
		return 1;
	return d->owner == BLOCK_EXCEPT ? DIRECTIVES_LIST_VALUES : 0;
}

void
directives_format_number(
    const struct directive *d, uint64_t n, char ret_text[NUM_TEXT_MAX])
{
	if (d->type == VALUE_SIZE)
		num_format_size(n, ret_text);
	else if (d->type == VALUE_TIME)
		num_format_time(n, ret_text);
	else
		snprintf(ret_text, NUM_TEXT_MAX, "%" PRIu64, n);
}
