-- Clients by whether they check certificates: refuses_bad (a fatal alert of a check), accepts_bad (went on over a bad
-- one), both; null: not seen.
-- Counts clients (addresses) and their sessions with TLS. Of: the clients that showed it; who met only good
-- certificates shows nothing.
-- Not seen: checks that pass; pinning and DANE look like leniency; TLS 1.3 hides alerts.
WITH clients AS MATERIALIZED (
    SELECT count(*) AS tls,
           sum(client_verifies IS 1) AS refused,
           sum(client_verifies IS 0) AS accepted
      FROM sessions
     WHERE (tls_established OR client_verifies IS NOT NULL)
       AND (protocol IN ('smtp', 'imap', 'pop3') OR hop IS NOT NULL)
     GROUP BY client_ip
), checking AS (
    SELECT CASE WHEN refused > 0 AND accepted > 0 THEN 'both'
                WHEN refused > 0 THEN 'refuses_bad'
                WHEN accepted > 0 THEN 'accepts_bad' END AS checks,
           tls, refused, accepted
      FROM clients
)
SELECT checks,
       count(*) AS clients,
       CASE WHEN checks IS NOT NULL THEN 1.0 * count(*) / sum(count(checks)) OVER () END AS share,
       sum(tls) AS tls_sessions,
       sum(refused) AS refused,
       sum(accepted) AS accepted
  FROM checking
 GROUP BY checks
 ORDER BY checks IS NULL, clients DESC
