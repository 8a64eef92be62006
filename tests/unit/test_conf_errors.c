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

#include "conf/read/habits.h"
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
    "relay m { type mxx }\n"
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
    "/etc/conf:22:2: path is no option of a relay of type static, but of lmtp"
	" http maildir local maildrop dovecot\n"
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
	" through relay out; give require_auth, clients or only_recipients in "
	"its rules, or recipients in the relay, or listen on 127.0.0.1\n"
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
    "/etc/conf:28:18: `smpt' is no type of edge; there is: smtp lmtp http d"
	"rop; did you mean `smtp'?\n"
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
    "/etc/conf:29:1: there is no block `mail', but process, edge, users, queue"
	" and relay\n"
    "    mail { }\n"
    "    ^~~~\n"
    "/etc/conf:30:7: queue third needs `type': one of lmdb memory "
    "proxy\n"
    "    queue third { }\n"
    "          ^~~~~\n"
    "/etc/conf:30:7: queue third needs `relay', since there are several: out "
	"box all m\n"
    "    queue third { }\n"
    "          ^~~~~\n"
    "/etc/conf:31:16: `mxx' is no type of relay; there is: mx static lmtp ht"
	"tp maildir pipe maildrop dovecot local blackhole; did you mean `mx'?\n"
    "    relay m { type mxx }\n"
    "                   ^~~\n"
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
#define TLS(cert, key)	"tls { certfile " cert "; keyfile " key " }"
#define TO(more)	"queue q { type lmdb; " more " }\n"
#define PM(address)	"process { postmaster " address " }\n"
#define LMTP(more)	"relay r { type lmtp; " more " }\n"
#define PIPE(more)	"relay r { type pipe; " more " }\n"
#define AGENT(type, more)						\
	"relay r { type " type "; " more " }\n"
#define LOGIN		"credentials { username u; password_file /k }"
#define A10		"aaaaaaaaaa"
#define A100		A10 A10 A10 A10 A10 A10 A10 A10 A10 A10

#define WORDS_10	"a b c d e f g h i j "
#define WORDS_60	WORDS_10 WORDS_10 WORDS_10 WORDS_10 WORDS_10 WORDS_10

/* The files beside the configuration. */
#define OTHERS								\
	{ "/home/dir/there", "x" }, { "/c", "cert 1" },			\
	{ "/k", "key 1" }, { "/other", "key 2" }, { "/open", "key 1" },	\
	{ "/closed", "key 1" }, { "/flat", "x" }, { "/ed", "ed25519" },	\
	{ "/locked", "locked" }, { "/none", "# nobody\n\n" },		\
	{ "/sc", "cert 3 server" }, { "/sk", "key 3 server" },		\
	{ "/cc", "cert 4 client" }, { "/ck", "key 4 client" },		\
	{ "/list", "\xef\xbb\xbf" "a@b.example\r\n"			\
	    " @.c.example # x\r\nwrong\r\n" },				\
	{ NULL, NULL }

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
	{ EDGE("warn_after 5") REST, "f:1:21: edge has no option "
	    "`warn_after'; it stands in `retry' of queue\n", NULL, false },
	{ EDGE("") TO("delay 5") RELAY(""), "f:2:22: queue has no option "
	    "`delay'; it stands in `retry' of queue\n", NULL, false },
	{ EDGE("policies { }") REST, "f:1:21: edge has no option `policies'; "
	    "it stands in `queue'\n", NULL, false },
	{ "keyfile /k\n" EDGE("") REST, "f:1:1: there is no block `keyfile', "
	    "but process, edge, users, queue and relay; it stands in `tls' of "
	    "edge", NULL, false },
	{ EDGE("") QUEUE RELAY("pool_size 5"), "f:3:40: relay has no option "
	    "`pool_size'; here it is `concurrent_connections'\n", NULL, false },
	{ EDGE("idle_timeout 5") REST, "f:1:21: edge has no option "
	    "`idle_timeout'; here it is `timeout'\n", NULL, false },
	{ "http { }\n" EDGE("") REST, "f:1:1: there is no block `http', but "
	    "process, edge, users, queue and relay; it is a `type' of an", NULL,
	    false },
	{ "user postern\n" EDGE("") REST, "f:1:1: there is no block `user', ",
	    "stands in a block `users'", false },
	{ "process { daemon yes }\n" EDGE("") REST, "f:1:11: process has no "
	    "option `daemon'; nothing of the kind is needed", NULL, false },
	{ EDGE("") QUEUE RELAY("user ann"), "f:3:40: user is no option of a "
	    "relay of type static, but of ",
	    "; the name of a login is `username' in `credentials'\n", false },
	{ EDGE("") QUEUE RELAY("password x"), "f:3:40: relay has no option "
	    "`password'; here it is `password_file' in `credentials'\n", NULL,
	    false },
	{ EDGE("") QUEUE "relay r { type smarthost; host a }\n", "f:3:16: "
	    "`smarthost' is no type of relay; there is: ",
	    "; it is `static'\n", false },
	{ "egde e { }\n" EDGE("") REST, "f:1:1: there is no block `egde', but "
	    "process, edge, users, queue and relay; did you mean `edge'?", NULL,
	    false },
	{ "edge e { }\n" REST,
	    "f:1:6: edge e needs `type': one of smtp lmtp http drop", NULL,
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
	{ EDGE("") QUEUE RELAY("ipv4_only yes; ipv6_only yes"),
	    "f:3:55: ipv4_only and ipv6_only together leave nothing",
	    "f:3:40: the other is here", false },
	{ EDGE("") QUEUE "relay r { type mx; ipv6_only yes\n"
	    "source 192.0.2.1 192.0.2.2 }\n",
	    "f:4:8: source is no IPv6 address, and the relay connects by "
	    "nothing else", "f:3:20: as is said here", false },
	{ EDGE("") QUEUE "relay r { type static; ipv4_only yes\n"
	    "host 2001:db8::1 }\n", "f:4:6: host is no IPv4 address",
	    "f:3:24: as is said here", false },
	{ EDGE("max_recipients 99") REST,
	    "f:1:36: max_recipients must be from 100 to 10000", NULL, false },
	{ EDGE("max_size 10") REST, "f:1:30: max_size must be from 1K to "
	    "1024G", NULL, false },
	{ EDGE("max_size 99999999999999999999") REST, "f:1:30: ", NULL,
	    false },
	{ EDGE("max_size 18446744073709551615G") REST, "f:1:30: ", NULL,
	    false },
	{ EDGE("timeout -5") REST, "f:1:29: `-5' is not a time", NULL, false },
	{ EDGE("timeout 5.") REST, "f:1:29: `5.' is not a time", NULL, false },
	{ EDGE("timeout 1.5.2") REST, "f:1:29: `1.5.2' is not a time", NULL,
	    false },
	{ EDGE("timeout .5h") REST, "f:1:29: `.5h' is not a time", NULL,
	    false },
	{ EDGE("timeout 100.5ms") REST, "f:1:29: ", NULL, false },
	{ EDGE("timeout 1.5hours") REST, "f:1:29: ", "did you mean `1.5h'?",
	    false },
	{ EDGE("max_errors 5.0") REST, "f:1:32: `5.0' is not a number", NULL,
	    false },
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
	{ EDGE("") QUEUE LMTP("ehlo_as localhost"),
	    "f:3:30: ehlo_as must not be `localhost'", NULL, false },
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
	/* what passes through */
	{ EDGE("relay x") REST, "f:1:27: there is no relay `x'", NULL, false },
	{ EDGE("queue q; relay r") REST, "f:1:30: edge e hands its mail to one "
	    "of queue and relay, not to both", "f:1:21: the other is here",
	    false },
	{ EDGE("relay r") "queue e { type lmdb }\n" RELAY(""),
	    "f:1:21: this makes a queue of type proxy with the name of the "
	    "edge, and there is queue e already", "f:2:7: it is here", false },
	{ EDGE("relay r") BOX, "f:1:27: relay r is of type maildir, which "
	    "takes a message when it is whole", NULL, false },
	{ EDGE("") "queue q { type proxy }\n" BOX, "f:2:1: relay r is of type "
	    "maildir", NULL, false },
	{ EDGE("") "queue q { type proxy; history 5d }\n" RELAY(""),
	    "f:2:23: history is no option of a queue of type proxy, but of "
	    "lmdb memory", NULL, false },
	{ EDGE("") "queue q { type proxy; retry { } }\n" RELAY(""),
	    "f:2:23: retry is no block of a queue of type proxy, but of "
	    "lmdb memory", NULL, false },
	{ EDGE("") "queue q { type proxy; route to @a.example relay r }\n"
	    RELAY(""), "f:2:23: route is no option of a queue of type proxy",
	    NULL, false },
	{ EDGE("") "queue q { type proxy\npolicies { recipient_split yes } }\n"
	    RELAY(""), "f:3:12: a queue of type proxy cannot split a message",
	    NULL, false },
	{ EDGE("") "queue q { type proxy\npolicies { forward a@x.example "
	    "b@y.example } }\n" RELAY(""), "f:3:12: a queue of type proxy "
	    "cannot forward: each recipient goes to the next hop as he came",
	    NULL, false },
	{ EDGE("queue q") "queue q { type lmdb; bounce_queue p }\n"
	    "queue p { type proxy }\n" RELAY(""), "f:2:35: queue p is of type "
	    "proxy, which has no routes for bounces", NULL, false },
	{ "edge e { type smtp; listener { interface \"\" }; relay r }\n"
	    RELAY(""), "f:1:21: edge e is an open relay: anybody can send to "
	    "anybody through relay r", NULL, false },
	{ EDGE("queue q") "queue q { type lmdb; path /s }\n"
	    "queue p { type lmdb; path /s/p }\n" RELAY(""),
	    "f:3:27: queue q keeps its mail here already",
	    "f:2:27: it says so here", false },
	{ EDGE("queue q") "queue q { type lmdb; path /s/p }\n"
	    "queue p { type lmdb; path /s }\n" RELAY(""),
	    "f:3:27: queue q keeps its mail here already",
	    "f:2:27: it says so here", false },
	{ "edge d { type drop; path /s; queue q }\n"
	    "queue q { type lmdb; path /s }\n" RELAY(""),
	    "f:2:27: edge d keeps its mail here already",
	    "f:1:26: it says so here", false },
	{ "edge d { type drop }\nqueue drop { type lmdb }\n" RELAY(""),
	    "f:2:1: edge d keeps its mail here already",
	    "f:1:1: it says so here", false },
	{ "edge d { type drop; listener { port 26 } }\n" REST,
	    "f:1:21: listener is no block of a edge of type drop, but of smtp "
	    "lmtp", NULL, false },
	{ EDGE("path /s") REST, "f:1:21: path is no option of a edge of type "
	    "smtp, but of drop", NULL, false },
	{ EDGE("queue q") "queue p { type lmdb; path \"\" }\n"
	    "queue q { type lmdb; path /s }\n" RELAY(""),
	    "f:2:27: `' is not a path", NULL, false },
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
	{ "edge e { type lmtp; listener { interface \"\"; port 24 } }\n" REST,
	    "f:1:21: edge e is an open relay", NULL, false },
	{ "edge e { type lmtp; listener { port 25 } }\n" REST,
	    "f:1:21: edge e cannot listen on port 25", NULL, false },
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
	{ EDGE("listener { interface \"\" }; queue q")
	    TO("route to @a.example relay r; relay box")
	    RELAY("") "relay box { type maildir; path \"/m/{user}\" }\n",
	    "f:1:21: edge e is an open relay", NULL, false },
	{ EDGE("listener { interface \"\" }") QUEUE "relay r { type mx }\n",
	    "f:1:21: edge e is an open relay", NULL, false },
	{ EDGE("listener { interface \"\" }; rules { clients ::/0 }; "
	    TLS("/c", "/k")) REST, "f:1:64: edge e is an open relay", NULL,
	    false },
	/* two halves are a whole, and all that ends in one label is all */
	{ EDGE("listener { interface \"\" }; rules { clients 128.0.0.0/1 "
	    "0.0.0.0/1 }") REST, "f:1:64: edge e is an open relay", NULL,
	    false },
	{ EDGE("listener { interface \"\" }; rules { clients 64.0.0.0/3 "
	    "10.0.0.0/8 }") REST, "f:1:64: edge e is an open relay", NULL,
	    false },
	{ EDGE("listener { interface \"\" }; rules { clients 10.0.0.0/8 "
	    "2000::/3 }") REST, "f:1:75: edge e is an open relay", NULL,
	    false },
	{ EDGE("listener { interface \"\" }") QUEUE
	    RELAY("recipients @.net"), "f:3:51: edge e is an open relay", NULL,
	    false },
	/* routes */
	{ EDGE("") TO("route @a.example relay r") RELAY(""),
	    "f:2:22: a route is written `route to PATTERN", NULL, false },
	{ EDGE("") TO("route to relay r") RELAY(""),
	    "f:2:22: a route is written", NULL, false },
	{ EDGE("") TO("route to @a.example r") RELAY(""),
	    "f:2:22: a route is written", NULL, false },
	{ EDGE("") TO("route to a.example relay r") RELAY(""),
	    "f:2:31: `a.example' is not user@domain, @domain or @.domain",
	    NULL, false },
	{ EDGE("") TO("route to @a.example @b.example relay rr") RELAY(""),
	    "f:2:59: there is no relay `rr'; did you mean `r'?", NULL, false },
	{ EDGE("") TO("route to @a.example relay r; relay s") RELAY(""),
	    "f:2:57: there is no relay `s'", NULL, false },
	{ EDGE("") TO("route tu @a.example relay r") RELAY(""),
	    "f:2:28: a route is written `route to PATTERN ... relay NAME'",
	    "did you mean `to'?", false },
	{ EDGE("") TO("route to @a.example rely r") RELAY(""),
	    "f:2:42: a route is written", "did you mean `relay'?", false },
	{ EDGE("") TO("route to discard") RELAY(""),
	    "f:2:22: a route is written", NULL, false },
	{ EDGE("") TO("route to @a.example error \"It moved\"") RELAY(""),
	    "f:2:48: the text of an error begins with its enhanced code",
	    NULL, false },
	{ EDGE("") TO("route to @a.example error \"2.1.6 Ok\"") RELAY(""),
	    "f:2:48: the text of an error", NULL, false },
	{ EDGE("") TO("route to @a.example error \"5.1.6\"") RELAY(""),
	    "f:2:48: the text of an error", NULL, false },
	{ EDGE("") TO("route to @*.a.example relay r") RELAY(""),
	    "f:2:31: `@*.a.example' is not user@domain, @domain or @.domain; "
	    "did you mean `@.a.example'?", NULL, false },
	{ EDGE("") TO("route to x..y@a.example relay r") RELAY(""),
	    "f:2:31: `x..y@a.example' is not user@domain, @domain or "
	    "@.domain; did you mean `\"x..y\"@a.example', quotes and all?",
	    NULL, false },
	{ EDGE("") TO("route from a relay r") RELAY(""),
	    "f:2:33: `a' is not user@domain, @domain, @.domain or <>", NULL,
	    false },
	{ EDGE("") TO("route login \"\" relay r") RELAY(""),
	    "f:2:34: `' is not a login of 1 to 128 bytes", NULL, false },
	{ EDGE("") TO("route to /nowhere relay r") RELAY(""),
	    "f:2:31: cannot read /nowhere: there is no such", NULL, false },
	{ EDGE("listener { interface \"\" }; queue q")
	    TO("route from <> relay r; route login * relay r") RELAY(""),
	    "f:1:21: edge e is an open relay", NULL, false },
	{ EDGE("") TO("bounce_relay r") BOX, "f:2:35: bounces go to senders "
	    "anywhere, and a relay of type maildir has only those", NULL,
	    false },
	{ EDGE("") TO("bounce_relay r") AGENT("dovecot", "path /k"),
	    "f:2:35: bounces go to senders anywhere, and a relay of type "
	    "dovecot has only those", NULL, false },
	{ EDGE("") TO("bounce_relay s") RELAY(""),
	    "f:2:35: there is no relay `s'", NULL, false },
	{ EDGE("") TO("bounce_queue p") RELAY(""),
	    "f:2:35: there is no queue `p'", NULL, false },
	{ EDGE("") TO("bounce_relay r; bounce_queue q") RELAY(""),
	    "f:2:38: bounces go by one of bounce_queue and bounce_relay",
	    "f:2:22: the other is here", false },
	/* logins and TLS */
	{ EDGE("rules { lookup_credentials staf }") "users staff { type file; "
	    "path /k }\n" REST, "f:1:48: there is no users `staf'; did you "
	    "mean `staff'?", NULL, false },
	{ EDGE("rules { require_auth yes }") REST, "f:1:42: nobody could log "
	    "in to edge e: require_auth needs `lookup_credentials NAME'", NULL,
	    false },
	{ EDGE("rules { require_auth yes; lookup_credentials u }")
	    "users u { type file; path /k }\n" REST,
	    "f:1:42: nobody could log in to edge e: logins are under TLS only",
	    NULL, false },
	{ EDGE("rules { require_tls yes }") REST, "f:1:41: edge e has no "
	    "certificate: require_tls needs", NULL, false },
	{ EDGE("tls_immediately yes") REST, "f:1:37: edge e has no "
	    "certificate: tls_immediately needs", NULL, false },
	{ EDGE("tls { certfile /c }") REST, "f:1:21: tls needs `keyfile'",
	    NULL, false },
	/* files */
	{ EDGE(TLS("credential:mx.crt", "/k")) REST, "f:1:36: there is no file "
	    "/run/credentials/postern.service/mx.crt", NULL, false },
	{ EDGE(TLS("credential:../x", "/k")) REST, "f:1:36: "
	    "`credential:../x' is not a credential's name", NULL, false },
	{ EDGE(TLS("credential:", "/k")) REST, "f:1:36: "
	    "`credential:' is not a credential's name", NULL, false },
	{ EDGE(TLS("/gone", "/k")) REST, "f:1:36: there is no file /gone",
	    NULL, false },
	{ EDGE(TLS("/c", "/gone")) REST, "f:1:48: there is no file /gone",
	    NULL, false },
	{ EDGE(TLS("/dir", "/k")) REST, "f:1:36: /dir is not a file",
	    NULL, false },
	{ EDGE(TLS("/c", "/open")) REST, "f:1:48: /open is a secret, and "
	    "everybody may read it (its mode is 0754): `chmod o= /open'", NULL,
	    false },
	{ EDGE(TLS("/c", "/closed")) REST, "f:1:48: cannot read /closed: "
	    "Permission denied; who may read it, such as root", NULL, false },
	{ EDGE(TLS("/c", "/other")) REST, "f:1:48: this key does not belong "
	    "to the certificate", "f:1:36: the certificate is here", false },
	{ EDGE(TLS("/k", "/k")) REST, "f:1:36: there is no certificate in "
	    "this file", NULL, false },
	{ EDGE(TLS("/c", "/c")) REST, "f:1:48: there is no private key in",
	    NULL, false },
	{ EDGE(TLS("/c", "/locked")) REST, "f:1:48: this key wants a "
	    "passphrase", NULL, false },
	{ EDGE("") QUEUE RELAY("tls { certfile /c }"), "f:3:46: certfile "
	    "without keyfile: a certificate and its key stand together", NULL,
	    false },
	{ EDGE("") QUEUE RELAY("tls { keyfile /k }"), "f:3:46: keyfile "
	    "without certfile: a certificate and its key", NULL, false },
	{ EDGE("") QUEUE RELAY(TLS("/gone", "/k")), "f:3:55: there is no file "
	    "/gone", NULL, false },
	{ EDGE("") QUEUE RELAY(TLS("/c", "/open")), "f:3:67: /open is a "
	    "secret", NULL, false },
	{ EDGE("") QUEUE RELAY(TLS("/c", "/other")), "f:3:67: this key does "
	    "not belong to the certificate", "f:3:55: the certificate is "
	    "here", false },
	{ EDGE("") QUEUE LMTP(TLS("/c", "/locked")), "f:3:49: this key wants "
	    "a passphrase", NULL, false },
	{ EDGE("") QUEUE PIPE("args /k; " TLS("/c", "/k")), "f:3:31: tls is "
	    "no block of a relay of type pipe", NULL, false },
	{ EDGE("") QUEUE RELAY("tls { key /k }"), "f:3:46: ",
	    "here it is `keyfile'", false },
	{ EDGE(TLS("/c", "/ed")) REST, "f:1:48: this key is neither RSA",
	    NULL, false },
	{ EDGE("") "users u { type file; path /gone }\n" REST,
	    "f:2:27: there is no file /gone; `posternctl user add' makes it",
	    NULL, false },
	{ EDGE("") "users u { type file; path /open }\n" REST,
	    "f:2:27: /open is a secret", NULL, false },
	{ EDGE("") QUEUE RELAY("tls { security verified; ca_certs /gone }"),
	    "f:3:74: there is no file /gone", NULL, false },
	{ EDGE("") QUEUE RELAY("tls { security verified }"),
	    "f:3:40: there is no file /etc/ssl/certs/ca-certificates.crt",
	    NULL, false },
	{ EDGE("") QUEUE RELAY("tls { security verified; ca_certs /flat }"),
	    "f:3:74: there is no certificate in /flat: it must be PEM", NULL,
	    false },
	{ "process { resolver { trust_anchor gone } }\n" EDGE("") REST,
	    "f:1:35: there is no file /home/dir/gone", NULL, false },
	{ EDGE("") QUEUE RELAY("recipients /gone"), "f:3:51: cannot read "
	    "/gone: there is no such file", NULL, false },
	{ EDGE("") QUEUE RELAY("recipients /none"), "f:3:51: there is nobody "
	    "in /none", NULL, false },
	{ EDGE("") QUEUE RELAY("recipients wrong"), "f:3:51: `wrong' is not "
	    "user@domain, @domain or @.domain, nor the path", NULL, false },
	/* paths of unix sockets */
	{ EDGE("listener { path /s; port 25 }") REST, "f:1:41: there is a "
	    "path: port has no meaning beside it", "f:1:32: the path is here",
	    false },
	{ EDGE("listener { path /" A100 "/12345678 }") REST, "f:1:37: the "
	    "path of a unix socket is at most 107 bytes, and this is 110",
	    NULL, false },
	{ EDGE("listener { path /s }; listener { path /s }") REST,
	    "f:1:59: another listener has this path: that of edge e",
	    "f:1:21: it is here", false },
	{ EDGE("listener { path /run/postern/control }") REST,
	    "f:1:37: posternctl is answered at this path", NULL, false },
	{ EDGE("listener { path /flat }") REST,
	    "f:1:37: there is something else than a socket", NULL, false },
	{ "process { run_dir /" A100 " }\n" EDGE("") REST,
	    "f:1:19: run_dir is at most 99 bytes long", NULL, false },
	/* relays by themselves */
	{ EDGE("") QUEUE LMTP("path /s; host a.example"),
	    "f:3:31: there is a path: host has no meaning beside it",
	    "f:3:22: the path is here", false },
	{ EDGE("") QUEUE LMTP("path /s; port 25"), "f:3:31: there is a path: "
	    "port has no meaning", "f:3:22: the path is here", false },
	{ EDGE("") QUEUE RELAY("path /s"), "f:3:40: path is no option of a "
	    "relay of type static, but of lmtp http maildir", NULL, false },
	{ EDGE("") QUEUE "relay r { type maildir; path \"/m/{user}\"; "
	    "tls { security off } }\n", "f:3:43: tls is no block of a relay "
	    "of type maildir, but of mx static lmtp", NULL, false },
	{ EDGE("") QUEUE "relay r { type local; path Maildir/ }\n",
	    "f:3:28: a path that begins with `/', or with `~/'", NULL, false },
	{ EDGE("") QUEUE "relay r { type local; path /var/mail/all }\n",
	    "f:3:28: all users would have one mailbox", NULL, false },
	{ EDGE("") QUEUE "relay r { type local; path \"~/\" }\n",
	    "f:3:28: no part of the path may be empty", NULL, false },
	{ EDGE("") QUEUE "relay r { type local; path \"/m//{user}\" }\n",
	    "f:3:28: no part of the path may be empty", NULL, false },
	{ EDGE("") QUEUE "relay r { type local; path \"~/../{user}\" }\n",
	    "f:3:28: no part of the path may be empty", NULL, false },
	{ EDGE("") QUEUE "relay r { type local; path \"/m/{user}{x}\" }\n",
	    "f:3:28: no part of the path may be empty", NULL, false },
	{ EDGE("") QUEUE "relay r { type local; minimum_uid 0 }\n",
	    "f:3:35: minimum_uid must be from 1", NULL, false },
	{ EDGE("") QUEUE "relay r { type mx; " LOGIN " }\n",
	    "f:3:20: credentials is no block of a relay of type mx", NULL,
	    false },
	{ EDGE("") QUEUE RELAY(LOGIN), "f:3:40: the password would cross the "
	    "network in the clear", NULL, false },
	{ EDGE("") QUEUE RELAY(LOGIN "; tls { security off }"),
	    "f:3:40: the password would cross", NULL, false },
	{ EDGE("") QUEUE RELAY("tls_immediately yes; tls { security off }"),
	    "f:3:56: tls_immediately, and yet security is off", NULL, false },
	{ EDGE("") QUEUE RELAY("credentials { username u; password_file "
	    "/open }; tls_immediately yes"), "f:3:80: /open is a secret",
	    NULL, false },
	{ EDGE("") QUEUE "relay r { type mx; force_mx a.example }\n",
	    "f:3:20: force_mx takes a domain and a host", NULL, false },
	{ EDGE("") QUEUE "relay r { type mx; force_mx a.example b@0 }\n",
	    "f:3:39: `b@0' is not a host, or host@port", NULL, false },
	{ EDGE("") QUEUE "relay r { type mx; force_mx 1.2.3.4 b }\n",
	    "f:3:29: `1.2.3.4' is not the name of a domain", NULL, false },
	{ EDGE("") QUEUE "relay r { type mx; source host.example }\n",
	    "f:3:27: `host.example' is not an address", NULL, false },
	{ EDGE("") QUEUE PIPE("timeout 5s"), "f:3:7: relay r needs `args'",
	    NULL, false },
	{ EDGE("") QUEUE PIPE("args k"), "f:3:27: the first of args is the "
	    "program", NULL, false },
	{ EDGE("") QUEUE PIPE("args /gone"), "f:3:27: there is no program "
	    "/gone", NULL, false },
	{ EDGE("") QUEUE PIPE("args /flat"), "f:3:27: /flat is not a program",
	    NULL, false },
	{ EDGE("") QUEUE PIPE("args /k \"{recipent}\""), "f:3:30: {recipent} "
	    "stands for nothing; there is: sender recipient",
	    "did you mean `recipient'?", false },
	{ EDGE("") QUEUE PIPE("args /k \"{ {sender} {\\\"a\\\": 1}{x}\""),
	    "f:3:30: {x} stands for nothing", NULL, false },
	{ EDGE("") QUEUE PIPE("args /k {sender}"),
	    "f:3:30: a value with braces must stand in quotes", NULL, false },
	{ EDGE("") QUEUE AGENT("maildrop", ""), "f:3:7: there is no program "
	    "maildrop in PATH", "`path'", false },
	{ EDGE("") QUEUE AGENT("dovecot", "path /gone"),
	    "f:3:30: there is no program /gone", NULL, false },
	{ EDGE("") QUEUE AGENT("dovecot", "path /flat"),
	    "f:3:30: /flat is not a program", NULL, false },
	{ EDGE("") QUEUE AGENT("dovecot", "path lda"),
	    "f:3:30: it is the program: a path that", NULL, false },
	{ EDGE("") QUEUE AGENT("maildrop", "path /k"),
	    "f:3:7: relay r needs `user'", NULL, true },
	{ EDGE("") QUEUE AGENT("maildrop", "path /k; args /k"),
	    "f:3:35: args is no option of a relay of type maildrop", NULL,
	    false },
	{ EDGE("") QUEUE PIPE("args /k; extra_args x"), "f:3:31: extra_args "
	    "is no option of a relay of type pipe", NULL, false },
	{ EDGE("") QUEUE AGENT("dovecot", "path /k; extra_args -m "
	    "\"{box}\""), "f:3:48: {box} ", NULL, false },
	{ EDGE("") QUEUE AGENT("maildrop", "path /k; extra_args " WORDS_60),
	    "f:3:35: a program is started with at most 59 words, and these "
	    "are 60", NULL, false },
	{ EDGE("") QUEUE PIPE("args /k a b c d " WORDS_60),
	    "f:3:22: a program is started with at most 64 words, and these "
	    "are 65", NULL, false },
	{ EDGE("") QUEUE PIPE("args /k; error_pattern \"a(b\""),
	    "f:3:49: it is no regular expression: missing closing parenthes",
	    "\n                                                    ^\n",
	    false },
	{ EDGE("") QUEUE PIPE("args /k; error_pattern x[z-a]y"),
	    "f:3:49: it is no regular expression: range out of order", NULL,
	    false },
	{ EDGE("") QUEUE PIPE("args /k; error_pattern \"\""),
	    "f:3:45: an empty regular expression", NULL, false },
	{ EDGE("") QUEUE PIPE("args /k"), "f:3:7: relay r needs `user'", NULL,
	    true },
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
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		const struct memory_file files[] = { { "f", r->text },
			OTHERS };
		struct memory m = { .files = files, .known_user =
		    "_postern-edge _postern-queue _postern-relay "
		    "_postern-dns _postern-vault _postern-auth "
		    "_postern-ctl", .open_to_all = "/open",
		    .no_program = "/flat", .unreadable = "/closed",
		    .directory = "/dir" };
		struct conf *c = NULL;

		if (memory_load(&m, &c, r->is_root) != ERR_PEER)
			fail_msg("row %zu passes: %s", i, r->text);
		if (strncmp(m.told, r->told, strlen(r->told)) == 0 &&
		    (r->also == NULL || strstr(m.told, r->also) != NULL))
			continue;
		print_error("row %zu: %s\n%s", i, r->text, m.told);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* One mistake is told once: no follow-up mistakes. */
static void
one_mistake_is_told_once(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct memory_file files[] = { { "f", rows[i].text },
			OTHERS };
		struct memory m = { .files = files, .known_user =
		    "_postern-edge _postern-queue _postern-relay "
		    "_postern-dns _postern-vault _postern-auth "
		    "_postern-ctl", .open_to_all = "/open",
		    .no_program = "/flat", .unreadable = "/closed",
		    .directory = "/dir" };
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

#define ABROAD	"listener { interface \"\" }; rules { clients 10.0.0.0/8 }; "

/* What is taken, and surprises. */
static const struct {
	const char	*text, *told, *also;	/* told NULL: nothing is */
} doubts[] = {
	{ EDGE("") QUEUE "relay r { type mx; source 192.0.2.1 192.0.2.2 }\n",
	    "f:3:27: warning: source has IPv4 addresses only: hosts that have "
	    "none of that family are not connected to; if that is meant, say "
	    "`ipv4_only yes'", NULL },
	{ EDGE("") TO("route to *@a.example relay r") RELAY(""),
	    "f:2:31: warning: `*@a.example' matches no address but just this, "
	    "star and all; all of the domain is `@a.example'\n"
	    "    queue q { type lmdb; route to *@a.example relay r }\n"
	    "                                  ^~~~~~~~~~~\n", NULL },
	{ EDGE("") QUEUE RELAY("recipients \"*@a.example\""),
	    "f:3:51: warning: `*@a.example' matches", NULL },
	{ EDGE("rules { only_recipients x*y@a.example }") REST,
	    "f:1:45: warning: `x*y@a.example' matches", NULL },
	{ EDGE("") TO("route from \"\\\"*\\\"@a.example\" relay r") RELAY(""),
	    NULL, NULL },
	{ EDGE("") TO("route to @A.example relay r; route to x@a.example "
	    "discard") RELAY(""), "f:2:60: warning: this can never match: the "
	    "route with `@A.example' before it matches all of it",
	    "f:2:31: it is here" },
	{ EDGE("") TO("route to x@a.example @.a.example @b.a.example relay r")
	    RELAY(""), "f:2:55: warning: this can never match: the route with "
	    "`@.a.example'", "f:2:43: it is here" },
	{ EDGE("") TO("route login * relay r; route login @x relay r")
	    RELAY(""), "f:2:57: warning: this can never match: the route with "
	    "`*'", NULL },
	{ EDGE("") TO("route from <> \"\" relay r") RELAY(""),
	    "f:2:36: warning: this can never match", "f:2:33: it is here" },
	{ EDGE("") TO("route from @a.example relay r; route to @a.example "
	    "relay r; route to x@b.example @b.example relay r") RELAY(""),
	    NULL, NULL },
	/* who may show a certificate, and to whom */
	{ EDGE("") QUEUE RELAY(TLS("/sc", "/sk")), "f:3:55: warning: this "
	    "certificate is not for clients: it says so itself "
	    "(extendedKeyUsage, keyUsage), and next hops will refuse it",
	    NULL },
	{ EDGE(TLS("/cc", "/ck")) REST, "f:1:36: warning: this certificate is "
	    "not for servers: it says so itself", NULL },
	{ EDGE("listener { interface \"\" }; rules { clients 17.0.0.0/8 "
	    "12.0.0.0/8 12.5.0.0/16 fc00::/7 10.0.0.0/8 224.0.0.0/3 "
	    "2001:db8::/32 }") QUEUE RELAY(""), NULL, NULL },
	{ EDGE("listener { interface \"\" }") QUEUE
	    RELAY("recipients @.lan @.co.uk @org"), "f:2:7: warning: queue q "
	    "takes mail from strangers", NULL },
	{ EDGE(TLS("/sc", "/sk")) QUEUE RELAY(TLS("/cc", "/ck")), NULL, NULL },
	{ EDGE("") QUEUE LMTP("path /s; " TLS("/c", "/k")), "f:3:37: warning: "
	    "TLS is not spoken by this relay, so nobody is shown its "
	    "certificate", NULL },
	{ EDGE("") QUEUE RELAY("tls { security off; certfile /c; keyfile /k }"),
	    "f:3:60: warning: TLS is not spoken by this relay", NULL },
	/* the way of bounces */
	{ EDGE("listener { interface \"\" }; rules { only_recipients @a.example"
	    " }") QUEUE BOX, "f:2:7: warning: queue q takes mail from "
	    "strangers by edge e, and a bounce to one of them has no way",
	    NULL },
	{ EDGE("listener { interface \"\" }") TO("route to @a.example relay r")
	    BOX, "f:2:7: warning: queue q takes mail from strangers", NULL },
	{ EDGE("listener { interface \"\" }") QUEUE BOX,
	    "f:2:7: warning: queue q takes mail from strangers",
	    "f:3:7: warning: anybody can have mail for any address of any "
	    "domain handed to relay r by edge e" },
	{ EDGE("listener { interface \"\" }") TO("relay r; bounce_relay out")
	    "relay r { type lmtp; recipients @a.example }\n"
	    "relay out { type mx }\n", NULL, NULL },
	{ EDGE("listener { interface \"\" }; queue q")
	    TO("route to @a.example relay r; route login * relay out; "
	    "bounce_queue p") BOX "queue p { type lmdb; relay out }\n"
	    "relay out { type mx }\n", NULL, NULL },
	{ EDGE("listener { interface \"\" }; rules { clients 10.0.0.0/8 }")
	    QUEUE BOX, NULL, NULL },
	{ EDGE("") QUEUE BOX, NULL, NULL },
	/* who has no text whole converts none */
	{ EDGE("queue q") "queue q { type proxy }\n" RELAY("eightbit convert"),
	    "f:3:49: warning: relay r has only mail that passes through, of "
	    "which nothing is converted", NULL },
	{ EDGE("queue q") "queue q { type proxy }\n"
	    "queue p { type lmdb }\n" RELAY("eightbit convert"), NULL, NULL },
	/* a message that is allowed, and cannot be sent in time */
	{ EDGE(ABROAD "max_size 120M") REST, "f:1:78: warning: a message of "
	    "max_size takes 132 minutes at 128 kbit a second, and edge e ends "
	    "it before: give it `session_timeout 264m'", NULL },
	{ EDGE(ABROAD "session_timeout 50m") REST, "f:1:78: warning: a message "
	    "of max_size takes 55 minutes", NULL },
	{ EDGE(ABROAD "session_timeout 56m") REST, NULL, NULL },
	{ EDGE(ABROAD "max_size 120M; session_timeout 3h") REST, NULL, NULL },
	{ EDGE("max_size 2G") REST, NULL, NULL },
	/* how a host calls itself */
	{ "process { hostname mail }\n" EDGE("") REST, "f:1:20: warning: the "
	    "hostname is `mail', which has no dot: other servers refuse",
	    NULL },
	{ EDGE("hostname mx") REST, "f:1:30: warning: `mx' has no dot", NULL },
	{ EDGE("hostname \"{hostname}\"") REST, "f:1:30: warning: `host' has "
	    "no dot", NULL },
	{ EDGE("") QUEUE RELAY("ehlo_as out"), "f:3:48: warning: `out' has no "
	    "dot", NULL },
	{ EDGE("") QUEUE LMTP("ehlo_as out"), NULL, NULL },
	/* what SMTPUTF8 depends on, where the option is written */
	{ EDGE("smtputf8 auto; queue q") QUEUE RELAY(""), "f:1:30: warning: "
	    "`auto' depends on what the next hop of relay r offers", NULL },
	{ EDGE("smtputf8 no") REST, NULL, NULL },
	/* TLS at once where it is not expected, and not where it is */
	{ EDGE("tls_immediately yes; " TLS("/c", "/k")) REST, "f:1:1: warning: "
	    "on port 25 both sides begin in the clear, and with "
	    "tls_immediately edge e does not; it belongs to port 465", NULL },
	{ EDGE("tls_immediately yes; listener { port 465 }; listener { port "
	    "587 }; " TLS("/c", "/k")) REST, "f:1:76: warning: on port 587",
	    NULL },
	{ EDGE("listener { port 465 }; " TLS("/c", "/k")) REST, "f:1:32: "
	    "warning: on port 465 TLS is spoken at once, and edge e does not "
	    "without `tls_immediately yes'", NULL },
	{ EDGE("tls_immediately yes; listener { path /s }; " TLS("/c", "/k"))
	    REST, NULL, NULL },
	{ EDGE("tls_immediately yes; listener { port 2525 }; "
	    TLS("/c", "/k")) REST, NULL, NULL },
	{ EDGE("") QUEUE RELAY("tls_immediately yes"), "f:3:1: warning: on "
	    "port 25 both sides begin in the clear", NULL },
	{ EDGE("") QUEUE RELAY("port 465"), "f:3:40: warning: on port 465 "
	    "TLS is spoken at once, and relay r does not", NULL },
	{ EDGE("") QUEUE RELAY("tls_immediately yes; port 465"), NULL, NULL },
	/* the way to the postmaster: that of a bounce */
	{ EDGE("") QUEUE BOX PM("a@a.example"), "f:4:22: warning: queue q has "
	    "no way to the postmaster", NULL },
	{ EDGE("") TO("relay r; bounce_relay out") BOX "relay out { type mx }\n"
	    PM("a@a.example"), NULL, NULL },
	{ EDGE("") TO("route to @a.example relay r") BOX PM("x@A.example"),
	    NULL, NULL },
	{ EDGE("") TO("route to x@a.example relay r; relay r") BOX
	    PM("y@a.example"), "f:4:22: warning: queue q has", NULL },
	{ EDGE("") TO("route from <> error \"5.7.1 no\"; relay r") RELAY("")
	    PM("y@a.example"), "f:4:22: warning: queue q has", NULL },
	{ EDGE("") TO("route to x@a.example discard; relay r") RELAY("")
	    PM("x@a.example"), "f:4:22: warning: queue q has", NULL },
	{ EDGE("") QUEUE RELAY("recipients b@a.example") PM("c@a.example"),
	    "f:4:22: warning: queue q has", NULL },
	{ EDGE("") "queue q { type memory }\n" RELAY(""),
	    "f:2:16: warning: queue q keeps its mail in memory: all that waits "
	    "there is lost when it ends, though clients have heard 250\n",
	    NULL },
	{ EDGE("") QUEUE RELAY("recipients b@a.example")
	    PM("Postmaster@a.example"), NULL, NULL },
	{ EDGE("queue q") TO("bounce_queue p; relay r") BOX
	    "queue p { type lmdb; relay out }\nrelay out { type mx }\n"
	    PM("a@a.example"), NULL, NULL },
};

static void
what_is_right_and_surprises_is_warned_of(void **state)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		const struct memory_file files[] = { { "f", doubts[i].text },
			OTHERS };
		struct memory m = { .files = files };
		const char *told = doubts[i].told;
		struct conf *c = NULL;

		assert_int_equal(memory_load(&m, &c, false), OK);
		conf_free(&c);
		if (told == NULL ? m.told_len == 0 :
		    strncmp(m.told, told, strlen(told)) == 0 &&
		    (doubts[i].also == NULL ||
		    strstr(m.told, doubts[i].also) != NULL))
			continue;
		print_error("row %zu: %s\n%s", i, doubts[i].text, m.told);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* A host that does not know its full name is told where it would say it. */
static void
a_name_without_a_dot_is_told(void **state)
{
	const struct memory_file files[] = { { "f",
		EDGE("") QUEUE LMTP("path /s") }, OTHERS };
	struct memory m = { .files = files, .fqdn = "db7" };
	struct conf *c = NULL;

	assert_int_equal(memory_load(&m, &c, false), OK);
	conf_free(&c);
	assert_int_equal(strncmp(m.told, "f:1:1: warning: this host calls "
	    "itself `db7', which has no dot: other servers refuse such a name "
	    "or do not know whose it is; set hostname in process\n", 60), 0);
	m.is_tool = true;
	assert_int_equal(memory_load(&m, &c, false), OK);
	conf_free(&c);
	assert_string_equal(m.told, "");
}

/* Its directory, or the first above it that is there, says how large it is. */
static void
a_disk_smaller_than_the_reserve_is_told(void **state)
{
	const struct memory_file files[] = { { "f", EDGE("")
		TO("path /mnt/spool/q; relay r") RELAY("") }, OTHERS };
	struct memory m = { .files = files, .disk = 60ull << 20 };
	struct conf *c = NULL;

	assert_int_equal(memory_load(&m, &c, false), OK);
	conf_free(&c);
	assert_int_equal(strncmp(m.told, "f:2:27: warning: queue q will take "
	    "no mail: its disk has 60 MiB, and 64 MiB must be free there", 90),
	    0);
	m.disk = 100ull << 20;
	assert_int_equal(memory_load(&m, &c, false), OK);
	conf_free(&c);
	assert_string_equal(m.told, "");
	m.disk = 0;
	assert_int_equal(memory_load(&m, &c, false), OK);
	conf_free(&c);
	assert_string_equal(m.told, "");
}

/* What could be a hash or a password is never shown. */
static void
a_file_of_users_is_judged_and_keeps_its_secrets(void **state)
{
	const struct memory_file files[] = { { "f", EDGE("") QUEUE RELAY("")
		"users u { type file; path /users }\n" }, { "/users",
		"\xef\xbb\xbf# ours\r\nann:$6$salt$secret\r\n"
		"bob:{PLAIN}secret\r\nmy secret stands here and here secret\r\n"
		"dear:$y$jXT$secret$secret\neve:!\n" }, OTHERS };
	struct memory m = { .files = files };
	struct conf *c = NULL;

	assert_int_equal(memory_load(&m, &c, false), OK);
	conf_free(&c);
	assert_non_null(strstr(m.told, "/users:3:1: warning: nobody can log "
	    "in to this account: what stands after its name is not a hash"));
	assert_non_null(strstr(m.told, "    bob:.............\n    ^~~\n"));
	assert_non_null(strstr(m.told, "/users:4:1: warning: this line is no "
	    "account: it is written NAME:HASH"));
	assert_non_null(strstr(m.told, "/users:5:1: warning: nobody can log "
	    "in to this account: its hash takes more memory"));
	assert_null(strstr(m.told, "$"));
	assert_null(strstr(m.told, "here secret"));
	assert_null(strstr(m.told, "/users:2:"));
	assert_null(strstr(m.told, "/users:6:"));
}

/*
 * What is said of a habit is itself right: no row is dead because the word is
 * ours, and every word between ` and ' is one of ours.
 */
static bool
is_ours(struct span word)
{
	for (unsigned i = 0; i < OPTION__COUNT; i++) {
		const struct option_row *row = options_row((enum option_no)i);

		if (span_eq(word, span_of(row->name)) || (row->words != NULL &&
		    options_has_word(row->words, word)))
			return true;
	}
	for (unsigned i = BLOCK_TOP + 1; i < BLOCK__COUNT; i++)
		if (span_eq(word, span_of(
		    options_block((enum option_block)i)->word)))
			return true;
	return options_has_word("discard yes no", word);
}

static void
check_quoted(const struct habit *h)
{
	struct span rest = span_of(h->text), word;
	unsigned cnt = 0;

	if (strstr(h->text, "posternctl") != NULL)
		return;			/* a command, not a word of the file */
	while (span_find(rest, '`') < rest.len) {
		rest = span_tail(rest, span_find(rest, '`') + 1);
		word = span_head(rest, span_find(rest, '\''));
		rest = span_tail(rest, word.len);
		for (; word.len > 0; cnt++) {
			size_t end = span_find(word, ' ');

			if (!is_ours(span_head(word, end)))
				fail_msg("%s: there is no `%.*s'", h->word,
				    (int)end, word.ptr);
			word = span_tail(word, end + 1);
		}
	}
	if (h->block != BLOCK__COUNT)
		assert_true(cnt > 0 || strstr(h->text, "SMTP") != NULL ||
		    strstr(h->text, "asked") != NULL);
}

static void
every_habit_leads_to_a_word_of_ours(void **state)
{
	const struct habit *h;

	for (unsigned i = 0; (h = habits_row(i)) != NULL; i++) {
		struct span word = span_of(h->word);
		enum option_no no;

		check_quoted(h);
		if (h->block == BLOCK__COUNT)
			continue;
		no = options_find(h->block, h->option != NULL ?
		    span_of(h->option) : word, SPAN(""));
		if (h->option != NULL) {
			assert_int_not_equal(no, OPTION__COUNT);
			if (options_has_word(options_row(no)->words, word))
				fail_msg("%s is a value", h->word);
		} else if ((no != OPTION__COUNT &&
		    options_row(no)->kinds[0] == '\0') ||
		    options_find_block(h->block, word) != BLOCK_TOP)
			fail_msg("%s is an option", h->word);
	}
}

/* A mistake in a file of recipients is shown there. */
static void
a_file_of_recipients_has_places_too(void **state)
{
	const struct memory_file files[] = { { "f",
		EDGE("") QUEUE RELAY("recipients /list") }, OTHERS };
	struct memory m = { .files = files };
	struct conf *c = NULL;

	assert_int_equal(memory_load(&m, &c, false), ERR_PEER);
	assert_string_equal(m.told, "/list:3:1: `wrong' is not user@domain, "
	    "@domain or @.domain, nor the path of a file of them\n"
	    "    wrong\n    ^~~~~\n");
}

static void
a_directory_of_roots_must_have_some(void **state)
{
	static const struct {
		const char	*directory, *told;
	} cases[] = {
		{ "/ca/closed", "cannot read /ca/closed/a.pem: "
		    "Permission denied\n" },
		{ "/ca/vast", "there is more in /ca/vast than the "
		    "8192 KiB that can be used\n" },
		{ "/ca/none", "there is no certificate in the "
		    "directory /ca/none: they are in files of PEM called "
		    "*.pem, *.crt or *.cer, or as c_rehash calls them\n" },
		{ "/ca/roots", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512];
		const struct memory_file files[] = { { "f", text },
			MEMORY_HOST };
		struct memory m = { .files = files,
		    .directory = cases[i].directory };
		struct conf *c = NULL;
		enum err e;

		snprintf(text, sizeof(text), "%s%s%s", EDGE("") QUEUE
		    "relay o { type static; host a.b; port 1; tls { security "
		    "verified; ca_certs ", cases[i].directory, " } }\n");
		e = memory_load(&m, &c, false);
		assert_int_equal(e, cases[i].told == NULL ? OK : ERR_PEER);
		if (cases[i].told != NULL &&
		    (strncmp(m.told, "f:3:", 4) != 0 ||
		    strstr(m.told, cases[i].told) == NULL))
			fail_msg("%s: %s", cases[i].directory, m.told);
		conf_free(&c);
	}
}

static void
a_file_that_cannot_be_read_says_why(void **state)
{
	const struct memory_file files[] = { { "f", "x" }, { NULL, NULL } };
	const struct memory_file none[] = { { NULL, NULL } };
	struct memory m = { .files = none };
	struct conf *c = NULL;
	const struct conf_opener opener = { .arg = &m, .read = memory_read,
	    .glob = memory_glob, .kind = memory_kind };
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
		cmocka_unit_test(what_is_right_and_surprises_is_warned_of),
		cmocka_unit_test(a_name_without_a_dot_is_told),
		cmocka_unit_test(a_disk_smaller_than_the_reserve_is_told),
		cmocka_unit_test(every_habit_leads_to_a_word_of_ours),
		cmocka_unit_test(
		    a_file_of_users_is_judged_and_keeps_its_secrets),
		cmocka_unit_test(a_file_of_recipients_has_places_too),
		cmocka_unit_test(a_directory_of_roots_must_have_some),
		cmocka_unit_test(a_file_that_cannot_be_read_says_why),
		cmocka_unit_test(includes_cannot_run_away),
		cmocka_unit_test(a_flood_of_mistakes_is_cut_and_counted),
		cmocka_unit_test(a_long_line_is_shown_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
