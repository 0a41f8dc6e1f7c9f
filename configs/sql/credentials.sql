-- Log-ins in the clear by mechanism and hop, and which of them showed a password or token.
-- Counts sessions with a log-in in the clear. Of: those of which it was seen (`exposed` and `not_exposed`).
-- Not seen: log-ins inside TLS; whose they are (nothing of them is kept).
SELECT auth_mechanism AS mechanism,
       hop,
       count(*) AS logins,
       sum(credentials_exposed IS 1) AS exposed,
       sum(credentials_exposed IS 0) AS not_exposed,
       sum(credentials_exposed IS NULL) AS not_seen,
       1.0 * sum(credentials_exposed IS 1) / nullif(count(credentials_exposed), 0) AS share
  FROM sessions
 WHERE auth_mechanism <> ''
 GROUP BY 1, 2
 ORDER BY exposed DESC, 1, 2
