// SPDX-License-Identifier: Apache-2.0
#include "analytics/clickhouse_trouble.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum {
	PAUSE_FIRST = 250, // milliseconds
	PAUSE_LONGEST = 30000,
	PAUSE_LASTING = 60000,
	UNAUTHORIZED = 401, // of HTTP
	FORBIDDEN = 403,
};

// Of ClickHouse's src/Common/ErrorCodes.cpp.
static const unsigned lasting[] = {
    16, // NO_SUCH_COLUMN_IN_TABLE
    46, // UNKNOWN_FUNCTION
    60, // UNKNOWN_TABLE
    62, // SYNTAX_ERROR
    81, // UNKNOWN_DATABASE
    115, // UNKNOWN_SETTING
    164, // READONLY
    192, // UNKNOWN_USER
    193, // WRONG_PASSWORD
    194, // REQUIRED_PASSWORD
    195, // IP_ADDRESS_NOT_ALLOWED
    291, // DATABASE_ACCESS_DENIED
    497, // ACCESS_DENIED
    516, // AUTHENTICATION_FAILED
};
static const unsigned content[] = {
    6, // CANNOT_PARSE_TEXT
    26, // CANNOT_PARSE_QUOTED_STRING
    27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
    28, // CANNOT_PRINT_FLOAT_OR_DOUBLE_NUMBER
    32, // ATTEMPT_TO_READ_AFTER_EOF
    33, // CANNOT_READ_ALL_DATA
    38, // CANNOT_PARSE_DATE
    41, // CANNOT_PARSE_DATETIME
    53, // TYPE_MISMATCH
    69, // ARGUMENT_OUT_OF_BOUND
    72, // CANNOT_PARSE_NUMBER
    117, // INCORRECT_DATA
    130, // CANNOT_READ_ARRAY_FROM_TEXT
    131, // TOO_LARGE_STRING_SIZE
    349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
    354, // ZLIB_INFLATE_FAILED
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool among(unsigned code, const unsigned *codes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (codes[i] == code)
			return true;
	return false;
}

enum trouble_kind clickhouse_trouble_kind(unsigned code, long status)
{
	if (among(code, lasting, COUNT(lasting)))
		return TROUBLE_LASTING;
	if (among(code, content, COUNT(content)))
		return TROUBLE_CONTENT;
	if (code == 0 && (status == UNAUTHORIZED || status == FORBIDDEN))
		return TROUBLE_LASTING; // a proxy's
	return TROUBLE_PASSING;
}

void clickhouse_trouble_begin(struct clickhouse_trouble *trouble, const struct shipper_plan *plan)
{
	*trouble = (struct clickhouse_trouble){.plan = plan};
	if (getrandom(&trouble->random, sizeof trouble->random, GRND_NONBLOCK) < 0)
		trouble->random = 0; // then its pauses are not by chance
	trouble->random |= 1;
}

// Marsaglia's xorshift: between a half and one and a half of it.
static unsigned by_chance(struct clickhouse_trouble *trouble, unsigned pause)
{
	uint32_t random = trouble->random;
	random ^= random << 13;
	random ^= random >> 17;
	random ^= random << 5;
	trouble->random = random;
	return pause / 2 + (unsigned)((uint64_t)pause * random >> 32);
}

void clickhouse_trouble_say(const struct error *what)
{
	fprintf(stderr, "mailtap: %s\n", what->text);
}

static void tell(const struct clickhouse_trouble *trouble, enum trouble_kind kind, const char *why)
{
	struct error what;
	const struct shipper_plan *plan = trouble->plan;
	error_set(&what, "ClickHouse at %.100s: %.*s; records wait in %.150s, and %s",
	    plan->url.server, (int)(strcspn(why, "\n") < 200 ? strcspn(why, "\n") : 200), why,
	    plan->spool,
	    kind == TROUBLE_LASTING ? "it is tried once a minute whether that was mended"
	                            : "are sent when it is well again");
	clickhouse_trouble_say(&what);
}

unsigned clickhouse_trouble(
    struct clickhouse_trouble *trouble, enum trouble_kind kind, const char *why)
{
	if (kind != trouble->told &&
	    kind != TROUBLE_CONTENT) { // which is told when the batch is put aside
		tell(trouble, kind, why);
		trouble->told = kind;
	}
	if (kind == TROUBLE_LASTING)
		return by_chance(trouble, PAUSE_LASTING);
	unsigned pause = trouble->pause == 0 ? PAUSE_FIRST : trouble->pause * 2;
	trouble->pause = pause < PAUSE_LONGEST ? pause : PAUSE_LONGEST;
	return by_chance(trouble, trouble->pause);
}

void clickhouse_trouble_end(struct clickhouse_trouble *trouble)
{
	struct error what;
	trouble->pause = 0;
	if (trouble->told == TROUBLE_NONE)
		return;
	trouble->told = TROUBLE_NONE;
	error_set(&what, "ClickHouse at %.100s: takes records again", trouble->plan->url.server);
	clickhouse_trouble_say(&what);
}
