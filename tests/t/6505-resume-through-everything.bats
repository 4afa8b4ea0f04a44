# An upload survives what can happen to it, one thing after the other: three cuts of its
# link, a reload, the end of its worker by kill -9, a stop of the server and its start.  By tus-js-client,
# by tus-js-client and Uppy in Chromium, and by a client of the draft; of 2 GB with --long.
#
# The kind of fault: any, of all that has to fit together for an upload to go on.

load ../lib/penstock
load ../lib/browser
load ../lib/resume

# through_everything SIZE COMMAND...: COMMAND begins the upload of the file `body` through
# the link, in the background; $1 more, and its worker is killed; then the server is stopped.
through_everything() {
	local size=$1 what=$2 pid
	shift

	random_or_sparse body "$size"
	link_start cut cut $((size / 10)) 3 $((size / ${SECONDS_OF_IT:-2}))
	"$@"
	eventually _cut_three_times
	reload
	eventually _has_come $((size * 5 / 10))
	pid=$(holder)
	kill -KILL "$pid"
	eventually not_running "$pid"
	eventually _has_come $((size * 7 / 10))
	stop_server
	start_conf penstock.conf
}
_cut_three_times() { [[ $(link_count cut) == 3 ]]; }
_has_come() { (($(offset_of) >= $1)); }

# random_or_sparse NAME SIZE: bytes none of which stand twice in it; of a large one each
# 64 KiB begin with their place.
random_or_sparse() {
	if (($2 <= 100000000)); then
		random_file "$1" "$2"
	else
		py resumable make_file "$1" "$2"
	fi
}

# whole NAME
whole() {
	assert_same body "$STORE/$1"
	assert_equal "$(find "$STORE" -type f -not -path '*/.penstock/*' | wc -l)" 1
	link_end
}

# created_once: it was never begun from zero.
created_once() { assert_equal "$(grep -c '^POST 201' said)" 1; }

in_node() { by_node "$1" body '"metadata": {"filename": "body"}' & CLIENT=$!; }

# node_survives VERSION SIZE
node_survives() {
	start_resuming
	through_everything "$2" in_node "$1"
	wait "$CLIENT" || fail "$(cat said client.err)"
	is_done
	created_once
	grep -q '^HEAD 200' said
	whole body
}

in_page() { page_upload body "$1 {endpoint: '$URL/file/'})"; }

# page_survives CLIENT SIZE
page_survives() {
	browser_start
	start_resuming "allow_origin $PAGE;"
	open_page
	through_everything "$2" in_page "$1"
	page_await
	is_done
	created_once
	grep -q '^HEAD 200' said
	whole body
}

in_draft() { (by_hand "ietf-$1" /file/body body 0) & CLIENT=$!; }

# draft_survives VERSION SIZE
draft_survives() {
	start_resuming
	through_everything "$2" in_draft "$1"
	wait "$CLIENT" || fail "$(cat said)"
	[[ $(cat said) == *' created '[01] ]]
	whole body
}

@test "20 MB by tus-js-client 4 in node survive three cuts, kill -9 of the worker and a restart" {
	node_survives 4 20000000
}

# bats test_tags=long
@test "20 MB by tus-js-client 5 in node survive the same" {
	node_survives 5 20000000
}

@test "20 MB by Uppy in Chromium survive the same" {
	page_survives 'byUppy(' 20000000
}

@test "20 MB by a client of the draft survive the same" {
	draft_survives 10 20000000
}

# Version 5.0.0-pre2 gives up at the first connection that is refused there.
# bats test_tags=long
@test "20 MB by tus-js-client 4 in Chromium survive the same" {
	page_survives 'byTus(tus,' 20000000
}

two_gb() {
	PENSTOCK_PATIENCE=$((4 * PENSTOCK_PATIENCE))
	PATIENCE=300
	SECONDS_OF_IT=10
}

# bats test_tags=long
@test "2 GB by tus-js-client in node survive the same" {
	two_gb
	node_survives 4 2000000000
}

# bats test_tags=long
@test "2 GB by Uppy in Chromium survive the same" {
	two_gb
	page_survives 'byUppy(' 2000000000
}

# bats test_tags=long
@test "2 GB by a client of the draft survive the same" {
	two_gb
	draft_survives 10 2000000000
}
