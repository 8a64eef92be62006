/*
 * Records of DNS for mail: what they say, and what is wrong with them.
 * room: ctl/tool
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/tool/mailrec.h"

static void
names_are_read_and_broken_ones_are_not(void **state)
{
	char label[64], out[MAILREC_NAME_MAX], longest[5 * 64 + 1];
	size_t used;

	assert_true(mailrec_name(SPAN("\2mx\1a\0rest"), out, &used));
	assert_string_equal(out, "mx.a");
	assert_int_equal(used, 6);
	assert_true(mailrec_name(SPAN("\3a.\n\0"), out, &used));
	assert_string_equal(out, "a\\046\\010");
	assert_true(mailrec_name(SPAN("\0"), out, &used));
	assert_string_equal(out, "");
	assert_false(mailrec_name(SPAN(""), out, &used));
	assert_false(mailrec_name(SPAN("\2m"), out, &used));
	assert_false(mailrec_name(SPAN("\2mx"), out, &used));
	assert_false(mailrec_name(SPAN("\300\14"), out, &used));
	memset(label, 'a', sizeof(label));
	label[0] = 63;
	for (int i = 0; i < 5; i++)
		memcpy(longest + i * 64, label, 64);
	longest[320] = '\0';
	assert_false(mailrec_name((struct span){ longest, 321 }, out, &used));
}

static void
strings_of_a_text_are_one(void **state)
{
	char out[MAILREC_TEXT_MAX];
	size_t len;

	assert_true(mailrec_text(SPAN("\6v=spf1\5 -all"), out, &len));
	assert_true(span_eq((struct span){ out, len }, SPAN("v=spf1 -all")));
	assert_false(mailrec_text(SPAN("\6v=spf"), out, &len));
	assert_true(mailrec_text(SPAN(""), out, &len));
	assert_int_equal(len, 0);
}

static void
what_is_wrong_with_a_record_is_said(void **state)
{
	static const struct {
		enum mailrec	 kind;
		const char	*text;
		const char	*wrong;	/* a part; NULL nothing; "" no such */
	} rows[] = {
		{ MAILREC_SPF, "v=spf1 mx -all", NULL },
		{ MAILREC_SPF, "v=spf1 redirect=_spf.a.example", NULL },
		{ MAILREC_SPF, "V=SPF1 ~ALL", NULL },
		{ MAILREC_SPF, "v=spf1 mx", "nothing of all others" },
		{ MAILREC_SPF, "v=spf1 +all", "everybody" },
		{ MAILREC_SPF, "v=spf1 all", "everybody" },
		{ MAILREC_SPF, "v=spf1 a mx a:b mx:c a/24 a a include:x a a a "
		    "-all", "ten lookups" },
		{ MAILREC_SPF, "v=spf10 -all", "" },
		{ MAILREC_SPF, "spf2.0/pra -all", "" },
		{ MAILREC_DMARC, "v=DMARC1; p=reject", NULL },
		{ MAILREC_DMARC, "v=DMARC1;p = none ; rua=mailto:a@b", NULL },
		{ MAILREC_DMARC, "v=DMARC1; sp=none", "no p=" },
		{ MAILREC_DMARC, "v=DMARC1; p=maybe", "neither" },
		{ MAILREC_DKIM, "v=DKIM1; k=rsa; p=MIIB", NULL },
		{ MAILREC_DKIM, "k=rsa; p=MIIB", NULL },
		{ MAILREC_DKIM, "v=DKIM1; p=", "taken back" },
		{ MAILREC_DKIM, "v=DKIM1; k=rsa", "no p=" },
		{ MAILREC_DKIM, "something", "" },
		{ MAILREC_STS, "v=STSv1; id=2026;", NULL },
		{ MAILREC_STS, "v=STSv1;", "no id=" },
		{ MAILREC_TLSRPT, "v=TLSRPTv1; rua=mailto:a@b", NULL },
		{ MAILREC_TLSRPT, "v=TLSRPTv1", "no rua=" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span text = span_of(rows[i].text);
		const char *said, *want = rows[i].wrong;

		if (!mailrec_is(rows[i].kind, text)) {
			if (want == NULL || want[0] != '\0')
				fail_msg("%s is none", rows[i].text);
			continue;
		}
		said = mailrec_wrong(rows[i].kind, text);
		if (want == NULL ? said != NULL : want[0] == '\0' ||
		    said == NULL || strstr(said, want) == NULL)
			fail_msg("%s: %s", rows[i].text, said);
	}
}

static void
what_is_wrong_with_a_tlsa_is_said(void **state)
{
	char hash[3 + 64] = { 3, 1, 1 };

	assert_null(mailrec_tlsa_wrong((struct span){ hash, 35 }));
	assert_non_null(mailrec_tlsa_wrong((struct span){ hash, 34 }));
	assert_non_null(mailrec_tlsa_wrong((struct span){ hash, 2 }));
	hash[2] = 2;
	assert_null(mailrec_tlsa_wrong((struct span){ hash, 67 }));
	hash[0] = 1;
	assert_non_null(mailrec_tlsa_wrong((struct span){ hash, 67 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_and_broken_ones_are_not),
		cmocka_unit_test(strings_of_a_text_are_one),
		cmocka_unit_test(what_is_wrong_with_a_record_is_said),
		cmocka_unit_test(what_is_wrong_with_a_tlsa_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
