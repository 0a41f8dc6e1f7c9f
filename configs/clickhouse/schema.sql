-- The tables that `mailtap --store clickhouse` writes to; README.md beside this file says how to make them.
-- A column is a key of the record contract (README of mailtap, "What a record says"):
--
--   NULL                  the tap could not see it; never the same as 0, '' or [].
--   NAME_ns               beside a time: nanoseconds since 1970. A time itself has whole seconds, and is at the nearest end
--                         of what DateTime can hold (1970 to 2105) where it is beyond.
--   NAME_seen             beside a list: 0 says that it was not seen (a list cannot be NULL).
--   sensor, batch         are in all tables. A batch is there as a whole or not at all.
--
-- Partitions are months (UTC): the oldest are dropped to keep records for so long and no longer.

-- A row for each connection to a mail port, or found to be mail.
CREATE TABLE IF NOT EXISTS sessions
(
    session_id Nullable(String) COMMENT 'with start, the same in alerts',
    community_id Nullable(String) COMMENT 'version 1',
    anonymised Nullable(UInt8),
    start DateTime('UTC') COMMENT '1970-01-01: not seen',
    start_ns Nullable(Int64),
    end Nullable(DateTime('UTC')),
    end_ns Nullable(Int64),
    duration Nullable(Float64) COMMENT 'seconds',
    client_ip Nullable(String),
    client_port Nullable(UInt64),
    server_ip Nullable(String),
    server_port Nullable(UInt64),
    vlan Array(UInt64) COMMENT 'outermost first',
    vlan_seen UInt8,
    protocol Nullable(String),
    hop Nullable(String) COMMENT 'submission, relay, access, null: not mail',
    tls_mode Nullable(String) COMMENT 'implicit, starttls, none',
    server_banner Nullable(String),
    server_name Nullable(String),
    server_software Nullable(String),
    client_name Nullable(String),
    esmtp Nullable(UInt8),
    capabilities Array(String) COMMENT 'as last seen in the clear',
    capabilities_seen UInt8,
    starttls_offered Nullable(UInt8),
    starttls_requested Nullable(UInt8),
    starttls_reply Nullable(String),
    starttls_accepted Nullable(UInt8),
    tls_required_by_server Nullable(UInt8),
    tls_established Nullable(UInt8),
    tls_version Nullable(String),
    tls_cipher Nullable(String),
    tls_group Nullable(String),
    tls_client_version Nullable(String),
    sni Nullable(String),
    alpn Nullable(String),
    ja3 Nullable(String),
    ja3s Nullable(String),
    ja4 Nullable(String),
    tls_resumed Nullable(UInt8),
    client_certificate_requested Nullable(UInt8),
    tls_alert Nullable(String),
    tls_hidden_flight Array(UInt64),
    tls_hidden_flight_seen UInt8,
    tls_forward_secrecy Nullable(UInt8),
    tls_aead Nullable(UInt8),
    tls_cipher_weaknesses Array(String),
    tls_cipher_weaknesses_seen UInt8,
    tls_compression Nullable(UInt8),
    tls_secure_renegotiation Nullable(UInt8),
    tls_secure_renegotiation_offered Nullable(UInt8),
    tls_extended_master_secret Nullable(UInt8),
    tls_ocsp_staple Nullable(UInt8),
    tls_scts Nullable(UInt64),
    tls_post_quantum Nullable(String),
    tls_post_quantum_offered Nullable(UInt8),
    tls_key_share_bytes Nullable(UInt64),
    tls_ech_offered Nullable(UInt8),
    server_chain Array(String) COMMENT 'SHA-256, leaf first: certificates.sha256',
    server_chain_seen UInt8,
    client_chain Array(String),
    client_chain_seen UInt8,
    certificate_status Array(String) COMMENT 'what is wrong, empty: nothing',
    certificate_status_seen UInt8,
    server_certificate_source Nullable(String),
    certificate_name_match Nullable(UInt8),
    certificate_name_in Nullable(String),
    certificate_name_source Nullable(String),
    certificate_untrusted_because Nullable(String),
    certificate_missing_issuer Nullable(String),
    certificate_expires_soon Nullable(UInt8),
    client_certificate_status Array(String),
    client_certificate_status_seen UInt8,
    client_verifies Nullable(UInt8),
    dns_read Nullable(UInt8) COMMENT '1: the run read DNS',
    mx_names Array(String),
    mx_names_seen UInt8,
    dane Nullable(String),
    dane_name Nullable(String),
    dane_records Nullable(UInt64),
    dane_usage Nullable(UInt64),
    dane_selector Nullable(UInt64),
    dane_matching_type Nullable(UInt64),
    dane_dnssec Nullable(String),
    server_operator Nullable(String) COMMENT 'where DNS is read: registered domain of the name asked for or given',
    mail_headers Nullable(String) COMMENT 'JSON: figures of its messages',
    auth_mechanism Nullable(String),
    credentials_exposed Nullable(UInt8),
    login_outcome Nullable(String),
    messages Nullable(UInt64),
    message_bytes Nullable(UInt64),
    verdict Nullable(String) COMMENT 'encrypted, cleartext, stripped, tls_failed, no_mail, not_mail, partial',
    reason Nullable(String),
    confidence Nullable(String) COMMENT 'of verdict stripped',
    evidence Nullable(String) COMMENT 'JSON: a list of objects',
    client_packets Nullable(UInt64),
    server_packets Nullable(UInt64),
    client_bytes Nullable(UInt64),
    server_bytes Nullable(UInt64),
    client_missing_bytes Nullable(UInt64) COMMENT 'that the capture lost',
    server_missing_bytes Nullable(UInt64),
    saw_start Nullable(UInt8),
    directions Nullable(String),
    end_reason Nullable(String),
    sensor String COMMENT 'which tap: its option sensor',
    batch String COMMENT 'which batch brought the row'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(start)
ORDER BY (start, sensor);

-- A row for each certificate, when a run of a sensor saw it first: `certificates_known` has each once.
CREATE TABLE IF NOT EXISTS certificates
(
    sha256 String,
    first_seen DateTime('UTC') COMMENT '1970-01-01: not seen',
    first_seen_ns Nullable(Int64),
    anonymised Nullable(UInt8),
    role Nullable(String),
    subject Nullable(String),
    issuer Nullable(String),
    serial Nullable(String),
    not_before Nullable(DateTime('UTC')),
    not_before_ns Nullable(Int64),
    not_after Nullable(DateTime('UTC')) COMMENT 'the end of 2105: then or later (in not_after_ns 2262)',
    not_after_ns Nullable(Int64),
    dns_names Array(String),
    dns_names_seen UInt8,
    ip_addresses Array(String),
    ip_addresses_seen UInt8,
    email_addresses Array(String),
    email_addresses_seen UInt8,
    key_type Nullable(String),
    key_bits Nullable(UInt64),
    curve Nullable(String),
    signature_algorithm Nullable(String),
    is_ca Nullable(UInt8),
    self_issued Nullable(UInt8),
    spki_sha256 Nullable(String),
    scts Nullable(UInt8),
    malformed Nullable(String),
    pem Nullable(String),
    sensor String COMMENT 'which tap: its option sensor',
    batch String COMMENT 'which batch brought the row'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(first_seen)
ORDER BY (sha256, sensor);

-- A row for each piece of evidence of stripping or downgrade, when it was found.
CREATE TABLE IF NOT EXISTS alerts
(
    time DateTime('UTC') COMMENT '1970-01-01: not seen',
    time_ns Nullable(Int64),
    session_id Nullable(String),
    anonymised Nullable(UInt8),
    kind Nullable(String),
    confidence Nullable(String),
    client_ip Nullable(String),
    client_port Nullable(UInt64),
    client_network Nullable(String),
    server_ip Nullable(String),
    server_port Nullable(UInt64),
    server_name Nullable(String),
    networks_stripped Array(String),
    networks_stripped_seen UInt8,
    networks_stripped_count Nullable(UInt64),
    networks_clean Array(String),
    networks_clean_seen UInt8,
    networks_clean_count Nullable(UInt64),
    left_out Nullable(UInt64) COMMENT 'alerts like this one since the last that was written',
    facts Nullable(String) COMMENT 'JSON: what else this kind of evidence has',
    sensor String COMMENT 'which tap: its option sensor',
    batch String COMMENT 'which batch brought the row'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (time, sensor);

-- A row for each interval of a run (kind interval, so_far), and one for the whole run at its end (kind run).
CREATE TABLE IF NOT EXISTS statistics
(
    kind Nullable(String),
    run Nullable(DateTime('UTC')) COMMENT 'when the run began',
    run_ns Nullable(Int64),
    anonymised Nullable(UInt8),
    start DateTime('UTC') COMMENT '1970-01-01: not seen',
    start_ns Nullable(Int64),
    end Nullable(DateTime('UTC')),
    end_ns Nullable(Int64),
    duration Nullable(Float64),
    complete Nullable(UInt8) COMMENT '0: the capture may not have it from start to end',
    sessions Nullable(UInt64),
    capture Nullable(String) COMMENT 'JSON: the accounting of packets',
    tables Nullable(String) COMMENT 'JSON: the tables of `mailtap report`',
    sensor String COMMENT 'which tap: its option sensor',
    batch String COMMENT 'which batch brought the row'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(start)
ORDER BY (start, sensor);

-- What a domain publishes for its mail (--dns): a row when a run ends, and for what is new each hour. `domain_list` has the
-- last of each.
CREATE TABLE IF NOT EXISTS domains
(
    domain Nullable(String),
    first_seen Nullable(DateTime('UTC')),
    first_seen_ns Nullable(Int64),
    last_seen DateTime('UTC') COMMENT '1970-01-01: not seen',
    last_seen_ns Nullable(Int64),
    anonymised Nullable(UInt8),
    registered_domain Nullable(String) COMMENT 'by the public suffix list',
    mx_null Nullable(UInt8) COMMENT 'takes no mail',
    mx Nullable(String) COMMENT 'JSON: its hosts, with addresses and TLSA',
    mx_operator Nullable(String) COMMENT 'registered domain of the host that goes first',
    spf Nullable(UInt8) COMMENT '0: said not to be there',
    spf_valid Nullable(UInt8),
    spf_all Nullable(String),
    spf_redirect Nullable(UInt8),
    spf_lookups Nullable(UInt64),
    spf_lookups_total Nullable(UInt64),
    dmarc Nullable(UInt8),
    dmarc_valid Nullable(UInt8),
    dmarc_policy Nullable(String),
    dmarc_subdomain_policy Nullable(String),
    dmarc_percent Nullable(UInt64),
    dmarc_rua Nullable(UInt8),
    dkim Nullable(String) COMMENT 'JSON: its keys',
    dkim_selectors_left_out Nullable(UInt64),
    mta_sts Nullable(UInt8),
    tls_rpt Nullable(UInt8),
    dnssec_signatures Nullable(UInt8),
    dnssec_algorithms Array(String),
    dnssec_algorithms_seen UInt8,
    dnssec Nullable(String) COMMENT 'secure, bogus, insecure, null: cannot tell',
    dnssec_reason Nullable(String),
    dnssec_sets Nullable(UInt64),
    dnssec_sets_secure Nullable(UInt64),
    dns_questions_seen Nullable(UInt8),
    dns_answers_differ Nullable(UInt8),
    resolver_authentic Nullable(UInt8),
    sensor String COMMENT 'which tap: its option sensor',
    batch String COMMENT 'which batch brought the row'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(last_seen)
ORDER BY (last_seen, sensor);

-- Networks that receive mail, and after how many sessions they look something up (--dns): since the row before.
CREATE TABLE IF NOT EXISTS lookups
(
    network Nullable(String) COMMENT '/24 or /48 that receives mail',
    anonymised Nullable(UInt8),
    start DateTime('UTC') COMMENT '1970-01-01: not seen',
    start_ns Nullable(Int64),
    end Nullable(DateTime('UTC')),
    end_ns Nullable(Int64),
    window Nullable(UInt64) COMMENT 'seconds',
    sessions Nullable(UInt64) COMMENT 'that it received',
    questions Nullable(UInt64) COMMENT 'of DNS, that its hosts asked',
    spf Nullable(UInt64) COMMENT 'sessions after which it was looked up',
    dkim Nullable(UInt64),
    dmarc Nullable(UInt64),
    sensor String COMMENT 'which tap: its option sensor',
    batch String COMMENT 'which batch brought the row'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(start)
ORDER BY (start, sensor);

-- A row for each transaction in the clear of which a message crossed or something was refused, and for each message that was
-- fetched from a mail store or put into it (--mail-headers).
CREATE TABLE IF NOT EXISTS messages
(
    time DateTime('UTC') COMMENT '1970-01-01: not seen',
    time_ns Nullable(Int64),
    session_id Nullable(String) COMMENT 'as in sessions',
    transaction Nullable(UInt64),
    anonymised Nullable(UInt8),
    client_ip Nullable(String),
    client_port Nullable(UInt64),
    client_operator Nullable(String) COMMENT 'registered domain of the name it gave',
    server_ip Nullable(String),
    server_port Nullable(UInt64),
    server_operator Nullable(String) COMMENT 'of the name asked for or given',
    protocol Nullable(String),
    hop Nullable(String) COMMENT 'submission, relay, access',
    transport Nullable(String) COMMENT 'data, bdat, of a mail store fetch, append, retr, top',
    part Nullable(String) COMMENT 'whole, header, beginning, decoded',
    header_bytes Nullable(UInt64),
    complete Nullable(UInt8) COMMENT 'all of the header was seen',
    hops Nullable(String) COMMENT 'JSON: fields Received, the latest first',
    hops_left_out Nullable(UInt64),
    dkim Nullable(String) COMMENT 'JSON: signatures',
    dkim_left_out Nullable(UInt64),
    authentication_server Nullable(String),
    authentication_results Nullable(String) COMMENT 'JSON',
    authentication_results_left_out Nullable(UInt64),
    body_protection Nullable(String) COMMENT 'pgp_mime, smime, none',
    outcome Nullable(String) COMMENT 'accepted, refused, deferred',
    refused_at Nullable(String),
    refusal_code Nullable(UInt64),
    refusal_status Nullable(String),
    refusal_causes Array(String) COMMENT 'spf, dkim, dmarc, arc, authentication',
    refusal_causes_seen UInt8,
    sensor String COMMENT 'which tap: its option sensor',
    batch String COMMENT 'which batch brought the row'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (time, sensor);
