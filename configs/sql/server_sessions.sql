-- A row for each mail session, with what it showed of its server: whether TLS was offered, and `shown`, what its
-- certificate was worth (valid_and_matching, valid_name_unknown, valid_but_mismatched, invalid, none: TLS without a
-- certificate, not_judged: without a trust store; null: TLS hid it, or there was none). The other views of servers
-- count these rows.
-- Of: sessions that are mail, or whose port is mail's.
-- Not seen: certificates of TLS 1.3 and of resumed sessions, unless the server always shows the same one elsewhere.
WITH mail AS (
    SELECT rowid AS session,
           server_ip,
           server_port,
           coalesce(sni, server_name) AS name,
           hop,
           tls_established,
           CASE WHEN tls_mode IS NOT 'implicit' THEN starttls_offered
                WHEN tls_established THEN 1 END AS offered,
           tls_required_by_server AS refuses_clear,
           server_certificate_source AS source,
           certificate_status AS status,
           certificate_name_match AS matches,
           ifnull(EXISTS (SELECT 1 FROM json_each(tls_cipher_weaknesses) WHERE value = 'anonymous'), 0) AS anonymous
      FROM sessions
     WHERE protocol IN ('smtp', 'imap', 'pop3') OR hop IS NOT NULL
)
SELECT session,
       server_ip,
       server_port,
       name,
       hop,
       tls_established,
       offered,
       refuses_clear,
       source IS NOT NULL OR anonymous OR tls_established IS 1 AS tls,
       source IS 'memory' AS recalled,
       status,
       CASE WHEN anonymous THEN 'none'
            WHEN source IS NULL THEN NULL
            WHEN status IS NULL THEN 'not_judged'
            WHEN EXISTS (SELECT 1 FROM json_each(status) WHERE value <> 'name_mismatch') THEN 'invalid'
            WHEN status <> '[]' THEN 'valid_but_mismatched'
            WHEN matches IS 1 THEN 'valid_and_matching'
            ELSE 'valid_name_unknown' END AS shown
  FROM mail
