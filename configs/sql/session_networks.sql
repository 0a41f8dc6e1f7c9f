-- A row for each session with the networks of its client and its server: /24 of IPv4, /48 of IPv6.
-- Not seen: the networks behind a gateway that has one address for all.
WITH heads AS (
    SELECT rowid AS session,
           client_ip,
           server_ip,
           '["' || replace(CASE WHEN instr(client_ip, '::') THEN substr(client_ip, 1, instr(client_ip, '::') - 1)
                                ELSE client_ip END, ':', '","') || '"]' AS client_groups,
           '["' || replace(CASE WHEN instr(server_ip, '::') THEN substr(server_ip, 1, instr(server_ip, '::') - 1)
                                ELSE server_ip END, ':', '","') || '"]' AS server_groups
      FROM sessions
), firsts AS (
    SELECT session,
           CASE WHEN client_ip NOT LIKE '%:%' THEN rtrim(client_ip, '0123456789') || '0/24' END AS client_v4,
           CASE WHEN client_ip LIKE '%:%'
                THEN (SELECT group_concat(value, ':') FROM
                         (SELECT value FROM json_each(client_groups) LIMIT 3)) END AS client_v6,
           CASE WHEN server_ip NOT LIKE '%:%' THEN rtrim(server_ip, '0123456789') || '0/24' END AS server_v4,
           CASE WHEN server_ip LIKE '%:%'
                THEN (SELECT group_concat(value, ':') FROM
                         (SELECT value FROM json_each(server_groups) LIMIT 3)) END AS server_v6
      FROM heads
)
SELECT session,
       coalesce(client_v4, CASE WHEN client_v6 LIKE '%:0:0' THEN substr(client_v6, 1, length(client_v6) - 4)
                                WHEN client_v6 LIKE '%:0' THEN substr(client_v6, 1, length(client_v6) - 2)
                                ELSE client_v6 END || '::/48') AS client_network,
       coalesce(server_v4, CASE WHEN server_v6 LIKE '%:0:0' THEN substr(server_v6, 1, length(server_v6) - 4)
                                WHEN server_v6 LIKE '%:0' THEN substr(server_v6, 1, length(server_v6) - 2)
                                ELSE server_v6 END || '::/48') AS server_network
  FROM firsts
