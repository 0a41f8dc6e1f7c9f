-- SPF and DMARC of domains, by what they say of mail that fails (see domain_list).
-- Counts domains. share: of the domains of which the record was asked for (share_of).
-- Not seen: records nobody asked for (policy null), which are in no share; how much mail a domain sends, since senders are
-- not kept; a record of DMARC of a domain above; mail that a policy is not applied to.
WITH list AS MATERIALIZED (
    SELECT spf_policy, dmarc_policy FROM domain_list
), records AS (
    SELECT 1 AS number, 'SPF' AS record, spf_policy AS policy FROM list
    UNION ALL
    SELECT 2, 'DMARC', dmarc_policy FROM list
), counted AS (
    SELECT number,
           record,
           policy,
           count(*) AS domains,
           CASE WHEN policy IS NOT NULL THEN sum(count(policy)) OVER (PARTITION BY record) END AS share_of
      FROM records
     GROUP BY number, record, policy
)
SELECT record,
       policy,
       domains,
       1.0 * domains / share_of AS share,
       share_of
  FROM counted
 ORDER BY number, policy IS NULL, domains DESC, policy
