# A page in a real browser uploads with a token, and with a link, also from another
# origin that is named; and it learns why it may not.

load ../lib/penstock
load ../lib/browser

@test "a page of another origin uploads with a token and with a link" {
	token=$(penstock token "$T/tokens" ci)
	penstock key "$T/links" k1
	mkdir spent
	browser_start
	start_server "auth_bearer_file $T/tokens; signed_link_keys $T/links; signed_link_spent $T/spent; allow_origin $PAGE;"
	put="method: 'PUT', body: 'hello'"
	run -0 page_do "const r = await fetch('$URL/file/a', {$put}); return [r.status, (await r.json()).detail]"
	assert_output --regexp '^\[401, "say who sends this'
	run -0 page_do "const r = await fetch('$URL/file/a', {$put, headers: {Authorization: 'Bearer $token'}}); return [r.status, (await r.json()).remote_user]"
	assert_output '[201, "ci"]'
	link=$(penstock -c penstock.conf sign PUT /file/b --expires 1h --once)
	run -0 page_do "const link = '$link', file = new Blob(['hello']); $(readme_recipe rights-page | sed 's|//.*||')
		return [answer.status, receipt.remote_user]"
	assert_output '[201, "link:k1"]'
	run -0 page_do "const r = await fetch('$link', {$put}); return [r.status, (await r.json()).detail]"
	assert_output --partial 'good for one upload'
	assert_equal "$(cat "$STORE/a" "$STORE/b")" hellohello
}
