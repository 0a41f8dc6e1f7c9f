-- Sessions over time, by day (UTC) of their beginning.
-- Counts sessions. encrypted_share: of those encrypted, cleartext or stripped. offered_share: of those that began in the
-- clear and whose offer of STARTTLS was seen (`offered` and `not_offered`).
-- Not seen: sessions whose packets the capture lost (see `capture`); days without any session have no row.
SELECT substr(hour, 1, 10) || 'T00:00:00Z' AS day,
       sum(sessions) AS sessions,
       sum(encrypted) AS encrypted,
       sum(cleartext) AS cleartext,
       sum(stripped) AS stripped,
       sum(tls_failed) AS tls_failed,
       sum(no_mail) AS no_mail,
       sum(not_mail) AS not_mail,
       sum(partial) AS partial,
       1.0 * sum(encrypted) / nullif(sum(encrypted + cleartext + stripped), 0) AS encrypted_share,
       sum(offered) AS offered,
       sum(not_offered) AS not_offered,
       1.0 * sum(offered) / nullif(sum(offered + not_offered), 0) AS offered_share,
       sum(with_evidence) AS with_evidence
  FROM by_hour
 GROUP BY 1
 ORDER BY 1
