// SPDX-License-Identifier: Apache-2.0
#include "analytics/session_facts.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool in_host_name(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}

// Labels that are not empty, and the last not a number (which would be an address).
static bool is_host_name(const char *text, size_t length)
{
	bool number = true;
	char before = '.';
	for (size_t i = 0; i < length; i++) {
		if (!in_host_name(text[i]) || (text[i] == '.' && before == '.'))
			return false;
		number = text[i] == '.' ||
		         (before == '.' ? is_digit(text[i]) : number && is_digit(text[i]));
		before = text[i];
	}
	return length > 0 && before != '.' && !number;
}

void domain_name_set(struct domain_name *name, const void *bytes, size_t length)
{
	const char *text = bytes;
	name->text[0] = '\0';
	if (length > 0 && text[length - 1] == '.')
		length--;
	if (length > DOMAIN_NAME_MAX)
		return;
	for (size_t i = 0; i < length; i++)
		name->text[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
	if (!is_host_name(name->text, length))
		length = 0;
	name->text[length] = '\0';
}

enum confidence session_facts_confidence(const struct session_facts *facts)
{
	uint8_t highest = CONFIDENCE_NONE;
	for (size_t kind = 0; kind < EVIDENCE_KINDS; kind++)
		if (facts->evidence[kind] > highest)
			highest = facts->evidence[kind];
	return (enum confidence)highest;
}

bool session_facts_is_sending(const struct session_facts *facts)
{
	return facts->protocol == PROTOCOL_SMTP || facts->hop == HOP_RELAY ||
	       facts->hop == HOP_SUBMISSION;
}

bool session_facts_carried(const struct session_facts *facts)
{
	return facts->verdict == VERDICT_ENCRYPTED || facts->verdict == VERDICT_CLEARTEXT ||
	       facts->verdict == VERDICT_STRIPPED;
}
