-- Each domain, with what the last of its records says that it publishes for its mail. operator: the registered domain of its
-- host of MX that goes first; addresses: of all of these hosts. spf_policy, dmarc_policy: what it says of mail that fails
-- ("no record": DNS said that there is none; null: not asked for, or a domain above may have one). The others are 1, 0 or null,
-- not seen: dnssec_signed, signatures came; dnssec_secure, they verify up to the anchor; spf_strict, "-all"; dmarc_enforced,
-- quarantine or reject; dkim, a key that is not revoked; tlsa, at a host of MX. Other views of domains count these rows.
-- Of: domains that were asked for while a tap listened (--dns).
-- Not seen: domains nobody asked for, and what resolvers remember.
WITH last AS (
    SELECT max(last_seen) AS last_seen,
           domain,
           registered_domain,
           mx,
           mx_operator,
           CASE WHEN spf IS NULL THEN NULL
                WHEN NOT spf THEN 'no record'
                WHEN spf_valid IS NOT 1 THEN 'invalid'
                WHEN spf_all IN ('-all', '~all', '?all', '+all') THEN spf_all
                WHEN spf_redirect IS 1 THEN 'redirect'
                ELSE 'no all' END AS spf_policy,
           CASE WHEN dmarc IS NULL THEN NULL
                WHEN NOT dmarc THEN CASE WHEN domain = registered_domain THEN 'no record' END
                WHEN dmarc_policy IN ('reject', 'quarantine', 'none') THEN dmarc_policy
                ELSE 'invalid' END AS dmarc_policy,
           spf,
           spf_valid,
           dnssec,
           dnssec_signatures,
           dkim,
           mta_sts,
           tls_rpt
      FROM domains
     GROUP BY domain
)
SELECT domain,
       last_seen,
       mx_operator AS operator,
       (SELECT json_group_array(DISTINCT address.value)
          FROM json_each(mx) AS host, json_each(host.value, '$.addresses') AS address
         WHERE address.value IS NOT NULL
        HAVING count(*) > 0) AS addresses,
       spf_policy,
       dmarc_policy,
       dnssec_signatures AS dnssec_signed,
       CASE WHEN dnssec IS NOT NULL THEN dnssec = 'secure'
            WHEN dnssec_signatures IS 0 THEN 0 END AS dnssec_secure,
       spf,
       spf_valid,
       CASE WHEN spf_policy <> 'redirect' THEN spf_policy = '-all' END AS spf_strict,
       CASE WHEN dmarc_policy IS NOT NULL THEN dmarc_policy <> 'no record' END AS dmarc,
       CASE WHEN dmarc_policy IS NOT NULL THEN dmarc_policy IN ('reject', 'quarantine') END AS dmarc_enforced,
       (SELECT max(json_extract(key.value, '$.revoked') IS 0 AND json_type(key.value, '$.key_type') IS 'text')
          FROM json_each(dkim) AS key) AS dkim,
       (SELECT CASE WHEN max(json_array_length(host.value, '$.tlsa')) > 0 THEN 1
                    WHEN min(json_type(host.value, '$.tlsa') IS 'array') THEN 0 END
          FROM json_each(mx) AS host) AS tlsa,
       mta_sts,
       tls_rpt
  FROM last
 ORDER BY domain
