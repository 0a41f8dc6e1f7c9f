// SPDX-License-Identifier: Apache-2.0
#include "analytics/spf_lookups.h"

#include "analytics/spf_record.h"
#include "analytics/txt_record.h"

#include <ctype.h>

static bool is_spf(struct view text)
{
	return spf_record_is(text.data, text.length);
}

// Length 0: it is no name, or one that macros make when mail comes.
static struct dns_name name_of(struct view text)
{
	struct dns_name name = {.length = 1}; // of the label that begins
	size_t label = 0;
	if (text.length > 0 && text.data[text.length - 1] == '.')
		text.length--;
	if (text.length == 0 || text.length > DNS_NAME_MAX - 2)
		return (struct dns_name){.length = 0};
	for (size_t i = 0; i < text.length; i++) {
		uint8_t byte = text.data[i];
		if (byte == '%' || (byte == '.' && name.bytes[label] == 0) ||
		    name.bytes[label] > 63)
			return (struct dns_name){.length = 0};
		if (byte == '.')
			label = name.length;
		else
			name.bytes[label]++;
		name.bytes[name.length++] = byte == '.' ? 0 : (uint8_t)tolower(byte);
	}
	name.bytes[name.length++] = 0;
	return name.bytes[label] <= 63 ? name : (struct dns_name){.length = 0};
}

// Each step down costs a look-up, so that there are no more steps than look-ups, in whatever circle they lead.
static void count_record(
    const struct dns_memory *memory, struct view text, struct spf_lookups *lookups)
{
	struct spf_record record = spf_record_read(text.data, text.length);
	lookups->known &= record.valid;
	lookups->count += record.lookups;
	for (unsigned i = 0; i < record.others_count && lookups->count <= SPF_LOOKUPS_MAX; i++) {
		struct txt_found found;
		struct dns_name name = name_of(record.others[i]);
		const struct dns_answer *answer =
		    name.length > 0 ? dns_memory_follow(memory, &name, DNS_TXT).answer : NULL;
		txt_find(answer, is_spf, &found);
		if (found.count == 1)
			count_record(memory, txt_text(&found), lookups);
		else
			lookups->known = false;
	}
}

struct spf_lookups spf_lookups_count(const struct dns_memory *memory, struct view text)
{
	struct spf_lookups lookups = {.known = true};
	count_record(memory, text, &lookups);
	if (lookups.count > SPF_LOOKUPS_MAX)
		lookups = (struct spf_lookups){true, SPF_LOOKUPS_MAX + 1};
	return lookups;
}
