-- What sessions with TLS chose together: version, cipher and group of the key exchange, whether the key exchange has
-- forward secrecy.
-- Counts sessions in which TLS was established. Of: those whose version was seen.
-- Not seen: handshakes that the capture lost or joined too late (version null), which are in no share.
SELECT tls_version,
       tls_cipher,
       tls_group,
       count(*) AS sessions,
       CASE WHEN tls_version IS NOT NULL THEN 1.0 * count(*) / sum(count(tls_version)) OVER () END AS share,
       sum(tls_forward_secrecy IS 1) AS forward_secrecy,
       sum(tls_forward_secrecy IS 0) AS no_forward_secrecy
  FROM sessions
 WHERE tls_established
 GROUP BY 1, 2, 3
 ORDER BY tls_version IS NULL, tls_version DESC, sessions DESC, tls_cipher, tls_group
