/*
 * The SMTP client under TLS, and logging in.
 *
 * room: relay
 */
#include "relay_kit.h"
#include "relay/smtp/smtp_inside.h"	/* pretends to be elsewhere */
#include "relay_certs.h"
#include "sys/counters.h"

#define EHLO_TLS	"250-hop.example\r\n250-PIPELINING\r\n250 STARTTLS"
#define EHLO_AUTH_BOTH	"250-hop.example\r\n250 AUTH LOGIN PLAIN"

/* RFC 4616: NUL ann NUL secret */
#define PLAIN_64	"AGFubgBzZWNyZXQ="

static struct certs certs;
static const void *numbers;

static int
begin(void **state)
{
	int fd = memfd_create("counters", 0);

	certs_init(&certs);
	if (fd == -1 || ftruncate(fd, COUNTERS_PAGE) == -1 ||
	    counters_open(fd) != OK)
		return -1;
	numbers = counters_map(fd);
	close(fd);
	return numbers == NULL ? -1 : 0;
}

static int
end(void **state)
{
	certs_fini(&certs);
	counters_unmap(numbers);
	return 0;
}

static uint64_t
counted(enum counter c)
{
	uint64_t all[COUNTER__COUNT];

	counters_read(numbers, all);
	return all[c];
}

/* A next hop at hop.example with TLS, and a client that believes our CA. */
static int
set_up_tls(void **state)
{
	struct bench *b;
	int fd = certs_fd(&certs);

	if (set_up(state) != 0)
		return -1;
	b = *state;
	b->hop.ehlo = EHLO_TLS;
	b->hop.tls = certs_server(&certs, "DNS:hop.example,IP:127.0.0.1");
	b->target.dial.host = SPAN("hop.example");
	b->target.tls.policy.security = TLS_OPPORTUNISTIC;
	assert_int_equal(tls_client_open(&b->target.tls.client, fd), OK);
	close(fd);
	return 0;
}

static int
tear_down_tls(void **state)
{
	struct bench *b = *state;
	struct tls_client *client = b->target.tls.client;
	SSL_CTX *tls = b->hop.tls;

	(void)tear_down(state);
	SSL_CTX_free(tls);
	tls_client_free(&client);
	return 0;
}

static void
renew(void **state)
{
	tear_down_tls(state);
	set_up_tls(state);
}

static void
add_one(struct bench *b)
{
	(void)add_delivery(0, "s@a.example", "r@b.example");
}

#define ENVELOPE							\
	"MAIL FROM:<s@a.example>\r\nRCPT TO:<r@b.example>\r\nDATA\r\n"	\
	"Subject: x\r\n\r\nHello\r\n.\r\n"

static void
starttls_is_used_where_it_is_offered(void **state)
{
	struct bench *b = *state;
	uint64_t before = counted(COUNTER_tls_done);

	add_one(b);
	connect_client(b);
	run(b);
	want_done(b->deliveries[0], 0);
	assert_string_equal(b->hop.seen, "EHLO me.example\r\nSTARTTLS\r\n"
	    "<TLS>EHLO me.example\r\n" ENVELOPE);
	assert_int_equal(counted(COUNTER_tls_done), before + 1);
	assert_string_equal(SSL_get_servername(b->hop.ssl,
	    TLSEXT_NAMETYPE_host_name), "hop.example");
}

/* RFC 6066 3. */
static void
an_address_is_no_name_to_be_asked_for(void **state)
{
	struct bench *b = *state;

	b->target.dial.host = SPAN("127.0.0.1");
	add_one(b);
	connect_client(b);
	run(b);
	want_done(b->deliveries[0], 0);
	assert_null(SSL_get_servername(b->hop.ssl,
	    TLSEXT_NAMETYPE_host_name));
}

static void
what_was_offered_before_tls_is_forgotten(void **state)
{
	struct bench *b = *state;

	b->hop.ehlo = "250-hop\r\n250-STARTTLS\r\n250-SIZE 5\r\n"
	    "250 AUTH PLAIN";
	b->hop.rules[0] = (struct rule){ "EHLO", 2, "250 hop" };
	add_one(b);
	connect_client(b);
	run(b);
	want_done(b->deliveries[0], 0);	/* 5 bytes would be too few */
}

static void
off_means_off_and_not_offered_means_clear(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct bench *b;

		renew(state);
		b = *state;
		if (i == 0)
			b->target.tls.policy.security = TLS_OFF;
		else
			b->hop.ehlo = "250-hop\r\n250 PIPELINING";
		add_one(b);
		connect_client(b);
		run(b);
		want_done(b->deliveries[0], 0);
		assert_null(strstr(b->hop.seen, "STARTTLS"));
		assert_null(strstr(b->hop.seen, "<TLS>"));
	}
}

static void
tls_may_come_at_once(void **state)
{
	struct bench *b = *state;

	b->hop.tls_at_once = true;
	b->hop.ehlo = "250-hop\r\n250 PIPELINING";
	b->target.tls.policy.immediately = true;
	b->target.tls.policy.security = TLS_VERIFIED;
	add_one(b);
	connect_client(b);
	run(b);
	want_done(b->deliveries[0], 0);
	assert_string_equal(b->hop.seen, "<TLS>EHLO me.example\r\n" ENVELOPE);
}

/* Who may be talked to: its names, what we ask of it, what comes of it. */
static void
only_the_right_certificate_is_good_enough_to_be_verified(void **state)
{
	static const struct {
		const char	*names, *host;
		enum tls_security security;
		bool		 knows_ca, is_good;
	} cases[] = {
		{ "DNS:hop.example", "hop.example", TLS_VERIFIED, true, true },
		{ "DNS:hop.example", "HOP.example.", TLS_VERIFIED, true,
		    true },
		{ "DNS:*.d.example", "hop.d.example", TLS_VERIFIED, true,
		    true },
		{ "DNS:h*.d.example", "hop.d.example", TLS_VERIFIED, true,
		    false },
		{ "DNS:*.d.example", "a.hop.d.example", TLS_VERIFIED, true,
		    false },
		{ "DNS:pop.example", "hop.example", TLS_VERIFIED, true,
		    false },
		{ "DNS:hop.example", "hop.example", TLS_VERIFIED, false,
		    false },
		{ "IP:127.0.0.1", "127.0.0.1", TLS_VERIFIED, true, true },
		{ "IP:::1", "[::1]", TLS_VERIFIED, true, true },
		{ "DNS:127.0.0.1", "127.0.0.1", TLS_VERIFIED, true, false },
		{ "IP:127.0.0.2", "127.0.0.1", TLS_VERIFIED, true, false },
		{ "DNS:pop.example", "hop.example", TLS_REQUIRED, false,
		    true },
		{ "DNS:pop.example", "hop.example", TLS_OPPORTUNISTIC, false,
		    true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench *b;

		renew(state);
		b = *state;
		SSL_CTX_free(b->hop.tls);
		b->hop.tls = certs_server(&certs, cases[i].names);
		b->target.dial.host = span_of(cases[i].host);
		b->target.tls.policy.security = cases[i].security;
		if (!cases[i].knows_ca) {
			tls_client_free(&b->target.tls.client);
			assert_int_equal(tls_client_open(
			    &b->target.tls.client, -1), OK);
		}
		add_one(b);
		connect_client(b);
		run(b);
		if (cases[i].is_good) {
			if (b->has_why)
				print_error("%s: %s\n", cases[i].names,
				    b->why_text);
			want_done(b->deliveries[0], 0);
			continue;
		}
		assert_null(strstr(b->hop.seen, "MAIL"));
		assert_true(b->has_why);
		assert_int_equal(b->why.class, CLASS_LATER);
		assert_int_equal(b->why.scope, SCOPE_HOST);
		assert_string_equal(b->why_text,
		    "4.7.5 Unable to verify certificates");
	}
}

static void
required_tls_that_is_not_to_be_had_ends_it(void **state)
{
	static const struct {
		const char	*ehlo, *starttls, *garbage, *text;
	} cases[] = {
		{ "250 hop", "", NULL,
		    "4.7.0 Required STARTTLS not available" },
		{ "502 What?", "", NULL,
		    "4.7.0 Required STARTTLS not available" },
		{ EHLO_TLS, "454 4.3.0 Not now", NULL,
		    "4.7.0 Required STARTTLS not available" },
		{ EHLO_TLS, "421 4.3.0 Not now", NULL,
		    "4.7.0 Required STARTTLS not available" },
		{ EHLO_TLS, "502 5.5.1 What?", NULL,
		    "4.7.0 Required STARTTLS not available" },
		{ EHLO_TLS, NULL, NULL,
		    "4.7.0 Required STARTTLS not available" },
		{ EHLO_TLS, "220 Go", "250 What is this?",
		    "4.7.0 The TLS handshake failed" },
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench *b;

		renew(state);
		b = *state;
		b->target.dial.host = SPAN("127.0.0.1");
		b->target.tls.policy.security = i % 2 ? TLS_VERIFIED :
		    TLS_REQUIRED;
		b->hop.ehlo = cases[i / 2].ehlo;
		b->hop.garbage = cases[i / 2].garbage;
		b->hop.rules[0] = (struct rule){ "STARTTLS", 0,
		    cases[i / 2].starttls };
		add_one(b);
		open_pool(b, 1, true);
		run(b);
		want_outcome(b->deliveries[0], 0, CLASS_LATER, SCOPE_HOST,
		    STAGE_EHLO, 454);
		assert_int_equal(b->hop.connections, 1);
		assert_int_equal(strlen(cases[i / 2].text),
		    b->deliveries[0]->rcpts[0].outcome->verdict.text.len);
		assert_memory_equal(cases[i / 2].text, b->deliveries[0]->
		    rcpts[0].outcome->verdict.text.ptr,
		    strlen(cases[i / 2].text));
		assert_null(strstr(b->hop.seen, "MAIL"));
	}
}

/* The same next hops, but nobody insists: one more connection, in the clear. */
static void
opportunistic_tls_that_fails_is_tried_in_the_clear_once(void **state)
{
	static const struct {
		const char	*starttls, *garbage;
	} cases[] = {
		{ "454 4.3.0 Not now", NULL },
		{ "421 4.3.0 Not now", NULL },
		{ "502 5.5.1 What?", NULL },
		{ "250 Fine", NULL },
		{ "354 Go on", NULL },
		{ "What?", NULL },
		{ NULL, NULL },
		{ "220 Go", "250 What is this?" },
		{ "220 Go", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t before = counted(COUNTER_tls_failed);
		struct bench *b;

		renew(state);
		b = *state;
		b->target.dial.host = SPAN("127.0.0.1");
		b->target.command_ms = 300;
		b->hop.garbage = cases[i].garbage;
		b->hop.rules[0] = (struct rule){ "STARTTLS", 0,
		    cases[i].starttls };
		add_one(b);
		open_pool(b, 1, true);
		run(b);
		want_done(b->deliveries[0], 0);
		assert_int_equal(b->hop.connections, 2);
		assert_string_equal(b->hop.seen, "EHLO me.example\r\n"
		    "STARTTLS\r\n<AGAIN>EHLO me.example\r\n" ENVELOPE);
		assert_int_equal(counted(COUNTER_tls_failed), before + 1);
	}
}

static void
bytes_behind_the_reply_to_starttls_end_it(void **state)
{
	static const char *const replies[] = {
		"220 Go\r\n250 hop.example", "220 Go\r\n2",
		"220-Go\r\n220 on\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct bench *b;

		renew(state);
		b = *state;
		b->target.dial.host = SPAN("127.0.0.1");
		b->hop.rules[0] = (struct rule){ "STARTTLS", 0, replies[i] };
		add_one(b);
		open_pool(b, 1, true);
		run(b);
		want_outcome(b->deliveries[0], 0, CLASS_LATER, SCOPE_HOST,
		    STAGE_EHLO, 454);
		assert_int_equal(b->hop.connections, 1);
		assert_null(strstr(b->hop.seen, "MAIL"));
	}
}

/* Several pieces, runs of every size, a reader that is slow. */
static void
a_long_text_arrives_whole_under_tls(void **state)
{
	const size_t len = PIECE_MAX * 5 + 77;
	char *body = malloc(len), *want, *out;

	assert_non_null(body);
	for (size_t i = 0; i < len; i++)
		body[i] = (char)('a' + i % 26);
	for (size_t i = 0, step = 5; i + 6 < len; i += step, step =
	    step % 20011 * 3 + 5)
		memcpy(body + i, "\r\n.", 3);
	memcpy(body + len - 2, "\r\n", 2);
	for (int i = 0; i < 2; i++) {
		struct bench *b;

		renew(state);
		b = *state;
		b->hop.is_slow = i == 1;
		b->body = body;
		b->body_len = len;
		add_one(b);
		connect_client(b);
		run(b);
		want_done(b->deliveries[0], 0);
		want = out = malloc(len * 2);
		assert_non_null(want);
		for (size_t k = 0; k < len; k++) {
			if (body[k] == '.' && k > 0 && body[k - 1] == '\n')
				*out++ = '.';
			*out++ = body[k];
		}
		memcpy(out, ".\r\n", 3);
		out += 3;
		assert_true(b->hop.seen_len > (size_t)(out - want));
		assert_memory_equal(b->hop.seen + b->hop.seen_len -
		    (out - want), want, out - want);
		free(want);
	}
	free(body);
}

/* TLS 1.3 servers say something that is no reply: tickets. */
static void
a_connection_under_tls_is_used_again(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (int i = 0; i < 2; i++) {
		struct bench *b;

		renew(state);
		b = *state;
		assert_int_equal(SSL_CTX_set_max_proto_version(b->hop.tls,
		    versions[i]), 1);
		b->target.dial.host = SPAN("127.0.0.1");
		add_one(b);
		open_pool(b, 1, true);
		run(b);
		for (int k = 1; k < 4; k++) {
			timer_set(&b->alarm, 20);	/* idle for a while */
			assert_int_equal(ev_run(b->loop), OK);
			b->is_late = false;
			add_one(b);
			pool_take(b->pool, b->deliveries[k]);
			run(b);
			want_done(b->deliveries[k], 0);
		}
		assert_int_equal(b->hop.connections, 1);
	}
}

static void
a_version_below_1_2_is_no_tls(void **state)
{
	struct bench *b = *state;

	SSL_CTX_set_security_level(b->hop.tls, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(b->hop.tls,
	    TLS1_VERSION), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(b->hop.tls,
	    TLS1_1_VERSION), 1);
	b->target.tls.policy.security = TLS_REQUIRED;
	add_one(b);
	connect_client(b);
	run(b);
	assert_true(b->has_why);
	assert_string_equal(b->why_text, "4.7.0 The TLS handshake failed");
}

static void
a_file_without_certificates_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "nothing\n", "-----BEGIN CERTIFICATE-----\nAAAA\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = memfd_create("ca", 0);
		struct tls_client *c = NULL;

		assert_int_equal(write(fd, texts[i], strlen(texts[i])),
		    (ssize_t)strlen(texts[i]));
		assert_int_equal(tls_client_open(&c, fd), ERR_PEER);
		assert_null(c);
		close(fd);
	}
}

/* Login. */

static void
use_login(struct bench *b, const char *user, const char *password)
{
	b->target.tls.policy.security = TLS_OFF;
	b->target.login.username = span_of(user);
	b->target.login.password = span_of(password);
	b->hop.ehlo = EHLO_AUTH_BOTH;
	b->hop.rules[0] = (struct rule){ "AUTH PLAIN " PLAIN_64, 0,
	    "235 2.7.0 Welcome" };
}

static void
plain_goes_before_login_and_takes_one_step(void **state)
{
	struct bench *b = *state;

	use_login(b, "ann", "secret");
	add_one(b);
	connect_client(b);
	run(b);
	want_done(b->deliveries[0], 0);
	assert_non_null(strstr(b->hop.seen, "EHLO me.example\r\n"
	    "AUTH PLAIN " PLAIN_64 "\r\nMAIL"));
}

static void
login_is_used_where_plain_is_not_offered(void **state)
{
	struct bench *b = *state;

	use_login(b, "ann", "secret");
	b->hop.ehlo = "250-hop\r\n250 AUTH GSSAPI LOGIN";
	b->hop.rules[0] = (struct rule){ "AUTH LOGIN", 0, "334 VXNlcm5hbWU6" };
	b->hop.rules[1] = (struct rule){ "YW5u", 0, "334 UGFzc3dvcmQ6" };
	b->hop.rules[2] = (struct rule){ "c2VjcmV0", 0, "235 Fine" };
	add_one(b);
	connect_client(b);
	run(b);
	want_done(b->deliveries[0], 0);
	assert_non_null(strstr(b->hop.seen, "AUTH LOGIN\r\nYW5u\r\n"
	    "c2VjcmV0\r\nMAIL"));
}

/* Offered, and yet refused: the next one may be taken. */
static void
a_mechanism_that_is_refused_is_followed_by_the_next(void **state)
{
	static const char *const replies[] = { "501 What?",
		"504 5.5.4 Not this one", "534 5.7.9 Too weak",
		"535 5.7.8 Who?" };

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct bench *b;

		renew(state);
		b = *state;
		use_login(b, "ann", "secret");
		b->hop.rules[0] = (struct rule){ "AUTH PLAIN", 0, replies[i] };
		b->hop.rules[1] = (struct rule){ "AUTH LOGIN", 0, "334 VXNl" };
		b->hop.rules[2] = (struct rule){ "YW5u", 0, "334 UGFz" };
		b->hop.rules[3] = (struct rule){ "c2VjcmV0", 0, "235 Fine" };
		add_one(b);
		connect_client(b);
		run(b);
		want_done(b->deliveries[0], 0);
		assert_non_null(strstr(b->hop.seen, "AUTH PLAIN " PLAIN_64
		    "\r\nAUTH LOGIN\r\nYW5u\r\nc2VjcmV0\r\nMAIL"));
	}
}

static void
a_long_response_waits_to_be_asked_for(void **state)
{
	struct bench *b = *state;
	char password[513];

	memset(password, 'x', 512);
	password[512] = '\0';
	use_login(b, "ann", password);
	b->hop.rules[0] = (struct rule){ "AUTH PLAIN", 0, "334 " };
	b->hop.rules[1] = (struct rule){ "AGFubgB4eHh4", 0, "235 Fine" };
	add_one(b);
	connect_client(b);
	run(b);
	want_done(b->deliveries[0], 0);
	assert_non_null(strstr(b->hop.seen, "AUTH PLAIN\r\nAGFubgB4eHh4eHh4"));
}

/* What a next hop may say to AUTH, and what comes of it: never a bounce. */
static void
a_login_that_fails_passes(void **state)
{
	static const struct {
		const char	*ehlo, *reply, *text;
		enum outcome_scope scope;
		unsigned	 code;
	} cases[] = {
		{ EHLO_AUTH_BOTH, "535 5.7.8 Who?", "5.7.8 Who?",
		    SCOPE_DESTINATION, 535 },
		{ EHLO_AUTH_BOTH, "454 4.7.0 Later", "4.7.0 Later",
		    SCOPE_DESTINATION, 454 },
		{ EHLO_AUTH_BOTH, "421 4.3.2 Bye", "4.3.2 Bye",
		    SCOPE_HOST, 421 },
		{ EHLO_AUTH_BOTH, "535 secret is wrong",
		    "4.7.8 The login was refused", SCOPE_DESTINATION, 535 },
		{ EHLO_AUTH_BOTH, "535-5.7.8 What is\r\n535 5.7.8 " PLAIN_64,
		    "4.7.8 The login was refused", SCOPE_DESTINATION, 535 },
		{ EHLO_AUTH_BOTH, "535 or c2VjcmV0?",
		    "4.7.8 The login was refused", SCOPE_DESTINATION, 535 },
		{ EHLO_AUTH_BOTH, "421 secret",
		    "4.7.8 The login was refused", SCOPE_HOST, 421 },
		{ EHLO_AUTH_BOTH, "250 Odd",
		    "4.5.0 The next hop sent a reply of the wrong kind",
		    SCOPE_DESTINATION, 451 },
		{ EHLO_AUTH_BOTH, NULL, "4.4.2 Connection lost",
		    SCOPE_DESTINATION, 451 },
		{ EHLO_AUTH_BOTH, "334 ",
		    "4.5.0 The next hop sent a reply of the wrong kind",
		    SCOPE_DESTINATION, 451 },
		{ "250 hop", "", "4.7.0 No login method of the next hop fits",
		    SCOPE_HOST, 454 },
		{ "250-hop\r\n250 AUTH CRAM-MD5", "",
		    "4.7.0 No login method of the next hop fits",
		    SCOPE_HOST, 454 },
		{ "500 What?", "",
		    "4.7.0 No login method of the next hop fits",
		    SCOPE_HOST, 454 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench *b;

		renew(state);
		b = *state;
		use_login(b, "ann", "secret");
		b->hop.ehlo = cases[i].ehlo;
		b->hop.rules[0] = (struct rule){ "AUTH", 0, cases[i].reply };
		add_one(b);
		connect_client(b);
		run(b);
		assert_true(b->has_why);
		assert_string_equal(b->why_text, cases[i].text);
		assert_int_equal(b->why.class, CLASS_LATER);
		assert_int_equal(b->why.scope, cases[i].scope);
		assert_int_equal(b->why.code, cases[i].code);
		assert_null(strstr(b->hop.seen, "MAIL"));
	}
}

static void
a_refused_login_is_not_tried_at_other_addresses(void **state)
{
	struct bench *b = *state;

	use_login(b, "ann", "secret");
	b->hop.rules[0] = (struct rule){ "AUTH", 0, "535 5.7.8 Who?" };
	add_one(b);
	connect_client(b);
	b->client->reach.dial.found.address_cnt = 1;	/* there would be one */
	b->client->reach.dial.found.addresses[0] = (struct resolve_address){
		4, { 127, 0, 0, 1 }
	};
	run(b);
	assert_true(b->has_why);
	assert_int_equal(b->why.code, 535);
}

static void
no_password_goes_in_the_clear_to_another_host(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct bench *b;

		renew(state);
		b = *state;
		use_login(b, "ann", "secret");
		if (i == 1)
			b->target.tls.policy.security = TLS_OPPORTUNISTIC;
		add_one(b);
		connect_client(b);
		b->client->is_local = false;
		run(b);
		assert_true(b->has_why);
		assert_string_equal(b->why_text, "4.7.0 Login requires TLS");
		assert_int_equal(b->why.scope, SCOPE_HOST);
		assert_null(strstr(b->hop.seen, "AUTH"));
	}
}

static void
under_tls_it_may_go_anywhere(void **state)
{
	struct bench *b = *state;

	use_login(b, "ann", "secret");
	b->target.tls.policy.security = TLS_REQUIRED;
	b->hop.ehlo = "250-hop\r\n250-AUTH PLAIN\r\n250 STARTTLS";
	add_one(b);
	connect_client(b);
	b->client->is_local = false;
	run(b);
	want_done(b->deliveries[0], 0);
	assert_non_null(strstr(b->hop.seen, "<TLS>EHLO me.example\r\n"
	    "AUTH PLAIN " PLAIN_64 "\r\nMAIL"));
}

/* With a login the clear is no way out, but on this host. */
static void
with_a_login_a_failed_handshake_is_the_end_elsewhere(void **state)
{
	struct bench *b = *state;

	use_login(b, "ann", "secret");
	b->target.tls.policy.security = TLS_OPPORTUNISTIC;
	b->hop.ehlo = "250-hop\r\n250-AUTH PLAIN\r\n250 STARTTLS";
	b->hop.rules[0] = (struct rule){ "STARTTLS", 0, "454 4.3.0 No" };
	add_one(b);
	connect_client(b);
	b->client->was_started = true;
	b->client->is_local = false;
	run(b);
	assert_true(b->has_why);
	assert_string_equal(b->why_text,
	    "4.7.0 Required STARTTLS not available");
	assert_int_equal(b->hop.connections, 1);
}

#define TEST(name)							\
	cmocka_unit_test_setup_teardown(name, set_up_tls, tear_down_tls)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(starttls_is_used_where_it_is_offered),
		TEST(an_address_is_no_name_to_be_asked_for),
		TEST(what_was_offered_before_tls_is_forgotten),
		TEST(off_means_off_and_not_offered_means_clear),
		TEST(tls_may_come_at_once),
		TEST(only_the_right_certificate_is_good_enough_to_be_verified),
		TEST(required_tls_that_is_not_to_be_had_ends_it),
		TEST(opportunistic_tls_that_fails_is_tried_in_the_clear_once),
		TEST(bytes_behind_the_reply_to_starttls_end_it),
		TEST(a_long_text_arrives_whole_under_tls),
		TEST(a_connection_under_tls_is_used_again),
		TEST(a_version_below_1_2_is_no_tls),
		TEST(a_file_without_certificates_is_refused),
		TEST(plain_goes_before_login_and_takes_one_step),
		TEST(login_is_used_where_plain_is_not_offered),
		TEST(a_mechanism_that_is_refused_is_followed_by_the_next),
		TEST(a_long_response_waits_to_be_asked_for),
		TEST(a_login_that_fails_passes),
		TEST(a_refused_login_is_not_tried_at_other_addresses),
		TEST(no_password_goes_in_the_clear_to_another_host),
		TEST(under_tls_it_may_go_anywhere),
		TEST(with_a_login_a_failed_handshake_is_the_end_elsewhere),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
