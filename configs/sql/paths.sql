-- Servers with evidence of stripping or downgrade, by client network (/24, /48): which networks see it, and which do
-- not. A server that all see alike is itself to blame; one that only some see stripped has something on the way to
-- these. `unaffected`: sessions without evidence in which TLS was offered or established.
-- Counts sessions. Of: the mail sessions of the client network with the server; `not_seen` shows neither.
-- Not seen: networks whose packets do not pass the tap; where on the way it happens.
WITH mail AS MATERIALIZED (
    SELECT sessions.rowid AS session,
           server_ip,
           server_port,
           coalesce(sni, server_name) AS name,
           client_network,
           verdict = 'stripped' AS stripped,
           evidence <> '[]' AS has_evidence,
           CASE WHEN evidence <> '[]' THEN
               (SELECT max(CASE json_extract(value, '$.confidence')
                           WHEN 'confirmed' THEN 3 WHEN 'probable' THEN 2 WHEN 'suspected' THEN 1 END)
                  FROM json_each(evidence)) END AS rank,
           ifnull(starttls_offered, 0) OR ifnull(tls_established, 0) AS offered
      FROM sessions JOIN session_networks ON session_networks.session = sessions.rowid
     WHERE protocol IN ('smtp', 'imap', 'pop3') OR hop IS NOT NULL
), affected AS (
    SELECT DISTINCT server_ip, server_port FROM mail WHERE has_evidence
), counted AS (
    SELECT server_ip,
           server_port,
           max(CASE WHEN name IS NOT NULL THEN session END) AS last_with_name,
           client_network,
           count(*) AS sessions,
           sum(stripped) AS stripped,
           sum(has_evidence) AS evidence,
           CASE max(rank) WHEN 3 THEN 'confirmed' WHEN 2 THEN 'probable' WHEN 1 THEN 'suspected' END AS confidence,
           sum(NOT has_evidence AND offered) AS unaffected,
           sum(NOT has_evidence AND NOT offered) AS not_seen
      FROM mail JOIN affected USING (server_ip, server_port)
     GROUP BY server_ip, server_port, client_network
)
SELECT server_ip,
       server_port,
       (SELECT coalesce(sni, server_name) FROM sessions WHERE sessions.rowid = last_with_name) AS server_name,
       client_network,
       sessions,
       stripped,
       evidence,
       confidence,
       unaffected,
       not_seen
  FROM counted
 ORDER BY server_ip, server_port, evidence DESC, client_network
