-- DNSSEC, SPF, DMARC and others (see domain_list), by domain and weighted by sessions. Many domains share a host of MX, and
-- whose mail a session carried is not kept: it counts for a property where all domains of its server have it, against it
-- where none has, and else it is not seen.
-- Counts domains, and sessions of runs with --dns on port 25 that could carry mail, with a host of MX of such a domain.
-- Shares: of those with and without it (domain_share_of, session_share_of).
-- Not seen: what resolvers remember; which of the domains of a host a session is for; sessions with hosts whose addresses
-- nobody asked for; keys of DNSSEC that nobody asked for.
WITH list AS MATERIALIZED (
    SELECT * FROM domain_list
), properties AS MATERIALIZED (
    SELECT 1 AS number, 'dnssec_signed' AS property, domain, addresses, dnssec_signed AS value FROM list
    UNION ALL SELECT 2, 'dnssec_secure', domain, addresses, dnssec_secure FROM list
    UNION ALL SELECT 3, 'spf', domain, addresses, spf FROM list
    UNION ALL SELECT 4, 'spf_valid', domain, addresses, spf_valid FROM list
    UNION ALL SELECT 5, 'spf_strict', domain, addresses, spf_strict FROM list
    UNION ALL SELECT 6, 'dmarc', domain, addresses, dmarc FROM list
    UNION ALL SELECT 7, 'dmarc_enforced', domain, addresses, dmarc_enforced FROM list
    UNION ALL SELECT 8, 'dkim', domain, addresses, dkim FROM list
    UNION ALL SELECT 9, 'tlsa', domain, addresses, tlsa FROM list
    UNION ALL SELECT 10, 'mta_sts', domain, addresses, mta_sts FROM list
    UNION ALL SELECT 11, 'tls_rpt', domain, addresses, tls_rpt FROM list
), by_domain AS (
    SELECT number,
           property,
           sum(value IS 1) AS domains,
           sum(value IS 0) AS domains_without,
           sum(value IS NULL) AS domains_not_seen
      FROM properties
     GROUP BY number
), hosts AS (
    SELECT number,
           address.value AS address,
           CASE WHEN count(*) = sum(properties.value IS 1) THEN 1
                WHEN count(*) = sum(properties.value IS 0) THEN 0 END AS value
      FROM properties, json_each(addresses) AS address
     GROUP BY number, address.value
), received AS MATERIALIZED (
    SELECT server_ip AS address,
           count(*) AS sessions
      FROM sessions
     WHERE dns_read AND server_port = 25 AND verdict IN ('encrypted', 'cleartext', 'stripped')
     GROUP BY server_ip
), by_session AS (
    SELECT number,
           sum(CASE WHEN value IS 1 THEN sessions ELSE 0 END) AS sessions,
           sum(CASE WHEN value IS 0 THEN sessions ELSE 0 END) AS sessions_without,
           sum(CASE WHEN value IS NULL THEN sessions ELSE 0 END) AS sessions_not_seen
      FROM hosts JOIN received USING (address)
     GROUP BY number
), counted AS (
    SELECT number,
           property,
           domains,
           domains_without,
           domains_not_seen,
           nullif(domains + domains_without, 0) AS domain_share_of,
           ifnull(sessions, 0) AS sessions,
           ifnull(sessions_without, 0) AS sessions_without,
           ifnull(sessions_not_seen, 0) AS sessions_not_seen,
           nullif(sessions + sessions_without, 0) AS session_share_of
      FROM by_domain LEFT JOIN by_session USING (number)
)
SELECT property,
       domains,
       domains_without,
       domains_not_seen,
       1.0 * domains / domain_share_of AS domain_share,
       domain_share_of,
       sessions,
       sessions_without,
       sessions_not_seen,
       1.0 * sessions / session_share_of AS session_share,
       session_share_of
  FROM counted
 ORDER BY number
