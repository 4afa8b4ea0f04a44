# Directives of forms: what they take, and how what is wrong with them is told.

load ../lib/penstock

# config 'LINE': a configuration with this line in its location.
config() { printf 'pid_file off; server { listen 127.0.0.1:1; location /file { output_dir x; %s } }\n' "$1" >c.conf; }

@test "form atomic on is form_atomic on, and both together are one too many" {
	config 'form atomic on;'
	run -0 penstock -c c.conf -T
	assert_output -e 'form_atomic +on;'
	assert_output -e 'form +on;'
	config 'form atomic on; form_atomic off;'
	run -1 penstock -c c.conf -t
	assert_output -p 'form_atomic: given twice'
	config 'form atomic maybe;'
	run -1 penstock -c c.conf -t
	assert_output -p 'form_atomic: "maybe" is neither on nor off'
	config 'form atomic;'
	run -1 penstock -c c.conf -t
	assert_output -p 'form: "atomic" is neither on nor off'
}

@test "form_name takes the name of a field behind field, and nowhere else" {
	for value in filename generated 'field path' 'field "a b"'; do
		config "form_name $value;"
		run -0 penstock -c c.conf -T
		assert_output -p "$value;"
	done
	config 'form_name field;'
	run -1 penstock -c c.conf -t
	assert_output -p 'form_name: the name of the field is missing'
	config 'form_name generated x;'
	run -1 penstock -c c.conf -t
	assert_output -p 'form_name: "generated" takes no name'
	config 'form_name other;'
	run -1 penstock -c c.conf -t
	assert_output -p 'form_name: "other" is no such choice; allowed: filename, generated or field NAME'
}

@test "form_redirect is a path or a URL, and nothing that would end a header" {
	for value in /a https://example.org/a?b=c http://x off; do
		config "form_redirect $value;"
		run -0 penstock -c c.conf -t
	done
	config 'form_redirect thanks.html;'
	run -1 penstock -c c.conf -t
	assert_output -p 'begins neither with / nor with http://'
	config 'form_redirect "/a b";'
	run -1 penstock -c c.conf -t
	assert_output -p 'a byte that must be written with a %'
	config 'form_redirect javascript:alert(1);'
	run -1 penstock -c c.conf -t
}
