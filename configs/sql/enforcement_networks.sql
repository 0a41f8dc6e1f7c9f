-- What networks that receive mail (/24, /48) refuse, by what they name: SPF, DKIM, DMARC, others (ARC, or authentication
-- without a name); one refusal may name several.
-- Counts transactions of SMTP in the clear of which a message crossed or something was refused (--mail-headers). share: with
-- a refusal for good that names any, of those whose outcome was seen (transactions, share_of).
-- Not seen: refusals that name nothing, mail that is taken and then put aside, and what TLS carries.
WITH counted AS (
    SELECT server_network AS network,
           count(outcome) AS transactions,
           sum(outcome IS 'refused') AS refused,
           sum(outcome IS 'deferred') AS deferred,
           sum(instr(causes, '"spf"') > 0) AS spf,
           sum(instr(causes, '"dkim"') > 0) AS dkim,
           sum(instr(causes, '"dmarc"') > 0) AS dmarc,
           sum(instr(causes, '"arc"') > 0 OR instr(causes, '"authentication"') > 0) AS other,
           sum(outcome IS NULL) AS not_seen,
           sum(causes <> '[]') AS named
      FROM message_refusals
     GROUP BY server_network
)
SELECT network,
       transactions,
       refused,
       deferred,
       spf,
       dkim,
       dmarc,
       other,
       not_seen,
       1.0 * named / nullif(transactions, 0) AS share,
       nullif(transactions, 0) AS share_of
  FROM counted
 ORDER BY transactions DESC, network
