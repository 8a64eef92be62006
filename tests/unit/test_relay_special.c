/*
 * Which addresses are a host's of the public Internet.
 *
 * room: relay
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "dice.h"
#include "relay/mx/special.h"

static enum special
is(const char *text)
{
	struct resolve_address a;

	if (!resolve_literal(span_of(text), &a))
		fail_msg("%s is no address", text);
	return special_of(&a);
}

static void
want(enum special what, const char *text)
{
	if (is(text) != what)
		fail_msg("%s is %d, not %d", text, is(text), what);
}

static void
hosts_of_the_internet_are_nothing_special(void **state)
{
	static const char *const hosts[] = {
		"1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0",
		"100.63.255.255", "100.128.0.0", "126.255.255.255",
		"128.0.0.0", "169.253.255.255", "169.255.0.0",
		"172.15.255.255", "172.32.0.0", "191.255.255.255",
		"192.0.1.0", "192.0.3.0", "192.31.196.1", "192.88.98.255",
		"192.88.100.0", "192.167.255.255", "192.169.0.0",
		"198.17.255.255", "198.20.0.0", "198.51.99.255",
		"198.51.101.0", "203.0.112.255", "203.0.114.0",
		"223.255.255.255",
		"2000::1", "2001:200::1", "2001:db7:ffff::1", "2001:db9::",
		"2001:4860:4860::8888", "2003::1", "2a00:1450::1", "2600::",
		"3ffe:ffff::1", "3fff:1000::",
	};

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		want(SPECIAL_NOT, hosts[i]);
}

static void
both_ends_of_each_private_network_are_private(void **state)
{
	static const char *const ends[] = {
		"10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
		"127.0.0.0", "127.0.0.1", "127.255.255.255", "169.254.0.0",
		"169.254.169.254", "169.254.255.255", "172.16.0.0",
		"172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.0",
		"192.0.2.255", "192.88.99.0", "192.88.99.255", "192.168.0.0",
		"192.168.255.255", "198.18.0.0", "198.19.255.255",
		"198.51.100.0", "198.51.100.255", "203.0.113.0",
		"203.0.113.255",
		"::1", "::2", "::127.0.0.1", "64:ff9b:1::1", "100::", "100::1",
		"1fff:ffff::", "2001::", "2001::1", "2001:1ff:ffff::",
		"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		"3fff::", "3fff:fff:ffff::", "4000::", "5f00::1", "7fff::1",
		"8000::", "fbff::1", "fc00::", "fd12:3456::1", "fdff:ffff::",
		"fe80::1", "febf::1", "fec0::1", "feff:ffff::1",
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		want(SPECIAL_PRIVATE, ends[i]);
}

static void
what_no_host_can_have_is_nobodys(void **state)
{
	static const char *const none[] = {
		"0.0.0.0", "0.0.0.1", "0.255.255.255", "224.0.0.0",
		"239.255.255.255", "240.0.0.0", "255.255.255.255",
		"::", "ff00::", "ff02::1", "ffff::1",
	};

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		want(SPECIAL_NOBODY, none[i]);
}

/* Whatever it is: inside ::ffff:, 64:ff9b:: and 2002: it stays that. */
static void
an_address_inside_another_counts_as_itself(void **state)
{
	char four[16], mapped[64], nat64[64], six_to_four[64];

	dice_begin();
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t n = i % 256 << 24 |
		    ((uint32_t)random() & 0xffffff);

		snprintf(four, sizeof(four), "%u.%u.%u.%u", n >> 24,
		    n >> 16 & 255, n >> 8 & 255, n & 255);
		snprintf(mapped, sizeof(mapped), "::ffff:%s", four);
		snprintf(nat64, sizeof(nat64), "64:ff9b::%s", four);
		snprintf(six_to_four, sizeof(six_to_four), "2002:%x:%x::1",
		    n >> 16, n & 0xffff);
		want(is(four), mapped);
		want(is(four), nat64);
		want(is(four), six_to_four);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_of_the_internet_are_nothing_special),
		cmocka_unit_test(both_ends_of_each_private_network_are_private),
		cmocka_unit_test(what_no_host_can_have_is_nobodys),
		cmocka_unit_test(an_address_inside_another_counts_as_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
