-- Servers by what they do, by hop: offers_tls (always, sometimes, never), certificate (of those that offer or
-- establish TLS: see server_sessions), refuses_cleartext. value null: the tap could not see it.
-- Counts servers (address and port). Of: the servers of the hop of which it was seen.
-- Not seen: TLS 1.3 hides certificates; a server that nobody asked, and several behind one address.
WITH each AS MATERIALIZED (
    SELECT hop,
           CASE WHEN offered + not_offered = 0 THEN NULL
                WHEN not_offered = 0 THEN 'always'
                WHEN offered = 0 THEN 'never'
                ELSE 'sometimes' END AS offers_tls,
           certificate,
           offered + established > 0 AS has_tls,
           refuses_cleartext
      FROM server_list
), properties AS (
    SELECT hop, 1 AS number, 'offers_tls' AS property, offers_tls AS value FROM each
    UNION ALL SELECT hop, 2, 'certificate', certificate FROM each WHERE has_tls
    UNION ALL SELECT hop, 3, 'refuses_cleartext', refuses_cleartext FROM each
)
SELECT hop,
       property,
       value,
       count(*) AS count,
       CASE WHEN value IS NOT NULL
            THEN 1.0 * count(*) / sum(count(value)) OVER (PARTITION BY hop, property) END AS share
  FROM properties
 GROUP BY hop, number, property, value
 ORDER BY hop IS NULL, hop, number, value IS NULL, count DESC, value
