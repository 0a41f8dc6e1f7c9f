// SPDX-License-Identifier: Apache-2.0
#include "analytics/store_columns.h"

#include <string.h>

static const struct store_column session_columns[] = {
    {"session_id", STORE_TEXT},
    {"community_id", STORE_TEXT},
    {"sensor", STORE_TEXT},
    {"anonymised", STORE_BOOLEAN},
    {"start", STORE_TIME},
    {"end", STORE_TIME},
    {"duration", STORE_REAL},
    {"client_ip", STORE_TEXT},
    {"client_port", STORE_INTEGER},
    {"server_ip", STORE_TEXT},
    {"server_port", STORE_INTEGER},
    {"vlan", STORE_INTEGER_LIST},
    {"protocol", STORE_TEXT},
    {"hop", STORE_TEXT},
    {"tls_mode", STORE_TEXT},
    {"server_banner", STORE_TEXT},
    {"server_name", STORE_TEXT},
    {"server_software", STORE_TEXT},
    {"client_name", STORE_TEXT},
    {"esmtp", STORE_BOOLEAN},
    {"capabilities", STORE_TEXT_LIST},
    {"starttls_offered", STORE_BOOLEAN},
    {"starttls_requested", STORE_BOOLEAN},
    {"starttls_reply", STORE_TEXT},
    {"starttls_accepted", STORE_BOOLEAN},
    {"tls_required_by_server", STORE_BOOLEAN},
    {"tls_established", STORE_BOOLEAN},
    {"tls_version", STORE_TEXT},
    {"tls_cipher", STORE_TEXT},
    {"tls_group", STORE_TEXT},
    {"tls_client_version", STORE_TEXT},
    {"sni", STORE_TEXT},
    {"alpn", STORE_TEXT},
    {"ja3", STORE_TEXT},
    {"ja3s", STORE_TEXT},
    {"ja4", STORE_TEXT},
    {"tls_resumed", STORE_BOOLEAN},
    {"client_certificate_requested", STORE_BOOLEAN},
    {"tls_alert", STORE_TEXT},
    {"tls_hidden_flight", STORE_INTEGER_LIST},
    {"tls_forward_secrecy", STORE_BOOLEAN},
    {"tls_aead", STORE_BOOLEAN},
    {"tls_cipher_weaknesses", STORE_TEXT_LIST},
    {"tls_compression", STORE_BOOLEAN},
    {"tls_secure_renegotiation", STORE_BOOLEAN},
    {"tls_secure_renegotiation_offered", STORE_BOOLEAN},
    {"tls_extended_master_secret", STORE_BOOLEAN},
    {"tls_ocsp_staple", STORE_BOOLEAN},
    {"tls_scts", STORE_INTEGER},
    {"tls_post_quantum", STORE_TEXT},
    {"tls_post_quantum_offered", STORE_BOOLEAN},
    {"tls_key_share_bytes", STORE_INTEGER},
    {"tls_ech_offered", STORE_BOOLEAN},
    {"server_chain", STORE_TEXT_LIST},
    {"client_chain", STORE_TEXT_LIST},
    {"certificate_status", STORE_TEXT_LIST},
    {"server_certificate_source", STORE_TEXT},
    {"certificate_name_match", STORE_BOOLEAN},
    {"certificate_name_in", STORE_TEXT},
    {"certificate_name_source", STORE_TEXT},
    {"certificate_untrusted_because", STORE_TEXT},
    {"certificate_missing_issuer", STORE_TEXT},
    {"certificate_expires_soon", STORE_BOOLEAN},
    {"client_certificate_status", STORE_TEXT_LIST},
    {"client_verifies", STORE_BOOLEAN},
    {"mx_names", STORE_TEXT_LIST},
    {"dane", STORE_TEXT},
    {"dane_name", STORE_TEXT},
    {"dane_records", STORE_INTEGER},
    {"dane_usage", STORE_INTEGER},
    {"dane_selector", STORE_INTEGER},
    {"dane_matching_type", STORE_INTEGER},
    {"dane_dnssec", STORE_TEXT},
    {"mail_headers", STORE_JSON},
    {"auth_mechanism", STORE_TEXT},
    {"credentials_exposed", STORE_BOOLEAN},
    {"login_outcome", STORE_TEXT},
    {"messages", STORE_INTEGER},
    {"message_bytes", STORE_INTEGER},
    {"verdict", STORE_TEXT},
    {"reason", STORE_TEXT},
    {"confidence", STORE_TEXT},
    {"evidence", STORE_JSON},
    {"client_packets", STORE_INTEGER},
    {"server_packets", STORE_INTEGER},
    {"client_bytes", STORE_INTEGER},
    {"server_bytes", STORE_INTEGER},
    {"client_missing_bytes", STORE_INTEGER},
    {"server_missing_bytes", STORE_INTEGER},
    {"saw_start", STORE_BOOLEAN},
    {"directions", STORE_TEXT},
    {"end_reason", STORE_TEXT},
};

static const struct store_column certificate_columns[] = {
    {"sha256", STORE_TEXT},
    {"first_seen", STORE_TIME},
    {"anonymised", STORE_BOOLEAN},
    {"role", STORE_TEXT},
    {"subject", STORE_TEXT},
    {"issuer", STORE_TEXT},
    {"serial", STORE_TEXT},
    {"not_before", STORE_TIME},
    {"not_after", STORE_TIME},
    {"dns_names", STORE_TEXT_LIST},
    {"ip_addresses", STORE_TEXT_LIST},
    {"email_addresses", STORE_TEXT_LIST},
    {"key_type", STORE_TEXT},
    {"key_bits", STORE_INTEGER},
    {"curve", STORE_TEXT},
    {"signature_algorithm", STORE_TEXT},
    {"is_ca", STORE_BOOLEAN},
    {"self_issued", STORE_BOOLEAN},
    {"spki_sha256", STORE_TEXT},
    {"scts", STORE_BOOLEAN},
    {"malformed", STORE_TEXT},
    {"pem", STORE_TEXT},
};

// Each kind of evidence has keys of its own (analytics/evidence/README.md): the facts.
static const struct store_column alert_columns[] = {
    {"time", STORE_TIME},
    {"session_id", STORE_TEXT},
    {"anonymised", STORE_BOOLEAN},
    {"kind", STORE_TEXT},
    {"confidence", STORE_TEXT},
    {"client_ip", STORE_TEXT},
    {"client_port", STORE_INTEGER},
    {"client_network", STORE_TEXT},
    {"server_ip", STORE_TEXT},
    {"server_port", STORE_INTEGER},
    {"server_name", STORE_TEXT},
    {"networks_stripped", STORE_TEXT_LIST},
    {"networks_stripped_count", STORE_INTEGER},
    {"networks_clean", STORE_TEXT_LIST},
    {"networks_clean_count", STORE_INTEGER},
    {"left_out", STORE_INTEGER},
    {"facts", STORE_REST},
};

static const struct store_column statistics_columns[] = {
    {"kind", STORE_TEXT},
    {"sensor", STORE_TEXT},
    {"run", STORE_TIME},
    {"anonymised", STORE_BOOLEAN},
    {"start", STORE_TIME},
    {"end", STORE_TIME},
    {"duration", STORE_REAL},
    {"complete", STORE_BOOLEAN},
    {"sessions", STORE_INTEGER},
    {"capture", STORE_JSON},
    {"tables", STORE_JSON},
};

#define COLUMNS(array) .columns = (array), .column_count = sizeof(array) / sizeof(array)[0]

const struct store_table store_tables[STORE_TABLES] = {
    [STORE_SESSIONS] = {"sessions", COLUMNS(session_columns), "start",
        {"start", "session_id", "sensor"}},
    [STORE_CERTIFICATES] = {"certificates", COLUMNS(certificate_columns), "first_seen", {"sha256"},
        true},
    [STORE_ALERTS] = {"alerts", COLUMNS(alert_columns), "time"},
    [STORE_STATISTICS] = {"statistics", COLUMNS(statistics_columns), "start"},
};

_Static_assert(sizeof session_columns / sizeof session_columns[0] <= STORE_COLUMNS_MAX,
    "sessions have too many columns");

size_t store_column_find(const struct store_table *table, const char *name, size_t length)
{
	for (size_t i = 0; i < table->column_count; i++) {
		const char *known = table->columns[i].name;
		if (strncmp(known, name, length) == 0 && known[length] == '\0')
			return i;
	}
	return table->column_count;
}

const char *store_type_name(enum store_type type)
{
	static const char *const names[] = {
	    [STORE_TEXT] = "text",
	    [STORE_INTEGER] = "integer",
	    [STORE_REAL] = "real",
	    [STORE_BOOLEAN] = "boolean",
	    [STORE_TIME] = "time",
	    [STORE_TEXT_LIST] = "list of texts",
	    [STORE_INTEGER_LIST] = "list of integers",
	    [STORE_JSON] = "JSON",
	    [STORE_REST] = "JSON: all other keys",
	};
	return names[type];
}
