-- Who sends mail to whom with TLS: the networks of clients (/24, /48) by the name of the server (as asked for or as it
-- calls itself, else its address). `mailtap report` knows operators, by the public suffix list.
-- Counts sessions of SMTP, or whose hop is submission or relay. Of: those that were encrypted, cleartext or stripped.
-- Not seen: sessions of which too little was captured (`not_seen`), which are in no share.
SELECT client_network,
       coalesce(sni, server_name, server_ip) AS server,
       CASE WHEN sum(verdict <> 'partial') = 0 THEN NULL
            WHEN sum(verdict IN ('cleartext', 'stripped')) = 0 THEN 'always'
            WHEN sum(verdict = 'encrypted') = 0 THEN 'never'
            ELSE 'sometimes' END AS tls,
       sum(verdict = 'encrypted') AS encrypted,
       sum(verdict IN ('cleartext', 'stripped')) AS clear,
       sum(verdict = 'partial') AS not_seen,
       1.0 * sum(verdict = 'encrypted') / nullif(sum(verdict <> 'partial'), 0) AS share
  FROM sessions JOIN session_networks ON session_networks.session = sessions.rowid
 WHERE (protocol = 'smtp' OR hop IN ('relay', 'submission'))
   AND verdict IN ('encrypted', 'cleartext', 'stripped', 'partial')
 GROUP BY 1, 2
 ORDER BY encrypted + clear + not_seen DESC, 1, 2
