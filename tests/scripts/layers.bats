# scripts/layers on a small tree of its own: what it refuses, and what it says then.

bats_require_minimum_version 1.5.0

setup() {
	T=$(mktemp -d "${TMPDIR:-/tmp}/penstock-layers.XXXXXX")
	mkdir -p "$T"/{scripts,src/low,src/high,include/low,include/high}
	cp "$BATS_TEST_DIRNAME/../../scripts/layers" "$T/scripts/"
	cd "$T" || return
	layers 'low:' 'high: low' 'main: high'
	file include/low/pump.h
	file include/high/gate.h
	file src/main.c '#include "high/gate.h"' 'int gate_open(void); int main(void) { return gate_open(); }'
	file src/high/gate.c '#include "low/pump.h"' 'int pump_run(void); int gate_open(void) { return pump_run(); }'
	file src/low/pump.c 'int valve_turn(void); int pump_run(void) { return valve_turn(); }'
	file src/low/valve.c 'int valve_turn(void) { return 0; }'
}

teardown() {
	rm -rf "$T"
}

layers() { printf '%s\n' "$@" > src/LAYERS; }

# file PATH LINE...
file() {
	local path=$1
	shift
	printf '%s\n' "$@" > "$path"
}

# check_layers: build all, and run the script on it.
check_layers() {
	local source object objects=()

	for source in src/*/*.c; do
		object=build/some/${source#src/}
		object=${object%.c}.o
		mkdir -p "${object%/*}"
		cc -Iinclude -c -o "$object" "$source" || return
		objects+=("$object")
	done
	scripts/layers "${objects[@]}"
}

# A circle of two: the valve asks the pump.
make_circle() {
	file src/low/valve.c 'int pump_speed(void); int valve_turn(void) { return pump_speed(); }'
	file src/low/pump.c 'int valve_turn(void); int pump_speed(void) { return 1; }' \
		'int pump_run(void) { return valve_turn(); }'
}

is() { [ "$output" = "$1" ] || { echo "$output"; return 1; }; }
says() { [[ $output == *"$1"* ]] || { echo "$output"; return 1; }; }

@test "a tree without circles passes" {
	run -0 check_layers
	is 'layers: 6 files, includes point down only, no circles'
}

@test "without objects it looks at includes alone, and says so" {
	make_circle
	run -0 scripts/layers
	is 'layers: 6 files, includes point down only'
}

@test "a circle of two files is refused, with the symbols that make it" {
	make_circle
	run -1 check_layers
	is 'circle: low/pump low/valve
  low/pump needs low/valve: valve_turn
  low/valve needs low/pump: pump_speed'
}

@test "a circle through a third file, and through a file of one system, is refused" {
	file src/low/valve.c 'int motor_run(void); int valve_turn(void) { return motor_run(); }'
	file src/low/motor_linux.c 'int pump_speed(void); int motor_run(void) { return pump_speed(); }'
	file src/low/pump.c 'int valve_turn(void); int pump_speed(void) { return 1; }' \
		'int pump_run(void) { return valve_turn(); }'
	run -1 check_layers
	says 'circle: low/motor low/pump low/valve'
	says '  low/motor needs low/pump: pump_speed'
}

@test "a variable that another file has, and the address of a function, count" {
	file src/low/valve.c 'extern int pump_speed; int valve_turn(void) { return pump_speed; }'
	file src/low/pump.c 'int pump_speed = 1; int valve_turn(void);' \
		'int pump_run(void); int pump_run(void) { int (*f)(void) = valve_turn; return f(); }'
	run -1 check_layers
	says '  low/valve needs low/pump: pump_speed'
	says '  low/pump needs low/valve: valve_turn'
}

@test "static functions of the same name, and the halves of one file, are no circle" {
	file src/low/pump.c 'static int turn(void) { return 1; }' \
		'int valve_turn(void); int pump_run(void) { return turn() + valve_turn(); }'
	file src/low/valve.c 'int valve_on_linux(void); static int turn(void) { return 2; }' \
		'int valve_twice(void) { return 2; } int valve_turn(void) { return turn() + valve_on_linux(); }'
	file src/low/valve_linux.c 'int valve_twice(void); int valve_on_linux(void) { return valve_twice(); }'
	run -0 check_layers
}

@test "an include that points up, one that is not granted, and a grant that nothing uses are refused" {
	file src/low/valve.c '#include "high/gate.h"' 'int valve_turn(void) { return 0; }'
	run -1 check_layers
	is 'src/low/valve.c:1: layer low may not use high (high/gate.h)'
	layers 'low: high' 'high: low' 'main: high'
	run -1 check_layers
	says 'src/LAYERS: low: high is not a lower layer'
	file src/low/valve.c 'int valve_turn(void) { return 0; }'
	layers 'low:' 'high: low' 'main: low high'
	run -1 check_layers
	is 'src/LAYERS: main does not use low'
	layers 'low: [ev.h pump.c]' 'high: low' 'main: high'
	run -1 check_layers
	is 'src/LAYERS: low/pump.c does not include <ev.h>'
}

@test "one file of a layer may use a lower layer that the others may not" {
	layers 'low:' 'high: [low/pump.h gate.c]' 'main: high'
	run -0 check_layers
	file src/high/fence.c '#include "low/pump.h"'
	run -1 check_layers
	is 'src/high/fence.c:1: layer high may not use low (low/pump.h)'
	file src/high/fence.c
	file src/high/gate.c 'int gate_open(void) { return 0; }'
	run -1 check_layers
	is 'src/LAYERS: high/gate.c does not include <low/pump.h>'
}

@test "no file may use a higher layer" {
	layers 'low: [high/gate.h valve.c]' 'high: low' 'main: high'
	file src/low/valve.c '#include "high/gate.h"' 'int valve_turn(void) { return 0; }'
	run -1 check_layers
	is 'src/LAYERS: low: high/gate.h is not of a lower layer'
}
