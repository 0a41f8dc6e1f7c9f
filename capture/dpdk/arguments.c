// SPDX-License-Identifier: Apache-2.0
#include "capture/dpdk/arguments.h"

#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static bool too_much(struct error *error)
{
	error_set(
	    error, "--dpdk: more than %d words or %d characters", DPDK_WORDS_MAX, DPDK_TEXT_MAX);
	return false;
}

static bool add_character(struct dpdk_arguments *arguments, char character, struct error *error)
{
	if (arguments->used == sizeof arguments->text)
		return too_much(error);
	arguments->text[arguments->used++] = character;
	return true;
}

static bool begin_word(struct dpdk_arguments *arguments, struct error *error)
{
	if (arguments->count == DPDK_WORDS_MAX)
		return too_much(error);
	arguments->words[arguments->count++] = arguments->text + arguments->used;
	arguments->words[arguments->count] = NULL;
	return true;
}

bool dpdk_arguments_add(struct dpdk_arguments *arguments, const char *word, struct error *error)
{
	if (!begin_word(arguments, error))
		return false;
	do
		if (!add_character(arguments, *word, error))
			return false;
	while (*word++ != '\0');
	return true;
}

// One word, from *at to the blank behind it.
static bool take_word(struct dpdk_arguments *arguments, const char **at, struct error *error)
{
	char quote = '\0';
	if (!begin_word(arguments, error))
		return false;
	for (; **at != '\0' && (quote != '\0' || strchr(" \t\n", **at) == NULL); (*at)++) {
		char character = **at;
		if (character == quote) {
			quote = '\0';
			continue;
		}
		if (quote == '\0' && (character == '\'' || character == '"')) {
			quote = character;
			continue;
		}
		if (character == '\\' && quote != '\'' && (*at)[1] != '\0')
			character = *++*at;
		if (!add_character(arguments, character, error))
			return false;
	}
	if (quote == '\0')
		return add_character(arguments, '\0', error);
	error_set(error, "--dpdk: a quote (%c) is not closed", quote);
	return false;
}

bool dpdk_arguments_split(struct dpdk_arguments *arguments, const char *line, struct error *error)
{
	for (;;) {
		line += strspn(line, " \t\n");
		if (*line == '\0')
			return true;
		if (!take_word(arguments, &line, error))
			return false;
	}
}

bool dpdk_arguments_have(const struct dpdk_arguments *arguments, const char *option)
{
	size_t length = strlen(option);
	bool is_long = option[0] == '-' && option[1] == '-';
	for (int i = 0; i < arguments->count; i++) {
		const char *word = arguments->words[i];
		if (strncmp(word, option, length) == 0 &&
		    (!is_long || word[length] == '\0' || word[length] == '='))
			return true;
	}
	return false;
}

/* ---- ports ---- */

static bool wrong_ports(const char *text, struct error *error)
{
	error_set(error, "ports of DPDK: \"%.80s\": expected \"all\", or numbers as 0,2-3", text);
	return false;
}

static bool read_number(const char **at, unsigned long *number)
{
	char *end;
	if (**at < '0' || **at > '9')
		return false;
	*number = strtoul(*at, &end, 10);
	*at = end;
	return *number <= UINT16_MAX;
}

static bool add_port(struct dpdk_port_list *list, uint16_t id, struct error *error)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->ids[i] == id) {
			error_set(error, "ports of DPDK: %u is named twice", id);
			return false;
		}
	if (list->count == DPDK_PORTS_MAX) {
		error_set(error, "ports of DPDK: more than %d", DPDK_PORTS_MAX);
		return false;
	}
	list->ids[list->count++] = id;
	return true;
}

bool dpdk_port_list_read(struct dpdk_port_list *list, const char *text, struct error *error)
{
	list->count = 0;
	if (text == NULL || strcmp(text, "all") == 0)
		return true;
	const char *at = text;
	for (;;) {
		unsigned long first, last;
		if (!read_number(&at, &first))
			return wrong_ports(text, error);
		last = first;
		if (*at == '-' && (at++, !read_number(&at, &last) || last < first))
			return wrong_ports(text, error);
		for (unsigned long id = first; id <= last; id++)
			if (!add_port(list, (uint16_t)id, error))
				return false;
		if (*at == '\0')
			return true;
		if (*at++ != ',')
			return wrong_ports(text, error);
	}
}
