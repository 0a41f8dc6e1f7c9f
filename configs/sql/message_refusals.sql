-- A row for each transaction of SMTP in the clear of which a message crossed or something was refused (--mail-headers), with
-- the network of its server (/24, /48), and the causes that a refusal for good names (a list; empty: none, or there was none).
-- enforcement and enforcement_networks count these rows.
-- Not seen: what TLS carries.
WITH told AS (
    SELECT server_operator,
           server_ip,
           outcome,
           CASE WHEN refusal_code >= 500 THEN ifnull(refusal_causes, '[]') ELSE '[]' END AS causes,
           '["' || replace(CASE WHEN instr(server_ip, '::') THEN substr(server_ip, 1, instr(server_ip, '::') - 1)
                                ELSE server_ip END, ':', '","') || '"]' AS groups
      FROM messages
     WHERE transport IS NULL OR transport IN ('data', 'bdat')
), placed AS (
    SELECT server_operator,
           outcome,
           causes,
           CASE WHEN server_ip NOT LIKE '%:%' THEN rtrim(server_ip, '0123456789') || '0/24' END AS v4,
           CASE WHEN server_ip LIKE '%:%'
                THEN (SELECT group_concat(value, ':') FROM (SELECT value FROM json_each(groups) LIMIT 3)) END AS v6
      FROM told
)
SELECT server_operator,
       coalesce(v4, CASE WHEN v6 LIKE '%:0:0' THEN substr(v6, 1, length(v6) - 4)
                         WHEN v6 LIKE '%:0' THEN substr(v6, 1, length(v6) - 2)
                         ELSE v6 END || '::/48') AS server_network,
       outcome,
       causes
  FROM placed
