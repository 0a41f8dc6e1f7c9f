// SPDX-License-Identifier: Apache-2.0
#include "analytics/community_id.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct community_hash {
	EVP_MD *sha1;
	EVP_MD_CTX *context;
};

enum { SHA1_BYTES = 20, PROTOCOL_TCP = 6 };

bool ip_address_is_v4(const struct ip_address *address)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
	return memcmp(address->bytes, prefix, sizeof prefix) == 0;
}

static size_t put_address(uint8_t *out, const struct ip_address *address, bool v4)
{
	size_t length = v4 ? 4 : 16;
	memcpy(out, address->bytes + 16 - length, length);
	return length;
}

static void put_port(uint8_t *out, uint16_t port)
{
	out[0] = (uint8_t)(port >> 8);
	out[1] = (uint8_t)port;
}

struct community_hash *community_hash_create(void)
{
	struct community_hash *hash = calloc(1, sizeof *hash);
	if (hash == NULL)
		return NULL;
	hash->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	hash->context = EVP_MD_CTX_new();
	if (hash->sha1 != NULL && hash->context != NULL)
		return hash;
	community_hash_destroy(hash);
	return NULL;
}

void community_hash_destroy(struct community_hash *hash)
{
	if (hash == NULL)
		return;
	EVP_MD_CTX_free(hash->context);
	EVP_MD_free(hash->sha1);
	free(hash);
}

void community_id(struct community_hash *hash, char id[COMMUNITY_ID_SIZE],
    const struct ip_address address[2], const uint16_t port[2])
{
	uint8_t input[2 + 16 + 16 + 1 + 1 + 2 + 2] = {0}; // begins with the seed
	uint8_t digest[SHA1_BYTES] = {0};
	bool v4 = ip_address_is_v4(&address[0]) && ip_address_is_v4(&address[1]);
	int order = memcmp(&address[0], &address[1], sizeof address[0]);
	unsigned first = order < 0 || (order == 0 && port[0] < port[1]) ? 0 : 1;
	size_t length = 2;
	length += put_address(input + length, &address[first], v4);
	length += put_address(input + length, &address[1 - first], v4);
	input[length++] = PROTOCOL_TCP;
	input[length++] = 0;
	put_port(input + length, port[first]);
	put_port(input + length + 2, port[1 - first]);
	length += 4;
	(void)(EVP_DigestInit_ex2(hash->context, hash->sha1, NULL) == 1 &&
	       EVP_DigestUpdate(hash->context, input, length) == 1 &&
	       EVP_DigestFinal_ex(hash->context, digest, NULL) == 1);
	memcpy(id, "1:", 2);
	EVP_EncodeBlock((unsigned char *)id + 2, digest, SHA1_BYTES);
}
