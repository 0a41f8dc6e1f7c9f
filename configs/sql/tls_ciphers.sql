-- Ciphers of TLS, by the name that IANA gives them.
-- Counts sessions in which TLS was established. share: of those whose cipher was seen.
-- Of: mail sessions with TLS established; cipher null: not seen, and in no share.
-- Not seen: ciphers that either side could do besides.
SELECT tls_cipher AS cipher,
       count(*) AS sessions,
       CASE WHEN tls_cipher IS NOT NULL THEN 1.0 * count(*) / sum(count(tls_cipher)) OVER () END AS share
  FROM sessions
 WHERE tls_established AND (protocol IN ('smtp', 'imap', 'pop3') OR hop IS NOT NULL)
 GROUP BY tls_cipher
 ORDER BY cipher IS NULL, sessions DESC, cipher
