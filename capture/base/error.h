// SPDX-License-Identifier: Apache-2.0
// An error as a value: one line that says what failed, on what, why, and where it helps what to do.
// Filled where the failure is known, handed up, printed once by the front door.
#ifndef MAILTAP_CAPTURE_BASE_ERROR_H
#define MAILTAP_CAPTURE_BASE_ERROR_H

struct error {
	char text[512]; // no newline; empty string: no error
};

// Writes the formatted text into *error, cut at its size. Controls of both kinds, what turns text around and what is
// no UTF-8 become '?', so that a hostile file name, file or answer can neither break the line nor move the cursor of a
// terminal.
void error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
