# What scripts/bench decides by itself: whose turn it is, which nginx is the peer,
# what a busy machine is, what its options mean.  Nothing is measured here.

bats_require_minimum_version 1.5.0

setup() {
	BENCH=$BATS_TEST_DIRNAME/../../scripts/bench.d
}

bench() { /usr/bin/python3 -B "$BENCH/main.py" "$@"; }

# ask MODULES EXPRESSION: what it is in Python, with the bench's modules.
ask() {
	PYTHONPATH=$BENCH /usr/bin/python3 -B -c "import $1; print($2)"
}

is() { [ "$output" = "$1" ] || { echo "$output"; return 1; }; }
says() { [[ $output == *"$1"* ]] || { echo "$output"; return 1; }; }
says_not() { [[ $output != *"$1"* ]] || { echo "$output"; return 1; }; }

# ---- turns

@test "each round begins with the next server" {
	run -0 ask order '[*order.rounds(["A", "B", "C"], 4)]'
	is "[['A', 'B', 'C'], ['B', 'C', 'A'], ['C', 'A', 'B'], ['A', 'B', 'C']]"
}

@test "a ratio is the median of ratios within a round, not of medians" {
	run -0 ask order 'order.ratio({"turns": [{"rate": 10}, {"rate": 30}, {}]},
	    {"turns": [{"rate": 20}, {"rate": 10}, {"rate": 5}]}, "rate")'
	is '1.75'
}

@test "a turn that failed has no ratio" {
	run -0 ask order 'order.ratio({"turns": [{}]}, {"turns": [{"rate": 20}]}, "rate")'
	is None
}

# ---- the peer

@test "the peer is the fastest of the settings of the peer, whoever else is faster" {
	run -0 ask order 'order.best_peer([
	    {"peer": False, "rate": 9, "server": "penstock"},
	    {"peer": True, "rate": 5, "server": "nginx-16k"},
	    {"peer": True, "rate": 7, "server": "nginx-1m"},
	    {"peer": True, "rate": None, "server": "nginx-256k"}])["server"]'
	is nginx-1m
}

@test "until durable it may be another one" {
	run -0 ask order 'order.best_peer([
	    {"peer": True, "rate": 5, "durable_rate": 3, "server": "nginx-16k"},
	    {"peer": True, "rate": 7, "durable_rate": 2, "server": "nginx-1m"}],
	    "durable_rate")["server"]'
	is nginx-16k
}

@test "without a peer there is none" {
	run -0 ask order 'order.best_peer([{"peer": False, "rate": 9}])'
	is None
}

@test "settings of nginx that do the same with a body are not measured twice" {
	run -0 ask peers '[[k.name for k in peers.that_differ(size)]
	    for size in (4096, 20479, 20480, 256 << 10, 1 << 20, 16 << 20)]'
	is "[['nginx-16k'], ['nginx-16k'], ['nginx-16k', 'nginx-256k'], \
['nginx-16k', 'nginx-256k'], ['nginx-16k', 'nginx-256k', 'nginx-1m'], \
['nginx-16k', 'nginx-256k', 'nginx-1m']]"
}

@test "a cache of open files is not the peer" {
	run -0 ask peers '[k.peer for k in (peers.NginxOpenFiles, peers.Nginx1m)]'
	is '[False, True]'
}

# ---- a busy machine

@test "an idle machine is measured on" {
	run -0 ask machine 'machine.why_busy(1.0, 2, 0.9)'
	is None
}

@test "a machine with a high load average is refused, and told what to do" {
	run -0 ask machine 'machine.why_busy(1.01, 2, 1.0)'
	says 'load average is 1.01, more than 1.'
	says '--busy'
	says_not 'idle over'
}

@test "a machine that is not idle now is refused" {
	run -0 ask machine 'machine.why_busy(0, 2, 0.89)'
	says '89% idle'
	says_not 'load average'
}

@test "both reasons are said" {
	run -0 ask machine 'machine.why_busy(8, 2, 0.1)'
	says 'its load average is 8.00, more than 1 and its processors were 10% idle'
}

# ---- processor time

@test "what processors did has interrupts in it, and not what the host took" {
	run -0 ask machine,procs '[round(v * procs.TICK) for v in machine.processor_times(
	    "cpu  100 20 3 1000 200 7 50 400 0 0").values()]'
	is '[180, 50, 1200, 400]'
}

@test "instructions that could not be counted are left out" {
	run -0 ask cpu 'cpu.Instructions.parse(
	    "<not supported>,,instructions:u,0,100.00,,\n71,,instructions:k,5,100.00,,")'
	is "{'k': 71}"
}

# ---- what wrk saw

@test "wrk's figures are those of load" {
	run -0 ask generators '(lambda r: [r["rate"], r["bytes"], r["problems"], r["busy"]])(
	    generators.wrk_result(generators.Job(4096, 64), """Running 1s test
json: {"requests":10,"seconds":2.0,"received":1,"p50":1.5,"p99":2.5,"connect":0,"read":0,"write":0,"status":3,"timeout":0}
""", 1.0, 4.0))'
	is "[5.0, 40960, {'status': 3}, 0.25]"
}

@test "wrk makes no bodies that it would copy for long" {
	run -0 ask generators '[generators.Wrk().takes(generators.Job(size, 1, target="/file/m%d"))
	    for size in (262144, 262145)]'
	is '[True, False]'
}

@test "wrk ends before it has made too much" {
	run -0 ask generators '[generators.Wrk().seconds(generators.Job(size, 1, 5, requests))
	    for size, requests in ((262144, 0), (262144, 12288), (262144, 1 << 20), (4096, 180000), (4096, 9))]'
	is '[5, 2, 5, 3, 1]'
}

# ---- goals

@test "a goal with two ways is reached by either, and not by half of each" {
	run -0 ask goals '[goals.verdict(goals.Beside("", "", [(0.95, 1.0), (0.65, 0.85)]), rate, cpu, None)
	    for rate, cpu in ((0.96, 1.0), (0.7, 0.8), (0.7, 0.9), (1.0, 1.1), (None, 1))]'
	is "['reached', 'reached', '**missed**', '**missed**', 'not measured']"
}

@test "a goal that names dd is missed when dd was faster" {
	run -0 ask goals '[goals.verdict(goals.Beside("", "", [(1, 1)], of_dd=1.0), 1, 1, of_dd)
	    for of_dd in (1.0, 0.99, None)]'
	is "['reached', '**missed**', '**missed**']"
}

@test "bulk in company is what it wrote less what it wrote before company came" {
	run -0 ask one_disk 'one_disk.in_company((0.5 * 1000 + 2 * 400) / 2.5, 2.5, 1000)'
	is 400.0
}

@test "against an earlier one only what differs by more than chance is dearer" {
	run -0 ask against '[against.judge(better, 1.05, None) for better in (1.2, 0.96, 0.9)]'
	is "['within', 'within', '**dearer**']"
}

@test "against an earlier one less time is better" {
	turns='[{"p99": 10.0}]'
	run -0 ask against "against.compare('x', 'p99', False, 0.9, [{'p99': 8.0}], $turns, $turns)"
	is "['x', '0.800', '1.000 (1 ± 0.000)', '≤ 0.9', 'reached']"
	run -0 ask against "against.compare('x', 'p99', False, None, [{'p99': 12.0}], $turns, $turns)"
	is "['x', '1.200', '1.000 (1 ± 0.000)', '', '**dearer**']"
}

# ---- options

@test "5 rounds, and 1 with --quick, unless --rounds says more" {
	run -0 bench --plan --work tmpfs-4k-new --quick
	is "$(printf '%s\n' 'tmpfs-4k-new: 4 KiB × 64 to tmpfs, new names' \
		'  round 1: penstock, penstock-sync, nginx-16k, lighttpd')"
	run -0 bench --plan --work tmpfs-4k-new
	says 'round 5: penstock, penstock-sync, nginx-16k, lighttpd'
	run -0 bench --plan --work tmpfs-4k-new --quick --rounds 3
	says 'round 3: nginx-16k, lighttpd, penstock, penstock-sync'
	says_not 'round 4'
}

@test "the beginning of a name is enough" {
	run -0 bench --plan --quick --work tmpfs-16m,one --servers nginx,penstock --sync on
	says 'tmpfs-16m-new:'
	says 'tmpfs-16m-replaced:'
	says 'one-disk:'
	says_not 'tmpfs-4k'
	says 'round 1: penstock-sync, nginx-16k, nginx-256k, nginx-1m'
}

@test "what does not exist is named, with what does" {
	run -1 bench --plan --work tmpfs,warp
	says "bench: no work 'warp'; there are: ceiling, "
	run -1 bench --plan --servers apache
	says "bench: no server 'apache'; there are: penstock, penstock-sync, nginx-16k"
}

@test "FastAPI takes part with --all only, and where names are new" {
	run -0 bench --plan --quick --work tmpfs-4k
	says_not fastapi
	run -0 bench --plan --quick --work tmpfs-4k-new --all
	says fastapi
	run -0 bench --plan --quick --work tmpfs-4k-replaced --all
	says_not fastapi
}

@test "--tls and --rights choose their works, which the others are without" {
	run -0 bench --plan --quick
	says 'tmpfs-4k-new:'
	says_not 'tls-4k:'
	says_not 'rights:'
	run -0 bench --plan --quick --tls
	says 'tls-4k:'
	says 'tls-memory:'
	says_not 'tmpfs-4k-new:'
	run -0 bench --plan --quick --tls --rights --sync on
	says 'tls-4k:'
	says '  round 1: none, addresses, token, password, link'
}

@test "over TLS both have the same key and cipher, and the generator is told" {
	run -0 ask over_tls,peers,servers '[(k({"file": "D"}, "H").config().count("H/ec.pem"),
	    k({"file": "D"}, "H").client()) for k in over_tls.all_over_tls(
	    [servers.Penstock, peers.Nginx1m, peers.Lighttpd])]'
	is "[(1, ['-S']), (1, ['-S'])]"
}

@test "a signed link of the bench is one of penstock's" {
	run -0 ask rights '(lambda l: (setattr(l, "key", bytes(32)), setattr(l, "expires", 5),
	    l.target(1)))(rights.Link({"file": "D"}, "H"))[2]'
	is "/file/r1?exp=5&key=k1&sig=$(printf 'penstock link 1\nPUT\n/file/r1\n5\n0\n\n' |
		openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(printf '0%.0s' {1..64})" -r | cut -d' ' -f1)"
}

@test "options that make no sense are refused" {
	run -2 bench --plan --rounds 0
	run -2 bench --plan --threads 0
	run -2 bench --plan --generator ab
	run -2 bench --plan --generator wrk --apart
	says '--apart: wrk sends head and body at once'
}

@test "names are replaced with overwrite on, and new ones are not" {
	run -0 ask kinds '["overwrite" in kinds.ALL["penstock"]({"file": "D"}, "H", replaced=r).config()
	    for r in (True, False)]'
	is '[True, False]'
}
