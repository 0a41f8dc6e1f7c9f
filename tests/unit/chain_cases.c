// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/chain_cases.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define KEY_IDS "\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid"
#define CA_ONLY "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign"
#define CA CA_ONLY KEY_IDS
#define SERVER_ONLY                                                                                \
	"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"                 \
	"subjectAltName=DNS:mail.example.com"
#define SERVER SERVER_ONLY "\nextendedKeyUsage=serverAuth" KEY_IDS
#define LEAF .key = "p256-leaf", .extensions = SERVER
#define BETWEEN(letter) .key = "p256-int" letter, .extensions = CA

/* ---- damage ---- */

static void cut(uint8_t **der, size_t *length)
{
	(void)der;
	*length -= 20;
}

static void append(uint8_t **der, size_t *length)
{
	*der = OPENSSL_realloc(*der, *length + 1);
	(*der)[(*length)++] = 0;
}

static void spoil_signature(uint8_t **der, size_t *length)
{
	(*der)[*length - 1] ^= 1;
}

// Makes an object identifier one that nobody knows, wherever it stands.
static void replace(uint8_t *der, size_t length, const char *old, const char *new, size_t size)
{
	for (size_t i = 0; i + size <= length; i++)
		if (memcmp(der + i, old, size) == 0)
			memcpy(der + i, new, size);
}

static void make_algorithms_unknown(uint8_t **der, size_t *length)
{
	replace(*der, *length, "\x06\x03\x2b\x65\x70", "\x06\x03\x2b\x65\x7e", 5);
}

// Signed over SHA-256, but it says over MD2 (which OpenSSL has given up).
static void make_md2(uint8_t **der, size_t *length)
{
	replace(*der, *length, "\x86\xf7\x0d\x01\x01\x0b", "\x86\xf7\x0d\x01\x01\x02", 6);
}

// The key is no point of the curve.
static void spoil_key(uint8_t **der, size_t *length)
{
	static const char before_key[] = "\x03\x42\x00\x04";
	for (size_t i = 0; i + 4 < *length; i++)
		if (memcmp(*der + i, before_key, 4) == 0)
			(*der)[i + 3] = 9;
}

/* ---- certificates ---- */

static const struct pki_certificate certificates[] = {
    {.name = "root", .subject = "Root", .key = "p256-root", .extensions = CA, .from = "2010",
        .until = "2040"},
    {.name = "int", .subject = "Int", .issuer = "root", BETWEEN(""), .from = "2015", .until = "2035"},
    {.name = "leaf", .subject = "mail", .issuer = "int", LEAF},
    {.name = "int2", .subject = "Int 2", .issuer = "int", BETWEEN("2")},
    {.name = "leaf2", .subject = "mail", .issuer = "int2", LEAF},
    {.name = "root-leaf", .subject = "mail", .issuer = "root", LEAF},

    // another root, which nobody trusts, and which the first has cross-signed
    {.name = "other", .subject = "Other", .key = "p256-other", .extensions = CA},
    {.name = "other-int", .subject = "Other int", .issuer = "other", BETWEEN("-other")},
    {.name = "other-leaf", .subject = "mail", .issuer = "other-int", LEAF},
    {.name = "cross", .subject = "Other", .issuer = "root", .key = "p256-other", .extensions = CA},
    {.name = "cross-old", .subject = "Other", .issuer = "root", .key = "p256-other",
        .extensions = CA, .from = "2015", .until = "2020"},

    // self-signed
    {.name = "self", .subject = "self", .key = "p256-self", .extensions = SERVER},
    {.name = "self-ca", .subject = "self", .key = "p256-self", .extensions = CA},
    {.name = "self-v1", .subject = "self v1", .key = "p256-self"},
    {.name = "self-expired", .subject = "self", .key = "p256-self", .extensions = SERVER,
        .until = "2023"},
    {.name = "self-forged", .subject = "self", .key = "p256-self", .extensions = SERVER_ONLY,
        .signing_key = "p256-leaf"},
    {.name = "self-critical", .subject = "self", .key = "p256-self",
        .extensions = SERVER "\n1.2.3.4.5=critical,DER:0500"},
    {.name = "self-bad", .subject = "self bad", .key = "rsa1024-a", .digest = "SHA1",
        .extensions = SERVER, .until = "2023"},

    // times
    {.name = "expired", .subject = "mail", .issuer = "int", LEAF, .until = "20240101"},
    {.name = "future", .subject = "mail", .issuer = "int", LEAF, .from = "20250101"},
    {.name = "int-expired", .subject = "Int", .issuer = "root", BETWEEN(""), .until = "20240101"},
    {.name = "int-future", .subject = "Int", .issuer = "root", BETWEEN(""), .from = "20250101"},
    {.name = "root-expired", .subject = "Root", .key = "p256-root", .extensions = CA,
        .until = "20240101"},
    {.name = "long", .subject = "mail", .issuer = "int-long", LEAF, .from = "19500101",
        .until = "99991231235959"},
    {.name = "int-long", .subject = "Int long", .issuer = "root-long", BETWEEN("-long"),
        .from = "1900", .until = "99991231235959"},
    {.name = "root-long", .subject = "Root long", .key = "p256-root long", .extensions = CA,
        .from = "0001", .until = "99991231235959"},
    {.name = "second", .subject = "mail", .issuer = "int", LEAF, .from = "20240301120000",
        .until = "20240401120000"},
    {.name = "backwards", .subject = "mail", .issuer = "int", LEAF, .from = "2025", .until = "2023"},

    // strength
    {.name = "rsa-leaf", .subject = "mail", .issuer = "rsa-int", .key = "rsa2048-leaf",
        .extensions = SERVER},
    {.name = "rsa-int", .subject = "RSA int", .issuer = "rsa-root", .key = "rsa2048-int",
        .extensions = CA, .digest = "SHA384"},
    {.name = "rsa-root", .subject = "RSA root", .key = "rsa2048-root", .extensions = CA,
        .digest = "SHA1"},
    {.name = "weak-leaf", .subject = "mail", .issuer = "int", .key = "rsa1024-a",
        .extensions = SERVER},
    {.name = "weak-int", .subject = "Weak int", .issuer = "root", .key = "rsa1024-b",
        .extensions = CA},
    {.name = "weak-int-leaf", .subject = "mail", .issuer = "weak-int", LEAF},
    {.name = "weak-root", .subject = "Weak root", .key = "rsa1024-c", .extensions = CA,
        .digest = "MD5"},
    {.name = "weak-root-leaf", .subject = "mail", .issuer = "weak-root", LEAF},
    {.name = "p192", .subject = "mail", .issuer = "int", .key = "p192-a", .extensions = SERVER},
    {.name = "p224", .subject = "mail", .issuer = "int", .key = "p224-a", .extensions = SERVER},
    {.name = "dsa", .subject = "mail", .issuer = "int", .key = "dsa1024-a", .extensions = SERVER},
    {.name = "sha1", .subject = "mail", .issuer = "int", LEAF, .digest = "SHA1"},
    {.name = "md5", .subject = "mail", .issuer = "rsa-int", LEAF, .digest = "MD5"},
    {.name = "md2", .subject = "mail", .issuer = "rsa-int", LEAF, .damage = make_md2},
    {.name = "sha224", .subject = "mail", .issuer = "int", LEAF, .digest = "SHA224"},
    {.name = "sha1-int", .subject = "SHA-1 int", .issuer = "root", BETWEEN("-sha1"),
        .digest = "SHA1"},
    {.name = "sha1-int-leaf", .subject = "mail", .issuer = "sha1-int", LEAF},
    {.name = "ed-root", .subject = "Ed root", .key = "ed25519-root", .extensions = CA},
    {.name = "ed-leaf", .subject = "mail", .issuer = "ed-root", .key = "ed25519-leaf",
        .extensions = SERVER},
    {.name = "ed-unknown", .subject = "mail", .issuer = "ed-root", LEAF,
        .damage = make_algorithms_unknown},
    {.name = "key-unknown", .subject = "mail", .issuer = "int", .key = "ed25519-leaf",
        .extensions = SERVER, .damage = make_algorithms_unknown},

    // uses
    {.name = "client", .subject = "user", .issuer = "int", .key = "p256-leaf",
        .extensions = SERVER_ONLY "\nextendedKeyUsage=clientAuth"},
    {.name = "mail-only", .subject = "user", .issuer = "int", .key = "p256-leaf",
        .extensions = SERVER_ONLY "\nextendedKeyUsage=emailProtection"},
    {.name = "both", .subject = "mail", .issuer = "int", .key = "p256-leaf",
        .extensions = SERVER_ONLY "\nextendedKeyUsage=serverAuth,clientAuth"},
    {.name = "no-uses", .subject = "mail", .issuer = "int", .key = "p256-leaf",
        .extensions = "subjectAltName=DNS:mail.example.com"},
    {.name = "netscape", .subject = "mail", .issuer = "int", .key = "p256-leaf",
        .extensions = "nsCertType=client"},
    {.name = "key-signs-only", .subject = "mail", .issuer = "int", .key = "p256-leaf",
        .extensions = "keyUsage=critical,keyCertSign"},
    {.name = "int-for-clients", .subject = "Int for clients", .issuer = "root", BETWEEN("-clients")
        "\nextendedKeyUsage=clientAuth"},
    {.name = "int-for-clients-leaf", .subject = "mail", .issuer = "int-for-clients", LEAF},
    {.name = "int-no-ca", .subject = "Int no CA", .issuer = "root", .key = "p256-int-no-ca",
        .extensions = "basicConstraints=critical,CA:FALSE" KEY_IDS},
    {.name = "int-no-ca-leaf", .subject = "mail", .issuer = "int-no-ca", LEAF},
    {.name = "int-no-sign", .subject = "Int no sign", .issuer = "root", .key = "p256-int-no-sign",
        .extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=cRLSign" KEY_IDS},
    {.name = "int-no-sign-leaf", .subject = "mail", .issuer = "int-no-sign", LEAF},

    // constraints
    {.name = "int-path-0", .subject = "Int path 0", .issuer = "root", .key = "p256-int-path",
        .extensions = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=keyCertSign" KEY_IDS},
    {.name = "int-below", .subject = "Int below", .issuer = "int-path-0", BETWEEN("-below")},
    {.name = "int-below-leaf", .subject = "mail", .issuer = "int-below", LEAF},
    {.name = "int-path-0-leaf", .subject = "mail", .issuer = "int-path-0", LEAF},
    {.name = "int-names", .subject = "Int names", .issuer = "root", BETWEEN("-names")
        "\nnameConstraints=critical,permitted;DNS:example.com,excluded;DNS:bad.example.com"},
    {.name = "int-names-leaf", .subject = "mail", .issuer = "int-names", LEAF},
    {.name = "int-names-out", .subject = "mail", .issuer = "int-names", .key = "p256-leaf",
        .extensions = "subjectAltName=DNS:mail.example.org"},
    {.name = "int-names-bad", .subject = "mail", .issuer = "int-names", .key = "p256-leaf",
        .extensions = "subjectAltName=DNS:a.bad.example.com"},
    {.name = "critical", .subject = "mail", .issuer = "int", .key = "p256-leaf",
        .extensions = SERVER "\n1.2.3.4.5=critical,DER:0500"},
    {.name = "not-critical", .subject = "mail", .issuer = "int", .key = "p256-leaf",
        .extensions = SERVER "\n1.2.3.4.5=DER:0500"},
    {.name = "int-critical", .subject = "Int critical", .issuer = "root", BETWEEN("-critical")
        "\n1.2.3.4.5=critical,DER:0500"},
    {.name = "int-critical-leaf", .subject = "mail", .issuer = "int-critical", LEAF},

    // revocation
    {.name = "revoked", .subject = "mail", .issuer = "int", LEAF},
    {.name = "revoked-long-ago", .subject = "mail", .issuer = "int", LEAF},
    {.name = "revoked-later", .subject = "mail", .issuer = "int", LEAF},
    {.name = "held", .subject = "mail", .issuer = "int", LEAF},
    {.name = "int-revoked", .subject = "Int revoked", .issuer = "root", BETWEEN("-revoked")},
    {.name = "int-revoked-leaf", .subject = "mail", .issuer = "int-revoked", LEAF},
    {.name = "int-no-crls", .subject = "Int no CRLs", .issuer = "root", .key = "p256-int-no-crls",
        .extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign" KEY_IDS},
    {.name = "int-no-crls-leaf", .subject = "mail", .issuer = "int-no-crls", LEAF},

    // signatures
    {.name = "forged", .subject = "mail", .issuer = "int", LEAF, .damage = spoil_signature},
    {.name = "int-forged", .subject = "Int", .issuer = "root", BETWEEN(""),
        .damage = spoil_signature},
    {.name = "impostor", .subject = "Int", .issuer = "root", .key = "p256-impostor",
        .extensions = CA_ONLY},
    {.name = "impostor-id", .subject = "Int", .issuer = "root", .key = "p256-impostor",
        .extensions = CA},
    {.name = "impostor-rsa", .subject = "Int", .issuer = "root", .key = "rsa2048-leaf",
        .extensions = CA_ONLY},
    {.name = "plain-leaf", .subject = "mail", .issuer = "int", .key = "p256-leaf",
        .extensions = SERVER_ONLY},
    // roots of one name that only a signature tells apart
    {.name = "twin-a", .subject = "Twin", .key = "p256-twin-a", .extensions = CA_ONLY},
    {.name = "twin-b", .subject = "Twin", .key = "p256-twin-b", .extensions = CA_ONLY},
    {.name = "twin-c", .subject = "Twin", .key = "p256-twin-c", .extensions = CA_ONLY},
    {.name = "twin-a-leaf", .subject = "mail", .issuer = "twin-a", .key = "p256-leaf",
        .extensions = SERVER_ONLY},
    {.name = "twin-b-leaf", .subject = "mail", .issuer = "twin-b", .key = "p256-leaf",
        .extensions = SERVER_ONLY},
    {.name = "twin-c-leaf", .subject = "mail", .issuer = "twin-c", .key = "p256-leaf",
        .extensions = SERVER_ONLY},

    // names that are equal, but not byte for byte
    {.name = "spelled-root", .subject = "!A  Root  OF ours", .key = "p256-spelled",
        .extensions = CA_ONLY},
    {.name = "spelled-issuer", .subject = "a root of Ours", .key = "p256-spelled",
        .extensions = CA_ONLY},
    {.name = "spelled-leaf", .subject = "mail", .issuer = "spelled-issuer", .key = "p256-leaf",
        .extensions = SERVER_ONLY},

    // form
    {.name = "cut", .subject = "mail", .issuer = "int", LEAF, .damage = cut},
    {.name = "cut-expired", .subject = "mail", .issuer = "int", .key = "rsa1024-a",
        .digest = "SHA1", .extensions = SERVER, .until = "2023", .damage = cut},
    {.name = "longer", .subject = "mail", .issuer = "int", LEAF, .damage = append},
    {.name = "int-cut", .subject = "Int", .issuer = "root", BETWEEN(""), .damage = cut},
    {.name = "odd-address", .subject = "mail", .issuer = "int", .key = "p256-leaf",
        .extensions = "2.5.29.17=DER:300787050102030405"},
    {.name = "int-odd-use", .subject = "Int", .issuer = "root", .key = "p256-int",
        .extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=DER:0500"},
    {.name = "doubled", .subject = "mail", .issuer = "int", .key = "p256-leaf",
        .extensions = SERVER "\nbasicConstraints=CA:FALSE"},
    {.name = "no-key", .subject = "mail", .issuer = "int", LEAF, .damage = spoil_key},

    // ten deep
    {.name = "deep-1", .subject = "Deep 1", .issuer = "root", BETWEEN("-d1")},
    {.name = "deep-2", .subject = "Deep 2", .issuer = "deep-1", BETWEEN("-d2")},
    {.name = "deep-3", .subject = "Deep 3", .issuer = "deep-2", BETWEEN("-d3")},
    {.name = "deep-4", .subject = "Deep 4", .issuer = "deep-3", BETWEEN("-d4")},
    {.name = "deep-5", .subject = "Deep 5", .issuer = "deep-4", BETWEEN("-d5")},
    {.name = "deep-6", .subject = "Deep 6", .issuer = "deep-5", BETWEEN("-d6")},
    {.name = "deep-7", .subject = "Deep 7", .issuer = "deep-6", BETWEEN("-d7")},
    {.name = "deep-8", .subject = "Deep 8", .issuer = "deep-7", BETWEEN("-d8")},
    {.name = "deep-leaf", .subject = "mail", .issuer = "deep-8", LEAF},
};

static const struct pki_crl crls[] = {
    {.name = "crl", .issuer = "int", .update = "20240601",
        .entries = "revoked 20240501,revoked-later 20240801"},
    {.name = "crl-root", .issuer = "root", .update = "20240601", .entries = "int-revoked 20240301 1"},
    {.name = "crl-stale", .issuer = "int", .update = "20230101",
        .entries = "revoked-long-ago 20221201 4"},
    {.name = "crl-of-the-future", .issuer = "int", .update = "20250101",
        .entries = "revoked 20240501"},
    {.name = "crl-forged", .issuer = "int", .key = "p256-other", .update = "20240601",
        .entries = "leaf 20240101"},
    {.name = "crl-other", .issuer = "other", .update = "20240601", .entries = "leaf 20240101"},
    {.name = "crl-no-crls", .issuer = "int-no-crls", .update = "20240601",
        .entries = "int-no-crls-leaf 20240101"},
    {.name = "crl-other-int", .issuer = "other-int", .update = "20240601",
        .entries = "other-leaf 20240101"},
    {.name = "crl-hold", .issuer = "int", .update = "20240301", .entries = "held 20240201 6"},
    {.name = "crl-no-hold", .issuer = "int", .update = "20240501", .entries = ""},
    {.name = "crl-before-hold", .issuer = "int", .update = "20240115", .entries = ""},
    {.name = "crl-no-hold-forged", .issuer = "int", .key = "p256-other", .update = "20240501",
        .entries = ""},
    {.name = "crl-twin", .issuer = "twin-a", .update = "20240601",
        .entries = "twin-a-leaf 20240101,twin-b-leaf 20240101"},
    {.name = "crl-part", .issuer = "int", .update = "20240501", .entries = "",
        .extensions = "2.5.29.28=critical,DER:30038201FF"},
    {.name = "crl-delta", .issuer = "int", .update = "20240501", .entries = "held 20240501 8",
        .extensions = "2.5.29.27=critical,DER:020101"},
    {.name = "crl-delta-empty", .issuer = "int", .update = "20240501", .entries = "",
        .extensions = "2.5.29.27=critical,DER:020101"},
    {.name = "crl-not-understood", .issuer = "int", .update = "20240601",
        .entries = "leaf 20240101", .extensions = "1.2.3.4.5=critical,DER:0500"},
};

/* ---- what is said of them ---- */

#define TWO_ISSUERS "it does not try a second issuer of the same name"

const struct chain_case chain_cases[] = {
    {"in order", .sent = "leaf int"},
    {"with the root", .sent = "leaf int root"},
    {"one step", .sent = "root-leaf"},
    {"ten deep", .sent = "deep-leaf deep-8 deep-7 deep-6 deep-5 deep-4 deep-3 deep-2 deep-1 root"},
    {"RSA, SHA-384, SHA-1 on the root", .sent = "rsa-leaf rsa-int rsa-root", .anchors = "rsa-root"},
    {"Ed25519", .sent = "ed-leaf", .anchors = "ed-root"},

    // paths
    {"the issuer is not known", .sent = "leaf", .faults = FAULT_UNTRUSTED,
        .reason = "unable to get local issuer"},
    {"another session showed the issuer", .sent = "leaf", .shown = "int",
        .faults = FAULT_INCOMPLETE_CHAIN, .missing = "int"},
    {"two are missing, shown", .sent = "leaf2", .shown = "int int2", .faults = FAULT_INCOMPLETE_CHAIN,
        .missing = "int2"},
    {"the upper one of two is missing", .sent = "leaf2 int2", .shown = "int",
        .faults = FAULT_INCOMPLETE_CHAIN, .missing = "int"},
    {"the lower one of two is missing", .sent = "leaf2 int", .shown = "int2",
        .faults = FAULT_INCOMPLETE_CHAIN | FAULT_WRONG_ORDER, .missing = "int2"},
    {"two are missing, one of them shown", .sent = "leaf2", .shown = "int2", .faults = FAULT_UNTRUSTED,
        .reason = "unable to get"},
    {"what was shown has expired", .sent = "leaf", .shown = "int-expired",
        .faults = FAULT_INCOMPLETE_CHAIN | FAULT_EXPIRED, .missing = "int-expired"},
    {"of those shown one has not", .sent = "leaf", .shown = "int-expired int int-future",
        .faults = FAULT_INCOMPLETE_CHAIN, .missing = "int"},
    {"what was shown is forged", .sent = "leaf", .shown = "int-forged", .faults = FAULT_UNTRUSTED,
        .reason = "unable to get local issuer"},
    {"of those shown one is not", .sent = "plain-leaf", .shown = "int impostor",
        .faults = FAULT_INCOMPLETE_CHAIN, .missing = "int"},
    {"the root is not trusted", .sent = "other-leaf other-int other", .faults = FAULT_UNTRUSTED,
        .reason = "self-signed certificate in certificate chain"},
    {"the root is not trusted, nor sent", .sent = "other-leaf other-int", .faults = FAULT_UNTRUSTED,
        .reason = "unable to get local issuer"},
    {"what was shown does not lead to a root that is trusted", .sent = "other-leaf",
        .shown = "other-int other", .faults = FAULT_UNTRUSTED, .reason = "unable to get"},
    {"by a cross certificate", .sent = "other-leaf other-int cross"},
    {"by a cross certificate that another session showed", .sent = "other-leaf other-int",
        .shown = "cross", .faults = FAULT_INCOMPLETE_CHAIN, .missing = "cross"},
    {"its root is trusted, the cross certificate has expired", .sent = "other-leaf other-int cross-old",
        .anchors = "other root"},
    {"the cross certificate has expired", .sent = "other-leaf other-int cross-old",
        .faults = FAULT_EXPIRED},
    {"two cross certificates, one has expired", .sent = "other-leaf other-int cross-old cross",
        .faults = FAULT_WRONG_ORDER},
    {"an intermediate is trusted, its root is not", .sent = "leaf int", .anchors = "int"},
    {"an intermediate is trusted, and not sent", .sent = "leaf", .anchors = "int"},
    {"two trusted on top of each other", .sent = "leaf2", .anchors = "int2 int"},
    {"the first is trusted itself", .sent = "other-leaf", .anchors = "other-leaf"},
    {"the first is trusted itself, and so is its root", .sent = "leaf int", .anchors = "leaf root"},
    {"the first is the root", .sent = "root", .faults = FAULT_NOT_A_SERVER_CERTIFICATE},
    {"several names for one", .sent = "spelled-leaf", .anchors = "spelled-root"},
    {"no trust store", .sent = "leaf int", .anchors = "", .trust_unknown = true},
    {"no trust store, and expired", .sent = "expired int", .anchors = "", .faults = FAULT_EXPIRED,
        .trust_unknown = true},
    {"no trust store, and self-signed", .sent = "self", .anchors = "", .trust_unknown = true},

    // order
    {"swapped", .sent = "leaf root int", .faults = FAULT_WRONG_ORDER},
    {"backwards", .sent = "leaf2 int int2", .faults = FAULT_WRONG_ORDER},
    {"doubled", .sent = "leaf leaf int", .faults = FAULT_WRONG_ORDER},
    {"an intermediate doubled", .sent = "leaf int int", .faults = FAULT_WRONG_ORDER},
    {"the root doubled", .sent = "leaf int root root"},
    {"one is unrelated, last", .sent = "leaf int other-leaf", .faults = FAULT_WRONG_ORDER},
    {"one is unrelated, between", .sent = "leaf other int", .faults = FAULT_WRONG_ORDER},
    {"the name is right, the key is not", .sent = "plain-leaf impostor int", .faults = FAULT_WRONG_ORDER, .differs = TWO_ISSUERS},
    {"the first is not the server's", .sent = "int leaf", .faults = FAULT_WRONG_ORDER |
        FAULT_NOT_A_SERVER_CERTIFICATE},

    // self-signed
    {"self-signed", .sent = "self", .faults = FAULT_SELF_SIGNED},
    {"self-signed, version 1", .sent = "self-v1", .faults = FAULT_SELF_SIGNED},
    {"self-signed, a CA", .sent = "other", .faults = FAULT_SELF_SIGNED | FAULT_NOT_A_SERVER_CERTIFICATE},
    {"self-signed and trusted", .sent = "self", .anchors = "root self"},
    {"self-signed, something else behind it", .sent = "self int",
        .faults = FAULT_SELF_SIGNED | FAULT_WRONG_ORDER},
    {"self-signed, one of its name and key trusted", .sent = "self", .anchors = "self-ca",
        .faults = FAULT_SELF_SIGNED},
    {"self-signed and expired", .sent = "self-expired", .faults = FAULT_SELF_SIGNED | FAULT_EXPIRED},
    {"self-signed, trusted and expired", .sent = "self-expired", .anchors = "self-expired",
        .faults = FAULT_EXPIRED},
    {"not signed by its own key", .sent = "self-forged", .faults = FAULT_UNTRUSTED,
        .reason = "signature failure", .differs = "it believes what the certificate says of itself"},
    {"self-signed, with an unknown extension, critical", .sent = "self-critical",
        .faults = FAULT_SELF_SIGNED, .differs = "self-signed says all there is to say"},
    {"self-signed, with an unknown extension, critical, and trusted", .sent = "self-critical",
        .anchors = "self-critical", .faults = FAULT_UNTRUSTED,
        .reason = "unhandled critical extension"},
    {"all at once", .sent = "self-bad", .faults = FAULT_SELF_SIGNED | FAULT_EXPIRED | FAULT_WEAK_KEY |
        FAULT_WEAK_SIGNATURE},
    {"all at once, but trusted", .sent = "self-bad", .anchors = "self-bad",
        .faults = FAULT_EXPIRED | FAULT_WEAK_KEY},
    {"the client's is self-signed", .sent = "self", .from_client = true, .faults = FAULT_SELF_SIGNED},

    // times
    {"expired", .sent = "expired int", .faults = FAULT_EXPIRED},
    {"not yet valid", .sent = "future int", .faults = FAULT_NOT_YET_VALID},
    {"both", .sent = "backwards int", .faults = FAULT_NOT_YET_VALID | FAULT_EXPIRED},
    {"expired when it was not", .sent = "expired int", .at = "2023"},
    {"an intermediate has expired", .sent = "leaf int-expired", .faults = FAULT_EXPIRED},
    {"an intermediate has expired, another has not", .sent = "leaf int-expired int",
        .faults = FAULT_WRONG_ORDER},
    {"an intermediate is not yet valid", .sent = "leaf int-future", .faults = FAULT_NOT_YET_VALID},
    {"the root has expired", .sent = "leaf int", .anchors = "root-expired", .faults = FAULT_EXPIRED},
    {"the root has expired, its successor has the same key", .sent = "leaf int",
        .anchors = "root-expired root"},
    {"the root has expired, and is sent", .sent = "leaf int root-expired"},
    {"expired and untrusted", .sent = "expired", .faults = FAULT_EXPIRED | FAULT_UNTRUSTED,
        .reason = "unable to get local issuer"},
    {"the first second", .sent = "second int", .at = "20240301120000"},
    {"the second before", .sent = "second int", .at = "20240301115959", .faults = FAULT_NOT_YET_VALID},
    {"the last second", .sent = "second int", .at = "20240401120000",
        .differs = "OpenSSL has it expire with the last second, RFC 5280 after it"},
    {"the second after", .sent = "second int", .at = "20240401120001", .faults = FAULT_EXPIRED},
    {"valid for ever, in 1950", .sent = "long int-long", .anchors = "root-long", .at = "1950"},
    {"valid for ever, in 9999", .sent = "long int-long", .anchors = "root-long", .at = "9999"},
    {"valid for ever, in 1949", .sent = "long int-long", .anchors = "root-long", .at = "1949",
        .faults = FAULT_NOT_YET_VALID},

    // strength
    {"a short key", .sent = "weak-leaf int", .faults = FAULT_WEAK_KEY},
    {"a short key between", .sent = "weak-int-leaf weak-int", .faults = FAULT_WEAK_KEY},
    {"a short key, the root's", .sent = "weak-root-leaf", .anchors = "weak-root", .faults = FAULT_WEAK_KEY},
    {"a short key, the root's, and nobody trusts it", .sent = "weak-root-leaf weak-root",
        .faults = FAULT_WEAK_KEY | FAULT_UNTRUSTED,
        .reason = "self-signed certificate in certificate chain"},
    {"a short key that has no part in it", .sent = "leaf int weak-root", .faults = FAULT_WRONG_ORDER},
    {"a short curve", .sent = "p192 int", .faults = FAULT_WEAK_KEY},
    {"the shortest curve", .sent = "p224 int"},
    {"a short DSA key", .sent = "dsa int", .faults = FAULT_WEAK_KEY},
    {"SHA-1", .sent = "sha1 int", .faults = FAULT_WEAK_SIGNATURE},
    {"SHA-1 between", .sent = "sha1-int-leaf sha1-int", .faults = FAULT_WEAK_SIGNATURE},
    {"SHA-1 between, and trusted", .sent = "sha1-int-leaf sha1-int", .anchors = "sha1-int"},
    {"SHA-1, and trusted itself", .sent = "sha1", .anchors = "sha1"},
    {"MD5", .sent = "md5 rsa-int", .anchors = "rsa-root", .faults = FAULT_WEAK_SIGNATURE},
    {"MD2", .sent = "md2 rsa-int", .anchors = "rsa-root",
        .faults = FAULT_WEAK_SIGNATURE | FAULT_UNTRUSTED, .reason = "signature failure"},
    {"MD2, and no issuer", .sent = "md2", .faults = FAULT_WEAK_SIGNATURE | FAULT_UNTRUSTED,
        .reason = "unable to get local issuer"},
    {"SHA-224", .sent = "sha224 int"},
    {"signed in a way that OpenSSL does not know", .sent = "ed-unknown", .anchors = "ed-root",
        .trust_unknown = true, .differs = "it is not said to be untrusted"},
    {"a kind of key that OpenSSL does not know", .sent = "key-unknown int", .trust_unknown = true,
        .differs = "it is not said to be untrusted"},

    // uses
    {"for clients", .sent = "client int", .faults = FAULT_NOT_A_SERVER_CERTIFICATE},
    {"for clients, and from one", .sent = "client int", .from_client = true},
    {"for mail", .sent = "mail-only int", .faults = FAULT_NOT_A_SERVER_CERTIFICATE},
    {"for both", .sent = "both int"},
    {"for servers, and from a client", .sent = "leaf int", .from_client = true},
    {"for nothing in particular", .sent = "no-uses int"},
    {"for clients, as Netscape had it", .sent = "netscape int", .faults = FAULT_NOT_A_SERVER_CERTIFICATE},
    {"its key signs only", .sent = "key-signs-only int", .faults = FAULT_NOT_A_SERVER_CERTIFICATE},
    {"the intermediate is for clients", .sent = "int-for-clients-leaf int-for-clients",
        .faults = FAULT_UNTRUSTED, .reason = "unsuitable certificate purpose"},
    {"the intermediate is for clients, and so it is", .sent = "int-for-clients-leaf int-for-clients",
        .from_client = true},
    {"the intermediate is no CA", .sent = "int-no-ca-leaf int-no-ca", .faults = FAULT_UNTRUSTED,
        .reason = "invalid CA certificate"},
    {"the intermediate's key does not sign", .sent = "int-no-sign-leaf int-no-sign",
        .faults = FAULT_UNTRUSTED, .reason = "invalid CA certificate"},

    // constraints
    {"a path too long", .sent = "int-below-leaf int-below int-path-0", .faults = FAULT_UNTRUSTED,
        .reason = "path length constraint exceeded"},
    {"a path as long as it may be", .sent = "int-path-0-leaf int-path-0"},
    {"a name that is permitted", .sent = "int-names-leaf int-names"},
    {"a name that is not permitted", .sent = "int-names-out int-names", .faults = FAULT_UNTRUSTED,
        .reason = "permitted subtree violation"},
    {"a name that is excluded", .sent = "int-names-bad int-names", .faults = FAULT_UNTRUSTED,
        .reason = "excluded subtree violation"},
    {"an unknown extension", .sent = "not-critical int"},
    {"an unknown extension, critical", .sent = "critical int", .faults = FAULT_UNTRUSTED,
        .reason = "unhandled critical extension"},
    {"an unknown extension, critical, between", .sent = "int-critical-leaf int-critical",
        .faults = FAULT_UNTRUSTED, .reason = "unhandled critical extension"},

    // signatures
    {"a wrong signature", .sent = "forged int", .faults = FAULT_UNTRUSTED, .reason = "signature failure"},
    {"a wrong signature between", .sent = "leaf int-forged", .faults = FAULT_UNTRUSTED,
        .reason = "signature failure"},
    {"an issuer of the same name", .sent = "plain-leaf impostor", .faults = FAULT_UNTRUSTED,
        .reason = "signature failure"},
    {"the name is right, the key identifier is not", .sent = "leaf impostor-id",
        .faults = FAULT_UNTRUSTED | FAULT_WRONG_ORDER, .reason = "unable to get local issuer"},
    {"the name is right, the kind of key is not", .sent = "plain-leaf impostor-rsa",
        .faults = FAULT_UNTRUSTED | FAULT_WRONG_ORDER, .reason = "unable to get local issuer"},
    {"two of the same name", .sent = "plain-leaf int impostor", .faults = FAULT_WRONG_ORDER},
    {"two roots of one name, the first", .sent = "twin-a-leaf", .anchors = "twin-a twin-b"},
    {"two roots of one name, the second", .sent = "twin-b-leaf", .anchors = "twin-a twin-b", .differs = TWO_ISSUERS},
    {"three roots of one name", .sent = "twin-c-leaf", .anchors = "twin-a twin-b twin-c", .differs = TWO_ISSUERS},
    {"two roots of one name, another", .sent = "twin-c-leaf", .anchors = "twin-a twin-b",
        .faults = FAULT_UNTRUSTED, .reason = "signature failure"},

    // form
    {"cut short", .sent = "cut int", .faults = FAULT_MALFORMED},
    {"cut short, and what can be read is bad", .sent = "cut-expired int",
        .faults = FAULT_MALFORMED | FAULT_EXPIRED | FAULT_WEAK_KEY | FAULT_WEAK_SIGNATURE},
    {"something behind it", .sent = "longer int", .faults = FAULT_MALFORMED,
        .differs = "the command does not mind"},
    {"something behind it, and no issuer", .sent = "longer", .faults = FAULT_MALFORMED},
    {"the intermediate is cut short", .sent = "leaf int-cut", .faults = FAULT_MALFORMED | FAULT_UNTRUSTED,
        .reason = "unable to get local issuer"},
    {"the intermediate is cut short, it is there again", .sent = "leaf int-cut int",
        .faults = FAULT_MALFORMED | FAULT_WRONG_ORDER,
        .differs = "it does not judge what is not on the path"},
    {"an address of five bytes", .sent = "odd-address int", .faults = FAULT_MALFORMED,
        .differs = "it does not look for names"},
    {"an extension of the intermediate cannot be read", .sent = "leaf int-odd-use",
        .faults = FAULT_MALFORMED | FAULT_UNTRUSTED, .reason = "unable to get local issuer"},
    {"an extension is there twice", .sent = "doubled int", .faults = FAULT_MALFORMED},
    {"the key is no key", .sent = "no-key int", .faults = FAULT_MALFORMED},

    // revocation
    {"revoked", .sent = "revoked int", .crls = "crl", .faults = FAULT_REVOKED},
    {"others are revoked", .sent = "leaf int", .crls = "crl crl-root"},
    {"revoked afterwards", .sent = "revoked-later int", .crls = "crl",
        .differs = "it does not look at the date"},
    {"revoked by then", .sent = "revoked-later int", .crls = "crl", .at = "20240801",
        .faults = FAULT_REVOKED},
    {"revoked, and the list is stale", .sent = "revoked-long-ago int", .crls = "crl-stale",
        .faults = FAULT_REVOKED},
    {"the list came afterwards", .sent = "revoked int", .crls = "crl-of-the-future",
        .faults = FAULT_REVOKED},
    {"no list", .sent = "revoked int", .crls = "crl-root", .differs = "it takes a missing list for a fault"},
    {"an intermediate is revoked", .sent = "int-revoked-leaf int-revoked", .crls = "crl-root crl",
        .faults = FAULT_REVOKED, .differs = "it takes a missing list for a fault"},
    {"a list that somebody else signed", .sent = "leaf int", .crls = "crl-forged",
        .differs = "it takes a wrong list for a fault"},
    {"a list of another issuer", .sent = "leaf int", .crls = "crl-other",
        .differs = "it takes a missing list for a fault"},
    {"a list of who may not have one", .sent = "int-no-crls-leaf int-no-crls", .crls = "crl-no-crls",
        .differs = "it takes a wrong list for a fault"},
    {"revoked by who is not trusted", .sent = "other-leaf other-int", .crls = "crl-other-int",
        .faults = FAULT_REVOKED | FAULT_UNTRUSTED, .reason = "unable to get"},
    {"revoked, but not by who is not sent", .sent = "other-leaf", .crls = "crl-other-int",
        .faults = FAULT_UNTRUSTED, .reason = "unable to get"},
    {"on hold", .sent = "held int", .crls = "crl-hold", .at = "20240315", .faults = FAULT_REVOKED},
    {"still on hold", .sent = "held int", .crls = "crl-hold crl-no-hold", .at = "20240430",
        .faults = FAULT_REVOKED, .differs = "it knows only fresh lists"},
    {"on hold no more", .sent = "held int", .crls = "crl-hold crl-no-hold", .at = "20240501"},
    {"on hold, and not so before", .sent = "held int", .crls = "crl-before-hold crl-hold",
        .faults = FAULT_REVOKED},
    {"on hold, somebody else says not any more", .sent = "held int",
        .crls = "crl-hold crl-no-hold-forged", .faults = FAULT_REVOKED,
        .differs = "it takes a wrong list for a fault"},
    {"on hold no more, by a delta", .sent = "held int", .crls = "crl-delta crl-hold",
        .differs = "it knows only fresh lists"},
    {"on hold, a delta says nothing", .sent = "held int", .crls = "crl-delta-empty crl-hold",
        .faults = FAULT_REVOKED,
        .versions_differ = "whether a list that is not fresh counts beside a delta"},
    {"on hold, a list for CAs says nothing", .sent = "held int", .crls = "crl-part crl-hold",
        .faults = FAULT_REVOKED},
    {"on hold, others are revoked for good", .sent = "revoked int", .crls = "crl crl-hold",
        .faults = FAULT_REVOKED},
};

const size_t chain_case_count = sizeof chain_cases / sizeof chain_cases[0];

struct pki *chain_cases_pki(void)
{
	return pki_create(certificates, sizeof certificates / sizeof certificates[0], crls,
	    sizeof crls / sizeof crls[0]);
}

bool chain_cases_next(const char **names, char name[64])
{
	size_t length = strcspn(*names, " ");
	if (length == 0 || length >= 64)
		return false;
	memcpy(name, *names, length);
	name[length] = '\0';
	*names += length + ((*names)[length] == ' ');
	return true;
}
