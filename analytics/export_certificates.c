// SPDX-License-Identifier: Apache-2.0
// certificates.jsonl: one JSON object per distinct certificate of the run, when it is first seen. The bytes of a
// certificate cannot be changed: where addresses are anonymised, they are in what it is said to say.
#include "analytics/anonymise_text.h"
#include "analytics/certificate_pem.h"
#include "analytics/exporter.h"
#include "analytics/json_fields.h"
#include "analytics/record_outlet.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_TEXT_MAX = 4096 }; // bytes of a subject or issuer

struct certificates_export {
	struct record_outlet outlet;
	struct anonymiser *anonymiser; // NULL: addresses are the real ones
	bool pem;
	uint64_t written;
	struct json json;
};

static void *certificates_open(const struct exporter_settings *settings, struct error *error)
{
	if (!record_outlet_wanted(settings))
		return NULL;
	struct certificates_export *export = calloc(1, sizeof *export);
	if (export == NULL) {
		error_set(error, "no memory for the certificate log");
		return NULL;
	}
	export->pem = settings->pem;
	export->anonymiser = settings->anonymiser;
	if (record_outlet_open(&export->outlet, settings, STORE_CERTIFICATES, error))
		return export;
	free(export);
	return NULL;
}

/* ---- values ---- */

static void write_text(struct certificates_export *export, const uint8_t *text, size_t length)
{
	uint8_t other[NAME_TEXT_MAX + ANONYMISE_TEXT_GROWTH];
	if (export->anonymiser == NULL) {
		json_bytes(&export->json, text, length);
		return;
	}
	if (length > NAME_TEXT_MAX)
		length = NAME_TEXT_MAX;
	json_bytes(&export->json, other, anonymise_text(export->anonymiser, text, length, other));
}

static void key_name_text(struct certificates_export *export, const char *key, struct view name)
{
	uint8_t text[NAME_TEXT_MAX];
	json_key(&export->json, key);
	if (view_ok(&name))
		write_text(export, text, x509_name_text(name, text, sizeof text));
	else
		json_null(&export->json);
}

// Hexadecimal, in upper case and without leading zeros, as OpenSSL prints it; negative ones with a sign.
static void key_serial(struct json *json, struct view serial)
{
	enum { SERIAL_MAX = 64 }; // bytes; RFC 5280 4.1.2.2 allows 20
	static const char digits[] = "0123456789ABCDEF";
	char text[2 + 2 * SERIAL_MAX + 1];
	uint8_t bytes[SERIAL_MAX];
	json_key(json, "serial");
	if (!view_ok(&serial) || serial.length == 0 || serial.length > SERIAL_MAX) {
		json_null(json);
		return;
	}
	bool negative = (serial.data[0] & 0x80) != 0;
	memcpy(bytes, serial.data, serial.length);
	for (size_t i = serial.length, carry = 1; negative && i-- > 0;) {
		carry += (uint8_t)~bytes[i];
		bytes[i] = (uint8_t)carry;
		carry >>= 8;
	}
	size_t length = 0, first = 0;
	while (first + 1 < serial.length && bytes[first] == 0)
		first++;
	if (negative)
		text[length++] = '-';
	for (size_t i = first; i < serial.length; i++) {
		text[length++] = digits[bytes[i] >> 4];
		text[length++] = digits[bytes[i] & 15];
	}
	json_bytes(json, (const uint8_t *)text, length);
}

static void key_seconds(struct json *json, const char *key, bool known, int64_t seconds)
{
	json_key(json, key);
	if (known)
		json_seconds(json, seconds);
	else
		json_null(json);
}

static void key_bool(struct json *json, const char *key, bool known, bool value)
{
	json_key(json, key);
	if (known)
		json_bool(json, value);
	else
		json_null(json);
}

static void write_address(struct certificates_export *export, struct view bytes)
{
	char text[INET6_ADDRSTRLEN];
	struct ip_address address = {{[10] = 0xff, [11] = 0xff}};
	if (bytes.length != 4 && bytes.length != sizeof address.bytes)
		return;
	memcpy(address.bytes + sizeof address.bytes - bytes.length, bytes.data, bytes.length);
	if (export->anonymiser != NULL)
		address = anonymise_address(export->anonymiser, &address);
	inet_ntop(bytes.length == 4 ? AF_INET : AF_INET6,
	    address.bytes + sizeof address.bytes - bytes.length, text, sizeof text);
	json_name(&export->json, text);
}

static void key_names(struct certificates_export *export, const char *key, const struct x509 *facts,
    enum x509_name_type wanted)
{
	struct json *json = &export->json;
	struct view names = facts->alternative_names, name;
	enum x509_name_type type;
	json_key(json, key);
	json_array_begin(json);
	while (x509_next_name(&names, &type, &name)) {
		if (type != wanted)
			continue;
		if (type == X509_NAME_IP)
			write_address(export, name);
		else
			write_text(export, name.data, name.length);
	}
	json_array_end(json);
}

// An algorithm without a name is given by its number.
static void key_algorithm(struct json *json, const char *key, const char *name, struct view oid)
{
	char dots[128];
	json_key(json, key);
	if (name == NULL && view_ok(&oid)) {
		x509_oid_text(oid, dots, sizeof dots);
		name = dots;
	}
	json_name(json, name);
}

/* ---- the record ---- */

static const char *role_name(enum certificate_role role)
{
	static const char *const names[CERTIFICATE_ROLES] = {
	    [CERTIFICATE_SERVER] = "server",
	    [CERTIFICATE_CLIENT] = "client",
	    [CERTIFICATE_ISSUER] = "issuer",
	};
	return names[role];
}

static void write_identity(
    struct certificates_export *export, const struct certificate *certificate)
{
	struct json *json = &export->json;
	const struct x509 *facts = &certificate->facts;
	json_key_hash(json, "sha256", certificate->sha256);
	json_key(json, "first_seen");
	json_time(json, certificate->first_seen);
	json_mark(json, "anonymised", export->anonymiser != NULL);
	json_key_name(json, "role", role_name(certificate->role));
	key_name_text(export, "subject", facts->subject);
	key_name_text(export, "issuer", facts->issuer);
	key_serial(json, facts->serial);
	key_seconds(json, "not_before", facts->validity_read, facts->not_before);
	key_seconds(json, "not_after", facts->validity_read, facts->not_after);
	key_names(export, "dns_names", facts, X509_NAME_DNS);
	key_names(export, "ip_addresses", facts, X509_NAME_IP);
	key_names(export, "email_addresses", facts, X509_NAME_EMAIL);
}

static void write_key(struct json *json, const struct certificate *certificate)
{
	const struct x509 *facts = &certificate->facts;
	bool whole = facts->malformed == NULL;
	json_key_name(json, "key_type", x509_key_type_name(facts->key_type));
	json_key_known(json, "key_bits", facts->key_bits > 0, facts->key_bits);
	key_algorithm(json, "curve", facts->curve, facts->curve_oid);
	key_algorithm(
	    json, "signature_algorithm", facts->signature_algorithm, facts->signature_oid);
	key_bool(json, "is_ca", whole || facts->basic_constraints, facts->is_ca);
	key_bool(json, "self_issued", view_ok(&facts->subject), facts->self_issued);
	json_key_hash(json, "spki_sha256", view_ok(&facts->spki) ? certificate->spki_sha256 : NULL);
	key_bool(json, "scts", whole || facts->has_scts, facts->has_scts);
	json_key_name(json, "malformed", facts->malformed);
}

static bool write_pem(struct json *json, const struct certificate *certificate)
{
	size_t length;
	char *pem = certificate_pem(certificate->facts.der, &length);
	if (pem == NULL)
		return false;
	json_key(json, "pem");
	json_bytes(json, (const uint8_t *)pem, length);
	free(pem);
	return true;
}

static bool certificates_certificate(
    void *exporter, const struct certificate *certificate, struct error *error)
{
	struct certificates_export *export = exporter;
	struct json *json = &export->json;
	json_clear(json);
	json_object_begin(json);
	write_identity(export, certificate);
	write_key(json, certificate);
	bool good = !export->pem || write_pem(json, certificate);
	json_object_end(json);
	json_line_end(json);
	good &= export->anonymiser == NULL || !anonymiser_failed(export->anonymiser);
	if (!good || json->failed) {
		error_set(error, "no memory to write a certificate record");
		return false;
	}
	export->written++;
	return record_outlet_add(&export->outlet, json, error);
}

static void certificates_written(const void *exporter, struct written_counters *counters)
{
	const struct certificates_export *export = exporter;
	counters->certificates += export->written;
}

static bool certificates_close(
    void *exporter, const struct run_accounting *accounting, struct error *error)
{
	struct certificates_export *export = exporter;
	(void)accounting;
	bool good = record_outlet_close(&export->outlet, error);
	json_release(&export->json);
	free(export);
	return good;
}

const struct exporter_ops certificates_exporter = {
    .name = "certificates",
    .open = certificates_open,
    .certificate = certificates_certificate,
    .written = certificates_written,
    .close = certificates_close,
};
