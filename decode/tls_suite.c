// SPDX-License-Identifier: Apache-2.0
#include "decode/tls_suite.h"
#include "decode/tls.h"

#include <stddef.h>
#include <string.h>

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
	size_t length = strlen(text), wanted = strlen(with);
	return length >= wanted && strcmp(text + length - wanted, with) == 0;
}

static bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

// Of the name from behind "TLS_" on.
static enum tls_exchange exchange_of(const char *name)
{
	static const char *const named_group[] = {"ECDHE_", "ECDH_anon_", "ECCPWD_"};
	static const char *const ephemeral[] = {"DHE_", "DH_anon_", "PSK_DHE_", "SRP_"};
	if (!has(name, "_WITH_"))
		return TLS_EXCHANGE_BY_EXTENSION;
	for (size_t i = 0; i < sizeof named_group / sizeof named_group[0]; i++)
		if (begins(name, named_group[i]))
			return TLS_EXCHANGE_EPHEMERAL_GROUP;
	for (size_t i = 0; i < sizeof ephemeral / sizeof ephemeral[0]; i++)
		if (begins(name, ephemeral[i]))
			return TLS_EXCHANGE_EPHEMERAL;
	return TLS_EXCHANGE_STATIC;
}

static bool is_aead(const char *name)
{
	static const char *const modes[] = {"_GCM", "_CCM", "_POLY1305", "_MGM", "AEGIS_"};
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (has(name, modes[i]))
			return true;
	return false;
}

static unsigned block_weaknesses(const char *name)
{
	bool triple = has(name, "3DES") || has(name, "EDE3");
	bool single = !triple && (has(name, "_DES_") || has(name, "_DES40_"));
	bool rc2 = has(name, "_RC2_");
	bool narrow = triple || single || rc2 || has(name, "_IDEA_") || has(name, "_28147_") ||
	              has(name, "_MAGMA_") || has(name, "_FORTEZZA_CBC");
	return (unsigned)triple << TLS_WEAK_3DES | (unsigned)single << TLS_WEAK_DES |
	       (unsigned)rc2 << TLS_WEAK_RC2 | (unsigned)narrow << TLS_WEAK_SHORT_BLOCK;
}

static unsigned weaknesses_of(const char *name)
{
	bool integrity_only = begins(name, "TLS_SHA"); // RFC 9150
	bool anonymous = has(name, "_anon_") || begins(name, "TLS_NULL_");
	bool plain = has(name, "_WITH_NULL_") || integrity_only;
	return (unsigned)anonymous << TLS_WEAK_ANONYMOUS |
	       (unsigned)plain << TLS_WEAK_NO_ENCRYPTION |
	       (unsigned)has(name, "_EXPORT") << TLS_WEAK_EXPORT |
	       (unsigned)has(name, "_RC4_") << TLS_WEAK_RC4 |
	       (unsigned)ends(name, "_MD5") << TLS_WEAK_MD5 | block_weaknesses(name);
}

static struct tls_suite suite_of(const char *name)
{
	enum { PREFIX = 4 }; // "TLS_" or "SSL_"
	if (name == NULL || ends(name, "_SCSV"))
		return (struct tls_suite){.known = false};
	return (struct tls_suite){
	    .known = true,
	    .aead = is_aead(name),
	    .exchange = exchange_of(name + PREFIX),
	    .weaknesses = weaknesses_of(name),
	};
}

struct tls_suite tls_suite_of(uint16_t cipher)
{
	return suite_of(tls_cipher_name(cipher));
}

struct tls_suite tls_suite_recall(struct tls_suite_memory *memory, uint16_t cipher)
{
	size_t place = cipher % TLS_SUITES_REMEMBERED;
	if (!memory->places[place].read || memory->places[place].cipher != cipher) {
		memory->places[place].read = true;
		memory->places[place].cipher = cipher;
		memory->places[place].suite = tls_suite_of(cipher);
	}
	return memory->places[place].suite;
}

struct tls_suite tls_suite_of_sslv2(uint32_t kind)
{
	return suite_of(tls_sslv2_cipher_name(kind));
}

const char *tls_weakness_name(enum tls_weakness weakness)
{
	static const char *const names[TLS_WEAKNESSES] = {
	    [TLS_WEAK_ANONYMOUS] = "anonymous",
	    [TLS_WEAK_NO_ENCRYPTION] = "no_encryption",
	    [TLS_WEAK_EXPORT] = "export",
	    [TLS_WEAK_RC4] = "rc4",
	    [TLS_WEAK_RC2] = "rc2",
	    [TLS_WEAK_DES] = "des",
	    [TLS_WEAK_3DES] = "3des",
	    [TLS_WEAK_SHORT_BLOCK] = "short_block",
	    [TLS_WEAK_MD5] = "md5",
	};
	return names[weakness];
}

enum tls_post_quantum tls_group_post_quantum(uint16_t group)
{
	const char *name = tls_group_name(group);
	if (name == NULL)
		return POST_QUANTUM_NOT_SEEN;
	if (begins(name, "MLKEM"))
		return POST_QUANTUM_PURE;
	return has(name, "MLKEM") || has(name, "Kyber") ? POST_QUANTUM_HYBRID : POST_QUANTUM_NONE;
}

const char *tls_post_quantum_name(enum tls_post_quantum post_quantum)
{
	static const char *const names[] = {[POST_QUANTUM_NOT_SEEN] = NULL,
	    [POST_QUANTUM_NONE] = "none",
	    [POST_QUANTUM_HYBRID] = "hybrid",
	    [POST_QUANTUM_PURE] = "pure"};
	return names[post_quantum];
}
