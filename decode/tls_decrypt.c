// SPDX-License-Identifier: Apache-2.0
#include "decode/tls_decrypt.h"

#include "decode/tls.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
	KEY_MAX = 32,
	MAC_MAX = 48,
	NONCE = 12,
	SALT = 4, // of the nonce, TLS 1.2 with GCM and CCM: the rest is in the record
	BLOCK = 16, // of every CBC cipher here
	BLOCKS_MAX = 1024, // bytes of a CBC record: a Finished with the longest padding has less
	PREFIX = 13, // of what TLS 1.2 authenticates
	KEY_BLOCK_MAX = 2 * (MAC_MAX + KEY_MAX + NONCE),
	BODY_MAX = (1 << 14) + 2048, // RFC 5246 6.2.3
};

enum mode { MODE_GCM, MODE_CCM, MODE_CHACHA, MODE_CBC };

// A cipher suite without its key exchange, as the end of its name has it.
struct suite {
	const char *name;
	const EVP_CIPHER *(*cipher)(void);
	const EVP_MD *(*hash)(void); // of the key derivation
	const EVP_MD *(*mac)(void); // NULL: AEAD
	enum mode mode;
	uint8_t key, tag; // bytes; `tag` of the MAC where there is one
};

static const struct suite suites[] = {
    {"AES_128_GCM_SHA256", EVP_aes_128_gcm, EVP_sha256, NULL, MODE_GCM, 16, 16},
    {"AES_256_GCM_SHA384", EVP_aes_256_gcm, EVP_sha384, NULL, MODE_GCM, 32, 16},
    {"CHACHA20_POLY1305_SHA256", EVP_chacha20_poly1305, EVP_sha256, NULL, MODE_CHACHA, 32, 16},
    {"AES_128_CCM_SHA256", EVP_aes_128_ccm, EVP_sha256, NULL, MODE_CCM, 16, 16},
    {"AES_128_CCM_8_SHA256", EVP_aes_128_ccm, EVP_sha256, NULL, MODE_CCM, 16, 8},
    {"AES_128_CCM", EVP_aes_128_ccm, EVP_sha256, NULL, MODE_CCM, 16, 16},
    {"AES_128_CCM_8", EVP_aes_128_ccm, EVP_sha256, NULL, MODE_CCM, 16, 8},
    {"AES_256_CCM", EVP_aes_256_ccm, EVP_sha256, NULL, MODE_CCM, 32, 16},
    {"AES_256_CCM_8", EVP_aes_256_ccm, EVP_sha256, NULL, MODE_CCM, 32, 8},
    {"ARIA_128_GCM_SHA256", EVP_aria_128_gcm, EVP_sha256, NULL, MODE_GCM, 16, 16},
    {"ARIA_256_GCM_SHA384", EVP_aria_256_gcm, EVP_sha384, NULL, MODE_GCM, 32, 16},
    {"AES_128_CBC_SHA", EVP_aes_128_cbc, EVP_sha256, EVP_sha1, MODE_CBC, 16, 20},
    {"AES_256_CBC_SHA", EVP_aes_256_cbc, EVP_sha256, EVP_sha1, MODE_CBC, 32, 20},
    {"AES_128_CBC_SHA256", EVP_aes_128_cbc, EVP_sha256, EVP_sha256, MODE_CBC, 16, 32},
    {"AES_256_CBC_SHA256", EVP_aes_256_cbc, EVP_sha256, EVP_sha256, MODE_CBC, 32, 32},
    {"AES_256_CBC_SHA384", EVP_aes_256_cbc, EVP_sha384, EVP_sha384, MODE_CBC, 32, 48},
    {"CAMELLIA_128_CBC_SHA", EVP_camellia_128_cbc, EVP_sha256, EVP_sha1, MODE_CBC, 16, 20},
    {"CAMELLIA_256_CBC_SHA", EVP_camellia_256_cbc, EVP_sha256, EVP_sha1, MODE_CBC, 32, 20},
    {"CAMELLIA_128_CBC_SHA256", EVP_camellia_128_cbc, EVP_sha256, EVP_sha256, MODE_CBC, 16, 32},
    {"CAMELLIA_256_CBC_SHA256", EVP_camellia_256_cbc, EVP_sha256, EVP_sha256, MODE_CBC, 32, 32},
    {"CAMELLIA_256_CBC_SHA384", EVP_camellia_256_cbc, EVP_sha384, EVP_sha384, MODE_CBC, 32, 48},
};

// "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" up to TLS 1.2, "TLS_AES_128_GCM_SHA256" in TLS 1.3.
static const struct suite *suite_of(const struct tls_protection *protection)
{
	const char *name = tls_cipher_name(protection->cipher);
	const char *with = name != NULL ? strstr(name, "_WITH_") : NULL;
	bool modern = protection->version == TLS_1_3;
	if (name == NULL || modern != (with == NULL) || strncmp(name, "TLS_", 4) != 0)
		return NULL;
	name = modern ? name + 4 : with + 6;
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (strcmp(suites[i].name, name) == 0)
			return &suites[i];
	return NULL;
}

static size_t hash_length(const EVP_MD *hash)
{
	return (size_t)EVP_MD_get_size(hash);
}

bool tls_can_decrypt(const struct tls_protection *protection, enum direction sender)
{
	const struct tls_secrets *secrets = protection->secrets;
	const struct suite *suite = suite_of(protection);
	if (suite == NULL)
		return false;
	if (protection->version == TLS_1_2)
		return secrets->master.length > 0;
	return protection->version == TLS_1_3 &&
	       secrets->handshake[sender].length == hash_length(suite->hash());
}

// ---- keys

// The keys of one direction.
struct keys {
	uint8_t mac[MAC_MAX];
	uint8_t key[KEY_MAX];
	uint8_t nonce[NONCE]; // up to TLS 1.2 with GCM and CCM only its salt
};

static bool hmac(const EVP_MD *hash, const struct tls_secret *secret, const uint8_t *bytes,
    size_t length, uint8_t *out)
{
	return HMAC(hash, secret->bytes, secret->length, bytes, length, out, NULL) != NULL;
}

// HKDF-Expand-Label with an empty context (RFC 8446 7.1): `length` is never more than the hash has, so
// that one round of HKDF-Expand (RFC 5869 2.3) does.
static bool expand(const EVP_MD *hash, const struct tls_secret *secret, const char *label,
    uint8_t *out, uint8_t length)
{
	uint8_t block[EVP_MAX_MD_SIZE], info[32] = {0, length, 0};
	size_t label_length = strlen(label), end = 3;
	info[2] = (uint8_t)(6 + label_length);
	memcpy(info + end, "tls13 ", 6);
	memcpy(info + end + 6, label, label_length);
	end += 6 + label_length;
	info[end++] = 0; // the context's length
	info[end++] = 1; // the round
	bool good = hmac(hash, secret, info, end, block);
	memcpy(out, block, length);
	OPENSSL_cleanse(block, sizeof(block));
	return good;
}

static bool modern_keys(
    const struct suite *suite, const struct tls_secret *secret, struct keys *keys)
{
	return expand(suite->hash(), secret, "key", keys->key, suite->key) &&
	       expand(suite->hash(), secret, "iv", keys->nonce, NONCE);
}

// The first `length` bytes of PRF(master secret, "key expansion", server random + client random)
// (RFC 5246 5 and 6.3). `block` has room for a whole hash more.
static bool key_block(
    const struct tls_protection *protection, const EVP_MD *hash, uint8_t *block, size_t length)
{
	enum { LABEL = 13, SEED = LABEL + 2 * TLS_RANDOM_LENGTH };
	const struct tls_secrets *secrets = protection->secrets;
	uint8_t text[EVP_MAX_MD_SIZE + SEED]; // A(i) and the seed
	size_t size = hash_length(hash);
	uint8_t *seed = text + size;
	memcpy(seed, "key expansion", LABEL);
	memcpy(seed + LABEL, protection->server_random, TLS_RANDOM_LENGTH);
	memcpy(seed + LABEL + TLS_RANDOM_LENGTH, secrets->client_random, TLS_RANDOM_LENGTH);
	bool good = hmac(hash, &secrets->master, seed, SEED, text);
	for (size_t done = 0; good && done < length; done += size) {
		uint8_t next[EVP_MAX_MD_SIZE];
		good = hmac(hash, &secrets->master, text, size + SEED, block + done) &&
		       hmac(hash, &secrets->master, text, size, next);
		memcpy(text, next, size);
		OPENSSL_cleanse(next, sizeof(next));
	}
	OPENSSL_cleanse(text, sizeof(text));
	return good;
}

static void take_keys(const uint8_t **block, enum direction sender, uint8_t *key, size_t length)
{
	memcpy(key, *block + (sender == FROM_CLIENT ? 0 : length), length);
	*block += 2 * length;
}

static bool classic_keys(const struct tls_protection *protection, const struct suite *suite,
    enum direction sender, struct keys *keys)
{
	uint8_t block[KEY_BLOCK_MAX + EVP_MAX_MD_SIZE];
	const uint8_t *at = block;
	size_t mac = suite->mac != NULL ? suite->tag : 0;
	size_t nonce = suite->mode == MODE_CBC ? 0 : suite->mode == MODE_CHACHA ? NONCE : SALT;
	bool good = key_block(protection, suite->hash(), block, 2 * (mac + suite->key + nonce));
	take_keys(&at, sender, keys->mac, mac);
	take_keys(&at, sender, keys->key, suite->key);
	take_keys(&at, sender, keys->nonce, nonce);
	OPENSSL_cleanse(block, sizeof(block));
	return good;
}

// ---- AEAD

static void put_u16(uint8_t *to, size_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put_u64(uint8_t *to, uint64_t value)
{
	for (int i = 7; i >= 0; i--, value >>= 8)
		to[i] = (uint8_t)value;
}

// What an AEAD is given beside its key.
struct sealed {
	uint8_t nonce[NONCE];
	uint8_t additional[PREFIX];
	uint8_t additional_length;
	struct view text; // encrypted
	struct view tag;
};

static bool open_sealed_with(EVP_CIPHER_CTX *context, const struct suite *suite, const uint8_t *key,
    const struct sealed *sealed, uint8_t *room)
{
	int length = (int)sealed->text.length, taken;
	bool ccm =
	    suite->mode == MODE_CCM; // wants to know the length, and checks the tag on its own
	uint8_t tag[16];
	memcpy(tag, sealed->tag.data, suite->tag);
	return EVP_DecryptInit_ex(context, suite->cipher(), NULL, NULL, NULL) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, NONCE, NULL) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, suite->tag, tag) == 1 &&
	       EVP_DecryptInit_ex(context, NULL, NULL, key, sealed->nonce) == 1 &&
	       (!ccm || EVP_DecryptUpdate(context, NULL, &taken, NULL, length) == 1) &&
	       EVP_DecryptUpdate(
	           context, NULL, &taken, sealed->additional, sealed->additional_length) == 1 &&
	       EVP_DecryptUpdate(context, room, &taken, sealed->text.data, length) == 1 &&
	       (ccm || EVP_DecryptFinal_ex(context, room + taken, &taken) == 1);
}

// The nonce, which is made from a secret too, is overwritten.
static bool open_sealed(
    const struct suite *suite, const uint8_t *key, struct sealed *sealed, uint8_t *room)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	bool good = context != NULL && open_sealed_with(context, suite, key, sealed, room);
	EVP_CIPHER_CTX_free(context); // overwrites its copy of the key
	ERR_clear_error();
	OPENSSL_cleanse(sealed->nonce, sizeof(sealed->nonce));
	return good;
}

static void xor_sequence(uint8_t nonce[NONCE], uint64_t sequence)
{
	uint8_t bytes[8];
	put_u64(bytes, sequence);
	for (size_t i = 0; i < sizeof(bytes); i++)
		nonce[NONCE - sizeof(bytes) + i] ^= bytes[i];
}

// RFC 8446 5.2: the header is authenticated; the type stands behind the content, then zeros.
static bool open_modern(const struct suite *suite, const struct keys *keys,
    const struct tls_protected_record *record, uint8_t *room, struct tls_opened_record *opened)
{
	struct sealed sealed = {.additional = {record->type, 3, 3}, .additional_length = 5};
	struct view body = record->body;
	if (body.length < suite->tag + 1u)
		return false;
	put_u16(sealed.additional + 3, body.length);
	memcpy(sealed.nonce, keys->nonce, NONCE);
	xor_sequence(sealed.nonce, record->sequence);
	sealed.text = view_split(&body, body.length - suite->tag);
	sealed.tag = body;
	if (!open_sealed(suite, keys->key, &sealed, room))
		return false;
	size_t length = sealed.text.length;
	while (length > 0 && room[length - 1] == 0)
		length--;
	if (length == 0)
		return false;
	opened->type = room[length - 1];
	opened->content = view_of(room, length - 1);
	return true;
}

// What TLS 1.2 authenticates before the content: sequence number, type, version, length.
static void put_prefix(
    uint8_t prefix[PREFIX], const struct tls_protected_record *record, size_t length)
{
	put_u64(prefix, record->sequence);
	prefix[8] = record->type;
	prefix[9] = prefix[10] = 3;
	put_u16(prefix + 11, length);
}

// RFC 5288, 6655 (8 bytes of the nonce in the record), 7905 (none).
static bool open_classic_sealed(const struct suite *suite, const struct keys *keys,
    const struct tls_protected_record *record, uint8_t *room, struct tls_opened_record *opened)
{
	struct sealed sealed = {.additional_length = PREFIX};
	struct view body = record->body;
	size_t in_record = suite->mode == MODE_CHACHA ? 0 : NONCE - SALT;
	const uint8_t *nonce = view_take(&body, in_record);
	if (nonce == NULL || body.length < suite->tag)
		return false;
	sealed.text = view_split(&body, body.length - suite->tag);
	sealed.tag = body;
	put_prefix(sealed.additional, record, sealed.text.length);
	memcpy(sealed.nonce, keys->nonce, NONCE - in_record);
	memcpy(sealed.nonce + NONCE - in_record, nonce, in_record);
	if (in_record == 0)
		xor_sequence(sealed.nonce, record->sequence);
	opened->type = record->type;
	opened->content = view_of(room, sealed.text.length);
	return open_sealed(suite, keys->key, &sealed, room);
}

// ---- CBC

// True if `mac` is that of these bytes behind the prefix for them.
static bool mac_fits(const struct suite *suite, const struct keys *keys,
    const struct tls_protected_record *record, struct view bytes, struct view mac)
{
	uint8_t text[PREFIX + BLOCKS_MAX], found[EVP_MAX_MD_SIZE];
	if (bytes.length > BLOCKS_MAX)
		return false;
	put_prefix(text, record, bytes.length);
	memcpy(text + PREFIX, bytes.data, bytes.length);
	return HMAC(suite->mac(), keys->mac, suite->tag, text, PREFIX + bytes.length, found,
	           NULL) != NULL &&
	       memcmp(found, mac.data, suite->tag) == 0;
}

static bool decrypt_blocks(const struct suite *suite, const struct keys *keys, const uint8_t *first,
    struct view blocks, uint8_t *room)
{
	int taken;
	if (blocks.length == 0 || blocks.length % BLOCK != 0)
		return false;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	bool good = context != NULL &&
	            EVP_DecryptInit_ex(context, suite->cipher(), NULL, keys->key, first) == 1 &&
	            EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
	            EVP_DecryptUpdate(context, room, &taken, blocks.data, (int)blocks.length) == 1;
	EVP_CIPHER_CTX_free(context);
	ERR_clear_error();
	return good;
}

// Takes the padding off: its length is its every byte, and one more (RFC 5246 6.2.3.2).
static bool strip_padding(struct view *text)
{
	size_t padding = text->data[text->length - 1];
	if (padding + 1 > text->length)
		return false;
	for (size_t i = 1; i <= padding; i++)
		if (text->data[text->length - 1 - i] != padding)
			return false;
	text->length -= padding + 1;
	return true;
}

// The MAC stands behind the content, both encrypted (RFC 5246 6.2.3.2), or in the clear behind what is
// encrypted (RFC 7366 3).
static bool open_blocks(const struct tls_protection *protection, const struct suite *suite,
    const struct keys *keys, const struct tls_protected_record *record, uint8_t *room,
    struct tls_opened_record *opened)
{
	struct view body = record->body, text;
	bool mac_outside = protection->encrypt_then_mac;
	if (body.length > BLOCKS_MAX || body.length < suite->tag)
		return false;
	if (mac_outside) {
		struct view blocks = view_split(&body, body.length - suite->tag);
		if (!mac_fits(suite, keys, record, blocks, body))
			return false;
		body = blocks;
	}
	const uint8_t *first = view_take(&body, BLOCK);
	if (first == NULL || !decrypt_blocks(suite, keys, first, body, room))
		return false;
	text = view_of(room, body.length);
	if (!strip_padding(&text) || (!mac_outside && text.length < suite->tag))
		return false;
	opened->type = record->type;
	opened->content = view_split(&text, text.length - (mac_outside ? 0 : suite->tag));
	return mac_outside || mac_fits(suite, keys, record, opened->content, text);
}

// ---- the front

static bool open_with(const struct tls_protection *protection, const struct suite *suite,
    const struct keys *keys, const struct tls_protected_record *record, uint8_t *room,
    struct tls_opened_record *opened)
{
	if (protection->version == TLS_1_3)
		return open_modern(suite, keys, record, room, opened);
	if (suite->mode == MODE_CBC)
		return open_blocks(protection, suite, keys, record, room, opened);
	return open_classic_sealed(suite, keys, record, room, opened);
}

bool tls_decrypt(const struct tls_protection *protection, const struct tls_protected_record *record,
    uint8_t *room, struct tls_opened_record *opened)
{
	const struct suite *suite = suite_of(protection);
	struct keys keys;
	if (suite == NULL || record->body.length > BODY_MAX)
		return false;
	bool good = protection->version == TLS_1_3
	                ? modern_keys(suite, &protection->secrets->handshake[record->sender], &keys)
	                : classic_keys(protection, suite, record->sender, &keys);
	good = good && open_with(protection, suite, &keys, record, room, opened);
	OPENSSL_cleanse(&keys, sizeof(keys));
	return good;
}
