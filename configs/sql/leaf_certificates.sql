-- Each certificate that servers showed in a handshake, with how many sessions and servers showed it and what was found
-- wrong in the last of them.
-- Counts sessions whose chain begins with it. Of: sessions with server_chain.
-- Not seen: certificates of TLS 1.3 and of resumed sessions.
WITH leaves AS (
    SELECT json_extract(server_chain, '$[0]') AS sha256,
           count(*) AS sessions,
           count(DISTINCT server_ip || ' ' || server_port) AS servers,
           max("start") AS last_seen,
           certificate_status AS last_status
      FROM sessions
     WHERE server_chain <> '[]'
     GROUP BY 1
)
SELECT sha256,
       sessions,
       servers,
       last_seen,
       last_status,
       subject,
       issuer,
       not_before,
       not_after,
       key_type,
       key_bits,
       signature_algorithm,
       dns_names
  FROM leaves LEFT JOIN certificates USING (sha256)
 ORDER BY sessions DESC, sha256
