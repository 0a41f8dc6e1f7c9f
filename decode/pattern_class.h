// SPDX-License-Identifier: Apache-2.0
// What patterns are asked about: one row per class here, in the table of pattern_class.c, and one file in
// configs/patterns/. Used by pattern_file.c and pattern_set.c, and by all who ask.
#ifndef MAILTAP_DECODE_PATTERN_CLASS_H
#define MAILTAP_DECODE_PATTERN_CLASS_H

#include <stddef.h>

enum pattern_class {
	PATTERN_SOFTWARE, // a server's greeting line → the software that wrote it
	PATTERN_SOFTWARE_CAPABILITY, // a line of its capabilities → likewise
	PATTERN_BANNER_OVERWRITTEN, // a greeting line of which asterisks are left
	PATTERN_FILLER_CAPABILITY, // a line of the capabilities that is no keyword, but filler
	PATTERN_FILLER_COMMAND, // a client's command word that is filler as long as `starttls` or `stls`
	PATTERN_FILLER_ECHO, // a server's error line that quotes such filler
	PATTERN_REFUSAL_WANTS_TLS, // a refusal (5xx, NO, -ERR) that asks for TLS first
	PATTERN_UNKNOWN_COMMAND, // a refusal that says it does not know or have the command
	PATTERN_CLASSES,
};

// As files name it between brackets.
const char *pattern_class_name(enum pattern_class class);

// The class of a name that is not terminated; PATTERN_CLASSES: there is none.
enum pattern_class pattern_class_of(const char *name, size_t length);

#endif
