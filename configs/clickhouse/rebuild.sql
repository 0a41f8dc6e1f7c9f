-- Makes the sums of views.sql anew from the tables, for as far back as those go. Let no tap send meanwhile (stop them, or
-- take the user's right to insert: records wait in their spools), and first drop no partition of `sessions` that is to
-- count. Its queries are those of views.sql.

TRUNCATE TABLE sessions_daily;
INSERT INTO sessions_daily
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

TRUNCATE TABLE funnel_daily;
INSERT INTO funnel_daily
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

TRUNCATE TABLE protection_daily;
INSERT INTO protection_daily
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

TRUNCATE TABLE tls_daily;
INSERT INTO tls_daily
SELECT
    toDate(start, 'UTC') AS day,
    sensor,
    ifNull(tls_version, '') AS version,
    ifNull(tls_cipher, '') AS cipher,
    ifNull(tls_group, '') AS key_exchange,
    ifNull(tls_post_quantum, '') AS post_quantum,
    count() AS sessions
FROM sessions
WHERE tls_established = 1
GROUP BY day, sensor, version, cipher, key_exchange, post_quantum;

TRUNCATE TABLE certificate_faults_daily;
INSERT INTO certificate_faults_daily
SELECT
    toDate(start, 'UTC') AS day,
    sensor,
    fault,
    count() AS sessions
FROM sessions
ARRAY JOIN multiIf(certificate_status_seen = 0, [''], empty(certificate_status), ['none'], certificate_status) AS fault
WHERE tls_established = 1 OR server_certificate_source IS NOT NULL
GROUP BY day, sensor, fault;

TRUNCATE TABLE evidence_daily;
INSERT INTO evidence_daily
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

TRUNCATE TABLE distinct_daily;
INSERT INTO distinct_daily
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

TRUNCATE TABLE certificates_seen;
INSERT INTO certificates_seen
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
