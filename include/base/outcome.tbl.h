/*
 * base/outcome.tbl.h - every way a request can end, one row each.
 *
 * A row has the name in enum outcome, the status of the answer, whose fault it is, the
 * word in the access log, the seconds in Retry-After (0: no such field), and the detail
 * of the answer, which tells the client what to do.  In a detail %s is the location's
 * prefix, %l the limit that was exceeded, with its value, and %n the name asked for.
 * base/outcome.c uses the fault and the word, http/answer.c the rest.
 *
 * Status 0: there is no client left to answer.  In the second part it means that each
 * refusal has a status and a text of its own.
 */
/* clang-format off */
/*     name             status blame  word               retry detail */
OUTCOME(STORED,          201, NOBODY, "stored",            0, "")
OUTCOME(REPLACED,        200, NOBODY, "replaced",          0, "")
OUTCOME(SUPERSEDED,      200, NOBODY, "superseded",        0, "")
OUTCOME(PART,            200, NOBODY, "part",              0, "")
OUTCOME(REMOVED,         200, NOBODY, "removed",           0, "")
OUTCOME(SENT,            200, NOBODY, "sent",              0, "")
OUTCOME(CLIENT_GONE,     0,   CLIENT, "client-gone",       0, "")
OUTCOME(NOT_TAKEN,       0,   CLIENT, "send-timeout",      0, "")
OUTCOME(BAD_FRAMING,     400, CLIENT, "bad-framing",       0, "the body's framing is broken")
OUTCOME(DIGEST_DIFFERS,  400, CLIENT, "digest-differs",    0, "what arrived does not have the checksum that the request states (Content-Digest, Repr-Digest or Content-MD5); nothing was stored: send it again")
OUTCOME(NO_DIGEST,       501, SERVER, "no-digest",         0, "this server cannot compute the checksum that the request states: use another one, or leave it out")
OUTCOME(TOO_SLOW,        408, CLIENT, "too-slow",          0, "nothing of the body arrived within %l: send it without such pauses")
OUTCOME(BELOW_RATE,      408, CLIENT, "below-rate",        0, "the body arrived more slowly than %l (bytes per second) of location %s allows: send it over a faster connection, or have the limit lowered")
OUTCOME(TOO_LARGE,       413, CLIENT, "too-large",         0, "larger than %l of location %s: send a smaller file, or have the limit raised")
OUTCOME(FILE_LIMIT,      413, SERVER, "file-limit",        0, "larger than the file system or a limit of this server's process lets a file of location %s become")
OUTCOME(NOT_FOUND,       404, CLIENT, "not-found",         0, "there is no such file in location %s")
OUTCOME(NO_LISTING,      404, CLIENT, "no-listing",        0, "%n in location %s is a directory, and directories are not listed: ask for one of its files by name")
OUTCOME(SLASH,           404, CLIENT, "ends-in-slash",     0, "the slash at the end asks for a directory %n in location %s, and directories are not listed: ask for one of its files by name, or leave out the slash for a file %n")
OUTCOME(NONE_YET,        404, CLIENT, "none-yet",          0, "No file uploaded yet")
OUTCOME(EXISTS,          409, CLIENT, "exists",            0, "a file of that name exists and overwrite is off in location %s: choose another name, or POST to %s for a generated one; to replace files, also with If-Match, an operator has to set overwrite on")
OUTCOME(IS_DIRECTORY,    409, CLIENT, "is-directory",      0, "a directory of that name exists in location %s: choose another name")
OUTCOME(PARENT_IS_FILE,  409, CLIENT, "parent-is-file",    0, "a part of the path before the last is a file in location %s: choose another path")
OUTCOME(PRECONDITION,    412, CLIENT, "precondition",      0, "a condition of the request (If-Match, If-None-Match, If-Unmodified-Since) does not hold")
OUTCOME(SYMLINK,         403, CLIENT, "symlink",           0, "a symbolic link is in the way in location %s: links are never followed")
OUTCOME(MOUNT_POINT,     403, CLIENT, "mount-point",       0, "a mount point, or another file system, is in the way in location %s, which is one file system")
OUTCOME(NAME_TOO_LONG,   414, CLIENT, "name-too-long",     0, "the name %n is longer than the file system of location %s allows: shorten its parts")
OUTCOME(BAD_NAME,        400, CLIENT, "bad-name",          0, "the file system of location %s cannot take the name %n, nothing was stored: choose another one (it may not allow : ? * < > | or a quotation mark, a dot or a space at the end, names such as aux or con, or what is not UTF-8)")
OUTCOME(IN_USE,          409, CLIENT, "in-use",            0, "%n in location %s is in use by another program, or is a mount point, and cannot be replaced, nothing was stored: choose another name, or send it again later")
OUTCOME(DIRECTORY_FULL,  507, SERVER, "directory-full",    0, "a directory on the way to %n in location %s has as many directories as its file system allows, nothing was stored: choose another path")
OUTCOME(DISK_FULL,       507, SERVER, "disk-full",         0, "no space is left in location %s, nothing was stored: try again when an operator has made room")
OUTCOME(NO_ROOM,         507, SERVER, "no-room",           0, "location %s has not so much room beside min_free and what uploads in flight still need, nothing was stored: try again later, or when an operator has made room")
OUTCOME(DISK_ERROR,      500, SERVER, "disk-error",        0, "the disk of location %s failed; nothing was stored: send it again")
OUTCOME(SYNC_FAILED,     500, SERVER, "sync-failed",       0, "the disk of location %s could not make the upload durable; nothing was stored: send it again")
OUTCOME(OUTCOME_UNKNOWN, 500, SERVER, "outcome-unknown",   0, "outcome unknown: the disk of location %s failed while the file was given its name; it may be there, whole, and may not survive a crash")
OUTCOME(NO_PERMISSION,   500, SERVER, "no-permission",     0, "the server may not do this in output_dir of location %s: an operator must look at its owner and mode")
OUTCOME(READ_ONLY,       500, SERVER, "read-only",         0, "output_dir of location %s is read-only: an operator must look at it")
OUTCOME(APART,           500, SERVER, "apart",             0, "no file can be moved to that directory of location %s: it has another project id (quota) than the server may give a file, or a sandbox forbids moving; nothing was stored: an operator must look at it")
OUTCOME(VANISHED,        503, SERVER, "vanished",          1, "output_dir of location %s, or a directory of the path, is not there any more, nothing was stored: try again, or have an operator look at it")
OUTCOME(DISK_UNHEALTHY,  503, SERVER, "disk-stalled",      1, "the disk of location %s does not answer, or has failed; nothing was stored: try again later")
OUTCOME(NOT_READY,       503, SERVER, "not-ready",         1, "output_dir of location %s is not open: try again later")
OUTCOME(LOOKING,         503, NOBODY, "looking",           1, "the newest upload of location %s is still being looked for: try again")
OUTCOME(TOO_MANY,        503, NOBODY, "too-many",          1, "as many uploads run in location %s as %l allows: try again later")
OUTCOME(NO_MEMORY,       503, SERVER, "no-memory",         1, "the server is short of memory or descriptors: try again later")
OUTCOME(NO_UPLOAD,       404, CLIENT, "no-upload",         0, "there is no such upload in location %s: it never was, it was removed, or it was done long ago; begin a new one")
OUTCOME(EXPIRED,         410, CLIENT, "expired",           0, "this upload has expired (%l of location %s), and what there was of it is gone: begin a new one")
OUTCOME(HELD,            423, NOBODY, "held",              1, "another request has this upload, and its disk does not let it go: try again")
OUTCOME(TAKEN_OVER,      503, NOBODY, "taken-over",        1, "a newer request for this upload has come: what arrived of this one is kept")
OUTCOME(TOO_MANY_PARTIALS, 503, NOBODY, "too-many-partials", 60, "as many uploads wait to be resumed in location %s as %l allows: finish or delete one, or try again later")
OUTCOME(CUT,             403, NOBODY, "cut",               0, "an operator of this server has cut this upload: nothing was stored, or, of one that can be resumed, what had arrived is kept; ask before it is sent again")
OUTCOME(BAD_FORM,        400, CLIENT, "bad-form",          0, "the form is malformed")
OUTCOME(FORM_LIMIT,      413, CLIENT, "form-limit",        0, "the form has more parts than %l of location %s allows: send several forms, or have the limit raised")
OUTCOME(FIELDS_TOO_LARGE, 413, CLIENT, "fields-too-large", 0, "the fields of the form that are no files are larger than %l of location %s allows: send less in them, or have the limit raised")
OUTCOME(STOPPED,         503, NOBODY, "stopped",           1, "the server is stopping; nothing was stored: try again later")

/* Each refusal has a status and a text of its own. */
OUTCOME(CONDITIONAL,     0,   NOBODY, "conditional",       0, "")
OUTCOME(REFUSED,         0,   CLIENT, "refused",           0, "")
OUTCOME(FORM,            0,   CLIENT, "form",              0, "")
OUTCOME(RESUMABLE,       0,   CLIENT, "resumable",         0, "")
OUTCOME(PARTIAL,         0,   CLIENT, "partial",           0, "")
OUTCOME(UNAUTHORIZED,    0,   CLIENT, "unauthorized",      0, "")
OUTCOME(GUESSING,        0,   CLIENT, "guessing",          0, "")
OUTCOME(DENIED,          0,   CLIENT, "denied",            0, "")
OUTCOME(CROSS_SITE,      0,   CLIENT, "cross-site",        0, "")
OUTCOME(MISDIRECTED,     0,   CLIENT, "misdirected",       0, "")
OUTCOME(TLS,             0,   CLIENT, "tls-on-plain-port", 0, "")
OUTCOME(NO_TLS,          0,   CLIENT, "plain-on-tls-port", 0, "")
OUTCOME(CERTIFICATE,     0,   CLIENT, "client-certificate", 0, "")
OUTCOME(PROXY_PROTOCOL,  0,   CLIENT, "proxy-protocol",    0, "")
OUTCOME(HTTP2,           0,   CLIENT, "http2",             0, "")
OUTCOME(UNREAD,          0,   NOBODY, "unread",            0, "")
/* clang-format on */
#undef OUTCOME
