# Requests of resumable uploads, one by one; beside penstock.bash.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # what tests use, and what penstock.bash has
#
#	load ../lib/penstock
#	load ../lib/parts
#
# tus METHOD TARGET [CURL...]     a request of tus.
# begin [CURL...]                 POST /file by tus: 201, and $UP is the upload's path.
# patch OFFSET FILE [CURL...]     append to $UP.
# draft VERSION METHOD TARGET [CURL...]
#                                 a request of a draft; in version 6 and later a PATCH has
#                                 its media type.
# up_at OFFSET                    HEAD of $UP by tus says so.
# metadata KEY VALUE              a pair of Upload-Metadata.
# stall OFFSET LENGTH BYTES       in $FD: a PATCH that sends these bytes and no more.

tus() {
	local method=$1 target=$2
	shift 2
	request "$method" "$target" -H 'Tus-Resumable: 1.0.0' "$@"
}

begin() {
	tus POST /file "$@" && assert_status 201 && take_up
}

take_up() { UP=$(header Location); }

patch() {
	local offset=$1 file=$2
	shift 2
	tus PATCH "$UP" -H 'Content-Type: application/offset+octet-stream' -H "Upload-Offset: $offset" \
		-H Expect: --data-binary "@$file" "$@"
}

draft() {
	local version=$1 method=$2 target=$3
	shift 3
	if [[ $method == PATCH && $version -ge 6 ]]; then
		set -- -H 'Content-Type: application/partial-upload' "$@"
	fi
	request "$method" "$target" -H "Upload-Draft-Interop-Version: $version" -H Expect: "$@"
}

up_at() {
	tus HEAD "$UP" && assert_status 200 && assert_header Upload-Offset "$1"
}

metadata() { printf '%s %s' "$1" "$(printf '%s' "$2" | base64 -w0)"; }

stall() {
	connect
	say "$FD" "PATCH $UP HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: $1\r\nContent-Length: $2\r\n\r\n$3"
}

# Only $1 bytes of the one upload are on the disk.
data_has() { [[ $(stat -c %s "$STORE"/.penstock/*.data) == "$1" ]]; }
