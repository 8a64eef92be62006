/*
 * postern-salvage - looks into the store of a queue that does not run, and
 * saves what can be saved.  It links LMDB only to write the new store: what is
 * damaged is read by
 *
 *	page, image, catalogue	pages, trees and where they begin (queue/)
 *	rows		what was found, as rows of our tables
 *	judge		what is whole of each message
 *	carry		what becomes of each table
 *	check, rescue	the two commands (say, leftover: what they tell, and
 *			what they write besides the store)
 */
#include <stdio.h>
#include <string.h>

#include "queue/salvage/rescue.h"
#include "sys/inherited.h"

static int
usage(void)
{
	fprintf(stderr, "usage: postern-salvage [--json] check DIR\n"
	    "       postern-salvage [--json] salvage DIR NEWDIR\n");
	return CHECK_CANNOT;
}

int
main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
	char **args = argv + 1 + json;
	int cnt = argc - 1 - json;
	enum check_end end;

	inherited_drop(-1, 0);
	if (cnt == 2 && strcmp(args[0], "check") == 0)
		end = check_run(args[1], json);
	else if (cnt == 3 && strcmp(args[0], "salvage") == 0)
		end = rescue_run(args[1], args[2], json);
	else
		return usage();
	return fflush(stdout) == EOF && end == CHECK_WHOLE ? CHECK_CANNOT :
	    end;
}
