// SPDX-License-Identifier: Apache-2.0
// Commands whose reply has not come yet, in the order sent (SMTP, POP3) or found by tag (IMAP).
// A fixed ring inside the parser's state: a client that sends more than fits unanswered loses the
// oldest, and what depended on it becomes not seen.
#ifndef MAILTAP_DECODE_COMMANDS_H
#define MAILTAP_DECODE_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

enum { COMMANDS_MAX = 16 };

struct pending_command {
	uint8_t kind; // the protocol's own enum
	uint16_t repeats; // further commands of the same kind and tag right behind it
	uint32_t tag; // hash of the tag; 0 where the protocol has none
};

struct commands {
	uint8_t first, count;
	bool lost; // commands or replies are missing: the pairing is no longer known
	struct pending_command ring[COMMANDS_MAX];
};

void commands_clear(struct commands *commands);

// Adds the newest.
void commands_push(struct commands *commands, uint8_t kind, uint32_t tag);

// The oldest, or -1. Does not remove it.
int commands_oldest(const struct commands *commands);

// True if a command of this kind waits.
bool commands_have(const struct commands *commands, uint8_t kind);

// Removes the oldest and returns its kind, or -1 if there is none.
int commands_pop(struct commands *commands);

// The kind of the command with this tag, or -1 if there is none. Does not remove it.
int commands_kind_of_tag(const struct commands *commands, uint32_t tag);

// Removes the command with this tag and returns its kind, or -1 if there is none.
int commands_pop_tag(struct commands *commands, uint32_t tag);

#endif
