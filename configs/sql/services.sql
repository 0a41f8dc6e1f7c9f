-- Who runs the mail of how many domains: domains whose hosts of MX share an address, one with the other, are one service.
-- `service`: the operator (registered domain, by the public suffix list) of most of these hosts; `address`: the lowest. The
-- row without an address: domains whose hosts' addresses were not seen, and sessions with servers of no domain that was.
-- Counts domains that were asked for, and sessions on port 25 that could carry mail, of runs with --dns. Shares: of the
-- domains whose hosts' addresses were seen (domain_share_of), of the sessions with an address of any service
-- (session_share_of).
-- Not seen: domains nobody asked for, what resolvers remember, hosts of MX whose addresses nobody asked for, and who stands
-- behind a shared filter.
WITH RECURSIVE asked AS (
    SELECT max(last_seen) AS last_seen, domain, mx, mx_operator FROM domains WHERE mx IS NOT NULL GROUP BY domain
), seen AS (
    SELECT DISTINCT
           domain,
           mx_operator AS operator,
           address.value AS address,
           '[' || replace(address.value, '.', ',') || ']' AS numbers
      FROM asked, json_each(mx) AS host, json_each(host.value, '$.addresses') AS address
     WHERE address.value IS NOT NULL
), places AS MATERIALIZED (
    -- key: in the order of their numbers, not of their texts.
    SELECT domain,
           operator,
           address,
           CASE WHEN json_valid(numbers)
                THEN printf('4 %03d.%03d.%03d.%03d', json_extract(numbers, '$[0]'), json_extract(numbers, '$[1]'),
                            json_extract(numbers, '$[2]'), json_extract(numbers, '$[3]'))
                ELSE '6 ' || address END AS key
      FROM seen
), firsts AS MATERIALIZED (
    SELECT domain, min(key) AS first FROM places GROUP BY domain
), edges AS MATERIALIZED (
    SELECT first AS one, key AS other FROM firsts JOIN places USING (domain) WHERE key <> first
    UNION
    SELECT key, first FROM firsts JOIN places USING (domain) WHERE key <> first
), reached(key, lowest) AS (
    -- From each address that is the lowest of all its domains, to all that are higher.
    SELECT first, first FROM firsts WHERE first NOT IN (SELECT one FROM edges WHERE one > other)
    UNION
    SELECT edges.other, lowest FROM reached JOIN edges ON edges.one = reached.key WHERE edges.other > lowest
), members AS MATERIALIZED (
    SELECT key, min(lowest) AS lowest FROM reached GROUP BY key
), received AS MATERIALIZED (
    SELECT server_ip AS address,
           count(*) AS sessions
      FROM sessions
     WHERE dns_read AND server_port = 25 AND verdict IN ('encrypted', 'cleartext', 'stripped')
     GROUP BY server_ip
), of_addresses AS (
    SELECT lowest,
           min(CASE WHEN key = lowest THEN address END) AS address,
           count(*) AS addresses,
           sum(ifnull(sessions, 0)) AS sessions
      FROM (SELECT DISTINCT key, address FROM places) JOIN members USING (key) LEFT JOIN received USING (address)
     GROUP BY lowest
), of_operators AS (
    SELECT lowest,
           operator,
           count(DISTINCT domain) AS domains
      FROM places JOIN members USING (key)
     GROUP BY lowest, operator
), of_domains AS (
    SELECT lowest,
           sum(domains) AS domains
      FROM of_operators
     GROUP BY lowest
), named AS (
    SELECT lowest,
           operator,
           row_number() OVER (PARTITION BY lowest ORDER BY domains DESC, operator) AS place
      FROM of_operators
     WHERE operator IS NOT NULL
), counted AS MATERIALIZED (
    SELECT operator AS service, address, addresses, domains, sessions
      FROM of_addresses JOIN of_domains USING (lowest) LEFT JOIN named ON named.lowest = of_addresses.lowest AND place = 1
), sums AS MATERIALIZED (
    SELECT ifnull(sum(domains), 0) AS of_domains,
           ifnull(sum(sessions), 0) AS of_sessions,
           (SELECT count(DISTINCT domain) FROM domains) - ifnull(sum(domains), 0) AS other_domains,
           ifnull((SELECT sum(sessions) FROM received), 0) - ifnull(sum(sessions), 0) AS other_sessions
      FROM counted
)
SELECT service,
       address,
       addresses,
       domains,
       1.0 * domains / of_domains AS domain_share,
       of_domains AS domain_share_of,
       sessions,
       1.0 * sessions / nullif(of_sessions, 0) AS session_share,
       nullif(of_sessions, 0) AS session_share_of
  FROM (SELECT *, 0 AS unknown FROM counted, sums
        UNION ALL
        SELECT NULL, NULL, NULL, other_domains, other_sessions, NULL, NULL, other_domains, other_sessions, 1
          FROM sums
         WHERE other_domains + other_sessions > 0 AND EXISTS (SELECT 1 FROM domains))
 ORDER BY unknown, domains DESC, sessions DESC, address
