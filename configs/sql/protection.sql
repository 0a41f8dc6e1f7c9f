-- Against whom sessions were protected, by hop. passive_*: one who listens; protected is encrypted with a cipher that
-- holds. active_*: one who sits between; possible is a valid certificate for the name asked for: safe if the client
-- checks it, which no tap sees.
-- Counts sessions. Of: those that carried mail, a log-in or TLS, or of which too little was seen.
-- Not seen: whether a client checks a good certificate; DANE, MTA-STS; other hops of the same message.
WITH carried AS MATERIALIZED (
    SELECT hop,
           verdict = 'encrypted' AS encrypted,
           CASE WHEN verdict = 'partial' THEN NULL
                WHEN verdict <> 'encrypted' THEN 0
                WHEN tls_cipher_weaknesses IS NULL THEN NULL
                ELSE NOT EXISTS (SELECT 1 FROM json_each(tls_cipher_weaknesses)
                                  WHERE value IN ('no_encryption', 'export', 'des')) END AS passive,
           certificate_status,
           certificate_name_match AS matches,
           client_verifies,
           ifnull(EXISTS (SELECT 1 FROM json_each(tls_cipher_weaknesses) WHERE value = 'anonymous'), 0) AS anonymous
      FROM sessions
     WHERE verdict IN ('encrypted', 'cleartext', 'stripped', 'partial')
), judged AS (
    SELECT hop,
           passive,
           CASE WHEN passive IS 0 THEN 0
                WHEN NOT encrypted THEN NULL
                WHEN ifnull(certificate_status, '[]') <> '[]' OR anonymous OR client_verifies IS 0 THEN 0
                WHEN certificate_status = '[]' AND matches IS 1 THEN 1 END AS active
      FROM carried
)
SELECT hop,
       sum(passive IS 1) AS passive_protected,
       sum(passive IS 0) AS passive_exposed,
       sum(passive IS NULL) AS passive_not_seen,
       1.0 * sum(passive IS 1) / nullif(count(passive), 0) AS passive_share,
       sum(active IS 1) AS active_possible,
       sum(active IS 0) AS active_exposed,
       sum(active IS NULL) AS active_not_seen
  FROM judged
 GROUP BY hop
 ORDER BY hop IS NULL, hop
