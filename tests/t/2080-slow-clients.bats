# slowhttptest, an attacker that others wrote, while uploads go on.

load ../lib/penstock

# attack ARGS...: 300 connections that are slow in one way, for 8 seconds; the
# clocks of the server are set to cut them meanwhile.
attack() {
	start_server 'sync off;' "sync off; header_timeout 2s; body_timeout 2s; send_timeout 2s; lingering_timeout 1s; location /hit { output_dir $T/hit; ${LOCATION:-} }" \
		'worker_processes 2; worker_connections 500;'
	STORES+=("$T/hit")
	head -c 1M /dev/zero >"$T/hit/big"
	random_file body 200k
	alone=$(median_of 5 calm)
	slowhttptest -c 300 -r 200 -l 8 -i 1 -p 8 "$@" >attack.out 2>&1 3>&- 4>&- &
	attack=$!
	_attacked() { (($(ss -Htn state established "sport = :$PORT" | wc -l) >= 50)); }
	eventually _attacked
}

# median_of N NAME: microseconds that an upload takes, of N one after the other.
median_of() {
	local n from

	for ((n = 0; n < $1; n++)); do
		from=${EPOCHREALTIME/[.,]/}
		upload PUT "/file/$2$n" body
		assert_status 201
		echo $((${EPOCHREALTIME/[.,]/} - from))
	done | sort -n | sed -n "$((($1 + 1) / 2))p"
}

# Uploads are taken as if there were no attack, from the first second of
# the attack to its last.
uploads_go_on() {
	local n=0 beside=0

	is_running "$attack"
	while is_running "$attack"; do
		beside=$(median_of 3 "n$n-")
		echo "an upload took $beside us, $alone us before the attack"
		is_sanitized || ((beside < 10 * alone))
		n=$((n + 1))
	done
	wait "$attack" || true
	assert_same body "$STORE/n0-0"
	sed 's/\x1b\[[0-9;]*m//g' attack.out | tail -30
	# Its own probe connections were answered all the time.
	sed 's/\x1b\[[0-9;]*m//g' attack.out | grep -q 'service available: *YES'
	_gone() { ((0 == $(ss -Htn state established "sport = :$PORT" | wc -l))); }
	eventually _gone
}

@test "slow heads" {
	attack -H -u "$URL/hit/big"
	uploads_go_on
	eventually access_has ' 408 '
}

# bats test_tags=long
@test "slow bodies" {
	attack -B -t POST -s 100000 -x 10 -u "$URL/hit"
	uploads_go_on
	eventually _no_file_in_hit
}

_no_file_in_hit() { [[ $(files_in "$T/hit") == "$T/hit/big" ]]; }

# bats test_tags=long
@test "slow bodies that min_rate ends" {
	LOCATION='min_rate 1k; min_rate_grace 2s;'
	attack -B -t POST -s 100000 -x 10 -u "$URL/hit"
	uploads_go_on
	eventually access_has ' 408 .* below-rate'
	eventually _no_file_in_hit
}

# bats test_tags=long
@test "slow readers" {
	attack -X -w 10 -y 20 -n 2 -z 5 -u "$URL/hit/big"
	uploads_go_on
}
