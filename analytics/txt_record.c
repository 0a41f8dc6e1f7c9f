// SPDX-License-Identifier: Apache-2.0
#include "analytics/txt_record.h"

#include <string.h>

// Returns the length of the text.
static size_t join(const struct dns_data *data, uint8_t bytes[TXT_LONGEST])
{
	size_t joined = 0;
	for (size_t at = 0; at < data->length;) {
		size_t length = data->bytes[at++];
		if (length > data->length - at || length > TXT_LONGEST - joined)
			break;
		memcpy(bytes + joined, data->bytes + at, length);
		joined += length;
		at += length;
	}
	return joined;
}

void txt_find(const struct dns_answer *answer, txt_kind *is_kind, struct txt_found *found)
{
	uint8_t bytes[TXT_LONGEST];
	struct dns_data data;
	found->answered = answer != NULL;
	found->count = 0;
	found->length = 0;
	for (size_t at = 0; answer != NULL && dns_answer_next(answer, &at, &data);) {
		size_t length = join(&data, bytes);
		if (!is_kind(view_of(bytes, length)) || found->count++ > 0)
			continue;
		memcpy(found->bytes, bytes, length);
		found->length = length;
	}
}
