// SPDX-License-Identifier: Apache-2.0
#include "decode/commands.h"

static struct pending_command *at(struct commands *commands, unsigned position)
{
	return &commands->ring[(commands->first + position) % COMMANDS_MAX];
}

void commands_clear(struct commands *commands)
{
	commands->first = commands->count = 0;
}

static void remove_first(struct commands *commands)
{
	commands->first = (uint8_t)((commands->first + 1) % COMMANDS_MAX);
	commands->count--;
}

void commands_push(struct commands *commands, uint8_t kind, uint32_t tag)
{
	if (commands->count > 0) {
		struct pending_command *newest = at(commands, commands->count - 1u);
		if (newest->kind == kind && newest->tag == tag && tag == 0 &&
		    newest->repeats < UINT16_MAX) {
			newest->repeats++;
			return;
		}
	}
	if (commands->count == COMMANDS_MAX) {
		remove_first(commands);
		commands->lost = true;
	}
	*at(commands, commands->count) = (struct pending_command){.kind = kind, .tag = tag};
	commands->count++;
}

int commands_oldest(const struct commands *commands)
{
	return commands->count > 0 ? commands->ring[commands->first].kind : -1;
}

bool commands_have(const struct commands *commands, uint8_t kind)
{
	for (unsigned i = 0; i < commands->count; i++)
		if (commands->ring[(commands->first + i) % COMMANDS_MAX].kind == kind)
			return true;
	return false;
}

int commands_pop(struct commands *commands)
{
	int kind = commands_oldest(commands);
	if (kind < 0)
		return kind;
	struct pending_command *oldest = at(commands, 0);
	if (oldest->repeats > 0)
		oldest->repeats--;
	else
		remove_first(commands);
	return kind;
}

int commands_kind_of_tag(const struct commands *commands, uint32_t tag)
{
	for (unsigned i = 0; i < commands->count; i++) {
		const struct pending_command *waiting =
		    &commands->ring[(commands->first + i) % COMMANDS_MAX];
		if (waiting->tag == tag)
			return waiting->kind;
	}
	return -1;
}

int commands_pop_tag(struct commands *commands, uint32_t tag)
{
	for (unsigned i = 0; i < commands->count; i++) {
		if (at(commands, i)->tag != tag)
			continue;
		int kind = at(commands, i)->kind;
		for (; i > 0; i--)
			*at(commands, i) = *at(commands, i - 1);
		remove_first(commands);
		return kind;
	}
	return -1;
}
