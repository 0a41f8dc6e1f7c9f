// SPDX-License-Identifier: Apache-2.0
#include "analytics/time_text.h"

#include <string.h>
#include <time.h>

static bool digits_at(const char *text, int count, int *number)
{
	*number = 0;
	for (int i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*number = 10 * *number + text[i] - '0';
	}
	return true;
}

// The fraction of a second behind a dot, up to the Z.
static bool read_fraction(const char *text, nanoseconds *fraction)
{
	nanoseconds unit = SECONDS(1);
	*fraction = 0;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++)
			*fraction += (unit /= 10) * (*text - '0');
	return strcmp(text, "Z") == 0;
}

bool time_text_read(const char *text, nanoseconds *time)
{
	enum { SHORTEST = sizeof "1970-01-01T00:00:00Z" - 1, LONGEST = SHORTEST + 10 };
	size_t length = strlen(text);
	struct tm parts = {0};
	nanoseconds fraction;
	bool good =
	    length >= SHORTEST && length <= LONGEST && digits_at(text, 4, &parts.tm_year) &&
	    digits_at(text + 5, 2, &parts.tm_mon) && digits_at(text + 8, 2, &parts.tm_mday) &&
	    digits_at(text + 11, 2, &parts.tm_hour) && digits_at(text + 14, 2, &parts.tm_min) &&
	    digits_at(text + 17, 2, &parts.tm_sec) && read_fraction(text + 19, &fraction);
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	time_t seconds = good ? timegm(&parts) : -1;
	if (seconds < 0 || seconds >= PACKET_TIME_MAX / SECONDS(1))
		return false;
	*time = SECONDS(seconds) + fraction;
	return true;
}
