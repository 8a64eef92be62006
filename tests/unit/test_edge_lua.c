/*
 * Functions of Lua judge what clients say: each command, what becomes of a
 * reply, what fails, and every example of postern-lua(7).
 *
 * room: edge
 */
#include <ctype.h>

#include "edge/lua/validators.h"
#include "edge/smtp/cmd.h"
#include "edge_dns.h"

#define PAGE		"man/postern-lua.7"
#define PAGE_MAX	131072u
#define EXAMPLES_MIN	20u
#define AWAY		"This cannot be judged now, try again later"
#define ANN		"AUTH PLAIN AGFubgBzZWNyZXQ="

static char logged[LOG_LINE_MAX];
static unsigned logged_cnt;

static void
sink(enum log_level level, const char *line, size_t len)
{
	if (strstr(line, "event=trouble") == NULL)
		return;
	snprintf(logged, sizeof(logged), "%.*s", (int)len, line);
	logged_cnt++;
}

static void
start(struct span text)
{
	kit_start();
	kit_users();
	kit.edge->set.has_tls = kit.edge->can_tls = true;
	logged[0] = '\0';
	logged_cnt = 0;
	log_setup("test", sink, false);
	assert_int_equal(validators_new(&kit.edge->set.validators,
	    kit.edge->set.hostname), OK);
	assert_int_equal(validators_add(kit.edge->set.validators,
	    SPAN("policy.lua"), text), OK);
	kit_connect();
}

static void
say(const char *line)
{
	kit_say(line);
	kit_say("\r\n");
	if (strcmp(line, ANN) == 0) {
		kit_turn(KIT_TURNS);
		if (kit.login_cnt > 0)
			kit_vault_says(LOGIN_GOOD);
	}
}

/* The last reply of those that were heard since, whole. */
static const char *
last_reply(const char *heard)
{
	const char *last = heard;

	for (const char *at = heard; *at != '\0'; at = strchr(at, '\n') + 1)
		last = at;
	return last;
}

/*
 * Play what stands behind "-- C: " and "-- S: ", the beginning of the last
 * reply.  The first S without a C is the greeting.  Number of S.
 */
static unsigned
play(struct span text)
{
	unsigned cnt = 0;
	char line[512];

	start(text);
	for (; text.len > 0; text = span_tail(text,
	    span_find(text, '\n') + 1)) {
		struct span l = span_head(text, span_find(text, '\n'));
		const char *reply;

		if (l.len < 6 || !span_cstr(span_tail(l, 6), line,
		    sizeof(line)))
			continue;
		if (span_begins(l, SPAN("-- C: "))) {
			say(line);
		} else if (span_begins(l, SPAN("-- S: "))) {
			reply = last_reply(kit_hear());
			if (strncmp(reply, line, strlen(line)) != 0)
				fail_msg("wants <%s>, hears <%s>: %s", line,
				    reply, logged);
			cnt++;
		}
	}
	kit_stop();
	return cnt;
}

static void
plays(const char *text)
{
	assert_true(play((struct span){ text, strlen(text) }) > 0);
}

#define HELLO	"-- C: EHLO c.example\n-- S: 250 SIZE\n"
#define MAIL	HELLO "-- C: MAIL FROM:<a@x.example>\n-- S: 250\n"
#define RCPT	MAIL "-- C: RCPT TO:<b@y.example>\n-- S: 250\n"
#define TEXT	"-- C: DATA\n-- S: 354\n-- C: Subject: Hi\n-- C: \n-- C: .\n"

/* A function for each command says no, and the command can be said again. */
static void
each_command_can_be_refused(void **state)
{
	plays("set_validator('banner', function(s, r) r.code = 554 end)\n"
	    "-- S: 554 5.0.0 mx.test.example ESMTP\n-- C: EHLO x\n-- S: 503");
	plays("set_validator('ehlo', function(s, r, name)\n"
	    " if name == 'c' then r.code = 550 end end)\n"
	    "-- C: EHLO c\n-- S: 550 5.0.0 mx.test.example Hello c\n"
	    "-- C: MAIL FROM:<>\n-- S: 503\n-- C: EHLO d\n-- S: 250 SIZE\n"
	    "-- C: HELO c\n-- S: 250 mx.test.example Hello c");
	plays("set_validator('helo', function(s, r, name)\n"
	    " r.code = 502; r.message = 'EHLO, ' .. name end)\n"
	    "-- C: HELO c\n-- S: 502 5.0.0 EHLO, c\n" HELLO);
	plays("set_validator('starttls', function(s, r) r.code = '454' end)\n"
	    HELLO "-- C: STARTTLS\n-- S: 454 4.0.0 Ready to start TLS");
	plays("set_validator('auth', function(s, r, user)\n"
	    " r.code, r.message = 535, user .. tostring(s.authed) end)\n"
	    HELLO "-- C: " ANN "\n-- S: 535 5.0.0 annfalse\n"
	    "-- C: MAIL FROM:<>\n-- S: 250");
	plays("set_validator('mail', function(s, r, from, params)\n"
	    " r.code = 550; r.message = '5.1.8 ' .. from .. ' ' ..\n"
	    "  params.BODY .. tostring(params.SIZE) end)\n"
	    HELLO "-- C: MAIL FROM:<a@x.example> SIZE=7 BODY=8BITMIME\n"
	    "-- S: 550 5.1.8 a@x.example 8BITMIME7\n"
	    "-- C: RCPT TO:<b@y.example>\n-- S: 503");
	plays("set_validator('rcpt', function(s, r, to)\n"
	    " if to:find('^no') then r.code = 450 end end)\n"
	    MAIL "-- C: RCPT TO:<no@y.example>\n"
	    "-- S: 450 4.1.5 <no@y.example> Ok\n"
	    "-- C: RCPT TO:<b@y.example>\n-- S: 250 2.1.5\n" TEXT
	    "-- S: 250 2.6.0 Message queued");
	plays("set_validator('data', function(s, r)\n"
	    " r.code = 554; r.message = #s.message.recipients .. ' of ' ..\n"
	    "  s.message.sender end)\n" RCPT
	    "-- C: DATA\n-- S: 554 5.0.0 1 of a@x.example");
	plays("set_validator('have_data', function(s, r, m)\n"
	    " r.code = 550; r.message = m:header('subject') .. m.size .. \n"
	    " tostring(m:header('x')) .. #m:headers('Subject') end)\n" RCPT
	    TEXT "-- S: 550 5.0.0 Hi15nil1\n" MAIL);
	plays("set_validator('rset', function(s, r) r.code = 550 end)\n" MAIL
	    "-- C: RSET\n-- S: 550 5.0.0 Ok\n-- C: RCPT TO:<b@y.example>\n"
	    "-- S: 250");
	plays("set_validator('quit', function(s, r) r.message = 'So long'\n"
	    "end)\n-- C: QUIT\n-- S: 221 2.0.0 So long");
}

/* It is on disk: nothing makes that a no. */
static void
what_is_queued_is_not_refused(void **state)
{
	plays("set_validator('queued', function(s, r, id) r.code = 550 end)\n"
	    RCPT TEXT "-- S: 250 2.6.0 Message queued as ");
	plays("set_validator('queued', function(s, r, id) r.code = 221 end)\n"
	    RCPT TEXT "-- S: 250 2.6.0 Message queued as ");
	plays("set_validator('queued', function() error('no') end)\n"
	    RCPT TEXT "-- S: 250 2.6.0 Message queued as ");
	assert_int_equal(logged_cnt, 1);
	plays("set_validator('queued', function(s, r, id)\n"
	    " r.message = #id .. ' letters' end)\n"
	    RCPT TEXT "-- S: 250 2.0.0 36 letters");
}

static void
a_reply_is_what_it_was_made(void **state)
{
	static const struct {
		const char	*set, *says;
	} rows[] = {
		{ "", "250 2.1.0 <a@x.example> Ok" },
		{ "r.message = 'Well'", "250 2.0.0 Well" },
		{ "r.message = '2.1.7 Well'", "250 2.1.7 Well" },
		{ "r.code = 550", "550 5.1.0 <a@x.example> Ok" },
		{ "r.code = '550'; r.message = '2.3.4 Stuff'",
		    "550 5.3.4 Stuff" },
		{ "r.code = 451; r.enhanced_status_code = '5.7.1'",
		    "451 4.7.1 <a@x.example> Ok" },
		{ "r.enhanced_status_code = false", "250 <a@x.example> Ok" },
		{ "r.code = 421", "421 4.1.0" },
		{ "r.code = 221; r.message = 'Bye'", "221 2.0.0 Bye" },
		{ "r.message = 'a\\r\\n250 b'", "451 4.3.0 " AWAY },
		{ "r.message = nil", "451 4.3.0 " AWAY },
		{ "r.message = {}", "451 4.3.0 " AWAY },
		{ "r.code = 251", "451 4.3.0 " AWAY },
		{ "r.code = 99", "451 4.3.0 " AWAY },
		{ "r.code = 'abc'", "451 4.3.0 " AWAY },
		{ "r.code = nil", "451 4.3.0 " AWAY },
		{ "r.enhanced_status_code = '5.7'", "451 4.3.0 " AWAY },
		{ "s.authed = 'ann'", "451 4.3.0 " AWAY },
	};
	char text[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(text, sizeof(text), "set_validator('MAIL', "
		    "function(s, r)\n%s end)\n-- C: EHLO x\n-- S: 250 SIZE\n"
		    "-- C: MAIL FROM:<a@x.example>\n-- S: %s\n", rows[i].set,
		    rows[i].says);
		plays(text);
	}
}

static void
two_hundred_twenty_one_and_421_close(void **state)
{
	for (int i = 0; i < 2; i++) {
		start(i == 0 ? SPAN("set_validator('ehlo', function(s, r) "
		    "r.code = 221 end)") : SPAN("set_validator('ehlo', "
		    "function(s, r) r.code = 421 end)"));
		kit_hear();
		say("EHLO x");
		(void)kit_hear();
		assert_true(kit.is_closed);
		kit_stop();
	}
}

static void
a_failure_never_passes_and_says_where(void **state)
{
	static const char *const texts[] = {
		"set_validator('rcpt', function(s, r)\n return s.x.y end)\n",
		"set_validator('rcpt', function(s, r)\n while true do end end)",
		"set_validator('rcpt', function(s, r)\n local t = {}\n"
		"for i = 1, 1e9 do t[i] = i end end)",
		"set_validator('rcpt', function(s, r)\n r.code = 1 end)",
		"kept = kept\nset_validator('rcpt', function(s, r)\n"
		"if kept then return kept.id end kept = s error('so') end)",
	};
	char text[1024];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		snprintf(text, sizeof(text), "%s\n" MAIL
		    "-- C: RCPT TO:<b@y.example>\n-- S: 451 4.3.0 " AWAY "\n"
		    "-- C: RCPT TO:<b@y.example>\n-- S: 451 4.3.0 " AWAY "\n"
		    "-- C: DATA\n-- S: 554", texts[i]);
		plays(text);
		assert_int_equal(logged_cnt, 2);
		assert_non_null(strstr(logged, "place=policy.lua:"));
		assert_non_null(strstr(logged, "command=RCPT"));
		assert_null(strstr(logged, "place=policy.lua:0"));
	}
}

/* One that cannot be run when the edge starts. */
static void
a_file_that_fails_refuses_everything(void **state)
{
	plays("error('not today')\n-- S: 421 4.3.0 " AWAY);
	assert_int_equal(logged_cnt, 2);
	assert_non_null(strstr(logged, "not today"));
}

/* What yields and waits ends with its session. */
static void
a_session_is_seen_as_it_is(void **state)
{
	plays("set_validator('mail', function(s, r)\n"
	    " r.message = table.concat({tostring(s.authed), s.from_ip,\n"
	    "  s.security, s.ehlo_as, s.protocol, s.hostname, #s.id,\n"
	    "  tostring(s.is_local), tostring(s.nothing)}, ' ') end)\n"
	    "-- C: EHLO c.example\n-- S: 250 SIZE\n-- C: " ANN "\n-- S: 235\n"
	    "-- C: MAIL FROM:<a@x.example>\n-- S: 250 2.0.0 ann 192.0.2.1 "
	    "none c.example ESMTPA mx.test.example 16 false nil");
}

static void
unescape(char *text)
{
	char *to = text;

	for (char *at = text; *at != '\0'; at++) {
		if (strncmp(at, "\\e", 2) == 0) {
			*to++ = '\\';
			at++;
		} else if (strncmp(at, "\\&", 2) == 0)
			at++;
		else if (strncmp(at, "\\(dq", 4) == 0) {
			*to++ = '"';
			at += 3;
		} else
			*to++ = *at;
	}
	*to = '\0';
}

static void
every_example_of_the_page_runs(void **state)
{
	static const char begin[] = ".Bd -literal -offset indent\n";
	static char page[PAGE_MAX];
	FILE *f = fopen(PAGE, "r");
	unsigned cnt = 0;
	size_t len;
	char *at = page, *end;

	assert_non_null(f);
	len = fread(page, 1, sizeof(page) - 1, f);
	assert_true(len < sizeof(page) - 1);
	fclose(f);
	while ((at = strstr(at, begin)) != NULL) {
		at += sizeof(begin) - 1;
		assert_non_null(end = strstr(at, "\n.Ed\n"));
		*end = '\0';
		if (strncmp(at, "--", 2) == 0) {
			unescape(at);
			print_message("%.*s\n", (int)strcspn(at, "\n"), at);
			plays(at);
			cnt++;
		}
		at = end + 1;
	}
	assert_true(cnt >= EXAMPLES_MIN);
}

#define LISTED	"set_validator('mail', function(s, r)\n"		\
    " local found = dns.lookup('2.0.0.127.list.example', 'A')\n"	\
    " if found == nil then r.code = 451 r.message = 'Who knows'\n"	\
    " elseif found[1] then r.code = 550\n"				\
    "  r.message = found[1] .. dns.lookup('t.example', 'TXT')[1]\n"	\
    " end end)\n"

static struct session *spied;

static enum answer
spy(struct session *s, struct reply *no)
{
	spied = s;
	return ANSWER_SKIP;
}

static void
begin_listed(void)
{
	static const struct check check = { .name = "spy", .asks = "",
	    .judge = spy };

	start(SPAN(LISTED));
	memset(&dns, 0, sizeof(dns));
	dns_link();
	dns_know("t.example", RESOLVE_TXT, RESOLVED, "\2so\3 be", 7);
	dns.is_mute = true;
	assert_int_equal(stage_add(&kit.edge->stages, AT_MAIL, 0, &check),
	    OK);
	say("EHLO x");
	kit_hear();
	say("MAIL FROM:<a@x.example>");
	assert_string_equal(kit_hear(), "");
	assert_int_equal(dns.asked_cnt, 1);
}

static void
a_function_waits_for_the_dns(void **state)
{
	begin_listed();
	dns_know("2.0.0.127.list.example", RESOLVE_A, RESOLVED,
	    "\177\0\0\2", 4);
	kit_want("NOOP\r\n", "");
	dns_speak();
	assert_string_equal(kit_hear(), "550 5.0.0 127.0.0.2so be\r\n"
	    "250 2.0.0 Ok\r\n");
	assert_int_equal(logged_cnt, 0);
	dns_stop();

	begin_listed();
	dns_speak();
	assert_string_equal(kit_hear(), "250 2.1.0 <a@x.example> Ok\r\n");
	dns_stop();

	begin_listed();
	dns_know("2.0.0.127.list.example", RESOLVE_A, RESOLVED_FAILED, "",
	    0);
	dns_speak();
	assert_string_equal(kit_hear(), "451 4.0.0 Who knows\r\n");
	dns_stop();
}

/* The client leaves, the edge ends, or time is up while a function waits. */
static void
who_is_not_waited_for_any_more_is_forgotten(void **state)
{
	begin_listed();
	close(kit.fd);
	kit.fd = -1;
	kit_turn(KIT_TURNS);
	dns_speak();
	dns_stop();

	begin_listed();
	dns_stop();

	begin_listed();
	session_away(spied);
	kit_turn(KIT_TURNS);
	assert_string_equal(kit_hear(), "451 4.3.0 " AWAY "\r\n");
	dns_speak();
	dns_stop();
}

static void
what_is_asked_where_nobody_waits_is_told(void **state)
{
	plays("set_validator('mail', function(s, r)\n"
	    " ('a'):gsub('a', function() dns.lookup('a') end) end)\n"
	    "-- C: EHLO x\n-- C: MAIL FROM:<>\n-- S: 451 4.3.0 " AWAY);
	assert_non_null(strstr(logged, "nothing may be waited for"));
	plays("set_validator('mail', function(s, r)\n"
	    " dns.lookup('a', 'HINFO') end)\n"
	    "-- C: EHLO x\n-- C: MAIL FROM:<>\n-- S: 451 4.3.0 " AWAY);
	plays("set_validator('mail', function(s, r)\n"
	    " r.message = #dns.lookup('no name', 'A') .. \n"
	    "  tostring(dns.lookup('a.example', 'A')) end)\n"
	    "-- C: EHLO x\n-- C: MAIL FROM:<>\n-- S: 250 2.0.0 0nil");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_command_can_be_refused),
		cmocka_unit_test(what_is_queued_is_not_refused),
		cmocka_unit_test(a_reply_is_what_it_was_made),
		cmocka_unit_test(two_hundred_twenty_one_and_421_close),
		cmocka_unit_test(a_failure_never_passes_and_says_where),
		cmocka_unit_test(a_file_that_fails_refuses_everything),
		cmocka_unit_test(a_session_is_seen_as_it_is),
		cmocka_unit_test(a_function_waits_for_the_dns),
		cmocka_unit_test(who_is_not_waited_for_any_more_is_forgotten),
		cmocka_unit_test(what_is_asked_where_nobody_waits_is_told),
		cmocka_unit_test(every_example_of_the_page_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
