/*
 * Message authentication codes: those of RFC 4231, whose keys are no longer than a block.
 */
#include <string.h>

#include "auth/mac.h"
#include "lib/cmocka_with.h"

static void
codes_are_those_of_the_standard(void **state)
{
	static const struct {
		const char *key, *text, *code; /* key and text: hexadecimal */
	} rows[] = {
	    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
		"b0344c61d8db38535ca8afceaf0bf12b"
		"881dc200c9833da726e9376c2e32cff7"},
	    {"4a656665",
		"7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		"5bdcc146bf60754e6a042426089575c7"
		"5a003f089d2739839dec58b964ec3843"},
	    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
		"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
		"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
		"82558a389a443c0ea4cc819899f2083a"
		"85f0faa3e578f8077a2e3ff46729665b"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		unsigned char key[64], text[64], code[MAC_BYTES];
		size_t key_len = strlen(rows[i].key) / 2;
		size_t text_len = strlen(rows[i].text) / 2;
		struct str hex = {0};

		assert_true(
		    mac_read_hex(rows[i].key, 2 * key_len, key, key_len));
		assert_true(
		    mac_read_hex(rows[i].text, 2 * text_len, text, text_len));
		assert_true(mac_hmac(key, key_len, text, text_len, code));
		mac_add_hex(&hex, code, sizeof(code));
		assert_string_equal(hex.s, rows[i].code);
		str_fini(&hex);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(codes_are_those_of_the_standard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
