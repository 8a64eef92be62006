/*
 * read.c - numbers and words; what concerns hosts and paths is in
 * read_host.c.  Each reader says what would have fitted.
 */
#include <string.h>

#include "conf/read/expr.h"
#include "conf/read/habits.h"
#include "conf/read/propose.h"
#include "conf/read/read.h"
#include "conf/read/read_host.h"
#include "conf/read/read_mailbox.h"
#include "conf/read/read_path.h"

#define PART_DIGITS	9u	/* after the point; a tenth only rounds up */

struct unit {
	const char	*word;
	uint64_t	 factor;	/* below 2^33: see part_of()	*/
};

static const struct unit sizes[] = {
	{ "", 1 }, { "K", 1024 }, { "M", 1024 * 1024 },
	{ "G", 1024ull * 1024 * 1024 }, { NULL, 0 }
};

static const struct unit durations[] = {
	{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
	{ "h", 3600000 }, { "d", 86400000 }, { "w", 7 * 86400000ull },
	{ NULL, 0 }
};

/* Of what is counted, and comes whole. */
static const struct unit pieces[] = { { "", 1 }, { NULL, 0 } };

static struct span
digits_of(struct span s)
{
	size_t len = 0;

	while (len < s.len && s.ptr[len] >= '0' && s.ptr[len] <= '9')
		len++;
	return span_head(s, len);
}

/* Digits, and with a point between them more of them; empty: neither. */
static struct span
amount_of(struct span s)
{
	struct span whole = digits_of(s), part;

	if (whole.len == 0 || !span_begins(span_tail(s, whole.len), SPAN(".")))
		return whole;
	part = digits_of(span_tail(s, whole.len + 1));
	return part.len == 0 ? whole : span_head(s, whole.len + 1 + part.len);
}

/* `50MB' means 50M and `30sec' means 30s: the number and one letter. */
static const char *
nearest_unit(struct arena *arena, struct span s, const struct unit *units)
{
	struct span digits = units == pieces ? digits_of(s) : amount_of(s);
	struct span rest = span_tail(s, digits.len);

	if (digits.len == 0 || rest.len == 0)
		return "";
	for (const struct unit *u = units; u->word != NULL; u++)
		if (u->word[0] != '\0' && span_eq_nocase(span_head(rest, 1),
		    span_head(span_of(u->word), 1)) && strcmp(u->word, "ms"))
			return arena_print(arena, "; did you mean `%.*s%s'?",
			    report_len(digits), digits.ptr, u->word);
	return "";
}

/*
 * That many of the smallest unit, rounded up, so that little does not become
 * nothing.  Less than one of the smallest itself is asked too much.
 */
static bool
part_of(struct span digits, uint64_t factor, uint64_t *out)
{
	uint64_t n = 0, of = 1;
	bool has_more = false;

	for (size_t i = 0; i < digits.len; i++) {
		uint64_t digit = (uint64_t)(digits.ptr[i] - '0');

		if (i < PART_DIGITS) {
			n = n * 10 + digit;
			of *= 10;
		} else
			has_more |= digit != 0;
	}
	*out = ((n + has_more) * factor + of - 1) / of;
	return factor > 1 || (n == 0 && !has_more);
}

/* A number and a unit; false when it is none or too large for words. */
static bool
read_units(struct span s, const struct unit *units, uint64_t *out)
{
	struct span whole = digits_of(s);
	struct span amount = units == pieces ? whole : amount_of(s);
	unsigned long long n;
	uint64_t part;

	if (!span_number(whole, UINT64_MAX, &n))
		return false;
	for (const struct unit *u = units; u->word != NULL; u++)
		if (span_eq_nocase(span_tail(s, amount.len),
		    span_of(u->word)))
			return part_of(span_tail(amount, whole.len + 1),
			    u->factor, &part) &&
			    !__builtin_mul_overflow(n, u->factor, out) &&
			    !__builtin_add_overflow(*out, part, out);
	return false;
}

static const char *
in_units(struct arena *arena, uint64_t n, const struct unit *units)
{
	const struct unit *best = NULL;

	for (const struct unit *u = units; u->word != NULL; u++)
		if (u->word[0] != '\0' && n % u->factor == 0 && n != 0 &&
		    (best == NULL || u->factor > best->factor))
			best = u;
	if (best == NULL)
		return arena_print(arena, "%llu", (unsigned long long)n);
	return arena_print(arena, "%llu%s",
	    (unsigned long long)(n / best->factor), best->word);
}

static const struct unit *
units_of(const struct option_row *row)
{
	return row->type == TYPE_SIZE ? sizes :
	    row->type == TYPE_DURATION ? durations : pieces;
}

static bool
is_in_range(const struct read_place *rp, const struct option_row *row,
    const struct value *v, uint64_t n)
{
	struct arena *a = rp->mistakes->arena;
	const struct unit *units = units_of(row);

	if (n >= row->min && n <= row->max)
		return true;
	report_add(rp->mistakes, v->place, "%s must be from %s to %s",
	    row->name, in_units(a, row->min, units),
	    in_units(a, row->max, units));
	return false;
}

static bool
read_number(const struct read_place *rp, const struct option_row *row,
    const struct value *v, struct reading *out)
{
	const struct unit *units = units_of(row);
	const char *fits = row->type == TYPE_SIZE ?
	    "a size: a number and K, M or G, such as 50M" :
	    row->type == TYPE_DURATION ?
	    "a time: a number and ms, s, m, h, d or w, such as 5m" :
	    row->type == TYPE_PORT ? "a port: a number from 1 to 65535" :
	    row->type == TYPE_LIMIT ? "a number or `unlimited'" : "a number";

	if (row->type == TYPE_LIMIT &&
	    span_eq(v->text, SPAN("unlimited"))) {
		out->num = OPTIONS_UNLIMITED;
		return true;
	}
	if (read_units(v->text, units, &out->num))
		return is_in_range(rp, row, v, out->num);
	report_add(rp->mistakes, v->place, "`%.*s' is not %s%s",
	    report_len(v->text), v->text.ptr, fits,
	    nearest_unit(rp->mistakes->arena, v->text, units));
	return false;
}

static bool
read_flag(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	struct propose p;

	out->num = span_eq(v->text, SPAN("yes"));
	if (out->num != 0 || span_eq(v->text, SPAN("no")))
		return true;
	propose_init(&p, v->text);
	propose_try_all(&p, "yes no");
	if (options_has_word("on true 1 enable enabled", v->text))
		p.best = SPAN("yes");
	if (options_has_word("off false 0 disable disabled", v->text))
		p.best = SPAN("no");
	report_add(rp->mistakes, v->place, "`%.*s' is neither yes nor no%s",
	    report_len(v->text), v->text.ptr,
	    propose_text(&p, rp->mistakes->arena));
	return false;
}

static bool
read_choice(const struct read_place *rp, const struct option_row *row,
    const struct value *v)
{
	const char *habit = habits_value(row, v->text);
	struct propose p;

	if (options_has_word(row->words, v->text))
		return true;
	propose_init(&p, v->text);
	propose_try_all(&p, row->words);
	report_add(rp->mistakes, v->place,
	    "`%.*s' is no %s of %s; there is: %s%s%s", report_len(v->text),
	    v->text.ptr, row->name, options_block(row->block)->word,
	    row->words, habit != NULL ? "; " : "", habit != NULL ? habit :
	    propose_text(&p, rp->mistakes->arena));
	return false;
}

/* A place within a value. */
static struct place
place_within(const struct value *v, size_t at)
{
	struct place place = v->place;

	if (at > place.len)
		at = place.len;
	place.at += (uint32_t)at + v->quoted;
	place.len = 1;
	return place;
}

static bool
read_expr(const struct read_place *rp, const struct value *v)
{
	struct place place;
	const char *why;
	size_t at;

	if (expr_check(v->text, &at, &why) == OK)
		return true;
	place = place_within(v, at);
	report_add(rp->mistakes, place, "%s is no expression: %s",
	    v->text.len == 0 ? "this" : "it", why);
	return false;
}

static bool
read_regex(const struct read_place *rp, const struct value *v)
{
	char why[160];
	size_t at;

	if (v->text.len == 0) {
		report_add(rp->mistakes, v->place,
		    "an empty regular expression would match anything");
		return false;
	}
	if (rp->regex == NULL ||
	    rp->regex(v->text, &at, why, sizeof(why)) == OK)
		return true;
	report_add(rp->mistakes, place_within(v, at),
	    "it is no regular expression: %s", why);
	return false;
}

/* The greeting: RFC 5321 4.2, textstring. */
static bool
read_banner(const struct read_place *rp, const struct value *v)
{
	bool is_good = v->text.len > 0 && v->text.len <= 400;
	unsigned long long code;

	for (size_t i = 0; i < v->text.len; i++)
		if (v->text.ptr[i] < 0x20 || v->text.ptr[i] > 0x7e)
			is_good = false;
	if (!is_good)
		report_add(rp->mistakes, v->place,
		    "a banner is 1 to 400 printable ASCII characters");
	if (is_good && v->text.len > 3 && v->text.ptr[3] == ' ' &&
	    span_number(span_head(v->text, 3), 999, &code) &&
	    (v->text.len == 4 || !options_has_word("220 421 521 554",
	    span_head(v->text, 3)))) {
		report_add(rp->mistakes, v->place, "the code of a banner is "
		    "220, 421, 521 or 554, with text behind it");
		return false;
	}
	return is_good;
}

static bool
read_by_type(const struct read_place *rp, const struct option_row *row,
    const struct value *v, struct reading *out)
{
	switch (row->type) {
	case TYPE_COUNT:
	case TYPE_DURATION:
	case TYPE_LIMIT:
	case TYPE_PORT:
	case TYPE_SIZE:
		return read_number(rp, row, v, out);
	case TYPE_FLAG:
		return read_flag(rp, v, out);
	case TYPE_CHOICE:
		return read_choice(rp, row, v);
	case TYPE_EXPR:
		return read_expr(rp, v);
	case TYPE_REGEX:
		return read_regex(rp, v);
	case TYPE_FORWARD:
		return v->no != 0 || read_regex(rp, v);
	case TYPE_BANNER:
		return read_banner(rp, v);
	case TYPE_QUEUE:
	case TYPE_RELAY:
	case TYPE_USERS:
		return true;		/* settled when all blocks are known */
	case TYPE_RECIPIENT:
	case TYPE_MAILBOX:
	case TYPE_KNOWN:
	case TYPE_ROUTE:
	case TYPE_SENDER:
	case TYPE_OWNER:
	case TYPE_LOGIN:
	case TYPE_MAPPING:
		return read_mailbox_value(rp, row, v, out);
	case TYPE_DIRECTORY:
	case TYPE_ALIASES:
	case TYPE_FILE:
	case TYPE_LUA:
	case TYPE_NOTICE:
	case TYPE_ROOTS:
	case TYPE_SECRET:
	case TYPE_SOCKET:
	case TYPE_UNIX:
	case TYPE_ARGUMENT:
	case TYPE_TEXT:
	case TYPE_TEMPLATE:
	case TYPE_USER:
		return read_path_value(rp, row, v, out);
	default:
		return read_host_value(rp, row, v, out);
	}
}

bool
read_value(const struct read_place *rp, const struct option_row *row,
    const struct value *v, struct reading *out)
{
	struct reading r = { .text = v->text, .place = v->place };

	if (v->text.len > 0 && memchr(v->text.ptr, '\0', v->text.len) != NULL) {
		report_add(rp->mistakes, v->place,
		    "a NUL byte has no place here");
		return false;
	}
	if (v->text.len > PLAN_PATH_MAX - 1) {
		report_add(rp->mistakes, v->place,
		    "a value of more than %u bytes", PLAN_PATH_MAX - 1);
		return false;
	}
	if (!read_by_type(rp, row, v, &r))
		return false;
	*out = r;
	return true;
}
