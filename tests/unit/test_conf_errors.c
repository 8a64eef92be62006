/*
 * What the administrator is told.  The first test has many mistakes in one
 * file and compares the report to the letter, carets included; the others have
 * one mistake each and look for its place and the words that matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_memory.h"

static const char many_conf[] =
    "process { hostname mx.example.org; run_dir run; sandbox maybe }\n"
    "edge in {\n"
    "\ttype smtp\n"
    "\tlistner { interface 127.0.0.1 }\n"
    "\tlistener { interface 127.0.0.256; port 99999 }\n"
    "\tmax_size 50MBB\n"
    "\tmax_size 20M\n"
    "\tqueue mian\n"
    "\ttimeout \"5m\n"
    "\trules { only_recipents @example.org }\n"
    "}\n"
    "queue main {\n"
    "\ttype lmdb\n"
    "\tpath run/queue\n"
    "\trelay out\n"
    "\tretry { delay \"60*(2**n\"; maximum three; lifetime 5days }\n"
    "relay out {\n"
    "\ttype static\n"
    "\thost 127.0.0.1\n"
    "\tport smtp\n"
    "\tehlo_as localhost\n"
    "\tpath \"/x/{user}\"\n"
    "}\n"
    "relay box { type maildir; path /var/mail/{user} }\n"
    "relay all { type maildir; path \"/var/mail/all\" }\n"
    "queue other { type lmdb; path run/../run/queue; relay out }\n"
    "edge open { type smtp; listener { interface \"\"; port 26 }; queue other"
	" }\n"
    "edge open { type smpt; queue other; listener { interface 127.0.0.1; port"
	" 26 } }\n"
    "mail { }\n"
    "queue third { }\n"
    "relay m { type mx }\n"
    "edge \"größe\" { type smtp; queue other; listener { port 27 }; größe"
	" 5 }\n"
    "edge last { type smtp; queue main; listener { port 28\n";

static const char many_told[] =
    "/etc/conf:1:57: `maybe' is no sandbox of process; there is: require pref"
	"er\n"
    "    process { hostname mx.example.org; run_dir run; sandbox maybe }\n"
    "                                                            ^~~~~\n"
    "/etc/conf:4:2: edge has no option `listner'; did you mean `listener'?\n"
    "     listner { interface 127.0.0.1 }\n"
    "     ^~~~~~~\n"
    "/etc/conf:5:23: `127.0.0.256' is not an address such as 192.0.2.1 or 200"
	"1:db8::1\n"
    "     listener { interface 127.0.0.256; port 99999 }\n"
    "                          ^~~~~~~~~~~\n"
    "/etc/conf:5:41: port must be from 1 to 65535\n"
    "     listener { interface 127.0.0.256; port 99999 }\n"
    "                                            ^~~~~\n"
    "/etc/conf:6:11: `50MBB' is not a size: a number and K, M or G, such as 5"
	"0M; did you mean `50M'?\n"
    "     max_size 50MBB\n"
    "              ^~~~~\n"
    "/etc/conf:7:2: max_size is set twice\n"
    "     max_size 20M\n"
    "     ^~~~~~~~\n"
    "/etc/conf:6:2: the first is here\n"
    "     max_size 50MBB\n"
    "     ^~~~~~~~\n"
    "/etc/conf:8:8: there is no queue `mian'; did you mean `main'?\n"
    "     queue mian\n"
    "           ^~~~\n"
    "/etc/conf:9:10: this quote is not closed on its line\n"
    "     timeout \"5m\n"
    "             ^~~\n"
    "/etc/conf:10:10: rules has no option `only_recipents'; did you mean `onl"
	"y_recipients'?\n"
    "     rules { only_recipents @example.org }\n"
    "             ^~~~~~~~~~~~~~\n"
    "/etc/conf:16:25: it is no expression: `)' was expected here\n"
    "     retry { delay \"60*(2**n\"; maximum three; lifetime 5days }\n"
    "                            ^\n"
    "/etc/conf:16:36: `three' is not a number or `unlimited'\n"
    "     retry { delay \"60*(2**n\"; maximum three; lifetime 5days }\n"
    "                                       ^~~~~\n"
    "/etc/conf:16:52: `5days' is not a time: a number and ms, s, m, h, d or w"
	", such as 5m; did you mean `5d'?\n"
    "     retry { delay \"60*(2**n\"; maximum three; lifetime 5days }\n"
    "                                                       ^~~~~\n"
    "/etc/conf:17:1: a `}' is missing before this: `relay out' cannot stand w"
	"ithin `queue main'\n"
    "    relay out {\n"
    "    ^~~~~\n"
    "/etc/conf:12:12: `queue main' is opened here\n"
    "    queue main {\n"
    "               ^\n"
    "/etc/conf:20:7: `smtp' is not a port: a number from 1 to 65535\n"
    "     port smtp\n"
    "          ^~~~\n"
    "/etc/conf:21:10: ehlo_as must not be `localhost': it is a name of every "
	"host\n"
    "     ehlo_as localhost\n"
    "             ^~~~~~~~~\n"
    "/etc/conf:22:2: path is no option of a relay of type static, but of mail"
	"dir\n"
    "     path \"/x/{user}\"\n"
    "     ^~~~\n"
    "/etc/conf:24:32: a value with braces must stand in quotes\n"
    "    relay box { type maildir; path /var/mail/{user} }\n"
    "                                   ^~~~~~~~~~~~~~~~\n"
    "/etc/conf:25:32: `/var/mail/all' is not a path with {user} in it: all wo"
	"uld share one Maildir\n"
    "    relay all { type maildir; path \"/var/mail/all\" }\n"
    "                                   ^~~~~~~~~~~~~~~\n"
    "/etc/conf:26:31: queue main keeps its mail here already\n"
    "    queue other { type lmdb; path run/../run/queue; relay out }\n"
    "                                  ^~~~~~~~~~~~~~~~\n"
    "/etc/conf:14:7: it says so here\n"
    "     path run/queue\n"
    "          ^~~~~~~~~\n"
    "/etc/conf:27:24: edge open is an open relay: anybody can send to anybody"
	" through relay out; give clients or only_recipients in its rules, or"
	" listen on 127.0.0.1\n"
    "    edge open { type smtp; listener { interface \"\"; port 26 }; queue o"
	"ther }\n"
    "                           ^~~~~~~~\n"
    "/etc/conf:28:6: this name is taken: there is edge open already\n"
    "    edge open { type smpt; queue other; listener { interface 127.0.0.1; "
	"port 26 } }\n"
    "         ^~~~\n"
    "/etc/conf:27:6: the first is here\n"
    "    edge open { type smtp; listener { interface \"\"; port 26 }; queue o"
	"ther }\n"
    "         ^~~~\n"
    "/etc/conf:28:18: `smpt' is no type of edge; there is: smtp; did you mean"
	" `smtp'?\n"
    "    edge open { type smpt; queue other; listener { interface 127.0.0.1; "
	"port 26 } }\n"
    "                     ^~~~\n"
    "/etc/conf:28:37: another listener has this address and port: that of edg"
	"e open\n"
    "    edge open { type smpt; queue other; listener { interface 127.0.0.1; "
	"port 26 } }\n"
    "                                        ^~~~~~~~\n"
    "/etc/conf:27:24: it is here\n"
    "    edge open { type smtp; listener { interface \"\"; port 26 }; queue o"
	"ther }\n"
    "                           ^~~~~~~~\n"
    "/etc/conf:29:1: there is no block `mail', but process, edge, queue and r"
	"elay\n"
    "    mail { }\n"
    "    ^~~~\n"
    "/etc/conf:30:7: queue third needs `type': one of lmdb\n"
    "    queue third { }\n"
    "          ^~~~~\n"
    "/etc/conf:30:7: queue third needs `relay', since there are several: out "
	"box all m\n"
    "    queue third { }\n"
    "          ^~~~~\n"
    "/etc/conf:31:16: `mx' is no type of relay; there is: static maildir blac"
	"khole\n"
    "    relay m { type mx }\n"
    "                   ^~\n"
    "/etc/conf:32:6: a name is 1 to 63 bytes of printable ASCII without blank"
	"s and slashes\n"
    "    edge \"größe\" { type smtp; queue other; listener { port 27 }; gr"
	"öße 5 }\n"
    "         ^~~~~~~\n"
    "/etc/conf:32:62: edge has no option `größe'\n"
    "    edge \"größe\" { type smtp; queue other; listener { port 27 }; gr"
	"öße 5 }\n"
    "                                                                 ^~~~~\n"
    "/etc/conf:34:1: a `}' is missing: the file ends within `listener'\n"
    "/etc/conf:33:45: `listener' is opened here\n"
    "    edge last { type smtp; queue main; listener { port 28\n"
    "                                                ^\n";

static void
all_mistakes_are_told_in_one_run(void **state)
{
	const struct memory_file files[] = {
		{ "/etc/conf", many_conf }, { NULL, NULL } };
	struct memory m = { .files = files };
	struct conf *c = NULL;

	assert_int_equal(memory_load(&m, &c, false), ERR_PEER);
	assert_null(c);
	assert_string_equal(m.told, many_told);
}

/* A good file but for what is put into its four places. */
#define EDGE(more)	"edge e { type smtp; " more " }\n"
#define QUEUE		"queue q { type lmdb }\n"
#define RELAY(more)	"relay r { type static; host a.example; " more " }\n"
#define BOX		"relay r { type maildir; path \"/m/{user}\" }\n"
#define REST		QUEUE RELAY("")

struct row {
	const char	*text, *told;	/* told: the report begins so	*/
	const char	*also;		/* and has this, unless NULL	*/
	bool		 is_root;
};

static const struct row rows[] = {
	/* nothing to do */
	{ "", "f:1:1: there is no edge", NULL, false },
	{ "# nothing\n", "f:1:1: there is no edge", NULL, false },
	{ REST, "f:1:1: there is no edge", NULL, false },
	/* signs */
	{ "}\n" EDGE("") REST, "f:1:1: this `}' closes nothing", NULL, false },
	{ "edge e\n{ type smtp }\n" REST, "f:2:1: `{' must stand on the line",
	    NULL, false },
	{ "\"edge\" e\n" EDGE("") REST, "f:1:1: the name of an option", NULL,
	    false },
	{ EDGE("banner \"a") REST, "f:1:28: this quote is not closed", NULL,
	    false },
	{ EDGE("banner \"a\\q\"") REST, "f:1:30: after a backslash", NULL,
	    false },
	{ EDGE("banner a\001") REST, "f:1:29: a control byte (0x01)", NULL,
	    false },
	{ EDGE("listener 25") REST, "f:1:21: listener is a block", NULL,
	    false },
	{ EDGE("listener x { }") REST, "f:1:30: listener takes no name", NULL,
	    false },
	{ EDGE("workers { }") REST, "f:1:29: workers takes a value, not",
	    NULL, false },
	{ EDGE("workers") REST, "f:1:21: workers needs a value", NULL, false },
	{ EDGE("workers 1 2") REST, "f:1:31: workers takes one value", NULL,
	    false },
	{ "process { }\nprocess { }\n" EDGE("") REST,
	    "f:2:1: there is a block `process' already",
	    "f:1:1: the first is here", false },
	{ "edge { type smtp }\n" REST, "f:1:1: edge takes one name", NULL,
	    false },
	{ "edge 0123456789012345678901234567890123456789012345678901234567890"
	    "123 { type smtp }\n" REST, "f:1:6: a name is 1 to 63 bytes", NULL,
	    false },
	{ "edge e { type smtp\nqueue q { type lmdb }\n}\n" RELAY(""),
	    "f:2:1: a `}' is missing before this: `queue q' cannot stand",
	    "f:1:8: `edge e' is opened here", false },
	{ EDGE("") QUEUE "relay r { type static; host a.example",
	    "f:3:38: a `}' is missing", "f:3:9: `relay r' is opened here",
	    false },
	/* words */
	{ EDGE("max_sise 5") REST, "f:1:21: edge has no option `max_sise'; "
	    "did you mean `max_size'?", NULL, false },
	{ EDGE("idle_timeout 5") REST,
	    "f:1:21: edge has no option `idle_timeout'; it stands in `relay'",
	    NULL, false },
	{ "egde e { }\n" EDGE("") REST, "f:1:1: there is no block `egde', but "
	    "process, edge, queue and relay; did you mean `edge'?", NULL,
	    false },
	{ "edge e { }\n" REST, "f:1:6: edge e needs `type': one of smtp", NULL,
	    false },
	{ EDGE("") QUEUE "relay r { type static }\n",
	    "f:3:7: relay r needs `host'", NULL, false },
	{ EDGE("") QUEUE "relay r { type blackhole; host a }\n",
	    "f:3:27: host is no option of a relay of type blackhole, but of "
	    "static", NULL, false },
	{ EDGE("") QUEUE "relay r { host a; type blackhole }\n",
	    "f:3:11: host is no option", NULL, false },
	/* values */
	{ EDGE("") QUEUE RELAY("ipv4_only on"),
	    "f:3:50: `on' is neither yes nor no; did you mean `yes'?", NULL,
	    false },
	{ EDGE("max_recipients 99") REST,
	    "f:1:36: max_recipients must be from 100 to 100000", NULL, false },
	{ EDGE("max_size 10") REST, "f:1:30: max_size must be from 1K to "
	    "1024G", NULL, false },
	{ EDGE("max_size 99999999999999999999") REST, "f:1:30: ", NULL,
	    false },
	{ EDGE("max_size 18446744073709551615G") REST, "f:1:30: ", NULL,
	    false },
	{ EDGE("timeout -5") REST, "f:1:29: `-5' is not a time", NULL, false },
	{ EDGE("timeout 5min") REST, "f:1:29: `5min' is not a time",
	    "did you mean `5m'?", false },
	{ EDGE("banner \"{host}\"") REST, "f:1:28: a banner has no other",
	    NULL, false },
	{ EDGE("banner \"\"") REST, "f:1:28: a banner is 1 to", NULL, false },
	{ EDGE("banner a; rules { banner b }") REST,
	    "f:1:39: banner is set here and in the edge itself",
	    "f:1:21: the other is here", false },
	{ EDGE("listener { interface * }") REST,
	    "f:1:42: `*' is not an address; did you mean `\"\"'", NULL, false },
	{ EDGE("listener { interface ::ffff:127.0.0.1 }") REST, "f:1:42: ",
	    "use the IPv4 address", false },
	{ EDGE("listener { interface localhost }") REST,
	    "f:1:42: `localhost' is not an address", NULL, false },
	{ EDGE("listener { port 0 }") REST, "f:1:37: port must be from 1 to "
	    "65535", NULL, false },
	{ EDGE("rules { clients 10.0.0.1/8 }") REST,
	    "f:1:37: `10.0.0.1/8' has bits behind its length; did you mean "
	    "`10.0.0.0/8'?", NULL, false },
	{ EDGE("rules { clients 10.0.0.0/33 }") REST, "f:1:37: ",
	    "is not a network", false },
	{ EDGE("rules { only_recipients a@ }") REST, "f:1:45: ",
	    "is not user@domain or @domain", false },
	{ EDGE("") QUEUE RELAY("ehlo_as 192.0.2.1"),
	    "f:3:48: `192.0.2.1' is not the full name", NULL, false },
	{ EDGE("") QUEUE RELAY("ehlo_as host.localdomain"),
	    "f:3:48: ehlo_as must not be", NULL, false },
	{ EDGE("") QUEUE RELAY("ehlo_as LocalDomain"),
	    "f:3:48: ehlo_as must not be", NULL, false },
	{ "process { hostname localhost }\n" EDGE("") REST,
	    "f:4:7: relay r would call itself `localhost'", NULL, false },
	{ EDGE("") QUEUE "relay r { type maildir; path \"/m/{usr}\" }\n",
	    "f:3:30: ", "no other braces", false },
	{ EDGE("") QUEUE "relay r { type maildir; path \"/{user}\" }\n",
	    "f:3:30: ", "below a directory of its own", false },
	{ EDGE("") QUEUE "relay r { type maildir; path \"/m/{user}/../x\" }\n",
	    "f:3:30: ", "without `..'", false },
	{ EDGE("queue q") "queue q { type lmdb; path /s }\n"
	    "queue p { type lmdb; path /s/p }\n" RELAY(""),
	    "f:3:27: queue q keeps its mail here already",
	    "f:2:27: it says so here", false },
	{ EDGE("queue q") "queue q { type lmdb; path /s/p }\n"
	    "queue p { type lmdb; path /s }\n" RELAY(""),
	    "f:3:27: queue q keeps its mail here already",
	    "f:2:27: it says so here", false },
	{ "process { resolver { stub a.example } }\n" EDGE("") REST,
	    "f:1:22: stub takes a zone and an address", NULL, false },
	{ "process { resolver { stub a.example b.example } }\n" EDGE("") REST,
	    "f:1:22: stub takes a zone and an address", NULL, false },
	{ "process { resolver { stub ::1 a.example } }\n" EDGE("") REST,
	    "f:1:22: stub takes a zone and an address", NULL, false },
	{ "process { resolver { forward dns.example } }\n" EDGE("") REST,
	    "f:1:30: ", "is not an address", false },
	{ "process { run_dir there }\n" EDGE("") REST,
	    "f:1:19: /home/dir/there is not a directory", NULL, false },
	/* references */
	{ EDGE("queue p") RELAY(""), "f:1:27: there is no queue `p', and no "
	    "other", NULL, false },
	{ EDGE("") RELAY(""), "f:1:6: edge e needs a queue, and there is none",
	    NULL, false },
	{ EDGE("") QUEUE "queue p { type lmdb }\n" RELAY(""),
	    "f:1:6: edge e needs `queue', since there are several: q p", NULL,
	    false },
	{ EDGE("") QUEUE, "f:2:7: queue q needs a relay, and there is none",
	    NULL, false },
	/* who could send what where */
	{ EDGE("listener { interface ::; port 25 }") REST,
	    "f:1:21: edge e is an open relay", NULL, false },
	{ EDGE("listener { interface 192.0.2.1 }") REST,
	    "f:1:21: edge e is an open relay", NULL, false },
	{ EDGE("listener { interface \"\" }; rules { clients 10.0.0.0/8 "
	    "0.0.0.0/0 }") REST, "f:1:75: edge e is an open relay", NULL,
	    false },
	{ EDGE("listener { interface 127.0.0.1; port 26 }; "
	    "listener { interface 0.0.0.0; port 26 }; "
	    "rules { clients 10.0.0.0/8 }") REST,
	    "f:1:64: another listener has this address and port",
	    "f:1:21: it is here", false },
	/* users */
	{ EDGE("") QUEUE BOX, "f:3:7: relay r needs `user' where postern is "
	    "started as root", NULL, true },
	{ EDGE("") QUEUE "relay r { type maildir; user eve; "
	    "path \"/m/{user}\" }\n",
	    "f:3:30: this host has no user `eve'", NULL, true },
	/* too many */
	{ EDGE("listener { port 9 }") "edge f { type smtp; workers 65 }\n" REST,
	    "f:2:29: workers must be from 1 to 64", NULL, false },
	{ "include nowhere\n" EDGE("") REST, "f:1:9: cannot read nowhere: "
	    "there is no such file", NULL, false },
	{ "include f\n" EDGE("") REST, "f:1:9: f includes itself", NULL,
	    false },
	{ "include\n" EDGE("") REST, "f:1:1: include takes one path", NULL,
	    false },
};

static void
each_mistake_has_its_place_and_words(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		const struct memory_file files[] = { { "f", r->text },
			{ "/home/dir/there", "x" }, { NULL, NULL } };
		struct memory m = { .files = files, .known_user =
		    "_postern-edge _postern-queue _postern-relay "
		    "_postern-dns" };
		struct conf *c = NULL;

		if (memory_load(&m, &c, r->is_root) != ERR_PEER)
			fail_msg("row %zu passes: %s", i, r->text);
		if (strncmp(m.told, r->told, strlen(r->told)) != 0 ||
		    (r->also != NULL && strstr(m.told, r->also) == NULL))
			fail_msg("row %zu: %s\n%s", i, r->text, m.told);
	}
}

/* One mistake is told once: no follow-up mistakes. */
static void
one_mistake_is_told_once(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct memory_file files[] = { { "f", rows[i].text },
			{ "/home/dir/there", "x" }, { NULL, NULL } };
		struct memory m = { .files = files, .known_user =
		    "_postern-edge _postern-queue _postern-relay "
		    "_postern-dns" };
		struct conf *c = NULL;
		unsigned cnt = 0;

		assert_int_equal(memory_load(&m, &c, rows[i].is_root),
		    ERR_PEER);
		for (const char *p = m.told; p != NULL;
		    p = strchr(p, '\n') == NULL ? NULL : strchr(p, '\n') + 1)
			cnt += strncmp(p, "f:", 2) == 0;
		if (cnt != (rows[i].also != NULL &&
		    strncmp(rows[i].also, "f:", 2) == 0 ? 2u : 1u))
			fail_msg("row %zu: %s\n%s", i, rows[i].text, m.told);
	}
}

static void
a_file_that_cannot_be_read_says_why(void **state)
{
	const struct memory_file files[] = { { "f", "x" }, { NULL, NULL } };
	const struct memory_file none[] = { { NULL, NULL } };
	struct memory m = { .files = none };
	struct conf *c = NULL;
	const struct conf_opener opener = { &m, memory_read, memory_glob,
	    memory_kind };
	const struct conf_host host = { .fqdn = "a.example", .cwd = "/" };
	struct conf_report report = { .arg = &m, .line = memory_line };

	assert_int_equal(conf_load(&c, files[0].path, &opener, &host,
	    &report), ERR_PEER);
	assert_string_equal(m.told,
	    "f:1:1: cannot read f: there is no such file\n");
	assert_int_equal(report.errors, 1);
}

static void
includes_cannot_run_away(void **state)
{
	const struct memory_file files[] = { { "a", "include b\n" },
		{ "b", "include \"?\"\n" }, { "c", "include a\n" },
		{ NULL, NULL } };
	struct memory m = { .files = files };
	struct conf *c = NULL;

	assert_int_equal(memory_load(&m, &c, false), ERR_PEER);
	assert_non_null(strstr(m.told, "b:1:9: a includes itself"));
	assert_non_null(strstr(m.told, "c:1:9: a includes itself"));
}

static void
a_flood_of_mistakes_is_cut_and_counted(void **state)
{
	char *text = calloc(1, 40001);
	const struct memory_file files[] = { { "f", text }, { NULL, NULL } };
	struct memory m = { .files = files };
	struct conf *c = NULL;

	assert_non_null(text);
	for (unsigned i = 0; i < 20000; i++)
		memcpy(text + 2 * (size_t)i, "x\n", 2);
	assert_int_equal(memory_load(&m, &c, false), ERR_PEER);
	assert_non_null(strstr(m.told, "\n19900 more mistakes\n"));
	free(text);
}

/* Of a long line only what is near; the caret still stands below. */
static void
a_long_line_is_shown_in_part(void **state)
{
	char *text = calloc(1, 4096), *line, *caret;
	const struct memory_file files[] = { { "f", text }, { NULL, NULL } };
	struct memory m = { .files = files };
	struct conf *c = NULL;

	assert_non_null(text);
	memset(text, ' ', 2000);
	strlcpy(text + 2000, "wrong", 6);
	memset(text + 2005, ';', 1500);
	assert_int_equal(memory_load(&m, &c, false), ERR_PEER);
	assert_int_equal(strncmp(m.told, "f:1:2001: ", 10), 0);
	line = strchr(m.told, '\n') + 1;
	caret = strchr(line, '\n') + 1;
	assert_true(caret - line < 120);
	assert_int_equal(strchr(line, 'w') - line, strchr(caret, '^') - caret);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_mistakes_are_told_in_one_run),
		cmocka_unit_test(each_mistake_has_its_place_and_words),
		cmocka_unit_test(one_mistake_is_told_once),
		cmocka_unit_test(a_file_that_cannot_be_read_says_why),
		cmocka_unit_test(includes_cannot_run_away),
		cmocka_unit_test(a_flood_of_mistakes_is_cut_and_counted),
		cmocka_unit_test(a_long_line_is_shown_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
