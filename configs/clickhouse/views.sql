-- Sums over days (UTC) and sensors, kept up by the server as rows come in, and views that read them. They hold on when
-- old partitions of `sessions` are dropped. What was not seen is '' where it is a label, and counted on its own where it
-- is an answer. Merge over sensors and days with sum() and uniqMerge(): the plain views below do.
--
-- A server that is killed while it takes a batch may have it in `sessions` and not in all of these: check.sql says
-- so, and rebuild.sh makes them anew.

-- How many sessions of what kind came to what.
CREATE TABLE IF NOT EXISTS sessions_daily
(
    day Date, sensor String, protocol String, hop String, port UInt16, ip_version UInt8, verdict String,
    reason String, confidence String, sessions UInt64, messages UInt64, message_bytes UInt64,
    credentials_exposed UInt64, with_evidence UInt64
)
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(day)
ORDER BY (day, sensor, protocol, hop, port, ip_version, verdict, reason, confidence);

CREATE MATERIALIZED VIEW IF NOT EXISTS fill_sessions_daily TO sessions_daily AS
SELECT
    toDate(start, 'UTC') AS day,
    sensor,
    ifNull(protocol, '') AS protocol,
    ifNull(hop, '') AS hop,
    toUInt16(ifNull(server_port, 0)) AS port,
    toUInt8(if(position(ifNull(server_ip, ''), ':') > 0, 6, 4)) AS ip_version,
    ifNull(verdict, '') AS verdict,
    ifNull(reason, '') AS reason,
    ifNull(confidence, '') AS confidence,
    count() AS sessions,
    sum(ifNull(messages, 0)) AS messages,
    sum(ifNull(message_bytes, 0)) AS message_bytes,
    countIf(ifNull(credentials_exposed, 0) = 1) AS credentials_exposed,
    countIf(ifNull(evidence, '[]') != '[]') AS with_evidence
FROM sessions
GROUP BY day, sensor, protocol, hop, port, ip_version, verdict, reason, confidence;

-- The way of sessions that begin in the clear to TLS: each step over those that passed the one above, mail_in_clear over
-- all. 1 passed, 0 did not, 2 not seen, 3 never came so far.
CREATE TABLE IF NOT EXISTS funnel_daily
(
    day Date, sensor String, protocol String, number UInt8, step String, passed UInt64, ended UInt64,
    not_seen UInt64
)
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(day)
ORDER BY (day, sensor, protocol, number, step);

CREATE MATERIALIZED VIEW IF NOT EXISTS fill_funnel_daily TO funnel_daily AS
WITH
    multiIf(server_banner IS NOT NULL, 1, ifNull(verdict, '') = 'no_mail', 0, 2) AS greeted,
    if(greeted = 1, multiIf(capabilities_seen = 1, 1, ifNull(esmtp, 1) = 0, 0, 2), 3) AS listed,
    if(listed = 1, ifNull(starttls_offered, 2), 3) AS offered,
    if(offered = 1, ifNull(starttls_requested, 2), 3) AS requested,
    if(requested = 1, ifNull(starttls_accepted, 2), 3) AS accepted,
    if(accepted = 1, ifNull(tls_established, 2), 3) AS established,
    if(established = 1, 2, 3) AS in_tls,
    multiIf(ifNull(verdict, '') IN ('cleartext', 'stripped'), 1, ifNull(verdict, '') = 'partial', 2, 0) AS in_clear
SELECT
    toDate(start, 'UTC') AS day,
    sensor,
    ifNull(protocol, '') AS protocol,
    number,
    step,
    countIf(came = 1) AS passed,
    countIf(came = 0) AS ended,
    countIf(came = 2) AS not_seen
FROM sessions
ARRAY JOIN
    [1, 2, 3, 4, 5, 6, 7, 8, 9] AS number,
    ['connected', 'greeted', 'listed', 'offered', 'requested', 'accepted', 'established', 'mail_in_tls', 'mail_in_clear'] AS step,
    [1, greeted, listed, offered, requested, accepted, established, in_tls, in_clear] AS came
WHERE came != 3 AND ifNull(protocol, '') IN ('', 'smtp', 'imap', 'pop3') AND ifNull(tls_mode, '') != 'implicit'
GROUP BY day, sensor, protocol, number, step;

-- Against whom sessions were protected: one who listens (passive), one who sits between (active). Of those that carried
-- mail, a log-in or TLS, or of which too little was seen. 1 protected (active: possible, if the client looks),
-- 0 exposed, 2 not seen.
CREATE TABLE IF NOT EXISTS protection_daily
(
    day Date, sensor String, hop String, passive_protected UInt64, passive_exposed UInt64,
    passive_not_seen UInt64, active_possible UInt64, active_exposed UInt64, active_not_seen UInt64
)
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(day)
ORDER BY (day, sensor, hop);

CREATE MATERIALIZED VIEW IF NOT EXISTS fill_protection_daily TO protection_daily AS
WITH
    multiIf(ifNull(verdict, '') = 'partial', 2, ifNull(verdict, '') != 'encrypted', 0, tls_cipher_weaknesses_seen = 0, 2,
            hasAny(tls_cipher_weaknesses, ['no_encryption', 'export', 'des']), 0, 1) AS passive,
    multiIf(passive = 0, 0, ifNull(verdict, '') != 'encrypted', 2,
            notEmpty(certificate_status) OR has(tls_cipher_weaknesses, 'anonymous') OR ifNull(client_verifies, 1) = 0, 0,
            certificate_status_seen = 1 AND ifNull(certificate_name_match, 0) = 1, 1, 2) AS active
SELECT
    toDate(start, 'UTC') AS day,
    sensor,
    ifNull(hop, '') AS hop,
    countIf(passive = 1) AS passive_protected,
    countIf(passive = 0) AS passive_exposed,
    countIf(passive = 2) AS passive_not_seen,
    countIf(active = 1) AS active_possible,
    countIf(active = 0) AS active_exposed,
    countIf(active = 2) AS active_not_seen
FROM sessions
WHERE verdict IN ('encrypted', 'cleartext', 'stripped', 'partial')
GROUP BY day, sensor, hop;

-- Mail sessions with TLS established, by hop, version, cipher and key exchange (none: RSA, or a group without a name).
CREATE TABLE IF NOT EXISTS tls_daily
(
    day Date, sensor String, hop String, version String, cipher String, key_exchange String, post_quantum String,
    sessions UInt64
)
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(day)
ORDER BY (day, sensor, hop, version, cipher, key_exchange, post_quantum);

CREATE MATERIALIZED VIEW IF NOT EXISTS fill_tls_daily TO tls_daily AS
SELECT
    toDate(start, 'UTC') AS day,
    sensor,
    ifNull(hop, '') AS hop,
    ifNull(tls_version, '') AS version,
    ifNull(tls_cipher, '') AS cipher,
    ifNull(tls_group, if(tls_post_quantum IS NULL, '', 'none')) AS key_exchange,
    ifNull(tls_post_quantum, '') AS post_quantum,
    count() AS sessions
FROM sessions
WHERE tls_established = 1 AND (protocol IN ('smtp', 'imap', 'pop3') OR hop != '')
GROUP BY day, sensor, hop, version, cipher, key_exchange, post_quantum;

-- What was wrong with servers' certificates: each fault of a session once; `none` where nothing was, '' where it was not
-- judged or not seen. Of sessions with TLS.
CREATE TABLE IF NOT EXISTS certificate_faults_daily
(
    day Date, sensor String, fault String, sessions UInt64
)
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(day)
ORDER BY (day, sensor, fault);

CREATE MATERIALIZED VIEW IF NOT EXISTS fill_certificate_faults_daily TO certificate_faults_daily AS
SELECT
    toDate(start, 'UTC') AS day,
    sensor,
    fault,
    count() AS sessions
FROM sessions
ARRAY JOIN multiIf(certificate_status_seen = 0, [''], empty(certificate_status), ['none'], certificate_status) AS fault
WHERE tls_established = 1 OR server_certificate_source IS NOT NULL
GROUP BY day, sensor, fault;

-- Evidence by kind, and the highest confidence that a session has of it. 1 suspected, 2 probable, 3 confirmed.
CREATE TABLE IF NOT EXISTS evidence_daily
(
    day Date, sensor String, kind String, rank UInt8, sessions UInt64, stripped UInt64
)
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(day)
ORDER BY (day, sensor, kind, rank);

CREATE MATERIALIZED VIEW IF NOT EXISTS fill_evidence_daily TO evidence_daily AS
WITH
    extractAll(ifNull(evidence, ''), '\\{"kind":"([a-z_]+)","confidence":"[a-z]+"') AS kinds,
    extractAll(ifNull(evidence, ''), '\\{"kind":"[a-z_]+","confidence":"([a-z]+)"') AS confidences,
    arrayMap(c -> toUInt8(indexOf(['suspected', 'probable', 'confirmed'], c)), confidences) AS ranks
SELECT
    toDate(start, 'UTC') AS day,
    sensor,
    kind,
    toUInt8(arrayReduce('max', arrayMap((k, r) -> if(k = kind, r, toUInt8(0)), kinds, ranks))) AS rank,
    count() AS sessions,
    countIf(ifNull(verdict, '') = 'stripped') AS stripped
FROM sessions
ARRAY JOIN arrayDistinct(kinds) AS kind
WHERE ifNull(evidence, '[]') != '[]'
GROUP BY day, sensor, kind, rank;

-- How many different servers, clients and networks (/24, /48): states, so that what two sensors saw counts once.
CREATE TABLE IF NOT EXISTS distinct_daily
(
    day Date, sensor String, server_addresses AggregateFunction(uniq, String),
    servers AggregateFunction(uniq, String), client_addresses AggregateFunction(uniq, String),
    server_networks AggregateFunction(uniq, String), client_networks AggregateFunction(uniq, String)
)
ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(day)
ORDER BY (day, sensor);

CREATE MATERIALIZED VIEW IF NOT EXISTS fill_distinct_daily TO distinct_daily AS
WITH
    ifNull(server_ip, '') AS server,
    ifNull(client_ip, '') AS client,
    cutIPv6(if(position(server, ':') > 0, IPv6StringToNum(server), IPv4ToIPv6(IPv4StringToNum(server))), 10, 1) AS server_net,
    cutIPv6(if(position(client, ':') > 0, IPv6StringToNum(client), IPv4ToIPv6(IPv4StringToNum(client))), 10, 1) AS client_net
SELECT
    toDate(start, 'UTC') AS day,
    sensor,
    uniqState(server) AS server_addresses,
    uniqState(concat(server, ' ', toString(ifNull(server_port, 0)))) AS servers,
    uniqState(client) AS client_addresses,
    uniqState(server_net) AS server_networks,
    uniqState(client_net) AS client_networks
FROM sessions
GROUP BY day, sensor;

-- Each certificate once, whichever sensors saw it, in whatever runs.
CREATE TABLE IF NOT EXISTS certificates_seen
(
    sha256 String, first_seen AggregateFunction(min, DateTime('UTC')), sensors AggregateFunction(uniq, String),
    subject AggregateFunction(any, String), issuer AggregateFunction(any, String),
    key_type AggregateFunction(any, String), key_bits AggregateFunction(any, UInt64),
    signature_algorithm AggregateFunction(any, String), not_after AggregateFunction(any, DateTime('UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY sha256;

CREATE MATERIALIZED VIEW IF NOT EXISTS fill_certificates_seen TO certificates_seen AS
SELECT
    sha256,
    minState(first_seen) AS first_seen,
    uniqState(sensor) AS sensors,
    anyState(ifNull(subject, '')) AS subject,
    anyState(ifNull(issuer, '')) AS issuer,
    anyState(ifNull(key_type, '')) AS key_type,
    anyState(ifNull(key_bits, 0)) AS key_bits,
    anyState(ifNull(signature_algorithm, '')) AS signature_algorithm,
    anyState(ifNull(not_after, toDateTime(0, 'UTC'))) AS not_after
FROM certificates
GROUP BY sha256;

-- ---- what they say, over all days and sensors: the tables of `mailtap report` ----

CREATE VIEW IF NOT EXISTS verdicts AS
SELECT verdict, reason, sum(sessions_daily.sessions) AS sessions
FROM sessions_daily GROUP BY verdict, reason ORDER BY verdict, reason;

CREATE VIEW IF NOT EXISTS session_kinds AS
SELECT protocol, hop, port, ip_version, sum(sessions_daily.sessions) AS count,
       sumIf(sessions_daily.sessions, verdict = 'encrypted') AS encrypted,
       sumIf(sessions_daily.sessions, verdict = 'cleartext') AS cleartext,
       sumIf(sessions_daily.sessions, verdict = 'stripped') AS stripped,
       sumIf(sessions_daily.sessions, verdict = 'tls_failed') AS tls_failed,
       sumIf(sessions_daily.sessions, verdict = 'no_mail') AS no_mail,
       sumIf(sessions_daily.sessions, verdict = 'not_mail') AS not_mail,
       sumIf(sessions_daily.sessions, verdict = 'partial') AS partial,
       sum(sessions_daily.messages) AS messages, sum(sessions_daily.message_bytes) AS message_bytes
FROM sessions_daily GROUP BY protocol, hop, port, ip_version ORDER BY count DESC, protocol, hop, port, ip_version;

CREATE VIEW IF NOT EXISTS funnel AS
SELECT protocol, step, sum(funnel_daily.passed) AS passed, sum(funnel_daily.ended) AS ended,
       sum(funnel_daily.not_seen) AS not_seen
FROM funnel_daily GROUP BY protocol, number, step ORDER BY protocol, number;

CREATE VIEW IF NOT EXISTS protection AS
SELECT hop, sum(protection_daily.passive_protected) AS passive_protected,
       sum(protection_daily.passive_exposed) AS passive_exposed,
       sum(protection_daily.passive_not_seen) AS passive_not_seen,
       sum(protection_daily.active_possible) AS active_possible,
       sum(protection_daily.active_exposed) AS active_exposed,
       sum(protection_daily.active_not_seen) AS active_not_seen
FROM protection_daily GROUP BY hop ORDER BY hop;

CREATE VIEW IF NOT EXISTS tls_versions AS
SELECT hop, version, sum(tls_daily.sessions) AS sessions
FROM tls_daily GROUP BY hop, version ORDER BY hop, sessions DESC, version;

CREATE VIEW IF NOT EXISTS tls_ciphers AS
SELECT cipher, sum(tls_daily.sessions) AS sessions
FROM tls_daily GROUP BY cipher ORDER BY sessions DESC, cipher;

CREATE VIEW IF NOT EXISTS tls_groups AS
SELECT key_exchange AS group, post_quantum, sum(tls_daily.sessions) AS sessions
FROM tls_daily GROUP BY key_exchange, post_quantum ORDER BY sessions DESC, group, post_quantum;

CREATE VIEW IF NOT EXISTS evidence_kinds AS
SELECT kind, ['suspected', 'probable', 'confirmed'][rank] AS confidence, sum(evidence_daily.sessions) AS sessions,
       sum(evidence_daily.stripped) AS stripped
FROM evidence_daily WHERE rank > 0 GROUP BY kind, rank ORDER BY kind, rank;

CREATE VIEW IF NOT EXISTS distinct_counts AS
SELECT uniqMerge(distinct_daily.server_addresses) AS server_addresses, uniqMerge(distinct_daily.servers) AS servers,
       uniqMerge(distinct_daily.client_addresses) AS client_addresses,
       uniqMerge(distinct_daily.server_networks) AS server_networks,
       uniqMerge(distinct_daily.client_networks) AS client_networks
FROM distinct_daily;

CREATE VIEW IF NOT EXISTS certificates_known AS
SELECT sha256, minMerge(certificates_seen.first_seen) AS first_seen, uniqMerge(certificates_seen.sensors) AS sensors,
       anyMerge(certificates_seen.subject) AS subject, anyMerge(certificates_seen.issuer) AS issuer,
       anyMerge(certificates_seen.key_type) AS key_type, anyMerge(certificates_seen.key_bits) AS key_bits,
       anyMerge(certificates_seen.signature_algorithm) AS signature_algorithm,
       anyMerge(certificates_seen.not_after) AS not_after
FROM certificates_seen GROUP BY sha256;

-- ---- likewise, of the sessions that are there: they read `sessions` itself, since clients and servers are too many to be
-- summed up by day ----

CREATE VIEW IF NOT EXISTS credentials AS
SELECT ifNull(auth_mechanism, '') AS mechanism, ifNull(hop, '') AS hop, count() AS logins,
       countIf(ifNull(credentials_exposed, 2) = 1) AS exposed, countIf(ifNull(credentials_exposed, 2) = 0) AS not_exposed,
       countIf(credentials_exposed IS NULL) AS not_seen
FROM sessions WHERE auth_mechanism != '' GROUP BY mechanism, hop ORDER BY exposed DESC, mechanism, hop;

CREATE VIEW IF NOT EXISTS client_list AS
SELECT ifNull(client_ip, '') AS client_ip, countIf(verdict IN ('encrypted', 'cleartext', 'stripped')) AS sessions,
       countIf(ifNull(verdict, '') = 'encrypted') AS encrypted, countIf(ifNull(verdict, '') = 'cleartext') AS cleartext,
       countIf(ifNull(verdict, '') = 'stripped') AS stripped,
       countIf(ifNull(starttls_offered, 2) = 1 AND ifNull(starttls_requested, 2) = 1) AS offers_taken,
       countIf(ifNull(starttls_offered, 2) = 1 AND ifNull(starttls_requested, 2) = 0) AS offers_ignored,
       countIf(ifNull(client_verifies, 2) = 1) AS refused, countIf(ifNull(client_verifies, 2) = 0) AS accepted
FROM sessions
WHERE (protocol IN ('smtp', 'imap', 'pop3') OR hop != '')
  AND (ifNull(starttls_offered, 2) = 1 OR ifNull(tls_established, 2) = 1 OR client_verifies IS NOT NULL
       OR verdict IN ('encrypted', 'cleartext', 'stripped'))
GROUP BY client_ip ORDER BY sessions DESC, client_ip;

CREATE VIEW IF NOT EXISTS starttls_use AS
SELECT multiIf(taken + ignored = 0, '', ignored = 0, 'always', taken = 0, 'never', 'sometimes') AS uses, count() AS clients,
       sum(taken) AS offers_taken, sum(ignored) AS offers_ignored, sum(unseen) AS offers_not_seen
FROM
(
    SELECT client_ip, countIf(ifNull(starttls_requested, 2) = 1) AS taken,
           countIf(ifNull(starttls_requested, 2) = 0) AS ignored, countIf(starttls_requested IS NULL) AS unseen
    FROM sessions WHERE ifNull(starttls_offered, 2) = 1 AND (protocol IN ('smtp', 'imap', 'pop3') OR hop != '')
    GROUP BY client_ip
)
GROUP BY uses ORDER BY clients DESC;

CREATE VIEW IF NOT EXISTS verification AS
SELECT multiIf(bad > 0 AND good > 0, 'both', bad > 0, 'refuses_bad', good > 0, 'accepts_bad', '') AS checks,
       count() AS clients, sum(tls) AS tls_sessions, sum(bad) AS refused, sum(good) AS accepted
FROM
(
    SELECT client_ip, count() AS tls, countIf(ifNull(client_verifies, 2) = 1) AS bad,
           countIf(ifNull(client_verifies, 2) = 0) AS good
    FROM sessions
    WHERE (ifNull(tls_established, 2) = 1 OR client_verifies IS NOT NULL)
      AND (protocol IN ('smtp', 'imap', 'pop3') OR hop != '')
    GROUP BY client_ip
)
GROUP BY checks ORDER BY clients DESC;

-- A row for each mail session, with what it showed of its server: whether TLS was offered, whether mail or a log-in in the
-- clear was refused (1, 0, 2 not seen), and what its certificate was worth, '' where TLS hid it or there was none.
CREATE VIEW IF NOT EXISTS server_sessions AS
SELECT ifNull(server_ip, '') AS server_ip, toUInt16(ifNull(server_port, 0)) AS server_port,
       ifNull(sni, ifNull(server_name, '')) AS name, ifNull(hop, '') AS of_hop, ifNull(start_ns, 0) AS at,
       multiIf(ifNull(tls_mode, '') != 'implicit', ifNull(starttls_offered, 2), ifNull(tls_established, 2) = 1, 1, 2) AS offers,
       ifNull(tls_established, 2) AS establishes, ifNull(tls_required_by_server, 2) AS refuses_clear,
       server_certificate_source IS NOT NULL OR has(tls_cipher_weaknesses, 'anonymous')
           OR ifNull(tls_established, 2) = 1 AS tls,
       ifNull(server_certificate_source, '') = 'memory' AS from_memory, certificate_status AS faults,
       multiIf(has(tls_cipher_weaknesses, 'anonymous'), 'none', server_certificate_source IS NULL, '',
               certificate_status_seen = 0, 'not_judged',
               arrayExists(f -> f != 'name_mismatch', certificate_status), 'invalid',
               notEmpty(certificate_status), 'valid_but_mismatched',
               ifNull(certificate_name_match, 0) = 1, 'valid_and_matching', 'valid_name_unknown') AS shown
FROM sessions
WHERE protocol IN ('smtp', 'imap', 'pop3') OR hop != '';

-- What certificates are worth as a whole (axis certificate), and each fault of them (axis fault).
CREATE VIEW IF NOT EXISTS certificate_status AS
SELECT pair.1 AS axis, pair.2 AS status, count() AS sessions, uniqExact(server_ip, server_port) AS servers,
       if(axis = 'certificate', toNullable(countIf(from_memory = 1)), NULL) AS recalled
FROM
(
    SELECT server_ip, server_port, from_memory, arrayConcat([('certificate', shown)], arrayMap(f -> ('fault', f), faults)) AS pairs
    FROM server_sessions WHERE tls = 1
)
ARRAY JOIN pairs AS pair
GROUP BY axis, status ORDER BY axis, sessions DESC, status;

-- Each server (address and port). Its name and its hop: of the latest and the earliest session that tells one.
CREATE VIEW IF NOT EXISTS server_list AS
SELECT server_ip, server_port, argMaxIf(name, at, name != '') AS server_name, argMinIf(of_hop, at, of_hop != '') AS hop,
       count() AS sessions, countIf(offers = 1) AS offered, countIf(offers = 0) AS not_offered,
       countIf(establishes = 1) AS established,
       multiIf(uniqExactIf(shown, tls = 1 AND shown != '') = 0, '', uniqExactIf(shown, tls = 1 AND shown != '') = 1,
               anyIf(shown, tls = 1 AND shown != ''), 'mixed') AS certificate,
       multiIf(countIf(refuses_clear != 2) = 0, '', countIf(refuses_clear = 0) = 0, 'always',
               countIf(refuses_clear = 1) = 0, 'never', 'sometimes') AS refuses_cleartext
FROM server_sessions GROUP BY server_ip, server_port ORDER BY sessions DESC, server_ip, server_port;

-- Servers by what they do; the certificate is of those that offer or establish TLS.
CREATE VIEW IF NOT EXISTS servers AS
SELECT hop, pair.1 AS property, pair.2 AS value, count() AS count
FROM
(
    SELECT hop, offered + established > 0 AS has_tls,
           multiIf(offered + not_offered = 0, '', not_offered = 0, 'always', offered = 0, 'never', 'sometimes') AS offers,
           [('offers_tls', offers), ('certificate', certificate), ('refuses_cleartext', refuses_cleartext)] AS pairs
    FROM server_list
)
ARRAY JOIN pairs AS pair
WHERE has_tls OR pair.1 != 'certificate'
GROUP BY hop, property, value ORDER BY hop, property, value;

-- Servers with evidence of stripping, by client network (/24, /48): who sees it, and who sees TLS there.
CREATE VIEW IF NOT EXISTS paths AS
SELECT server_ip, server_port, argMaxIf(name, at, name != '') AS server_name, client_network, count() AS sessions,
       countIf(is_stripped) AS stripped, countIf(has_evidence) AS evidence,
       ['', 'suspected', 'probable', 'confirmed'][toUInt8(max(rank)) + 1] AS confidence,
       countIf(NOT has_evidence AND sees_tls) AS unaffected, countIf(NOT has_evidence AND NOT sees_tls) AS not_seen
FROM
(
    SELECT ifNull(server_ip, '') AS server_ip, toUInt16(ifNull(server_port, 0)) AS server_port,
           ifNull(sni, ifNull(server_name, '')) AS name, ifNull(start_ns, 0) AS at,
           if(position(ifNull(client_ip, ''), ':') > 0,
              concat(cutIPv6(IPv6StringToNum(ifNull(client_ip, '')), 10, 0), '/48'),
              concat(IPv4NumToString(toUInt32(bitAnd(IPv4StringToNum(ifNull(client_ip, '')), 4294967040))), '/24')) AS client_network,
           ifNull(verdict, '') = 'stripped' AS is_stripped, ifNull(evidence, '[]') != '[]' AS has_evidence,
           arrayMap(c -> toUInt8(indexOf(['suspected', 'probable', 'confirmed'], c)),
                    extractAll(ifNull(evidence, ''), '\\{"kind":"[a-z_]+","confidence":"([a-z]+)"')) AS ranks,
           arrayReduce('max', arrayPushBack(ranks, toUInt8(0))) AS rank,
           ifNull(starttls_offered, 2) = 1 OR ifNull(tls_established, 2) = 1 AS sees_tls
    FROM sessions
    WHERE (protocol IN ('smtp', 'imap', 'pop3') OR hop != '')
      AND concat(ifNull(server_ip, ''), ' ', toString(ifNull(server_port, 0))) IN
      (
          SELECT concat(ifNull(server_ip, ''), ' ', toString(ifNull(server_port, 0))) FROM sessions
          WHERE (protocol IN ('smtp', 'imap', 'pop3') OR hop != '') AND ifNull(evidence, '[]') != '[]'
      )
)
GROUP BY server_ip, server_port, client_network ORDER BY server_ip, server_port, evidence DESC, client_network;

-- Sessions over time, in spans of equal length: the shortest (from a minute to days) of which all fit into 240.
CREATE VIEW IF NOT EXISTS times AS
SELECT toDateTime(span * width, 'UTC') AS start, width AS seconds, count() AS sessions,
       countIf(verdict = 'encrypted') AS encrypted, countIf(verdict = 'cleartext') AS cleartext,
       countIf(verdict = 'stripped') AS stripped, countIf(verdict = 'tls_failed') AS tls_failed,
       countIf(verdict = 'no_mail') AS no_mail, countIf(verdict = 'not_mail') AS not_mail,
       countIf(verdict = 'partial') AS partial
FROM
(
    SELECT width, intDiv(at, width * 1000000000) AS span, verdict
    FROM (SELECT ifNull(start_ns, 0) AS at, ifNull(verdict, '') AS verdict FROM sessions)
    CROSS JOIN
    (
        SELECT min(one) AS width
        FROM (SELECT min(ifNull(start_ns, 0)) AS first, max(ifNull(start_ns, 0)) AS last FROM sessions)
        ARRAY JOIN arrayConcat([60, 300, 900, 3600, 10800, 21600], arrayMap(i -> toInt64(86400 * pow(2, i)), range(16))) AS one
        WHERE intDiv(last, one * 1000000000) - intDiv(first, one * 1000000000) < 240
    )
)
GROUP BY span, width ORDER BY span;

-- ---- likewise, of domains, look-ups and messages (--dns, --mail-headers) ----

-- Each domain, with what the last of its rows says that it publishes for its mail (of several with the same time, the one that
-- knows most). spf_policy, dmarc_policy: what it says of mail that fails; '' where it was not asked for, or a domain above
-- may say it. The others are 1, 0, or 2: not seen.
CREATE VIEW IF NOT EXISTS domain_list AS
SELECT name AS domain, seen AS last_seen, ran_by AS operator, places AS addresses, says_spf AS spf_policy,
       says_dmarc AS dmarc_policy, has_signatures AS dnssec_signed, is_secure AS dnssec_secure, has_spf AS spf,
       is_valid AS spf_valid, multiIf(says_spf IN ('', 'redirect'), 2, says_spf = '-all', 1, 0) AS spf_strict,
       multiIf(says_dmarc = '', 2, says_dmarc = 'no record', 0, 1) AS dmarc,
       multiIf(says_dmarc = '', 2, says_dmarc IN ('reject', 'quarantine'), 1, 0) AS dmarc_enforced,
       has_key AS dkim, has_tlsa AS tlsa, has_sts AS mta_sts, has_reports AS tls_rpt
FROM
(
    SELECT ifNull(domain, '') AS name, last_seen AS seen, ifNull(mx_operator, '') AS ran_by, ifNull(mx, '') AS hosts,
           arrayDistinct(extractAll(arrayStringConcat(extractAll(hosts, '"addresses":\\[([^\\]]*)'), ','), '"([^"]+)"')) AS places,
           multiIf(spf IS NULL, '', spf = 0, 'no record', ifNull(spf_valid, 0) = 0, 'invalid',
                   ifNull(spf_all, '') IN ('-all', '~all', '?all', '+all'), ifNull(spf_all, ''),
                   ifNull(spf_redirect, 0) = 1, 'redirect', 'no all') AS says_spf,
           multiIf(dmarc IS NULL, '', dmarc = 0, if(ifNull(registered_domain, '') = ifNull(domain, ''), 'no record', ''),
                   ifNull(dmarc_policy, '') IN ('reject', 'quarantine', 'none'), ifNull(dmarc_policy, ''), 'invalid') AS says_dmarc,
           ifNull(dnssec_signatures, 2) AS has_signatures,
           multiIf(dnssec IS NOT NULL, ifNull(dnssec, '') = 'secure', ifNull(dnssec_signatures, 2) = 0, 0, 2) AS is_secure,
           ifNull(spf, 2) AS has_spf, ifNull(spf_valid, 2) AS is_valid, ifNull(dkim, '') AS keys,
           multiIf(match(keys, '"key_type":"[^"]*","key_bits":[^,]*,"revoked":false'), 1, match(keys, '"selector":'), 0, 2) AS has_key,
           multiIf(match(hosts, '"tlsa":\\[\\{'), 1, match(hosts, '"tlsa":\\[') AND NOT match(hosts, '"tlsa":null'), 0, 2) AS has_tlsa,
           ifNull(mta_sts, 2) AS has_sts, ifNull(tls_rpt, 2) AS has_reports
    FROM
    (
        SELECT * FROM domains
        ORDER BY domain, last_seen_ns DESC, ifNull(dnssec_sets, 0) DESC, length(ifNull(mx, '')) DESC, batch DESC LIMIT 1 BY domain
    )
);

-- SPF and DMARC of domains, by what they say of mail that fails. share_of: domains of which the record was asked for.
CREATE VIEW IF NOT EXISTS policies AS
SELECT record, one.1 AS policy, one.2 AS domains, if(policy = '', NULL, seen) AS share_of
FROM
(
    SELECT record, groupArray((policy, domains)) AS list, sumIf(domains, policy != '') AS seen
    FROM
    (
        SELECT pair.1 AS record, pair.2 AS policy, count() AS domains
        FROM domain_list
        ARRAY JOIN [('SPF', spf_policy), ('DMARC', dmarc_policy)] AS pair
        GROUP BY record, policy
    )
    GROUP BY record
)
ARRAY JOIN list AS one
ORDER BY record DESC, domains DESC, policy;

-- Sessions on port 25 that could carry mail, of runs that read DNS, by the server's address.
CREATE VIEW IF NOT EXISTS service_sessions AS
SELECT ifNull(server_ip, '') AS address, count() AS received
FROM sessions
WHERE dns_read = 1 AND server_port = 25 AND verdict IN ('encrypted', 'cleartext', 'stripped')
GROUP BY address;

-- DNSSEC, SPF, DMARC and others, by domain and weighted by sessions on port 25 that could carry mail. A session counts for a
-- property where all domains of its server's address have it, against it where none has, and else it is not seen.
CREATE VIEW IF NOT EXISTS domain_properties AS
SELECT property, sum(of_domains = 1) AS domains, sum(of_domains = 0) AS domains_without, sum(of_domains = 2) AS domains_not_seen,
       sum(if(of_sessions = 1, received, 0)) AS sessions, sum(if(of_sessions = 0, received, 0)) AS sessions_without,
       sum(if(of_sessions = 2, received, 0)) AS sessions_not_seen
FROM
(
    SELECT pair.1 AS property, toUInt8(pair.2) AS of_domains, toUInt8(3) AS of_sessions, toUInt64(0) AS received
    FROM domain_list
    ARRAY JOIN [('dnssec_signed', dnssec_signed), ('dnssec_secure', dnssec_secure), ('spf', spf), ('spf_valid', spf_valid),
                ('spf_strict', spf_strict), ('dmarc', dmarc), ('dmarc_enforced', dmarc_enforced), ('dkim', dkim), ('tlsa', tlsa),
                ('mta_sts', mta_sts), ('tls_rpt', tls_rpt)] AS pair
    UNION ALL
    SELECT property, toUInt8(3) AS of_domains, of_sessions, received
    FROM
    (
        SELECT pair.1 AS property, address, toUInt8(if(min(pair.2) = max(pair.2), min(pair.2), 2)) AS of_sessions
        FROM
        (
            SELECT address, dnssec_signed, dnssec_secure, spf, spf_valid, spf_strict, dmarc, dmarc_enforced, dkim, tlsa, mta_sts, tls_rpt
            FROM domain_list
            ARRAY JOIN addresses AS address
        )
        ARRAY JOIN [('dnssec_signed', dnssec_signed), ('dnssec_secure', dnssec_secure), ('spf', spf), ('spf_valid', spf_valid),
                    ('spf_strict', spf_strict), ('dmarc', dmarc), ('dmarc_enforced', dmarc_enforced), ('dkim', dkim), ('tlsa', tlsa),
                    ('mta_sts', mta_sts), ('tls_rpt', tls_rpt)] AS pair
        GROUP BY property, address
    )
    ALL INNER JOIN service_sessions USING address
)
GROUP BY property ORDER BY property;

-- Each domain with each address of its hosts of MX, by the last row that has its MX; addresses as numbers, that of IPv6.
CREATE VIEW IF NOT EXISTS service_hosts AS
SELECT domain, operator, shown, if(position(shown, ':') > 0, IPv6StringToNum(shown), IPv4ToIPv6(IPv4StringToNum(shown))) AS address
FROM
(
    SELECT ifNull(domain, '') AS domain, ifNull(mx_operator, '') AS operator,
           arrayDistinct(extractAll(arrayStringConcat(extractAll(ifNull(mx, ''), '"addresses":\\[([^\\]]*)'), ','), '"([^"]+)"')) AS addresses
    FROM
    (
        SELECT domain, mx, mx_operator FROM domains WHERE mx IS NOT NULL
        ORDER BY domain, last_seen_ns DESC, ifNull(dnssec_sets, 0) DESC, length(ifNull(mx, '')) DESC, batch DESC LIMIT 1 BY domain
    )
)
ARRAY JOIN addresses AS shown;

-- Each address with the one that most domains of its service share: domains that share an address, one with the other, are one
-- service. Each pair of nested lines goes a domain further from there; where six do not come to an end it is an error
-- (throwIf), never a wrong service. (More of them take the server too long to plan; newer ones have WITH RECURSIVE.)
CREATE VIEW IF NOT EXISTS service_groups AS
SELECT address, min(label) AS service
FROM
(
    SELECT domain, groupArray(address) AS addresses, min(least) AS label FROM (SELECT address, min(label) AS least, groupArray(domain) AS of FROM (
    SELECT domain, groupArray(address) AS addresses, min(least) AS label FROM (SELECT address, min(label) AS least, groupArray(domain) AS of FROM (
    SELECT domain, groupArray(address) AS addresses, min(least) AS label FROM (SELECT address, min(label) AS least, groupArray(domain) AS of FROM (
    SELECT domain, groupArray(address) AS addresses, min(least) AS label FROM (SELECT address, min(label) AS least, groupArray(domain) AS of FROM (
    SELECT domain, groupArray(address) AS addresses, min(least) AS label FROM (SELECT address, min(label) AS least, groupArray(domain) AS of FROM (
    SELECT domain, groupArray(address) AS addresses, min(least) AS label FROM
    (SELECT address, concat(toString(2000000000 - count()), address) AS least, groupArray(domain) AS of FROM service_hosts GROUP BY address)
    ARRAY JOIN of AS domain GROUP BY domain
    ) ARRAY JOIN addresses AS address GROUP BY address) ARRAY JOIN of AS domain GROUP BY domain
    ) ARRAY JOIN addresses AS address GROUP BY address) ARRAY JOIN of AS domain GROUP BY domain
    ) ARRAY JOIN addresses AS address GROUP BY address) ARRAY JOIN of AS domain GROUP BY domain
    ) ARRAY JOIN addresses AS address GROUP BY address) ARRAY JOIN of AS domain GROUP BY domain
    ) ARRAY JOIN addresses AS address GROUP BY address) ARRAY JOIN of AS domain GROUP BY domain
)
ARRAY JOIN addresses AS address
GROUP BY address HAVING throwIf(min(label) != max(label)) = 0;

-- Who runs the mail of how many domains: domains whose hosts of MX share an address, one with the other, are one service. Its
-- name: the operator of most of them. The last row: domains whose hosts' addresses were not seen, and sessions with servers
-- of no domain that was.
CREATE VIEW IF NOT EXISTS services AS
SELECT row.1 AS service, row.2 AS address, if(address = '', NULL, row.3) AS addresses, row.4 AS domains,
       if(address = '', NULL, of_domains) AS domain_share_of, row.5 AS sessions, if(address = '', NULL, of_sessions) AS session_share_of
FROM
(
    SELECT groupArray((name, first, addresses, domains, sessions)) AS list, sum(domains) AS of_domains, sum(sessions) AS of_sessions,
           (SELECT uniqExact(domain) FROM domains) AS all_domains, (SELECT sum(received) FROM service_sessions) AS all_sessions,
           arrayPushBack(list, ('', '', toUInt64(0), toUInt64(all_domains - of_domains), toUInt64(all_sessions - of_sessions))) AS rows
    FROM
    (
        SELECT service, argMin(shown, address) AS first, uniqExact(address) AS addresses, uniqExact(domain) AS domains,
               arraySum(arrayMap(x -> x.2, groupUniqArray((address, received)))) AS sessions,
               arraySort(arrayMap(x -> x.2, groupUniqArray((domain, operator)))) AS operators,
               arraySort(arrayMap((o, n) -> (o = '', -toInt64(n), o), operators, arrayEnumerateUniq(operators)))[1].3 AS name
        FROM (SELECT domain, operator, shown, address, service FROM service_hosts ALL INNER JOIN service_groups USING address)
        ALL LEFT JOIN (SELECT address AS shown, received FROM service_sessions) USING shown
        GROUP BY service
    )
)
ARRAY JOIN rows AS row
WHERE all_domains > 0 AND (address != '' OR domains + sessions > 0)
ORDER BY address = '', domains DESC, sessions DESC, address;

-- Each network that receives mail, and what it looks up of its senders: sessions after which it did. watched: its sessions
-- while it was seen to ask anything, of which the shares are.
CREATE VIEW IF NOT EXISTS lookup_list AS
SELECT receiver AS network, sum(received) AS sessions, sum(asked) AS questions, if(watched > 0, sum(after_spf), NULL) AS spf,
       if(watched > 0, sum(after_dkim), NULL) AS dkim, if(watched > 0, sum(after_dmarc), NULL) AS dmarc,
       sumIf(received, asked > 0) AS watched
FROM
(
    SELECT ifNull(network, '') AS receiver, ifNull(sessions, 0) AS received, ifNull(questions, 0) AS asked, ifNull(spf, 0) AS after_spf,
           ifNull(dkim, 0) AS after_dkim, ifNull(dmarc, 0) AS after_dmarc
    FROM lookups
)
GROUP BY receiver ORDER BY sessions DESC, network;

-- What networks that receive mail look up: networks that did so after a session or more, and these sessions. Of: networks
-- that were seen to ask anything, and the sessions that they received meanwhile; not_seen: sessions of the others.
CREATE VIEW IF NOT EXISTS lookup_kinds AS
SELECT pair.1 AS looks_up, countIf(pair.2 > 0) AS networks, countIf(seen > 0) AS network_share_of, sum(pair.2) AS sessions,
       sum(seen) AS session_share_of, sum(received) - sum(seen) AS not_seen
FROM (SELECT sessions AS received, watched AS seen, ifNull(spf, 0) AS a, ifNull(dkim, 0) AS b, ifNull(dmarc, 0) AS c FROM lookup_list)
ARRAY JOIN [('spf', a), ('dkim', b), ('dmarc', c)] AS pair
GROUP BY looks_up ORDER BY looks_up DESC;

-- Sessions on port 25 that could carry mail, of runs that read DNS, by the server's network (/24, /48) and operator.
CREATE VIEW IF NOT EXISTS lookup_sessions AS
SELECT if(position(address, ':') > 0, concat(cutIPv6(IPv6StringToNum(address), 10, 0), '/48'),
          concat(IPv4NumToString(toUInt32(bitAnd(IPv4StringToNum(address), 4294967040))), '/24')) AS network,
       receiver AS server_operator, count() AS received
FROM
(
    SELECT ifNull(server_ip, '') AS address, ifNull(server_operator, '') AS receiver
    FROM sessions WHERE dns_read = 1 AND server_port = 25 AND verdict IN ('encrypted', 'cleartext', 'stripped')
)
GROUP BY network, receiver;

-- Each operator that receives mail, and what the networks look up in which it receives: those that were seen to ask anything
-- (watched, of which the shares are), and of these those that looked it up. shared: other operators receive there as well.
CREATE VIEW IF NOT EXISTS lookup_operators AS
SELECT server_operator, sum(received) AS sessions, count() AS networks, countIf(operators > 1) AS shared, countIf(seen > 0) AS watched,
       if(watched > 0, countIf(a > 0), NULL) AS spf, if(watched > 0, countIf(b > 0), NULL) AS dkim, if(watched > 0, countIf(c > 0), NULL) AS dmarc
FROM
(
    SELECT one.1 AS server_operator, one.2 AS received, network, length(list) AS operators
    FROM (SELECT network, groupArray((server_operator, received)) AS list FROM lookup_sessions GROUP BY network)
    ARRAY JOIN list AS one
)
ALL LEFT JOIN
(
    SELECT network, watched AS seen, ifNull(spf, 0) AS a, ifNull(dkim, 0) AS b, ifNull(dmarc, 0) AS c FROM lookup_list
) USING network
GROUP BY server_operator ORDER BY sessions DESC, server_operator;

-- Hops within one domain or network, by whether they were protected, as headers of messages say; by what the message did here
-- (hop) and who handed it on: the operator of the client, of access to a mail store of the server. not_seen: neither was
-- written; unplaced: the names do not say whether they are internal.
CREATE VIEW IF NOT EXISTS internal_hops AS
SELECT crossing AS hop, handed_on AS operator, countIf(internal = 'true' AND by_tls = 'true') AS tls,
       countIf(internal = 'true' AND by_tls = 'false') AS cleartext, countIf(internal = 'true' AND by_tls = 'null') AS not_seen,
       countIf(internal = 'null') AS unplaced
FROM
(
    SELECT ifNull(hop, '') AS crossing, ifNull(if(crossing = 'access', server_operator, client_operator), '') AS handed_on,
           ifNull(hops, '') AS told
    FROM messages
)
ARRAY JOIN extractAll(told, '"internal":(true|false|null)') AS internal, extractAll(told, '"tls":(true|false|null)') AS by_tls
WHERE internal != 'false'
GROUP BY crossing, handed_on ORDER BY tls + cleartext + not_seen + unplaced DESC, hop, operator;

-- A row for each transaction of SMTP of which a message crossed or something was refused, with the network of its server (/24,
-- /48), and the causes that a refusal for good names.
CREATE VIEW IF NOT EXISTS message_refusals AS
SELECT receiver AS server_operator,
       if(position(address, ':') > 0, concat(cutIPv6(IPv6StringToNum(address), 10, 0), '/48'),
          concat(IPv4NumToString(toUInt32(bitAnd(IPv4StringToNum(address), 4294967040))), '/24')) AS server_network,
       came_to, causes
FROM
(
    SELECT ifNull(server_operator, '') AS receiver, ifNull(server_ip, '') AS address, ifNull(outcome, '') AS came_to,
           if(ifNull(refusal_code, 0) >= 500, refusal_causes, emptyArrayString()) AS causes
    FROM messages WHERE ifNull(transport, '') IN ('', 'data', 'bdat')
);

-- What receivers refuse, by what they name (one refusal may name several), by operator and by network. named: refusals for good
-- that name any. Of: transactions, whose outcome was seen.
CREATE VIEW IF NOT EXISTS enforcement AS
SELECT server_operator, countIf(came_to != '') AS transactions, countIf(came_to = 'refused') AS refused,
       countIf(came_to = 'deferred') AS deferred, countIf(has(causes, 'spf')) AS spf, countIf(has(causes, 'dkim')) AS dkim,
       countIf(has(causes, 'dmarc')) AS dmarc, countIf(hasAny(causes, ['arc', 'authentication'])) AS other,
       countIf(came_to = '') AS not_seen, countIf(notEmpty(causes)) AS named
FROM message_refusals
GROUP BY server_operator ORDER BY transactions DESC, server_operator;

CREATE VIEW IF NOT EXISTS enforcement_networks AS
SELECT server_network AS network, countIf(came_to != '') AS transactions, countIf(came_to = 'refused') AS refused,
       countIf(came_to = 'deferred') AS deferred, countIf(has(causes, 'spf')) AS spf, countIf(has(causes, 'dkim')) AS dkim,
       countIf(has(causes, 'dmarc')) AS dmarc, countIf(hasAny(causes, ['arc', 'authentication'])) AS other,
       countIf(came_to = '') AS not_seen, countIf(notEmpty(causes)) AS named
FROM message_refusals
GROUP BY server_network ORDER BY transactions DESC, server_network;
