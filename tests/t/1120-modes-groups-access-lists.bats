# The staging place is not the target place: a file is what `touch` would have
# made in its directory, whichever way it was published.  Guards all that
# directories hand down: the group (setgid), the default access list, the
# project id; and that nothing of it is taken from `.penstock`.

load ../lib/penstock

# POSIX has no call for access lists: a PORTABLE build knows of groups only.
_set_list() { is_portable || setfacl -d -m "$1" "${@:2}"; }

# What the directory made of a file: group, mode, access list.
_traits() { stat -c '%g %a' "$1" && getfacl -cpE "$1"; }

# _as_touched DIR NAME...: what was uploaded is as what we make beside it.
_as_touched() {
	local dir=$1 name

	shift
	(umask 022 && : >"$dir/touched")
	for name; do
		assert_equal "$(_traits "$dir/$name")" "$(_traits "$dir/touched")"
	done
	rm "$dir/touched"
}

# Four directories of which each hands down something else.
_directories() {
	mkdir -p "$1/plain" "$1/group" "$1/acl" "$1/both"
	chgrp 4321 "$1/group" "$1/both"
	chmod 2775 "$1/group" "$1/both"
	_set_list u:1234:rwx,g::rx,o::- "$1/acl" "$1/both"
}

# _store_there LOCATION TOP: new files, replacements, in each of these, and in a
# directory that the upload makes.
_store_there() {
	local dir

	_directories "$STORE"
	umask 022
	start_server "overwrite on; $1" '' "$2"
	echo one >one
	echo two >two
	for dir in plain group acl both; do
		upload PUT "/file/$dir/new" one
		assert_status 201
		upload PUT "/file/$dir/replaced" one
		assert_status 201
		upload PUT "/file/$dir/replaced" two
		assert_status 200
		assert_same two "$STORE/$dir/replaced"
		upload PUT "/file/$dir/replaced" one -H 'If-Match: *'
		assert_status 200
		upload PUT "/file/$dir/sub/new" one
		assert_status 201
		_as_touched "$STORE/$dir" new replaced
		_as_touched "$STORE/$dir/sub" new
	done
	assert_equal "$(find "$STORE" -name '.penstock?*')" ''
}

@test "as touch would: O_TMPFILE, and temp name over what is replaced" {
	mkdir -p "$STORE"
	_store_there
}

# bats test_tags=long
@test "as touch would: although output_dir itself hands down another group and list" {
	mkdir -p "$STORE"
	chgrp 999 "$STORE"
	chmod 2755 "$STORE"
	_set_list u:99:rwx "$STORE"
	_store_there
	# `.penstock` has none of it.
	assert_equal "$(stat -c '%a' "$STORE/.penstock")" 700
	assert_equal "$(getfacl -cpE "$STORE/.penstock" | grep -c :)" 3
}

@test "as touch would: without O_TMPFILE, temp name and link (bindfs)" {
	mkdir -p backing "$STORE"
	bindfs backing "$STORE"
	_store_there
	log_has 'published by temp name and link'
}

# bats test_tags=long
@test "as touch would: without O_TMPFILE, although output_dir hands down another group (bindfs)" {
	mkdir -p backing "$STORE"
	chgrp 999 backing
	chmod 2755 backing
	_set_list u:99:rwx backing
	bindfs backing "$STORE"
	_store_there
	echo body >body
	upload PUT /file/top body
	assert_status 201
	_as_touched "$STORE" top
}

@test "as touch would: a group that the server is not in" {
	! is_portable || skip 'a PORTABLE build cannot become another user'
	mkdir -p backing/group "$STORE"
	chown nobody backing backing/group
	chgrp 4321 backing/group
	chmod 2775 backing/group
	bindfs backing "$STORE"
	start_server 'overwrite on;' '' 'user nobody;'
	echo body >body
	for status in 201 200; do
		upload PUT /file/group/a body
		assert_status "$status"
		assert_equal "$(stat -c '%U %g' "$STORE/group/a")" 'nobody 4321'
	done
}
