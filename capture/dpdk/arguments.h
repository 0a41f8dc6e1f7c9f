// SPDX-License-Identifier: Apache-2.0
// What the user wrote behind --dpdk and -p, as DPDK wants it: words, and numbers of ports. No part of DPDK is
// needed for it.
#ifndef MAILTAP_CAPTURE_DPDK_ARGUMENTS_H
#define MAILTAP_CAPTURE_DPDK_ARGUMENTS_H

#include "capture/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DPDK_WORDS_MAX = 128,
	DPDK_TEXT_MAX = 8192,
	DPDK_PORTS_MAX = 32, // as many as Debian's DPDK can have
};

struct dpdk_arguments {
	int count;
	char *words[DPDK_WORDS_MAX + 1]; // into `text`; NULL behind the last
	size_t used;
	char text[DPDK_TEXT_MAX];
};

// One more word. False: there are too many, or they are too long (*error).
bool dpdk_arguments_add(struct dpdk_arguments *arguments, const char *word, struct error *error);

// Adds the words of a line, divided by blanks. As in a shell, quotes ('…', "…") and a backslash keep what stands
// in or behind them together; nothing else is special. False: *error says what is wrong.
bool dpdk_arguments_split(struct dpdk_arguments *arguments, const char *line, struct error *error);

// True if one of the words is the option, alone or with its value behind it (-l0, --lcores=0).
bool dpdk_arguments_have(const struct dpdk_arguments *arguments, const char *option);

// The ports that are asked for. `count` 0: all there are.
struct dpdk_port_list {
	size_t count;
	uint16_t ids[DPDK_PORTS_MAX]; // each once, in the order given
};

// Reads "all", or numbers and ranges: "0,2-3". NULL is all. False: *error says what is wrong.
bool dpdk_port_list_read(struct dpdk_port_list *list, const char *text, struct error *error);

#endif
