# What /metrics counts is what was done, over workers that die and over reloads; and both
# formats are what Prometheus takes.

load ../lib/admin

# How many lines of the access log have this end, of requests that were to store something.
logged() { grep -cE "\"PUT /[^\"]*\" [0-9]+ .* $1( |\$)" access.log || true; }

# several_outcomes N: N uploads of each kind.
several_outcomes() {
	local i

	for ((i = 0; i < $1; i++)); do
		curl -sS -H Expect: -o answer -T small "$URL/file/$RANDOM$RANDOM$RANDOM"
		curl -sS -H Expect: -o answer -T small "$URL/file/there"
		curl -sS -H Expect: -o answer -T large "$URL/file/large"
		curl -sS -H Expect: -o answer -T small "$URL/file/a%00b"
		curl -sS -o answer -T small "$URL/file/bad" -H 'Content-MD5: AAAAAAAAAAAAAAAAAAAAAA=='
	done
}

counts_are_logged() {
	local word

	for word in stored exists too-large refused digest-differs; do
		ask GET /metrics
		[[ $(sum_of outcome "$word") == "$(logged "$word")" ]] || {
			echo "$word: $(sum_of outcome "$word"), and $(logged "$word") lines"
			return 1
		}
	done
}

# sum_of LABEL VALUE: of penstock_uploads_total with this label, in the last answer.
sum_of() {
	grep '^penstock_uploads_total{' answer | grep -F "$1=\"$2\"" |
		awk '{ sum += $NF } END { print sum + 0 }'
}

# check_format: the last answer is what promtool takes.
check_format() { promtool check metrics <answer; }

@test "uploads of each outcome are counted exactly, by location, outcome and verdict" {
	local before

	start_admin 'max_body_size 64k;' "location /other { output_dir $T/other; }"
	STORES+=("$T/other")
	random_file small 4096
	random_file large 100k
	several_outcomes 5
	for i in 1 2 3; do
		upload PUT "/other/$i" small -H Expect:
		assert_status 201
	done
	eventually counts_are_logged
	ask GET /metrics
	assert_equal "$(sum_of location /other)" 3
	assert_equal "$(sum_of location /file)" 25
	assert_equal "$(sum_of outcome stored)" 9
	metric_is 'penstock_upload_received_bytes_total{location="/other"}' 12288
	metric_is 'penstock_upload_duration_seconds_count{location="/other"}' 3
	metric_is 'penstock_upload_duration_seconds_bucket{location="/other",le="+Inf"}' 3
	metric_is 'penstock_upload_wait_seconds_count{location="/other",side="writer",wait="sync"}' 3
	before=$(metric penstock_requests_total)
	request GET /other/1
	eventually metric_is penstock_requests_total "$((before + 2))"
}

@test "a paced disk is write-bound in the counts, a slow client read-bound" {
	slowfs_start 4m
	STORES+=("$T/backing/up")
	start_admin '' "location /slow { output_dir $T/slow/up; }"
	random_file body 2M
	upload PUT /slow/a body
	upload PUT /file/a body --limit-rate 4M
	eventually metric_is 'penstock_uploads_total{location="/slow",outcome="stored",verdict="write-bound"}' 1
	eventually metric_is 'penstock_uploads_total{location="/file",outcome="stored",verdict="read-bound"}' 1
}

@test "no count goes down when workers are killed, nor over reloads" {
	local i worker

	start_admin 'max_body_size 64k;'
	random_file small 4096
	random_file large 100k
	for i in 1 2 3; do
		several_outcomes 2
		eventually counts_are_logged
		for worker in $(workers); do kill -KILL "$worker"; done
		eventually metric_is penstock_worker_restarts_total "$((2 * i))"
		counts_are_logged
		reload_all
		counts_are_logged
		eventually metric_is 'penstock_reloads_total{result="applied"}' "$i"
		metric_is penstock_generation "$((i + 1))"
	done
	metric_is penstock_generations 1
	metric_is penstock_workers 2
	echo 'nonsense;' >>penstock.conf
	run ! reload
	eventually metric_is 'penstock_reloads_total{result="refused"}' 1
}

@test "both formats say the same, and promtool takes the text" {
	command -v promtool >/dev/null || skip 'no promtool: scripts/setup test'
	start_admin
	random_file small 4096
	for i in 1 2 3; do upload PUT "/file/$i" small; done
	eventually metric_is penstock_uploads_total 3
	ask GET /metrics
	assert_header Content-Type 'text/plain; version=0.0.4; charset=utf-8'
	check_format
	assert_equal "$(tail -c 1 answer | od -An -tx1)" ' 0a'
	run ! grep -q '# EOF' answer
	grep -v '^#' answer | sed 's/ [^ ]*$//' >text
	open_metrics
	assert_header Content-Type 'application/openmetrics-text; version=1.0.0; charset=utf-8'
	assert_equal "$(tail -n 1 answer)" '# EOF'
	grep -v '^#' answer | sed 's/ [^ ]*$//' >open
	run -0 diff text open
	run ! grep -E '^# TYPE [^ ]*_total ' answer
	grep -q '^# TYPE penstock_uploads counter$' answer
}

@test "which format is sent is what Accept says" {
	local open='application/openmetrics-text; version=1.0.0; charset=utf-8'
	local text='text/plain; version=0.0.4; charset=utf-8'
	local accept type

	start_admin
	while IFS='|' read -r type accept; do
		ask GET /metrics -H "Accept: $accept"
		assert_header Content-Type "${!type}"
	done <<-'END'
		open|application/openmetrics-text
		open|application/openmetrics-text; version=1.0.0
		open|text/plain;q=0.5, APPLICATION/OpenMetrics-Text;q=0.6
		open|application/openmetrics-text;version=1.0.0,text/plain
		text|application/openmetrics-text; version=0.0.1
		text|application/openmetrics-text;q=0
		text|application/openmetrics-text;q=0.2, text/plain;q=0.3
		text|application/openmetrics-textual
		text|*/*
		text|
		text|,,;;q=,application/openmetrics-text;q=x
	END
}

@test "names that are hostile break no format" {
	command -v promtool >/dev/null || skip 'no promtool: scripts/setup test'
	start_admin "output_dir \"$T/u\\\"p\\\\x,le='1\";"
	STORES+=("$T/u\"p\\x,le='1")
	random_file small 4096
	upload PUT "/file/%22%0a%7b%7d" small || true
	raw 'PUT /file/"{}\\\n HTTP/1.1\r\nHost: "\\x\r\nContent-Length: 0\r\n\r\n' || true
	upload PUT /file/a small
	assert_status 201
	eventually metric_is 'penstock_upload_duration_seconds_count{location="/file"}' 1
	ask GET /metrics
	check_format
	grep -qF "output_dir=\"$T/u\\\"p\\\\x,le='1\"" answer
	ask GET /status
	jq -e --arg dir "$T/u\"p\\x,le='1" '.disks[0].output_dir == $dir' answer
}

@test "what clients send makes no new series" {
	local before

	start_admin
	random_file small 4096
	upload PUT /file/a small
	eventually metric_is penstock_uploads_total 1
	ask GET /metrics
	before=$(grep -c . answer)
	for i in 1 2 3 4 5 6 7 8 9; do
		upload PUT "/file/x$i" small -A "agent $i" -H "Host: h" -u "user$i:x"
		assert_status 201
	done
	eventually metric_is penstock_uploads_total 10
	ask GET /metrics
	# One more verdict, at most.
	(($(grep -c . answer) <= before + 3))
}

@test "users are counted, and what they were counted for stays when workers are killed" {
	local worker

	printf 'alice:%s\nb@c:%s\n' "$(openssl passwd -6 a)" "$(openssl passwd -6 b)" >users
	start_admin "auth_basic x; auth_basic_user_file $T/users;" "location /open { output_dir $T/open; }"
	STORES+=("$T/open")
	random_file small 4096
	for i in 1 2 3; do upload PUT "/file/$i" small -u alice:a -H Expect:; done
	upload PUT /file/4 small -u b@c:b -H Expect:
	upload PUT /file/4 small -u b@c:b -H Expect:
	upload PUT /open/5 small
	eventually metric_is penstock_uploads_total 6
	for i in 1 2; do
		metric_is 'penstock_user_uploads_total{user="alice"}' 3
		metric_is 'penstock_user_received_bytes_total{user="alice"}' 12288
		metric_is 'penstock_user_uploads_total{user="b@c"}' 2
		metric_is penstock_user_uploads_total 5
		for worker in $(workers); do kill -KILL "$worker"; done
		eventually metric_is penstock_worker_restarts_total "$((2 * i))"
	done
	# These are in other slots of the shared memory.
	reload_all
	metric_is 'penstock_user_uploads_total{user="alice"}' 3
	metric_is 'penstock_user_received_bytes_total{user="alice"}' 12288
}

@test "uploads that run are counted by verdict, and their queues" {
	slowfs_start 1m
	STORES+=("$T/backing/up")
	start_admin "output_dir $T/slow/up; sync off; queue_depth 2;"
	random_file body 8M
	curl -sS -o up.answer -T body "$URL/file/a" 3>&- 4>&- &
	eventually metric_is 'penstock_uploads_running{location="/file",verdict="write-bound"}' 1
	metric_is penstock_uploads_running 1
	eventually metric_is 'penstock_upload_queue_chunks{location="/file"}' 2
	metric_is 'penstock_upload_queue_places{location="/file"}' 2
	wait $!
	eventually metric_is penstock_uploads_running 0
}

@test "until when a certificate is good is a number" {
	load ../lib/tls
	write_tls '' '' "admin { listen unix:$T/admin.sock; }"
	start_conf "$T/penstock.conf"
	metric_is "penstock_certificate_expires_timestamp_seconds{file=\"$T/server.pem\",kind=\"certificate\"}" \
		"$(date -d "$(openssl x509 -in server.pem -noout -enddate | cut -d= -f2)" +%s)"
}

@test "status is one JSON object, of workers and disks" {
	start_admin
	random_file small 4096
	upload PUT /file/a small
	eventually status_says '.uploads_ended == 1'
	status_says '.ready and (.workers | length) == 2 and .generation == 1'
	status_says '.disks | length == 1'
	status_says ".disks[0].output_dir == \"$STORE\" and .disks[0].state == \"ok\""
	status_says '.disks[0].free_bytes > 0'
	assert_equal "$(jq -r '.workers[].pid' answer | sort)" "$(workers | sort)"
}

status_says() {
	ask GET /status
	jq -e "$1" answer >/dev/null || { cat answer && return 1; }
}

@test "the first process alone counts as well" {
	start_admin '' 'health /healthz;' 'worker_processes 0;'
	random_file small 4096
	upload PUT /file/a small
	eventually metric_is penstock_uploads_total 1
	metric_is penstock_workers 1
	request GET /healthz
	assert_status 200
}

@test "handshakes of TLS are counted, done and failed" {
	load ../lib/tls
	write_tls '' '' "admin { listen unix:$T/admin.sock; }"
	start_conf "$T/penstock.conf"
	curl -sS -k -o answer "https://$ADDRESS:$PORT/"
	echo -ne '\x16\x03\x01\x00\x05nope!' | timeout 5 nc -N "$ADDRESS" "$PORT" >/dev/null || true
	eventually metric_is 'penstock_tls_handshakes_total{result="done"}' 1
	eventually metric_is 'penstock_tls_handshakes_total{result="failed"}' 1
}

# bats test_tags=long
@test "a real Prometheus scrapes it, and has the numbers" {
	local port watch

	command -v prometheus >/dev/null || skip 'no prometheus: scripts/setup test'
	port=$(free_port)
	watch=$(free_port)
	start_server '' '' "admin { listen unix:$T/admin.sock; listen 127.0.0.1:$watch; }"
	random_file small 4096
	for i in 1 2 3 4 5; do upload PUT "/file/$i" small; done
	cat >prometheus.yml <<-END
		global: { scrape_interval: 1s }
		scrape_configs:
		  - job_name: penstock
		    static_configs: [ { targets: [ "127.0.0.1:$watch" ] } ]
	END
	PENSTOCK_TEST=$T prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb \
		--web.listen-address="127.0.0.1:$port" >prometheus.log 2>&1 3>&- 4>&- &
	PROMETHEUS=$!
	eventually prometheus_says "$port" 'up' 1
	eventually prometheus_says "$port" 'sum(penstock_uploads_total{outcome="stored"})' 5
	eventually prometheus_says "$port" 'penstock_upload_duration_seconds_count{location="/file"}' 5
	eventually prometheus_says "$port" 'penstock_workers' 2
	prometheus_says "$port" 'histogram_quantile(1, penstock_upload_duration_seconds_bucket) > bool 0' 1
	kill "$PROMETHEUS"
	wait "$PROMETHEUS" || true
}

# prometheus_says PORT QUERY VALUE
prometheus_says() {
	local is

	is=$(curl -sS -G "http://127.0.0.1:$1/api/v1/query" --data-urlencode "query=$2" |
		jq -r '.data.result[0].value[1]')
	[[ $is == "$3" ]] || { echo "$2 is $is" && return 1; }
}
