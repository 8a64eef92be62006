/*
 * test_master_homes - what a table of mounts says of the homes: lines as
 * systemd 252 makes them.
 *
 * room: master
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "master/homes.h"

#define ROOT	"24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
#define OWN	"60 24 8:3 / /home rw,nosuid shared:9 - ext4 /dev/sda3 rw\n"
#define OTHER	"61 24 8:4 / /home2 ro - ext4 /dev/sda4 ro\n"		\
		"62 24 8:4 /systemd/inaccessible/dir /root ro - tmpfs t rw\n"

static void
what_lies_on_home_says_whether_it_is_seen(void **state)
{
	static const struct {
		const char	*text;
		enum conf_homes	 want;
	} rows[] = {
		{ "", CONF_HOMES_THERE },
		{ ROOT, CONF_HOMES_THERE },
		{ ROOT OWN OTHER, CONF_HOMES_THERE },
		{ ROOT OWN "90 60 0:25 /systemd/inaccessible/dir /home "
		    "ro,nosuid,nodev,noexec - tmpfs tmpfs rw,mode=755\n",
		    CONF_HOMES_HIDDEN },
		{ ROOT "90 24 0:30 / /home ro,nosuid,nodev - tmpfs tmpfs "
		    "ro,mode=755\n", CONF_HOMES_HIDDEN },
		{ ROOT "90 24 8:1 /home /home ro,relatime shared:3 master:1 - "
		    "ext4 /dev/sda1 rw", CONF_HOMES_READ_ONLY },
		{ ROOT "90 24 0:30 / /home rw - tmpfs tmpfs rw\n",
		    CONF_HOMES_THERE },
		{ "90 24 0:30 / /home\n90\n\n  \n- - - -", CONF_HOMES_THERE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(homes_read(span_of(rows[i].text)),
		    rows[i].want);
}

static void
this_host_has_such_a_table(void **state)
{
	assert_true(homes_look() <= CONF_HOMES_READ_ONLY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lies_on_home_says_whether_it_is_seen),
		cmocka_unit_test(this_host_has_such_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
