# The start counts what a configuration needs of the system, and says what cannot
# be had before it begins: with a limit of 1,024 descriptors 1,500 locations ended
# in workers that aborted one after the other, and 600 in no answers.  What fits
# works.  (Of the kind, too: workers that a reload has no room for.)

load ../lib/penstock

# conf LOCATIONS: penstock.conf with so many beside /file; the last one stands at
# $LAST.
conf() {
	seq $(($1 - 1)) |
		sed "s|.*|location /l& { output_dir $MEMORY/&; sync off; overwrite on; }|" >locations.conf
	write_conf 'sync off;' 'include locations.conf;' 'worker_processes 1;'
	LAST=locations.conf:$(($1 - 1))
}

setup() {
	penstock_setup
	memory_dir
	ulimit -n 1024 # of this test only, hard and soft
}

NEEDS='a worker needs [0-9]+ open files, and the hard limit is 1024: [0-9]+ for the directories of 600 locations.*raise the limit'

@test "more directories than descriptors: refused by -t and at the start, with the line" {
	conf 600
	run -1 penstock -t -c penstock.conf
	assert_line --regexp "^$LAST:[0-9]+: location: $NEEDS"
	assert_equal "$(grep -vc '^warning: clients are served as root' <<<"$output")" 1
	run -1 penstock -c penstock.conf
	assert_output --regexp "$LAST:[0-9]+: location: $NEEDS"
	refute [ -e "$MEMORY/1" ] # nothing was begun
	conf 1500
	run -1 penstock -t -c penstock.conf
}

@test "a reload that needs more descriptors than there are changes nothing" {
	conf 2
	start_conf penstock.conf
	conf 600
	run ! reload
	log_has "reload: $LAST:[0-9]+: location: $NEEDS"
	echo hello >body
	upload PUT /l1/a body
	assert_status 201
	conf 3
	reload
	upload PUT /l2/a body
	assert_status 201
}

@test "as many directories as fit: all work, beside connections" {
	conf 400
	run -0 penstock -t -c penstock.conf
	start_conf penstock.conf
	py directories store_and_replace 399
	run ! log_has 'Too many open files|error '
}

@test "more workers than can live beside those there are: a reload says so" {
	conf 1
	start_conf penstock.conf
	sed -i 's/worker_processes 1;/worker_processes 256;/' penstock.conf
	run ! reload
	log_has 'reload: penstock.conf:[0-9]+:1: worker_processes: .* 256 new ones.* 255 can'
	run -0 workers
	assert_equal "${#lines[@]}" 1
	sed -i 's/worker_processes 256;/worker_processes 2;/' penstock.conf
	reload
}

# The limit is on all that the user has: not on what root has.
@test "no thread can be had: refused by -t and at the start; what fits works" {
	is_portable && skip 'a PORTABLE build cannot become somebody else'
	chmod 777 "$MEMORY"
	conf 1
	sed -i "s|^server {|user games; &|; s|output_dir [^;]*|output_dir $MEMORY/files|" penstock.conf
	ulimit -Su 2
	run -1 penstock -t -c penstock.conf
	assert_output --regexp '^penstock.conf:[0-9]+:1: worker_processes: workers need 3 processes and threads at least, and the limit on those of a user is 2: raise it'
	run -1 penstock -c penstock.conf
	assert_output -p 'workers need 3 processes and threads'
	ulimit -Su 40
	start_conf penstock.conf
	echo hello >body
	upload PUT /file/a body
	assert_status 201
}
