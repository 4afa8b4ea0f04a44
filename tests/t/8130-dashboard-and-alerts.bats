# The dashboard for Grafana and the alerts for Prometheus in conf/ ask for what there is,
# in words that Prometheus takes, and the alerts come when they should.

load ../lib/admin

RULES=$REPO/conf/penstock.rules.yml
DASHBOARD=$REPO/conf/penstock.dashboard.json

needs_promtool() { command -v promtool >/dev/null || skip 'no promtool: scripts/setup test'; }

# expressions: those of the dashboard, a line each, with its variables filled in.
expressions() {
	jq -r '.panels[].targets[]?.expr' "$DASHBOARD" |
		sed -e 's/\$__rate_interval/5m/g' -e 's/\$\(job\|instance\|location\)/.*/g'
}

# asked_for: the metrics that both name.
asked_for() { { cat "$RULES" && expressions; } | grep -oE '\bpenstock_[a-z_]+' | sort -u; }

# server_faults: outcomes of 5xx that are the server's fault.
server_faults() {
	sed -n 's/^OUTCOME([A-Z_0-9]*, *5[0-9]*, *SERVER, *"\([a-z-]*\)".*/\1/p' "$REPO/include/base/outcome.tbl.h" |
		paste -sd'|'
}

@test "promtool takes the alerts, and each comes when it should" {
	needs_promtool
	run -0 promtool check rules "$RULES"
	run -0 promtool test rules "$REPO/tests/rules/penstock.test.yml"
	# Each of them is tried, and said to come.
	for name in $(sed -n 's/.*- alert: //p' "$RULES"); do
		grep -A 1 "alertname: $name\$" "$REPO/tests/rules/penstock.test.yml" | grep -q exp_alerts ||
			fail "no test has $name come"
	done
}

@test "each expression of the dashboard is one that Prometheus takes" {
	needs_promtool
	expressions | jq -R . | jq -s '{groups: [{name: "dashboard", rules: [to_entries[] | {record: "r\(.key)", expr: .value}]}]}' >rules.json
	(($(jq '.groups[0].rules | length' rules.json) > 20))
	run -0 promtool check rules rules.json
	refute_output -p FAILED
	run -0 jq -r '[.panels[].id] | length - (unique | length)' "$DASHBOARD"
	assert_output 0
}

@test "each metric that they name is one of a server that runs" {
	load ../lib/tls
	local name

	penstock token tokens ci >token
	write_tls "auth_bearer_file $T/tokens;" '' "admin { listen unix:$T/admin.sock; }"
	start_conf "$T/penstock.conf"
	random_file small 4096
	curl -sS -k -o answer -T small -H "Authorization: Bearer $(cat token)" "https://$ADDRESS:$PORT/file/a"
	eventually metric_is penstock_uploads_total 1
	ask GET /metrics
	for name in $(asked_for); do
		grep -qE "^$name[{ ]" answer || fail "$name is not in /metrics"
	done
	grep -q penstock_disk_latency_seconds <(asked_for)
}

@test "what they take for a fault of the server is what the table of outcomes does" {
	local faults

	faults=$(server_faults)
	[[ $faults == *'|disk-error|'* ]]
	grep -qF "outcome=~\"$faults\"" "$RULES"
	grep -qF "outcome=~\\\"$faults\\\"" "$DASHBOARD"
}
