// SPDX-License-Identifier: Apache-2.0
#include "analytics/certificate_pem.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

char *certificate_pem(struct view der, size_t *length)
{
	static const char head[] = "-----BEGIN CERTIFICATE-----\n";
	static const char foot[] = "-----END CERTIFICATE-----\n";
	enum { LINE = 48 }; // bytes that make 64 characters
	size_t lines = der.length / LINE + 1;
	char *text = malloc(sizeof head + sizeof foot + lines * (LINE / 3 * 4 + 2));
	if (text == NULL)
		return NULL;
	size_t at = sizeof head - 1;
	memcpy(text, head, at);
	for (size_t done = 0; done < der.length; done += LINE) {
		int bytes = der.length - done < LINE ? (int)(der.length - done) : LINE;
		at += (size_t)EVP_EncodeBlock((uint8_t *)text + at, der.data + done, bytes);
		text[at++] = '\n';
	}
	memcpy(text + at, foot, sizeof foot);
	*length = at + sizeof foot - 1;
	return text;
}
