-- Each server (address and port): sessions, in how many it offered TLS, what its certificate is worth as all sessions
-- agree that showed it (else mixed), and whether it refuses mail or log-ins in the clear.
-- Counts sessions. Of: sessions that are mail, or whose port is mail's.
-- Not seen: TLS 1.3 hides certificates; several machines behind one address.
WITH each AS (
    SELECT server_ip,
           server_port,
           count(*) AS sessions,
           sum(offered IS 1) AS offered,
           sum(offered IS 0) AS not_offered,
           sum(tls_established IS 1) AS established,
           CASE count(DISTINCT CASE WHEN tls THEN shown END)
                WHEN 0 THEN NULL
                WHEN 1 THEN max(CASE WHEN tls THEN shown END)
                ELSE 'mixed' END AS certificate,
           CASE WHEN count(refuses_clear) = 0 THEN NULL
                WHEN min(refuses_clear) = 1 THEN 'always'
                WHEN max(refuses_clear) = 0 THEN 'never'
                ELSE 'sometimes' END AS refuses_cleartext,
           min(CASE WHEN hop IS NOT NULL THEN session END) AS first_with_hop,
           max(CASE WHEN name IS NOT NULL THEN session END) AS last_with_name
      FROM server_sessions
     GROUP BY server_ip, server_port
)
SELECT server_ip,
       server_port,
       (SELECT coalesce(sni, server_name) FROM sessions WHERE sessions.rowid = last_with_name) AS server_name,
       (SELECT hop FROM sessions WHERE sessions.rowid = first_with_hop) AS hop,
       sessions,
       offered,
       not_offered,
       established,
       certificate,
       refuses_cleartext
  FROM each
 ORDER BY sessions DESC, server_ip, server_port
