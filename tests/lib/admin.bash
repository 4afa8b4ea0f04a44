# A server that has a block admin, on a UNIX socket.
# shellcheck shell=bash

load ../lib/penstock

# start_admin [LOCATION [SERVER [TOP]]]: start_server, with admin beside.
start_admin() {
	start_server "${1:-}" "${2:-}" "${3:-} admin { listen unix:$T/admin.sock; }"
}

# ask METHOD PATH [CURL ARGS...]: as `request`, of the admin server.
ask() {
	local method=$1 path=$2
	shift 2

	request "$method" "http://localhost$path" --unix-socket "$T/admin.sock" "$@"
}

# metric SAMPLE: its value, as /metrics says it now; SAMPLE with its labels, or without
# them: the sum of all.  0 when there is none.
metric() {
	ask GET /metrics
	[[ $STATUS == 200 ]] || return
	awk -v want="$1" '
		/^#/ { next }
		{ name = $0; sub(/ [^ ]*$/, "", name); bare = name; sub(/\{.*/, "", bare)
		  if (name == want || bare == want) sum += $NF }
		END { printf "%.15g\n", sum }' "$T/answer"
}

# metric_is SAMPLE VALUE
metric_is() {
	local is

	is=$(metric "$1") || return
	[[ $is == "$2" ]] || { echo "$1 is $is, not $2" && return 1; }
}

# open_metrics: /metrics in OpenMetrics, as a Prometheus asks for it.
open_metrics() {
	ask GET /metrics -H 'Accept: application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'
}
