use super::*;

/// Software, what it sent, and the name, upgrade and detail to be found.
type Recorded = (&'static str, &'static [u8], &'static str, Option<&'static str>, &'static str);

/// What real software sent to a bare ClientHello: Debian 12, recorded (certificates, dates and challenges shortened).
#[rustfmt::skip]
const RECORDED: &[Recorded] = &[
    ("Postfix 3.7.11", b"220 mail.example.test ESMTP Postfix\r\n500 5.5.2 Error: bad UTF-8 syntax\r\n",
        "smtp", Some("smtp"), "220 mail.example.test ESMTP Postfix"),
    ("Dovecot 2.3.19, imap", b"* OK [CAPABILITY IMAP4rev1 SASL-IR STARTTLS AUTH=PLAIN] Dovecot (Debian) ready.\r\n* BAD Error in IMAP command received by server.\r\n",
        "imap", Some("imap"), "* OK [CAPABILITY IMAP4rev1 SASL-IR STARTTLS AUTH=PLAIN] Dovecot (Debian) ready."),
    ("Dovecot 2.3.19, pop3", b"+OK Dovecot (Debian) ready.\r\n-ERR Unknown command.\r\n",
        "pop3", Some("pop3"), "+OK Dovecot (Debian) ready."),
    ("Dovecot 2.3.19, lmtp", b"220 vm Dovecot (Debian) ready.\r\n500 5.5.2 Invalid command syntax\r\n",
        "220", Some("smtp"), "220 vm Dovecot (Debian) ready."),
    ("Dovecot 2.3.19, sieve", b"\"IMPLEMENTATION\" \"Dovecot (Debian) Pigeonhole\"\r\n\"SIEVE\" \"fileinto\"\r\nOK \"Dovecot (Debian) ready.\"\r\nNO \"Error in MANAGESIEVE command received by server.\"\r\n",
        "sieve", Some("sieve"), "\"IMPLEMENTATION\" \"Dovecot (Debian) Pigeonhole\""),
    ("vsftpd 3.0.3", b"220 (vsFTPd 3.0.3)\r\n530 Please login with USER and PASS.\r\n",
        "ftp", Some("ftp"), "220 (vsFTPd 3.0.3)"),
    ("ProFTPD 1.3.8", b"220 ProFTPD Server (x) [127.0.0.1]\r\n", "ftp", Some("ftp"), "220 ProFTPD Server (x) [127.0.0.1]"),
    ("Pure-FTPd 1.0.50", b"220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r\n220-You are user number 1 of 50 allowed.\r\n220 You will be disconnected after 15 minutes of inactivity.\r\n",
        "ftp", Some("ftp"), "220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------"),
    ("MariaDB 10.11.19", b"d\x00\x00\x00\n5.5.5-10.11.19-MariaDB-0+deb12u1\x00\x04\x00\x00\x001DFnx2/3\x00\xfe\xff\x08\x02\x00\xff\x81\x15\x00\x00\x00\x00\x00\x00\x1d\x00\x00\x00Q!NEM4\\Sj<-i\x00mysql_native_password\x00!\x00\x00\x01\xff\x84\x04#08S01Got packets out of order",
        "mysql", Some("mysql"), "version 5.5.5-10.11.19-MariaDB-0+deb12u1"),
    ("Prosody 0.12, clients", b"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' xml:lang='en' id='' xmlns='jabber:client'><stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
        "xmpp", Some("xmpp"), "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' xml:lang='en' id='' xmlns='jabber:client'><stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'…"),
    ("Prosody 0.12, servers", b"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' to='' xmlns='jabber:server'></stream:stream>",
        "xmpp", Some("xmpp-server"), "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' to='' xmlns='jabber:server'></stream:stream>"),
    ("INN 2.7.1", b"200 news.example.test InterNetNews NNRP server INN 2.7.1 ready (posting ok)\r\n500 What?\r\n",
        "nntp", Some("nntp"), "200 news.example.test InterNetNews NNRP server INN 2.7.1 ready (posting ok)"),
    ("INN 2.7.1, not ready", b"400 NNTP server unavailable.  Try later!\r\n", "nntp", Some("nntp"), "400 NNTP server unavailable.  Try later!"),
    ("InspIRCd 3.15", b":irc.example.test NOTICE * :*** Looking up your hostname...\r\n",
        "irc", Some("irc"), ":irc.example.test NOTICE * :*** Looking up your hostname..."),
    ("OpenSSH 9.2", b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\nInvalid SSH identification string.\r\n",
        "ssh", None, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10"),
    ("Squid 5.7", b"HTTP/1.1 400 Bad Request\r\nServer: squid/5.7\r\nMime-Version: 1.0\r\nX-Squid-Error: ERR_PROTOCOL_UNKNOWN 0\r\nVia: 1.1 proxy.example.test (squid/5.7)\r\n\r\n",
        "http-proxy", None, "HTTP/1.1 400 Bad Request"),
    ("nginx 1.22.1", b"HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\n\r\n<html>\r\n<head><title>400 Bad Request</title></head>\r\n",
        "http", None, "HTTP/1.1 400 Bad Request"),
    ("nginx 1.22.1, http2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00\x00\x05\x00\xff\xff\xff\x00\x00\x04\x08\x00\x00\x00\x00\x00\x7f\xff\x00\x00\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01",
        "http2", None, "SETTINGS frame"),
    ("HAProxy 2.6", b"HTTP/1.1 400 Bad request\r\nContent-length: 90\r\n\r\n<html><body><h1>400 Bad request</h1>\n", "http", None, "HTTP/1.1 400 Bad request"),
    ("lighttpd 1.4.69", b"HTTP/1.0 400 Bad Request\r\nServer: lighttpd/1.4.69\r\n\r\n<?xml version=\"1.0\"?>", "http", None, "HTTP/1.0 400 Bad Request"),
    ("Python's http.server", b"<!DOCTYPE HTML>\n<html lang=\"en\">\n    <head>\n", "http", None, "<!DOCTYPE HTML>"),
    ("memcached 1.6.18", b"ERROR\r\nERROR\r\n", "memcached", None, "ERROR"),
];

/// From specifications and manuals.
#[rustfmt::skip]
const DOCUMENTED: &[(&str, &[u8], &str, Option<&str>)] = &[
    ("LMTP that says so", b"220 mx.example.test LMTP Cyrus\r\n", "lmtp", Some("lmtp")),
    ("SMTP on a host called ftp", b"220 ftp.example.test ESMTP\r\n", "smtp", Some("smtp")),
    ("SMTP without the word", b"220 mx.example.test Postfix\r\n", "smtp", Some("smtp")),
    ("SMTP that refuses us", b"554 no SMTP service here\r\n", "smtp", Some("smtp")),
    ("FTP that is full", b"421 too many FTP users\r\n", "ftp", Some("ftp")),
    ("a bare 220", b"220 ready\r\n", "220", Some("smtp")),
    ("a proxy that asks for a login", b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n", "http-proxy", None),
    ("an XHTML page", b"<?xml version=\"1.0\"?><!DOCTYPE html><html xmlns=\"http://www.w3.org/1999/xhtml\">", "http", None),
    ("HTTP/2 GOAWAY first", b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "http2", None),
    ("HTTP/2 SETTINGS, empty", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", "http2", None),
    ("IMAP, authenticated", b"* PREAUTH ready\r\n", "imap", Some("imap")),
    ("POP3 that is busy", b"-ERR [SYS/TEMP] later\r\n", "pop3", Some("pop3")),
    ("Redis", b"-ERR unknown command '\x16', with args beginning with: \r\n", "redis", None),
    ("Redis, protected", b"-DENIED Redis is running in protected mode", "redis", None),
    ("MySQL host blocked", b"\x14\x00\x00\x00\xff\x69\x04Host 'x' is blocked", "mysql", Some("mysql")),
    ("PostgreSQL", b"E\x00\x00\x00\x2bSFATAL\x00C53300\x00Msorry, too many clients\x00\x00", "postgresql", Some("postgres")),
    ("LDAP notice of disconnection", b"\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x02\x04\x00\x04\x00\x8a\x161.3.6.1.4.1.1466.20036", "ldap", Some("ldap")),
    ("AMQP", b"AMQP\x00\x00\x09\x01", "amqp", None),
    ("RDP", b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08\x00\x02\x00\x00\x00", "rdp", None),
    ("VNC", b"RFB 003.008\n", "vnc", None),
    ("IRC of old", b"NOTICE AUTH :*** Checking Ident\r\n", "irc", Some("irc")),
    ("IRC, not registered", b":irc.example.test 451 * :You have not registered\r\n", "irc", Some("irc")),
    ("Telnet", b"\xff\xfd\x18\xff\xfd\x20", "telnet", None),
    ("NATS", b"INFO {\"server_id\":\"x\"}\r\n", "nats", None),
    ("rsync", b"@RSYNCD: 31.0\n", "rsync", None),
    ("Subversion", b"( success ( 2 2 ( ) ( ) ) )", "svn", None),
    ("RTSP", b"RTSP/1.0 400 Bad Request\r\n", "rtsp", None),
    ("SIP", b"SIP/2.0 400 Bad Request\r\n", "sip", None),
    ("anything readable", "Grüße, 中".as_bytes(), "text", None),
];

/// Near misses: text that only looks like a protocol is text, bytes that only look like one are nothing.
const NEAR: &[(&[u8], Option<&str>)] = &[
    (b"HTTPS is required\r\n", Some("text")),
    (b"SSH is not here\r\n", Some("text")),
    (b"221 closing ESMTP\r\n", Some("text")),
    (b"2200 bytes of FTP\r\n", Some("text")),
    (b"*OK ready\r\n", Some("text")),
    (b"+OH no\r\n", Some("text")),
    (b"-ER unknown command\r\n", Some("text")),
    (b"IMPLEMENTATION of mail\r\n", Some("text")),
    (b"<streams of text>\r\n", Some("text")),
    (b"200 OK, go on\r\n", Some("text")),
    (b":no command\r\n", Some("text")),
    (b"NOTICE: maintenance\r\n", Some("text")),
    (b"RFBs 003.008\n", Some("text")),
    (b"AMQPS wanted\r\n", Some("text")),
    (b"ERRORS were made\r\n", Some("text")),
    (b"INFO: started\r\n", Some("text")),
    (b"<xml>", Some("text")),
    (b"RTSPS", Some("text")),
    (b"SIP/3", Some("text")),
    (b"@RSYNC", Some("text")),
    (b"(success)", Some("text")),
    (b"E\x00\x00\x00\x2bXFATAL\x00", None),
    (b"\x14\x00\x00\x00\xff\x69\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", None),
    (b"\x08\x00\x00\x00\x098.0.36\x00", None),
    (b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", None),
    (b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x12\x34\x00\x02\x00\x08\x00\x02\x00\x00\x00", None),
    (b"\x03\x00\x00\x06\x0e\xd0", None),
    (b"\x00\x00\x05\x04\x00\x00\x00\x00\x00", None),
    (b"\x00\x00\x06\x04\x00\x00\x00\x00\x01", None),
    (b"\xff\xf0\x18", None),
    (b"\xff\xfd\xfe", None),
    (b"", None),
    (b"ok", None),
    (b"\r\n\r\n\r\n", None),
    (b"text and \x00 more", None),
    (b"\xc3(\xa0\xa1 latin", None),
];

/// TLS, whatever its version and type; SSLv2; and what a TLS port says about plain HTTP.
const TLS: &[&[u8]] = &[
    b"\x15\x03\x01\x00\x02\x02\x28",
    b"\x15\x03\x00\x00\x02\x02\x28",
    b"\x15\x03\x03\x00\x02\x01\x00",
    b"\x16\x03\x03\x00\x4a\x02\x00\x00\x46\x03\x03",
    b"\x16\x03\x00\x00\x0a\x02\x00\x00\x06\x03\x00",
    b"\x16\x03\x03\x20\x20220 ESMTP",
    b"\x17\x03\x03\x00\x10",
    b"\x80\x15\x04\x00\x01\x00\x02\x00\x00\x00\x00\x00\x10",
    b"\x80\x03\x00\x00\x01",
    b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n<title>400 The plain HTTP request was sent to HTTPS port</title>",
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
];

#[test]
fn recorded_answers_are_recognised() {
    for (software, bytes, name, upgrade, detail) in RECORDED {
        let found = recognise(bytes).unwrap_or_else(|| panic!("{software}"));
        assert_eq!((found.name, found.upgrade, found.detail.as_str()), (*name, *upgrade, *detail), "{software}");
    }
}

#[test]
fn documented_answers_are_recognised() {
    for (what, bytes, name, upgrade) in DOCUMENTED {
        let found = recognise(bytes).unwrap_or_else(|| panic!("{what}"));
        assert_eq!((found.name, found.upgrade), (*name, *upgrade), "{what}");
        assert!(found.detail.chars().count() <= 201 && !found.title.is_empty());
    }
}

#[test]
fn near_misses_are_not() {
    for (bytes, name) in NEAR {
        assert_eq!(recognise(bytes).map(|found| found.name), *name, "{}", bytes.escape_ascii());
    }
}

#[test]
fn tls_is_never_something_else() {
    for bytes in TLS {
        assert_eq!(recognise(bytes), None, "{}", bytes.escape_ascii());
    }
}

#[test]
fn every_row_is_tested_and_names_a_known_upgrade() {
    let tested: Vec<_> = RECORDED.iter().map(|row| row.2).chain(DOCUMENTED.iter().map(|row| row.2)).collect();
    for protocol in PROTOCOLS {
        assert!(tested.contains(&protocol.name), "{}", protocol.name);
        assert!(
            protocol.upgrade.is_none_or(|name| { crate::upgrade::upgrade(name).is_some_and(|upgrade| upgrade.name == name) })
        );
    }
}

#[test]
fn a_cut_answer_never_panics_and_never_names_another_upgrade() {
    let wide = ["220", "text", "http"];
    for (bytes, name) in RECORDED.iter().map(|row| (row.1, row.2)).chain(DOCUMENTED.iter().map(|row| (row.1, row.2))) {
        // A first line that is cut may be another's: `220 ftp` of `220 ftp.example.test ESMTP`.
        let line = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(0);
        for end in 0..bytes.len() {
            let found = recognise(&bytes[..end]);
            if let Some(found) = found.filter(|_| end > line) {
                // XML says only later whose it is.
                let fits = found.name == name || wide.contains(&found.name) || (name == "http" && found.name == "xmpp");
                assert!(fits, "{} as {}", bytes[..end].escape_ascii(), found.name);
            }
        }
    }
}

#[test]
fn an_echo_goes_on_into_the_hello() {
    let hello = [&b"\x16\x03\x01\x00\x4a\x01\x00\x00\x46\x03\x03"[..], &[7; 68]].concat();
    assert_eq!(recognise_echo(&hello, &hello).map(|found| found.name), Some("echo"));
    assert!(recognise_echo(&hello, &hello[..20]).is_some());
    assert!(recognise_echo(&hello, &[&hello[..], b"more"].concat()).is_some());
    assert!(recognise_echo(&hello, &hello[..5]).is_none());
    assert!(recognise_echo(&hello, b"\x16\x03\x01\x00\x4a\x02\x00\x00\x46\x03\x03").is_none());
    let mut changed = hello.clone();
    changed[60] = 8;
    assert!(recognise_echo(&hello, &changed).is_none());
    assert!(recognise_echo(&hello, b"").is_none());
}
