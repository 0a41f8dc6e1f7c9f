-- Sessions over time, by hour (UTC) of their beginning.
-- Counts sessions. encrypted_share: of those encrypted, cleartext or stripped. offered_share: of those that began in the
-- clear and whose offer of STARTTLS was seen (`offered` and `not_offered`).
-- Not seen: sessions whose packets the capture lost (see `capture`); hours without any session have no row.
SELECT substr("start", 1, 13) || ':00:00Z' AS hour,
       count(*) AS sessions,
       sum(verdict = 'encrypted') AS encrypted,
       sum(verdict = 'cleartext') AS cleartext,
       sum(verdict = 'stripped') AS stripped,
       sum(verdict = 'tls_failed') AS tls_failed,
       sum(verdict = 'no_mail') AS no_mail,
       sum(verdict = 'not_mail') AS not_mail,
       sum(verdict = 'partial') AS partial,
       1.0 * sum(verdict = 'encrypted') / nullif(sum(verdict IN ('encrypted', 'cleartext', 'stripped')), 0)
           AS encrypted_share,
       sum(starttls_offered IS 1) AS offered,
       sum(starttls_offered IS 0) AS not_offered,
       1.0 * sum(starttls_offered IS 1) / nullif(count(starttls_offered), 0) AS offered_share,
       sum(evidence <> '[]') AS with_evidence
  FROM sessions
 GROUP BY 1
 ORDER BY 1
