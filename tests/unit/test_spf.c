/*
 * SPF: every case of the public suite (tests/fixtures/spf-cases.txt), and what
 * it does not ask: that an evaluation ends, whatever it is told.
 */
#include <arpa/inet.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/spf.h"

#define ROWS_MAX	256
#define FIELDS		7

struct row {
	char		 name[600], data[1200];
	char		 type[16];
	size_t		 len;		/* of data			*/
};

static struct {
	struct row	 rows[ROWS_MAX];
	unsigned	 row_cnt;
	char		 bytes[64][16];	/* of the answer in hand	*/
	struct span	 records[64];
} world;

static const struct { const char *word; unsigned type; } types[] = {
	{ "A", SPF_A }, { "PTR", SPF_PTR }, { "MX", SPF_MX },
	{ "TXT", SPF_TXT }, { "AAAA", SPF_AAAA },
};

static unsigned
type_of(const char *word)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(word, types[i].word) == 0)
			return types[i].type;
	return 0;
}

/* A name as in MX and PTR, behind its preference if there is one. */
static struct span
name_in(const struct row *r)
{
	const char *p = strrchr(r->data, ' ');
	struct span s = span_of(p != NULL ? p + 1 : r->data);

	if (s.len > 0 && s.ptr[s.len - 1] == '.')
		s.len--;
	return s;
}

static void
add_record(struct spf_answer *a, const struct row *r, unsigned type)
{
	char *bytes = world.bytes[a->cnt];
	struct span *out = &world.records[a->cnt];

	assert_true(a->cnt < 64);
	a->found = SPF_FOUND;
	a->cnt++;
	if (type == SPF_TXT)
		*out = (struct span){ r->data, r->len };
	else if (type == SPF_MX || type == SPF_PTR)
		*out = name_in(r);
	else {
		assert_int_equal(inet_pton(type == SPF_A ? AF_INET :
		    AF_INET6, r->data, bytes), 1);
		*out = (struct span){ bytes, type == SPF_A ? 4 : 16 };
	}
}

static void
look_up(const char *name, unsigned type, unsigned depth, struct spf_answer *a)
{
	bool times_out = false;

	*a = (struct spf_answer){ SPF_NOTHING, world.records, 0 };
	for (unsigned i = 0; i < world.row_cnt; i++) {
		const struct row *r = &world.rows[i];
		char cname[600];

		if (strcasecmp(r->name, name) != 0)
			continue;
		if (strcmp(r->type, "TIMEOUT") == 0)
			times_out = true;
		else if (type_of(r->type) == type &&
		    strcmp(r->data, "TIMEOUT") == 0)
			times_out = true;
		else if (type_of(r->type) == type)
			add_record(a, r, type);
		else if (strcmp(r->type, "CNAME") == 0 && depth < 4) {
			struct span s = name_in(r);

			assert_true(span_cstr(s, cname, sizeof(cname)));
			look_up(cname, type, depth + 1, a);
		}
	}
	if (a->cnt == 0 && times_out)
		a->found = SPF_UNKNOWN;
}

static int
hex(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* "\x00" in it is that byte. */
static size_t
unescape(char *out, const char *in)
{
	size_t len = 0;

	for (; *in != '\0'; in++)
		if (in[0] == '\\' && in[1] == 'x') {
			out[len++] = (char)(hex(in[2]) << 4 | hex(in[3]));
			in += 3;
		} else
			out[len++] = *in;
	out[len] = '\0';
	return len;
}

static struct spf *
evaluate(const struct spf_facts *f)
{
	struct spf_answer a;
	enum spf_type type;
	struct spf *s = NULL;
	const char *name;
	unsigned turns = 0;

	assert_int_equal(spf_begin(&s, f), OK);
	while (spf_wants(s, &type, &name)) {
		assert_true(++turns < 400);
		look_up(name, type, 0, &a);
		spf_tell(s, &a);
	}
	return s;
}

static bool
is_one_of(const char *words, const char *word)
{
	const char *at = strstr(words, word);
	size_t len = strlen(word);

	return at != NULL && (at == words || at[-1] == '|') &&
	    (at[len] == '\0' || at[len] == '|');
}

/* t name host helo mailfrom results explanation */
static unsigned
run_case(const char *suite, char *field[FIELDS])
{
	static char helo[1200], sender[1200], want[1200];
	struct spf_facts f = { .receiver = SPAN("receiver.example"),
	    .now_s = 1 };
	struct spf *s;
	const char *got, *exp;
	unsigned bad = 0;

	f.is_ipv6 = strchr(field[2], ':') != NULL;
	assert_int_equal(inet_pton(f.is_ipv6 ? AF_INET6 : AF_INET, field[2],
	    f.ip), 1);
	f.helo = (struct span){ helo, unescape(helo, field[3]) };
	f.sender = (struct span){ sender, unescape(sender, field[4]) };
	s = evaluate(&f);
	got = spf_word(spf_result(s));
	exp = spf_explanation(s);
	if (!is_one_of(field[5], got)) {
		print_message("%s: %s: %s, not %s\n", suite, field[1], got,
		    field[5]);
		bad = 1;
	}
	unescape(want, field[6]);
	if (strcmp(want, "-") != 0 && spf_result(s) == SPF_FAIL &&
	    strcmp(strcmp(want, "DEFAULT") == 0 ? "" : want, exp) != 0) {
		print_message("%s: %s: \"%s\", not \"%s\"\n", suite, field[1],
		    exp, want);
		bad = 1;
	}
	spf_free(&s);
	return bad;
}

static void
add_row(char *field[FIELDS])
{
	struct row *r = &world.rows[world.row_cnt++];

	assert_true(world.row_cnt <= ROWS_MAX);
	(void)unescape(r->name, field[1]);
	snprintf(r->type, sizeof(r->type), "%s", field[2]);
	r->len = unescape(r->data, field[3]);
}

static void
every_case_of_the_suite_comes_out_right(void **state)
{
	static char line[4096], suite[200];
	FILE *f = fopen("tests/fixtures/spf-cases.txt", "r");
	unsigned bad = 0, cnt = 0;
	char *field[FIELDS], *at;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#')
			continue;
		at = line;
		for (int i = 0; i < FIELDS; i++) {
			field[i] = at != NULL ? strsep(&at, "\t") : line +
			    strlen(line);
		}
		if (line[0] == 's') {
			snprintf(suite, sizeof(suite), "%s", field[1]);
			world.row_cnt = 0;
		} else if (line[0] == 'z')
			add_row(field);
		else {
			bad += run_case(suite, field);
			cnt++;
		}
	}
	fclose(f);
	assert_int_equal(cnt, 203);
	assert_int_equal(bad, 0);
}

/* Each name includes two more of its kind: there is an end. */
static void
a_record_that_grows_comes_to_an_end(void **state)
{
	static const char *const records[] = {
		"v=spf1 include:%{i}.%{d} include:x.%{d} -all",
		"v=spf1 redirect=a.%{d}", "v=spf1 mx mx mx mx mx mx -all",
		"v=spf1 exists:%{p}.%{d} ptr ptr ptr ptr -all",
		"v=spf1 a:%{l}.%{d} exp=%{p}.%{d} -all",
	};
	struct spf_facts f = { .ip = { 192, 0, 2, 1 },
	    .sender = SPAN("a@b.example"), .helo = SPAN("h.example"),
	    .receiver = SPAN("r.example") };

	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct span many[12];
		struct spf *s = NULL;
		enum spf_type type;
		const char *name;
		unsigned turns = 0;

		assert_int_equal(spf_begin(&s, &f), OK);
		while (spf_wants(s, &type, &name)) {
			struct spf_answer a = { SPF_FOUND, many, 1 };

			assert_true(++turns < 300);
			assert_true(strlen(name) <= SPF_NAME_MAX);
			for (int k = 0; k < 12; k++)
				many[k] = SPAN("m.b.example");
			if (type == SPF_TXT)
				many[0] = span_of(records[i]);
			else if (type == SPF_MX || type == SPF_PTR)
				a.cnt = 10;
			else
				many[0] = SPAN("\300\0\2\2");
			spf_tell(s, &a);
		}
		spf_free(&s);
	}
}

static void
an_ipv4_client_of_an_ipv6_socket_is_one_of_ipv4(void **state)
{
	struct spf_facts f = { .ip = { [10] = 0xff, 0xff, 192, 0, 2, 1 },
	    .is_ipv6 = true, .sender = SPAN("a@b.example"),
	    .helo = SPAN("h.example"), .receiver = SPAN("r.example") };
	char *row[FIELDS] = { (char *)"z", (char *)"b.example",
	    (char *)"TXT", (char *)"v=spf1 ip4:192.0.2.0/24 -all" };
	struct spf *s;

	world.row_cnt = 0;
	add_row(row);
	s = evaluate(&f);
	assert_int_equal(spf_result(s), SPF_PASS);
	assert_string_equal(spf_domain(s), "b.example");
	spf_free(&s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_of_the_suite_comes_out_right),
		cmocka_unit_test(a_record_that_grows_comes_to_an_end),
		cmocka_unit_test(
		    an_ipv4_client_of_an_ipv6_socket_is_one_of_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
