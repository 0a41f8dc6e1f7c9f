-- Each session with evidence of stripping or downgrade, the latest first: who, with which server, how sure, and by what.
-- Of: all connections to mail ports, or found to be mail. The facts stand in sessions.evidence and in alerts.
-- Not seen: what is done where no packet passes the tap.
SELECT "start",
       session_id,
       sensor,
       client_ip,
       server_ip,
       server_port,
       coalesce(sni, server_name) AS server_name,
       verdict,
       confidence,
       (SELECT group_concat(DISTINCT json_extract(value, '$.kind')) FROM json_each(evidence)) AS kinds
  FROM sessions
 WHERE evidence <> '[]'
 ORDER BY "start" DESC
