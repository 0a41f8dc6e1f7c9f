// SPDX-License-Identifier: Apache-2.0
#include "decode/overload.h"

enum {
	// From which part of the ring on, in eighths.
	COUNTED_FROM = 4,
	BODIES_FROM = 5,
	OPENINGS_FROM = 6,
	BODY_SEGMENT = 512, // bytes of payload: rather a part of a body than commands or answers
};

static bool is_over(size_t used, size_t room, unsigned eighths)
{
	return used > room / 8 * eighths;
}

static bool is_quiet(
    struct overload *overload, const struct segment *segment, size_t used, size_t room)
{
	if ((segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) || !is_over(used, room, COUNTED_FROM))
		return false;
	switch (quiet_set_tier(&overload->quiet, segment->hash)) {
	case QUIET_COUNTED:
		return true;
	case QUIET_TOLD:
		return segment->length >= BODY_SEGMENT && is_over(used, room, BODIES_FROM);
	case QUIET_NOT:
		break;
	}
	return false;
}

static bool is_opening(const struct segment *segment)
{
	return (segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

enum overload_fate overload_judge(
    struct overload *overload, const struct segment *segment, size_t used, size_t room)
{
	uint16_t *refused = &overload->refused[(uint16_t)(segment->hash >> 16)];
	uint16_t tag = quiet_tag(segment->hash) | 1;
	if (is_opening(segment) && is_over(used, room, OPENINGS_FROM)) {
		overload->any_refused = true;
		*refused = tag;
		return OVERLOAD_REFUSE;
	}
	if (overload->any_refused && *refused == tag) {
		if (!is_opening(segment))
			return OVERLOAD_REFUSED;
		*refused = 0; // it is tried again, and now there is room
	}
	return is_quiet(overload, segment, used, room) ? OVERLOAD_SHED : OVERLOAD_KEEP;
}
