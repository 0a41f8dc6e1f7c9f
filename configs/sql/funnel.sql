-- The way of sessions that begin in the clear to TLS, step by step. Each step counts the sessions that passed the one
-- above; the last one, mail_in_clear, is over all that connected. `listed`: EHLO, CAPABILITY or CAPA was answered.
-- Counts sessions. Of: those whose outcome at this step was seen (`passed` and `ended`); `not_seen` is in no share.
-- Not seen: whether TLS then carried mail; an offer that nobody asked for (HELO, no CAPA).
WITH begun AS MATERIALIZED (
    SELECT protocol,
           CASE WHEN server_banner IS NOT NULL THEN 1 WHEN verdict = 'no_mail' THEN 0 END AS greeted,
           CASE WHEN capabilities IS NOT NULL THEN 1 WHEN NOT esmtp THEN 0 END AS listed,
           starttls_offered AS offered,
           starttls_requested AS requested,
           starttls_accepted AS accepted,
           tls_established AS established,
           CASE WHEN verdict IN ('cleartext', 'stripped') THEN 1 WHEN verdict <> 'partial' THEN 0 END AS in_clear
      FROM sessions
     WHERE (protocol IN ('smtp', 'imap', 'pop3') OR protocol IS NULL) AND tls_mode IS NOT 'implicit'
), steps AS (
    SELECT protocol, 1 AS number, 'connected' AS step, 1 AS came FROM begun
    UNION ALL SELECT protocol, 2, 'greeted', greeted FROM begun
    UNION ALL SELECT protocol, 3, 'listed', listed FROM begun WHERE greeted
    UNION ALL SELECT protocol, 4, 'offered', offered FROM begun WHERE greeted AND listed
    UNION ALL SELECT protocol, 5, 'requested', requested FROM begun WHERE greeted AND listed AND offered
    UNION ALL SELECT protocol, 6, 'accepted', accepted FROM begun WHERE greeted AND listed AND offered AND requested
    UNION ALL SELECT protocol, 7, 'established', established FROM begun
               WHERE greeted AND listed AND offered AND requested AND accepted
    UNION ALL SELECT protocol, 8, 'mail_in_tls', NULL FROM begun
               WHERE greeted AND listed AND offered AND requested AND accepted AND established
    UNION ALL SELECT protocol, 9, 'mail_in_clear', in_clear FROM begun
)
SELECT protocol,
       step,
       sum(came IS 1) AS passed,
       sum(came IS 0) AS ended,
       sum(came IS NULL) AS not_seen,
       1.0 * sum(came IS 1) / nullif(count(came), 0) AS share
  FROM steps
 GROUP BY protocol, number
 ORDER BY protocol, number
