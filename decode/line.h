// SPDX-License-Identifier: Apache-2.0
// Lines as mail protocols send them (RFC 5321 2.3.8): up to LF, with or without CR before it. Used by
// the protocol parsers on whatever bytes they were fed; keeps nothing.
#ifndef MAILTAP_DECODE_LINE_H
#define MAILTAP_DECODE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Longest line that is looked at; what follows on an overlong line is read over. Above every limit
// that the protocols set for what mailtap reads (RFC 5321 4.5.3.1, RFC 4954 4.5.3: 12288 for AUTH).
enum { LINE_MAX_BYTES = 4096 };

struct line {
	const uint8_t *bytes; // without the line end
	size_t length;
	bool overlong; // cut at LINE_MAX_BYTES; the rest will be read over
	bool bare_lf; // ended by LF without CR
};

// Where one direction's reading stands between feeds. Zeroed at the start and after a gap.
struct line_reader {
	uint32_t
	    scanned; // bytes of the unfinished line known to hold no LF: a line that comes byte by
	    // byte is searched once, not once a byte
	bool reading_over; // the rest of an overlong line is being passed over
};

// Takes the next line from bytes. Returns how many bytes it used, line end included; 0: no whole line
// there yet. line->bytes is NULL where the bytes used were the rest of an overlong line.
size_t line_next(
    struct line_reader *reader, const uint8_t *bytes, size_t length, struct line *line);

// True if the line begins with this upper-case keyword, in any case, followed by its end or by
// something other than a letter or digit.
bool line_starts(const struct line *line, const char *keyword);

// As line_starts, anywhere in the line at a word's beginning.
bool line_has_word(const struct line *line, const char *keyword);

// Takes away the word that the line ends with, of which more may come.
void line_drop_torn_word(struct line *line);

// The next word (bytes other than space and tab) at or after *position, which is moved behind it.
// False: none left.
bool line_word(const struct line *line, size_t *position, struct line *word);

// Whether bytes that may go on begin with this upper-case keyword, in any case.
enum keyword_prefix {
	PREFIX_NONE,
	PREFIX_PART, // all fitting so far, and too few
	PREFIX_WHOLE,
};

enum keyword_prefix bytes_begin_keyword(const uint8_t *bytes, size_t length, const char *keyword);

// True if the bytes equal the upper-case keyword in any case.
bool bytes_equal_keyword(const uint8_t *bytes, size_t length, const char *keyword);

#endif
