-- Each client (address): what became of its mail, which offers of STARTTLS it took, and what it made of certificates.
-- Counts sessions: encrypted, cleartext and stripped, of which encrypted is the share; offers taken and ignored; sessions
-- in which it refused a certificate, or accepted (went on over) a bad one.
-- Of: clients with TLS, with mail or a log-in in the clear, or with an offer of STARTTLS.
-- Not seen: several machines behind one address, and one machine behind several.
SELECT client_ip,
       sum(verdict IN ('encrypted', 'cleartext', 'stripped')) AS sessions,
       sum(verdict = 'encrypted') AS encrypted,
       sum(verdict = 'cleartext') AS cleartext,
       sum(verdict = 'stripped') AS stripped,
       sum(starttls_offered IS 1 AND starttls_requested IS 1) AS offers_taken,
       sum(starttls_offered IS 1 AND starttls_requested IS 0) AS offers_ignored,
       sum(client_verifies IS 1) AS refused,
       sum(client_verifies IS 0) AS accepted,
       1.0 * sum(verdict = 'encrypted') / nullif(sum(verdict IN ('encrypted', 'cleartext', 'stripped')), 0) AS share
  FROM sessions
 WHERE (protocol IN ('smtp', 'imap', 'pop3') OR hop IS NOT NULL)
   AND (starttls_offered IS 1 OR tls_established IS 1 OR client_verifies IS NOT NULL
        OR verdict IN ('encrypted', 'cleartext', 'stripped'))
 GROUP BY client_ip
 ORDER BY sessions DESC, client_ip
