# What conf/ has for a service: systemd takes the units and finds them tight, and the
# system calls that they allow are enough; logrotate, man and bash take theirs.

load ../lib/penstock

# unit: print the service with the program that is tested.
unit() { sed "s|/usr/local/sbin/penstock|$PENSTOCK|" "$REPO/conf/penstock.service"; }

@test "systemd takes the units, without a word" {
	unit >penstock.service
	cp "$REPO/conf/penstock.socket" .
	run -0 systemd-analyze verify --man=no "$T/penstock.service" "$T/penstock.socket"
	refute_output -p 'penstock'
}

@test "the unit leaves little to attack: its exposure is 2.0 at most" {
	unit >penstock.service
	run -0 systemd-analyze security --offline=yes --threshold=20 "$T/penstock.service"
	assert_output -p 'Overall exposure level'
}

# names_allowed: of the system calls that the unit allows, sets resolved.
names_allowed() {
	local names more

	names=$(sed -n 's/^SystemCallFilter=//p' "$REPO/conf/penstock.service" | tr ' ' '\n')
	while grep -q '^@' <<<"$names"; do
		more=$(for set in $(grep '^@' <<<"$names"); do
			systemd-analyze syscall-filter "$set" | sed -n 's/^ *\(@\{0,1\}[a-z0-9_-]*\)$/\1/p'
		done)
		names=$(grep -v '^@' <<<"$names"; grep -v -xF "$(grep '^@' <<<"$names")" <<<"$more")
	done
	sort -u <<<"$names"
}

# bats test_tags=long,engine
@test "a server makes no system call that the unit does not allow" {
	is_sanitized && skip 'sanitizers and strace: in the plain build only'
	names_allowed >allowed
	grep -qx io_uring_enter allowed
	grep -qx openat2 allowed
	write_conf 'overwrite on; resume on; checksum sha256; min_free 1m;' "location /latest { output_dir $T/two; keep latest; }"
	strace -f -qq -e signal=none -o calls -e trace=all "$PENSTOCK" -c penstock.conf >stdout 2>stderr </dev/null 3>&- 4>&- &
	local tracer=$!
	eventually log_has 'worker ready' || fail "$(cat stderr)"
	MASTER=$(cat penstock.pid)
	SERVERS+=("$MASTER")
	random_file body 3000000
	for name in file/a file/a file/b/c/d latest/one latest/two; do
		upload PUT "/$name" body
		[[ $STATUS == 20[01] ]] || fail "$name: $STATUS"
	done
	request GET /file/a
	assert_status 200
	run -0 penstock -c penstock.conf -s reload
	kill -QUIT "$MASTER"
	wait "$tracer"
	sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' calls | sort -u >made
	grep -qx fsync made
	run -0 comm -23 made allowed
	assert_output ''
}

@test "logrotate takes its file: what is written after it is in a new one" {
	mkdir logs
	write_conf '' "access_log $T/logs/access.log;" "error_log $T/logs/error.log info;"
	start_conf "$T/penstock.conf"
	echo hello >body
	upload PUT /file/before body
	eventually grep -q before logs/access.log
	sed -e "s|/var/log/penstock|$T/logs|; s|/usr/local/sbin/penstock -c [^ ]*|$PENSTOCK -c $T/penstock.conf|; /su penstock/d" \
		"$REPO/conf/penstock.logrotate" >rotate
	run -0 logrotate -f -s state "$T/rotate"
	assert_output ''
	upload PUT /file/after body
	eventually grep -q after logs/access.log
	refute grep -q before logs/access.log
	zgrep -q before logs/access.log.1.gz
	refute zgrep -q after logs/access.log.1.gz
	grep -q 'logs reopened' logs/error.log
}

@test "troff takes the manuals, without a warning, and they have every directive" {
	local name

	{
		sed '/^@DIRECTIVES@$/,$d' "$REPO/conf/penstock.conf.5"
		penstock -R
		sed '1,/^@DIRECTIVES@$/d' "$REPO/conf/penstock.conf.5"
	} >penstock.conf.5
	for page in penstock.conf.5 "$REPO/conf/penstock.8"; do
		run -0 groff -man -Tutf8 -ww -z "$page"
		assert_output ''
	done
	for name in $(penstock -M | sed -n 's/^| `\([a-z_0-9]*\)`.*/\1/p'); do
		grep -qxF ".B $name" penstock.conf.5 || fail "the manual lacks $name"
	done
	# What the manual of the program lacks, its help has not.
	for name in $(penstock -h | sed -n 's/^  \(-[a-zA-Z]\) .*/\1/p'); do
		grep -q -- "\\\\$name" "$REPO/conf/penstock.8" || fail "the manual lacks $name"
	done
}

@test "the manual and the completion have each word that -s takes" {
	local word words

	words=$(penstock -h | sed -n 's/.*\[-s \([a-z|]*\)\].*/\1/p')
	[[ $words == *'|'* ]] || fail 'the help lists none'
	for word in ${words//|/ }; do
		grep -qxF ".B $word" "$REPO/conf/penstock.8" || fail "the manual lacks -s $word"
		grep -q "compgen -W '[^']*\b$word\b[^']*' -- \"\$cur\"" "$REPO/conf/penstock.bash-completion" ||
			fail "the completion lacks -s $word"
	done
}

@test "bash completes options, signals, commands and files" {
	touch chosen.conf
	run -0 bash -c "
		source '$REPO/conf/penstock.bash-completion'
		complete_it() { COMP_WORDS=(penstock \"\$@\"); COMP_CWORD=\$#; _penstock 2>/dev/null; echo \"\${COMPREPLY[*]}\"; }
		complete_it -s re
		complete_it tok
		complete_it -c $T/chosen
		complete_it token f name --ex"
	assert_line -n 0 'reload reopen'
	assert_line -n 1 token
	assert_line -n 2 "$T/chosen.conf"
	assert_line -n 3 -- --expires
}

@test "the container's file names packages that there are, and what it installs" {
	local file=$REPO/conf/Containerfile name

	is_sanitized && skip 'it is linked with a sanitizer, too: in the plain build only'
	assert_equal "$(grep -c '^FROM .*debian:12-slim' "$file")" 2
	grep -qx 'STOPSIGNAL SIGQUIT' "$file"
	grep -q '^HEALTHCHECK CMD \[' "$file"
	grep -qx 'USER penstock' "$file"
	# All that is linked comes with a package of the second stage.
	for name in $(ldd "$PENSTOCK" | sed -n 's/.*=> \([^ ]*\) .*/\1/p'); do
		name=$(dpkg -S "$(realpath "$name")" 2>/dev/null || dpkg -S "/usr$name") || continue
		name=${name%%:*}
		case $name in libc6 | libgcc-s1) continue ;; esac
		sed -n '/^FROM/h; //!H; ${x; p}' "$file" | grep -qE "(^|[ 	])$name([ 	\\\\]|\$)" ||
			fail "the image lacks $name"
	done
}
