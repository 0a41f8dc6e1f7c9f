// SPDX-License-Identifier: Apache-2.0
// A bounded view of bytes that turns null when something reads past its end, so that a parser can
// read a whole header and ask once whether all of it was there. Network byte order throughout.
// Owns nothing: the bytes belong to whoever made the view. Used by every parser.
#ifndef MAILTAP_CAPTURE_BASE_VIEW_H
#define MAILTAP_CAPTURE_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
	const uint8_t *data; // NULL once a read went past the end (or there never was anything)
	size_t length;       // bytes left
};

static inline struct view view_of(const uint8_t *data, size_t length)
{
	return (struct view){data, length};
}

// True as long as no read went past the end.
static inline bool view_ok(const struct view *view)
{
	return view->data != NULL;
}

// Takes the next `count` bytes. Returns where they start, or NULL (and the view turns null).
static inline const uint8_t *view_take(struct view *view, size_t count)
{
	const uint8_t *taken = view->data;
	if (taken == NULL || count > view->length) {
		*view = (struct view){NULL, 0};
		return NULL;
	}
	view->data += count;
	view->length -= count;
	return taken;
}

// Takes the next `count` bytes as a view of their own (null if there are fewer).
static inline struct view view_split(struct view *view, size_t count)
{
	const uint8_t *taken = view_take(view, count);
	return (struct view){taken, taken != NULL ? count : 0};
}

static inline uint8_t view_u8(struct view *view)
{
	const uint8_t *p = view_take(view, 1);
	return p != NULL ? p[0] : 0;
}

static inline uint16_t view_u16(struct view *view)
{
	const uint8_t *p = view_take(view, 2);
	return p != NULL ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t view_u24(struct view *view)
{
	const uint8_t *p = view_take(view, 3);
	return p != NULL ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t view_u32(struct view *view)
{
	const uint8_t *p = view_take(view, 4);
	return p != NULL ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

#endif
