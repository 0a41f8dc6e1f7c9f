// SPDX-License-Identifier: Apache-2.0
#include "analytics/alert_anonymise.h"

#include "analytics/anonymise_text.h"
#include "analytics/client_network.h"
#include "analytics/server_key.h"

#include <stdlib.h>
#include <string.h>

// A whole address; with a length of a prefix behind it a client network. NULL: it is neither.
static json_t *other_address(struct anonymiser *anonymiser, const char *text)
{
	char room[CLIENT_NETWORK_TEXT_SIZE];
	struct ip_address address;
	const char *slash = strchr(text, '/');
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
	if (length >= sizeof room)
		return NULL;
	memcpy(room, text, length);
	room[length] = '\0';
	if (!server_address_read(room, &address))
		return NULL;
	address = anonymise_address(anonymiser, &address);
	if (slash != NULL) {
		struct client_network network = client_network_of(&address);
		client_network_text(room, &network);
	} else {
		server_address_write(&address, room);
	}
	return json_string(room);
}

static json_t *other_text(struct anonymiser *anonymiser, const json_t *value)
{
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);
	json_t *other = other_address(anonymiser, text);
	if (other != NULL)
		return other;
	uint8_t *room = malloc(length + ANONYMISE_TEXT_GROWTH);
	if (room == NULL)
		return NULL;
	length = anonymise_text(anonymiser, (const uint8_t *)text, length, room);
	other = json_stringn((const char *)room, length);
	free(room);
	return other;
}

static bool change_list(struct anonymiser *anonymiser, json_t *list)
{
	bool good = true;
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *value = json_array_get(list, i);
		if (json_is_string(value))
			good &= json_array_set_new(list, i, other_text(anonymiser, value)) == 0;
	}
	return good;
}

bool alert_anonymise(struct anonymiser *anonymiser, json_t *alert)
{
	const char *key;
	json_t *value;
	void *next;
	bool good = true;
	(void)json_object_del(alert, "session_id");
	json_object_foreach_safe(alert, next, key, value)
	{
		if (json_is_array(value))
			good &= change_list(anonymiser, value);
		if (json_is_string(value))
			good &= json_object_set_new(alert, key, other_text(anonymiser, value)) == 0;
	}
	return good;
}
