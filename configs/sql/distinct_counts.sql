-- How many different servers (address and port), addresses and networks (/24, /48) there were; exact.
-- Of: all connections to mail ports, or found to be mail.
-- Not seen: people behind one address, and one machine behind several.
SELECT 'server_addresses' AS what, count(DISTINCT server_ip) AS different FROM sessions
UNION ALL
SELECT 'servers', count(DISTINCT server_ip || ' ' || server_port) FROM sessions
UNION ALL
SELECT 'client_addresses', count(DISTINCT client_ip) FROM sessions
UNION ALL
SELECT 'server_networks', count(DISTINCT server_network) FROM session_networks
UNION ALL
SELECT 'client_networks', count(DISTINCT client_network) FROM session_networks
