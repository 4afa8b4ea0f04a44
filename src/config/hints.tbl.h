/*
 * config/hints.tbl.h - the rows of config/hints.c, which alone includes this:
 * what is said of words that are another server's.
 */
/* ---- texts that several rows have ---- */

static const char by_systemd[] =
    "there is none: use CPUAffinity= and Nice= of the systemd unit";
static const char columns_fixed[] =
    "there are three forms, which access_log names: text, json and combined";
static const char directories_only[] =
    "uploads are stored in directories of this machine";
static const char fields_fixed[] =
    "the fields of answers are fixed: let a proxy in front add others";
static const char grammar[] =
    "a configuration here is server { location /PREFIX { } }";
static const char http_only[] = "HTTP is all that is spoken here: leave it out";
static const char in_location[] =
    "written inside of a location: PREFIX/NAME is output_dir/NAME";
static const char in_server[] = "inside of server { }";
static const char in_server_block[] = "location /PREFIX { }";
static const char level_second[] = "the level is its second value";
static const char limit_raised[] =
    "the limit is raised by itself as far as the system lets it: raise "
    "that with LimitNOFILE= of the systemd unit, or ulimit -Hn";
static const char methods_fixed[] =
    "PUT and POST store, GET and HEAD read, nothing else is taken: "
    "leave it out";
static const char newest[] =
    "GET of a location answers with its newest upload: leave it out";
static const char no_block[] =
    "there is no such block here: write what is in it at top level";
static const char no_delete[] =
    "nothing is deleted or locked by clients: leave it out";
static const char no_hooks[] =
    "nothing is called for an upload: watch output_dir, a file appears "
    "there when it is whole";
static const char no_listing[] =
    "directories are not listed: let a web server in front list "
    "output_dir";
static const char no_modules[] = "there are no modules: leave it out";
static const char no_roots[] = "there is none: write absolute paths";
static const char no_rules[] =
    "there are no rules: what a path means is said by its location "
    "alone";
static const char no_status[] = "a block admin has such pages";
static const char no_temp[] =
    "there is none: an upload is written into its output_dir as it "
    "comes, and gets its name when it is whole";
static const char none[] = "there is none";
static const char passwords[] =
    "passwords are asked for with auth_basic NAME, and are in the file of "
    "auth_basic_user_file";
static const char links[] =
    "penstock sign makes the links; what is signed is said in the README";
static const char not_auth[] =
    "who may upload is said by auth_basic, auth_bearer_file, allow and deny";
static const char not_compressed[] = "nothing is compressed: leave it out";
static const char not_needed[] = "there is nothing to set: leave it out";
static const char not_proxy[] =
    "penstock passes nothing on, it stores uploads itself: this belongs "
    "into the proxy in front of it";
static const char no_http2[] =
    "HTTP/1.1 is all that is spoken here, and all clients speak it: leave it "
    "out";
static const char in_tls[] =
    "its address has ssl behind it: listen ADDRESS:443 ssl";
static const char tls_made[] =
    "there is nothing to set, tickets and their keys are made by themselves: "
    "leave it out";
static const char outermost[] =
    "the client is always the last address that is no trusted proxy: leave "
    "it out";
static const char strict[] = "HTTP is always read strictly: leave it out";
static const char texts_fixed[] =
    "the texts of errors are fixed (RFC 9457): let a proxy in front "
    "replace them";
static const char type_fixed[] =
    "a download is always application/octet-stream: leave it out";

/* ---- names of directives and blocks; sorted ---- */

const struct hint hints[] = {
	{ "<*",
	  .more =
	  "a block is written NAME { ... }, such as server { location /file { "
	  "} }" },
	{ "absolute_redirect", .more = not_needed },
	{ "accept_mutex*", .more = not_needed },
	{ "access-log", .here = {"access_log"} },
	{ "acl", .more = grammar },
	{ "add_header", .more = fields_fixed, .see = {"allow_origin"} },
	{ "add_trailer", .more = fields_fixed },
	{ "addr", .here = {"listen"}, .more = in_server },
	{ "address", .here = {"listen"}, .more = in_server },
	{ "addtype", .more = type_fixed },
	{ "aio", .here = {"io_engine"} },
	{ "aio_write", .here = {"io_engine"} },
	{ "alias", .here = {"output_dir"}, .more = in_location },
	{ "auth*", .more = not_auth },
	{ "autoindex*", .more = no_listing },
	{ "azure-*", .more = directories_only, .see = {"output_dir"} },
	{ "backend", .more = grammar },
	{ "balance", .more = not_proxy },
	{ "base-path", .here = {"location"}, .more = in_server_block },
	{ "base_path", .here = {"location"}, .more = in_server_block },
	{ "basepath", .here = {"location"}, .more = in_server_block },
	{ "basic_auth", .more = passwords },
	{ "basicauth", .more = passwords },
	{ "behind-proxy", .more = not_needed },
	{ "bind", .here = {"listen"}, .more = in_server },
	{ "break", .more = no_rules },
	{ "brotli*", .more = not_compressed },
	{ "cert", .here = {"ssl_certificate"}, .more = in_tls },
	{ "certfile", .here = {"ssl_certificate"}, .more = in_tls },
	{ "certificate", .here = {"ssl_certificate"}, .more = in_tls },
	{ "charset", .more = fields_fixed },
	{ "chroot", .more = no_roots },
	{ "chunked_transfer_encoding", .more = strict },
	{ "client_body_buffer_size", .here = {"chunk_size", "queue_depth"},
	  .more =
	  "no upload is ever held whole in memory", .see = {"buffer_memory"} },
	{ "client_body_in_file_only", .more = no_temp },
	{ "client_body_in_single_buffer", .more = no_temp },
	{ "client_body_temp_path", .more = no_temp },
	{ "client_body_timeout", .here = {"body_timeout"} },
	{ "client_header_buffer_size", .here = {"max_header_size", "max_request_line"} },
	{ "client_header_timeout", .here = {"header_timeout"} },
	{ "client_max_body_size", .here = {"max_body_size"} },
	{ "cors*", .here = {"allow_origin"} },
	{ "create_full_put_path",
	  .more =
	  "missing directories are always made: leave it out" },
	{ "customlog", .here = {"access_log"} },
	{ "daemon", .here = {"daemonize"},
	  .more =
	  "off is the default" },
	{ "data_dir", .here = {"output_dir"} },
	{ "dav", .more = methods_fixed, .see = {"read"} },
	{ "dav_access",
	  .more =
	  "there is none: what the umask and the directory give decides who "
	  "may read a file" },
	{ "dav_ext_lock*", .more = no_delete },
	{ "dav_ext_methods", .more = methods_fixed, .see = {"read"} },
	{ "dav_methods", .more = methods_fixed, .see = {"read"} },
	{ "davlockdb", .more = no_delete },
	{ "debug_connection", .more = none, .see = {"error_log", "trace"} },
	{ "debug_points", .more = none, .see = {"error_log", "trace"} },
	{ "default_backend", .more = grammar },
	{ "default_type", .more = type_fixed },
	{ "defaults", .more = grammar },
	{ "dir", .here = {"output_dir"} },
	{ "directio", .here = {"direct_io", "direct_io_min"} },
	{ "directio_alignment", .more = not_needed },
	{ "directory", .here = {"output_dir"} },
	{ "directoryindex", .more = newest, .see = {"read"} },
	{ "documentroot", .here = {"output_dir"}, .more = in_location },
	{ "env",
	  .more =
	  "there is none: use Environment= of the systemd unit" },
	{ "epoll_events", .more = not_needed },
	{ "error_page", .more = texts_fixed },
	{ "errordocument", .more = texts_fixed },
	{ "etag", .more = fields_fixed },
	{ "events", .more = no_block, .wraps = true },
	{ "expires", .more = fields_fixed },
	{ "fancyindex*", .more = no_listing },
	{ "fastcgi_*", .more = not_proxy },
	{ "file_uploads", .here = {"form"} },
	{ "forcetype", .more = type_fixed },
	{ "frontend", .more = grammar },
	{ "gcs-*", .more = directories_only, .see = {"output_dir"} },
	{ "geo", .more = no_rules },
	{ "global", .more = grammar },
	{ "gracefulshutdowntimeout", .here = {"shutdown_timeout"} },
	{ "group", .here = {"user"},
	  .more =
	  "the group is that of the user" },
	{ "grpc_*", .more = not_proxy },
	{ "gunzip", .more = not_compressed },
	{ "gzip*", .more = not_compressed },
	{ "header", .more = fields_fixed },
	{ "hooks*", .more = no_hooks },
	{ "host", .here = {"listen"}, .more = in_server },
	{ "htpasswd", .more = passwords },
	{ "http", .more = no_block, .wraps = true },
	{ "http2*", .more = no_http2 },
	{ "http3*", .more = no_http2 },
	{ "https*", .here = {"listen"}, .more = in_tls, .see = {"ssl_certificate", "ssl_certificate_key"} },
	{ "if", .more = no_rules },
	{ "if_modified_since", .more = fields_fixed },
	{ "ignore_invalid_headers", .more = strict },
	{ "index", .more = newest, .see = {"read"} },
	{ "internal", .more = no_rules },
	{ "keepalive", .here = {"keepalive_timeout"},
	  .more =
	  "0 closes a connection after each answer" },
	{ "keepalive_disable", .more = none, .see = {"keepalive_timeout", "keepalive_requests"} },
	{ "keepalive_time", .more = none, .see = {"keepalive_timeout", "keepalive_requests"} },
	{ "keepalivetimeout", .here = {"keepalive_timeout"} },
	{ "key", .here = {"ssl_certificate_key"}, .more = in_tls },
	{ "keyfile", .here = {"ssl_certificate_key"}, .more = in_tls },
	{ "large_client_header_buffers", .here = {"max_header_size", "max_request_line"} },
	{ "limit_conn*", .here = {"max_connections_per_ip"},
	  .more =
	  "it needs no zone" },
	{ "limit_rate_after",
	  .more =
	  "limit_rate holds from the first byte: leave it out" },
	{ "limit_req*",
	  .more =
	  "requests are not counted by time: let a proxy in front do that", .see = {"max_connections_per_ip", "max_uploads"} },
	{ "limitrequestbody", .here = {"max_body_size"} },
	{ "limitrequestfields", .here = {"max_header_fields"} },
	{ "limitrequestfieldsize", .here = {"max_header_size"} },
	{ "limitrequestline", .here = {"max_request_line"} },
	{ "lingering_close", .more = none, .see = {"lingering_time", "lingering_timeout"} },
	{ "load_module", .more = no_modules },
	{ "loadmodule", .more = no_modules },
	{ "lock_file", .more = not_needed },
	{ "log", .here = {"access_log", "error_log"} },
	{ "log_file", .here = {"access_log", "error_log"} },
	{ "log_format", .more = columns_fixed },
	{ "log_level", .here = {"error_log"}, .more = level_second },
	{ "log_not_found", .more = not_needed, .see = {"error_log"} },
	{ "log_subrequest", .more = not_needed, .see = {"error_log"} },
	{ "logfile", .here = {"access_log", "error_log"} },
	{ "logformat", .more = columns_fixed },
	{ "loglevel", .here = {"error_log"}, .more = level_second },
	{ "mail", .more = http_only },
	{ "map", .more = no_rules },
	{ "map_hash_*", .more = not_needed },
	{ "master_process", .here = {"worker_processes"},
	  .more =
	  "0 is one process that never forks" },
	{ "max-size", .here = {"max_body_size"} },
	{ "max_connections", .here = {"worker_connections"}, .see = {"max_connections_per_ip"} },
	{ "max_file_size", .here = {"max_body_size"} },
	{ "max_file_uploads", .here = {"form_max_parts"} },
	{ "max_filesize", .here = {"max_body_size"} },
	{ "max_ranges", .more = strict },
	{ "max_size", .here = {"max_body_size"} },
	{ "max_upload_size", .here = {"max_body_size"} },
	{ "maxclients", .here = {"worker_connections"}, .see = {"max_connections_per_ip"} },
	{ "maxconn", .here = {"worker_connections"}, .see = {"max_connections_per_ip"} },
	{ "maxkeepaliverequests", .here = {"keepalive_requests"} },
	{ "maxopenfiles", .more = limit_raised },
	{ "maxrequestworkers", .here = {"worker_connections"}, .see = {"max_connections_per_ip"} },
	{ "maxsize", .here = {"max_body_size"} },
	{ "memcached_*", .more = not_proxy },
	{ "merge_slashes", .more = strict },
	{ "min_delete_depth", .more = no_delete },
	{ "mirror*", .more = not_proxy },
	{ "mode", .more = grammar },
	{ "more_set_headers", .more = fields_fixed },
	{ "multi_accept", .more = not_needed },
	{ "mutex", .more = not_needed },
	{ "nbproc", .here = {"worker_processes"} },
	{ "nbthread", .here = {"worker_processes"} },
	{ "open_file_cache*", .more = not_needed },
	{ "open_log_file_cache", .more = not_needed, .see = {"error_log"} },
	{ "option", .more = grammar },
	{ "options", .more = no_listing },
	{ "output_buffers", .more = not_needed },
	{ "password", .more = passwords },
	{ "path", .here = {"output_dir"} },
	{ "pcre_jit", .more = not_needed },
	{ "pid", .here = {"pid_file"} },
	{ "port", .here = {"listen"}, .more = in_server },
	{ "port_in_redirect", .more = not_needed },
	{ "post_max_size", .here = {"max_body_size"} },
	{ "postpone_output", .more = not_needed },
	{ "processes", .here = {"worker_processes"} },
	{ "proxy_*", .more = not_proxy },
	{ "proxypass*", .more = not_proxy },
	{ "quic*", .more = no_http2 },
	{ "real_ip_recursive", .more = outermost, .see = {"real_ip_header"} },
	{ "redirect*", .more = no_rules },
	{ "remoteipheader", .here = {"real_ip_header"} },
	{ "remoteipinternalproxy*", .here = {"trusted_proxies"} },
	{ "remoteiptrustedproxy*", .here = {"trusted_proxies"} },
	{ "requestreadtimeout", .here = {"header_timeout", "body_timeout", "min_rate"} },
	{ "require", .more = not_auth },
	{ "reset_timedout_connection",
	  .more = none, .see = {"lingering_time", "lingering_timeout"} },
	{ "resolver*",
	  .more =
	  "no name is ever looked up: leave it out" },
	{ "return", .more = no_rules },
	{ "reverse_proxy", .more = not_proxy },
	{ "rewrite*", .more = no_rules },
	{ "rewrite_log", .more = not_needed, .see = {"error_log"} },
	{ "rewritecond", .more = no_rules },
	{ "rewriteengine", .more = no_rules },
	{ "rewriterule", .more = no_rules },
	{ "root", .here = {"output_dir"}, .more = in_location },
	{ "s3-*", .more = directories_only, .see = {"output_dir"} },
	{ "s3_*", .more = directories_only, .see = {"output_dir"} },
	{ "scgi_*", .more = not_proxy },
	{ "scriptalias", .here = {"output_dir"}, .more = in_location },
	{ "secure_link*", .here = {"signed_link_keys"}, .more = links },
	{ "send_lowat", .more = not_needed },
	{ "sendfile*", .more = not_needed },
	{ "server_name_in_redirect", .more = not_needed },
	{ "server_names_hash_*", .more = not_needed },
	{ "server_signature", .more = fields_fixed },
	{ "serveradmin", .more = not_needed },
	{ "serveralias", .here = {"server_name"} },
	{ "serverlimit", .here = {"worker_processes"} },
	{ "servername", .here = {"server_name"} },
	{ "serverroot", .more = no_roots },
	{ "serversignature", .more = fields_fixed },
	{ "set", .more = no_rules },
	{ "set_real_ip_from", .here = {"trusted_proxies"},
	  .more =
	  "all of them in one line" },
	{ "split_clients", .more = no_rules },
	{ "ssl", .here = {"listen"}, .more = in_tls },
	{ "ssl*", .more = not_needed, .see = {"ssl_protocols", "ssl_ciphers"} },
	{ "ssl_handshake_timeout", .here = {"handshake_timeout"} },
	{ "ssl_session_cache", .more = tls_made, .see = {"ssl_session_tickets"} },
	{ "ssl_session_ticket_key", .more = tls_made, .see = {"ssl_session_tickets"} },
	{ "ssl_session_timeout", .more = tls_made, .see = {"ssl_session_tickets"} },
	{ "ssl_trusted_certificate", .here = {"ssl_client_certificate"} },
	{ "sslcacertificatefile", .here = {"ssl_client_certificate"} },
	{ "sslcarevocationfile", .here = {"ssl_crl"} },
	{ "sslcertificatechainfile", .here = {"ssl_certificate"},
	  .more =
	  "the file of the certificate has the others behind it" },
	{ "sslcertificatefile", .here = {"ssl_certificate"} },
	{ "sslcertificatekeyfile", .here = {"ssl_certificate_key"} },
	{ "sslciphersuite", .here = {"ssl_ciphers"} },
	{ "sslengine", .here = {"listen"}, .more = in_tls },
	{ "sslprotocol", .here = {"ssl_protocols"} },
	{ "sslverifyclient", .here = {"ssl_verify_client"} },
	{ "startservers", .here = {"worker_processes"} },
	{ "stats", .more = no_status, .see = {"admin", "health"} },
	{ "status", .more = no_status, .see = {"admin", "health"} },
	{ "storage", .here = {"output_dir"} },
	{ "storage_dir", .here = {"output_dir"} },
	{ "stream", .more = http_only },
	{ "stub_status", .more = no_status, .see = {"admin", "health"} },
	{ "tcp_nodelay", .more = not_needed },
	{ "tcp_nopush", .more = not_needed },
	{ "thread_pool", .here = {"io_engine"} },
	{ "threads", .here = {"worker_processes"} },
	{ "threadsperchild", .here = {"worker_connections"} },
	{ "timeout", .here = {"header_timeout", "body_timeout", "send_timeout"} },
	{ "timer_resolution", .more = not_needed },
	{ "tls*", .here = {"listen"}, .more = in_tls, .see = {"ssl_certificate", "ssl_certificate_key"} },
	{ "transferlog", .here = {"access_log"} },
	{ "try_files",
	  .more =
	  "a download is of the file of that name in output_dir, and nothing "
	  "else is tried: leave it out" },
	{ "types", .more = type_fixed },
	{ "types_hash_*", .more = type_fixed },
	{ "underscores_in_headers", .more = strict },
	{ "upload-dir", .here = {"output_dir"} },
	{ "upload_dir", .here = {"output_dir"} },
	{ "upload_directory", .here = {"output_dir"} },
	{ "upload_limit_rate", .here = {"limit_rate"} },
	{ "upload_max_file_size", .here = {"max_body_size", "form_max_file_size"} },
	{ "upload_max_filesize", .here = {"max_body_size", "form_max_file_size"} },
	{ "upload_max_output_body_len", .here = {"form_max_field_size"} },
	{ "upload_max_size", .here = {"max_body_size"} },
	{ "upload_pass*", .more = no_hooks },
	{ "upload_path", .here = {"output_dir"} },
	{ "upload_store", .here = {"output_dir"} },
	{ "upstream", .more = not_proxy },
	{ "use", .more = not_needed },
	{ "user_auth", .more = passwords },
	{ "username", .more = passwords },
	{ "uwsgi_*", .more = not_proxy },
	{ "variables_hash_*", .more = not_needed },
	{ "worker_aio_requests", .here = {"write_depth"} },
	{ "worker_cpu_affinity", .more = by_systemd },
	{ "worker_priority", .more = by_systemd },
	{ "worker_rlimit_core",
	  .more =
	  "there is none: use LimitCORE= of the systemd unit, or ulimit -c" },
	{ "worker_rlimit_nofile", .more = limit_raised },
	{ "worker_shutdown_timeout", .here = {"shutdown_timeout"} },
	{ "workers", .here = {"worker_processes"} },
	{ "working_directory", .more = no_roots },
};

/* ---- values of directives that we do have ---- */

static const char by_prefix[] =
    "a location is of a prefix only, location /PREFIX { }, and the longest "
    "that matches is the one";
static const char no_memory_log[] =
    "there is no log in memory: write stderr or stdout, or a file";
static const char no_syslog[] =
    "syslog is not written to: write stderr or stdout, which systemd or "
    "Docker take, or a file";
static const char no_log_option[] =
    "lines are collected and written by themselves: leave it out";
static const char by_level[] = "the levels here end at error: write that";
static const char no_such_option[] = "listen has no such option: leave it out";

static const struct foreign_value foreign_values[] = {
	{ "access_log", "buffer=*", false, no_log_option },
	{ "access_log", "flush=*", false, no_log_option },
	{ "access_log", "gzip*", false, no_log_option },
	{ "access_log", "if=*", false,
	  "all requests of a location are logged, or none: write access_log off "
	  "into a location" },
	{ "access_log", "main", false,
	  "there is no log_format: write text, json or combined" },
	{ "access_log", "memory:*", true, no_memory_log },
	{ "error_log", "alert", false, by_level },
	{ "error_log", "crit", false, by_level },
	{ "error_log", "emerg", false, by_level },
	{ "error_log", "memory:*", true, no_memory_log },
	{ "error_log", "syslog:*", true, no_syslog },
	{ "keepalive_timeout", "*", false,
	  "it takes one time: a Keep-Alive field is not sent, so leave out the "
	  "second" },
	{ "listen", "accept_filter=*", false, no_such_option },
	{ "listen", "bind", false, no_such_option },
	{ "listen", "default_server", false,
	  "the first server block of an address is its default: leave it out" },
	{ "listen", "deferred", false, no_such_option },
	{ "listen", "fastopen=*", false, no_such_option },
	{ "listen", "http2", false, no_http2 },
	{ "listen", "quic", false, no_http2 },
	{ "listen", "rcvbuf=*", false, no_such_option },
	{ "listen", "reuseport", false,
	  "all workers share one socket: leave it out" },
	{ "listen", "setfib=*", false, no_such_option },
	{ "listen", "sndbuf=*", false, no_such_option },
	{ "listen", "so_keepalive=*", false, no_such_option },
	{ "listen", "http://*", true,
	  "write an address without http://, such as 127.0.0.1:8000" },
	{ "listen", "https://*", true,
	  "write an address without https://, and ssl behind it, such as "
	  "0.0.0.0:443 ssl" },
	{ "location", "=*", true, by_prefix },
	{ "location", "@*", true, by_prefix },
	{ "location", "^*", true, by_prefix },
	{ "location", "~*", true, by_prefix },
	{ "user", "*", false,
	  "the group is that of the user: leave out the second name" },
};
