// SPDX-License-Identifier: Apache-2.0
#include "decode/pattern_class.h"

#include <string.h>

static const char *const names[PATTERN_CLASSES] = {
    [PATTERN_SOFTWARE] = "software",
    [PATTERN_SOFTWARE_CAPABILITY] = "software-capability",
    [PATTERN_BANNER_OVERWRITTEN] = "banner-overwritten",
    [PATTERN_FILLER_CAPABILITY] = "filler-capability",
    [PATTERN_FILLER_COMMAND] = "filler-command",
    [PATTERN_FILLER_ECHO] = "filler-echo",
    [PATTERN_REFUSAL_WANTS_TLS] = "refusal-wants-tls",
    [PATTERN_UNKNOWN_COMMAND] = "unknown-command",
};

const char *pattern_class_name(enum pattern_class class)
{
	return names[class];
}

enum pattern_class pattern_class_of(const char *name, size_t length)
{
	int i = 0;
	while (i < PATTERN_CLASSES &&
	       (strlen(names[i]) != length || memcmp(names[i], name, length) != 0))
		i++;
	return (enum pattern_class)i;
}
