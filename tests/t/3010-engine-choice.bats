# Which engine writes: the one that was asked for, or the better one there is.

# bats file_tags=engine
load ../lib/penstock

# Start the server with every io_uring_setup() failing, as on a kernel without.
without_io_uring() {
	printf '#!/bin/sh\nexec strace -D -f -qq -o /dev/null -e trace=io_uring_setup -e inject=io_uring_setup:error=%s -e signal=none %s "$@"\n' \
		"$1" "$PENSTOCK" >"$T/wrapped"
	chmod +x "$T/wrapped"
	PENSTOCK=$T/wrapped
	# Leaks cannot be looked for while another process traces this one.
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
}

has_io_uring() {
	[[ $(nm -D --undefined-only "$PENSTOCK" 2>/dev/null) == *io_uring* ]]
}

stores_a_file() {
	random_file body 300000
	upload PUT /file/a body
	assert_status 201
	assert_same body "$STORE/a"
	request GET /file/a
	assert_same body answer
}

@test "io_engine threads: the start-up lines say so, and it stores" {
	start_server '' '' 'io_engine threads;'
	eventually log_has 'location /file -> .*, threads$'
	eventually log_has 'worker ready, threads$'
	run ! log_has ', io_uring$'
	stores_a_file
}

@test "io_engine io_uring: the start-up lines say so, and it stores" {
	has_io_uring || skip "built without io_uring"
	start_server '' '' 'io_engine io_uring;'
	eventually log_has 'location /file -> .*, io_uring$'
	eventually log_has 'worker ready, io_uring$'
	run ! log_has ', threads$'
	stores_a_file
}

@test "io_engine auto takes io_uring where there is one" {
	has_io_uring || skip "built without io_uring"
	start_server '' '' 'io_engine auto;'
	eventually log_has 'worker ready, io_uring$'
	stores_a_file
}

@test "io_engine auto falls back to threads on a kernel without io_uring" {
	without_io_uring ENOSYS
	start_server '' '' 'io_engine auto;'
	eventually log_has 'location /file -> .*, threads$'
	eventually log_has 'worker ready, threads$'
	stores_a_file
}

@test "io_engine auto falls back to threads where io_uring is forbidden" {
	without_io_uring EPERM
	start_server '' '' 'io_engine auto;'
	eventually log_has 'worker ready, threads$'
	stores_a_file
}

@test "io_engine io_uring on a kernel without it is an error at start" {
	has_io_uring || skip "built without io_uring"
	without_io_uring ENOSYS
	write_conf '' '' 'io_engine io_uring;'
	run -1 penstock -c "$T/penstock.conf"
	log_has 'io_engine: cannot be had here: Function not implemented' ||
		[[ $output == *'io_engine: cannot be had here'* ]]
}

@test "a ring that says EAGAIN at first loses nothing" {
	has_io_uring || skip "built without io_uring"
	printf '#!/bin/sh\nexec strace -D -f -qq -o /dev/null -e trace=io_uring_enter -e inject=io_uring_enter:error=EAGAIN:when=1+3 -e signal=none %s "$@"\n' \
		"$PENSTOCK" >"$T/wrapped"
	chmod +x "$T/wrapped"
	PENSTOCK=$T/wrapped
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	start_server '' '' 'io_engine io_uring;'
	stores_a_file
}
