# What the program says of itself when it is asked, and how it says that it was
# called wrongly.  The fault guarded here is an answer that a script or a person
# cannot use: on the wrong stream, with the wrong status, without what was asked.

load ../lib/penstock

@test "help that is asked for goes to stdout, with 0, in both spellings" {
	penstock --help >long 2>errors
	[ ! -s errors ]
	penstock -h >short 2>errors
	[ ! -s errors ]
	cmp long short
	for word in '-c FILE' '-g DIRECTIVES' -t -T '-s SIGNAL' -v -V -h '-.*--version' '-.*--help' \
		'token FILE NAME' 'key FILE NAME' 'sign -c FILE METHOD'; do
		grep -qE -e "^ +$word( |$)" long || fail "not in the help: $word"
	done
	# What -s waits for, the signals, and what the exit status means.
	grep -A3 '^ *reload ' long | grep -q '[Ww]aits'
	grep -A1 '^ *quit ' long | grep -q 'Does not wait'
	grep -A1 '^ *stop ' long | grep -q 'Does not wait'
	for word in HUP QUIT TERM INT; do grep -qw "$word" long; done
	grep -A6 '^Exit status:' long >statuses
	for n in 0 1 2; do grep -qE "^ +$n " statuses; done
	# It fits into a terminal.
	run ! grep -nE '.{81}' long
}

@test "the version alone, in both spellings" {
	run -0 --separate-stderr penstock --version
	assert_output -e '^penstock [0-9]+\.[0-9]+\.[0-9]+$'
	assert_equal "$stderr" ''
	assert_equal "$(penstock -v)" "$output"
}

@test "-V: the engines, the libraries as loaded and as built with, the build" {
	run -0 --separate-stderr penstock -V
	assert_equal "$stderr" ''
	assert_line -n 0 "$(penstock -v)"
	if ldd "$PENSTOCK" | grep -q liburing; then
		assert_line 'engines: io_uring, threads'
		assert_line -e '^  liburing +liburing\.so\.[0-9.]+ \(built with [0-9.]+\)$'
	else
		assert_line 'engines: threads'
		refute_line -p liburing
	fi
	assert_line -e '^  libev +[0-9.]+ \(built with [0-9.]+\)$'
	assert_line -e '^  http-parser +2\.[0-9.]+ \(built with 2\.[0-9.]+\)$'
	assert_line -e '^  libcrypto +OpenSSL [0-9].* \(built with OpenSSL [0-9].*\)$'
	assert_line -e '^  isa-l +.+ \(built with 2\.[0-9.]+\)$'
	assert_line -e '^built by: .*-std=c11'
	# What is loaded is what the system has, not what was built with.
	is_portable || assert_line -p "$(basename "$(realpath "$(ldd "$PENSTOCK" | awk '/libisal/ { print $3 }')")")"
}

@test "a wrong call: nothing on stdout, 2, what is wrong, and where there is more" {
	local call

	for call in -q --frobnicate --helpp -c -g -s '-s nonsense' 'start' '-t extra' '-g x -g y' '-s stop -t'; do
		run -2 --separate-stderr penstock $call
		assert_equal "$output" ''
		assert_equal "$(grep -c '^usage: ' <<<"$stderr")" 1
		assert_regex "$stderr" '^penstock: .+'
		assert_regex "$stderr" 'penstock --help says more'
		# In short: what is wrong is not lost above a page of help.
		(($(wc -l <<<"$stderr") <= 5)) || fail "$(wc -l <<<"$stderr") lines for $call"
	done
	run -2 penstock --frobnicate
	assert_output -p 'there is no option --frobnicate'
	run -2 penstock -q
	assert_output -p 'there is no option -q'
}

@test "what cannot be printed is not called printed" {
	for flag in --help -V -v -T -M; do
		(
			_penstock_env
			exec "$PENSTOCK" "$flag" >/dev/full 2>errors
		) && fail "$flag said 0"
		grep -q 'standard output: No space left on device' errors
	done
}
