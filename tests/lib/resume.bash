# Clients of resumable uploads, a bad link, and what happens to servers meanwhile; beside
# penstock.bash, and behind browser.bash where pages upload.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # what tests use, and what penstock.bash has
#
#	load ../lib/penstock
#	load ../lib/browser
#	load ../lib/resume
#
# start_resuming [LOCATION [SERVER [TOP]]]
#                   a server of three workers with `resume on` in /file.
# link_start COMMAND ARGS...
#                   a link from $LINK_PORT to the server (lib/link.py); from now on $URL and
#                   clients go by it.  link_end.
# by_hand KIND TARGET FILE PIECE [OPTION...]
#                   the clients of lib/resumable.py.
# by_node VERSION FILE [OPTIONS]
#                   tus-js-client 4 or 5 (clients/with_tus.mjs), to $URL/file/; OPTIONS are
#                   members of JSON.  What it said is in `said`.
# open_page         a page with the clients that browsers have, and an input for files.
# page_upload FILE 'JS'
#                   the file is chosen, and the JS begins its upload (clients/page.js).
# page_await        it has ended; what was said is in `said`.
# page_is_at BYTES  so much is on its way.
#
# holder            the worker that an unfinished upload is in the hands of.
# offset_of         how many bytes of the only unfinished upload are on the disk.

export PENSTOCK_CLIENTS=${PENSTOCK_CLIENTS:-$REPO/build/clients}
NODE=$PENSTOCK_CLIENTS/node

start_resuming() {
	local top=${3:-}

	_has "$top" worker_processes || top+=' worker_processes 3;'
	start_server "resume on; ${1:-}" "${2:-}" "$top"
	SERVER_PORT=$PORT
}

link_start() {
	local command=$1
	shift

	rm -f link.counts
	LINK_PORT=$(free_port)
	start_py link "$command" "$LINK_PORT" "$SERVER_PORT" "$@"
	LINK=$PY
	eventually _listens "$LINK_PORT"
	PORT=$LINK_PORT
	URL=http://$ADDRESS:$PORT
}
_listens() { [[ -n $(ss -Htln "sport = :$1") ]]; }

link_end() {
	kill "$LINK"
	PORT=$SERVER_PORT
	URL=http://$ADDRESS:$PORT
}

# link_count NAME: how often the link has done it.
link_count() { jq -r --arg name "$1" '.[$name] // 0' link.counts; }

by_hand() {
	py resumable upload "$1" "$2" "$3" "${4:-0}" "${PATIENCE:-60}" "${@:5}" >said || fail "$(cat said)"
}

by_node() {
	local version=$1 file=$2 options=${3:-}

	PENSTOCK_TEST=$T timeout "${PATIENCE:-60}" "$NODE" "$REPO/tests/lib/clients/with_tus.mjs" "$version" "$file" \
		"{\"endpoint\": \"$URL/file/\"${options:+, $options}}" >said 2>client.err 3>&- 4>&-
}

# has_said LINES...: a request each, in this order, and the end.
has_said() { diff <(sed 's/^done .*/done/' said) <(printf '%s\n' "$@") || fail "$(cat said client.err 2>/dev/null)"; }

# is_done: it has ended well, whatever it took.
is_done() { tail -n 1 said | grep -q '^done ' || fail "$(cat said client.err 2>/dev/null)"; }

open_page() {
	mkdir -p pages
	cp "$PENSTOCK_CLIENTS"/browser/*.js "$REPO/tests/lib/clients/page.js" pages/
	printf '<!doctype html><title>uploads</title><input type=file>%s' \
		"$(printf '<script src=%s></script>' tus.min.js tus5.js uppy.js page.js)" >pages/uploads.html
	page_goto "$PAGE/uploads.html"
}

page_upload() {
	page_files input "$T/$1"
	page_do "said = []; accepted = 0; $2; return ''"
}

page_await() {
	PENSTOCK_PATIENCE=${PATIENCE:-60} eventually _page_has_ended || fail "$(cat said)"
}
_page_has_ended() {
	page_do 'return said.join("\n")' >said
	tail -n 1 said | grep -qE '^(done|failed) '
}

page_is_at() { (($(page_do 'return String(accepted)') >= $1)); }

holder() {
	local pid

	for pid in $(workers); do
		if readlink "/proc/$pid"/fd/* 2>/dev/null | grep -q '/\.penstock/[0-9a-f]*\.data'; then
			echo "$pid"
			return
		fi
	done
	return 1
}

offset_of() { stat -c %s "$STORE"/.penstock/*.data; }
