/* Which addresses stand in a field, however it is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mail/mailboxes.h"

static void
addresses_are_found_in_every_form(void **state)
{
	static const struct {
		const char *body, *want;
	} cases[] = {
		{ "ann@x.example", "ann@x.example" },
		{ " Ann Smith <ann@x.example>\r\n", "ann@x.example" },
		{ "root (Cron Daemon)", "root" },
		{ "\"(Cron Daemon)\" <root@web1.example>",
		    "root@web1.example" },
		{ "(a (b) \\) c) root\r\n (d)", "root" },
		{ "a@x, B <b@y>,\r\n\tc (C)", "a@x|b@y|c" },
		{ "\"a, b\"@x, \"c <d\" <e@y>", "\"a, b\"@x|e@y" },
		{ "team: a@x, B <b@y>; , c", "a@x|b@y|c" },
		{ "undisclosed-recipients:;", "" },
		{ "<@r.example,@s:a@x>", "a@x" },
		{ "< a@x >", "a@x" },
		{ "a@[IPv6:2001:db8::1], b", "a@[IPv6:2001:db8::1]|b" },
		{ "Ann Smith", "" },
		{ "Ann Smith, b", "b" },
		{ "a @ x", "" },
		{ "<>", "" },
		{ "", "" },
		{ ",;:", "" },
		{ "<a@x", "a@x" },
		{ "\"open", "\"open" },
		{ "a<b@x>c, d", "b@x|d" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span body = span_of(cases[i].body), a;
		char all[256] = "";
		size_t at = 0;

		while (mailboxes_next(body, &at, &a)) {
			strlcat(all, all[0] == '\0' ? "" : "|", sizeof(all));
			strncat(all, a.ptr, a.len);
		}
		assert_string_equal(all, cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_found_in_every_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
