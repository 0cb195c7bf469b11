//! Every upgrade and tunnel against real software: the dialogue reaches Ready, and what answers a ClientHello then is TLS.
//! Programs that are absent are skipped, with a line that says so.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at what it did not expect, and says what it skips"
)]

mod servers;

use servers::{Server, Skip};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use tlswhy_wire::dialogue::{Dialogue, Step};
use tlswhy_wire::other::recognise;
use tlswhy_wire::tunnel::{http_connect, socks5};
use tlswhy_wire::upgrade::upgrade;
use tlswhy_wire::{
    CipherSuite, ExtensionSpec, Fragment, HelloFormat, HelloSpec, KeyMaterial, NamedGroup, ProtocolVersion, SignatureScheme,
};

/// What a server does when a ClientHello comes first, in plaintext's place.
#[derive(Clone, Copy)]
enum Bare {
    /// It says something that is recognised as this protocol, with this upgrade to try.
    Says(&'static str, &'static str),
    /// It closes without a word.
    Closes,
}

#[test]
fn postfix() {
    check("Postfix", servers::postfix(), &[("smtp", Bare::Says("smtp", "smtp"))]);
}

#[test]
fn dovecot() {
    let expected = [
        ("imap", Bare::Says("imap", "imap")),
        ("pop3", Bare::Says("pop3", "pop3")),
        ("lmtp", Bare::Says("220", "smtp")),
        ("sieve", Bare::Says("sieve", "sieve")),
    ];
    check("Dovecot", servers::dovecot(), &expected);
}

#[test]
fn vsftpd() {
    check("vsftpd", servers::vsftpd(), &[("ftp", Bare::Says("ftp", "ftp"))]);
}

#[test]
fn postgres() {
    check("PostgreSQL", servers::postgres(), &[("postgres", Bare::Closes)]);
}

#[test]
fn mariadb() {
    check("MariaDB", servers::mariadb(), &[("mysql", Bare::Says("mysql", "mysql"))]);
}

#[test]
fn slapd() {
    check("OpenLDAP", servers::slapd(), &[("ldap", Bare::Closes)]);
}

#[test]
fn prosody() {
    let expected = [("xmpp", Bare::Says("xmpp", "xmpp")), ("xmpp-server", Bare::Says("xmpp", "xmpp-server"))];
    check("Prosody", servers::prosody(), &expected);
}

#[test]
fn nnrpd() {
    check("INN", servers::nnrpd(), &[("nntp", Bare::Says("nntp", "nntp"))]);
}

#[test]
fn inspircd() {
    check("InspIRCd", servers::inspircd(), &[("irc", Bare::Says("irc", "irc"))]);
}

#[test]
fn squid() {
    let server = match servers::squid() {
        Ok(server) => server,
        Err(reason) => return println!("skipped: Squid: {reason}"),
    };
    let [open, closed] = server.ports[..] else { panic!() };
    reaches(open, |host, port| http_connect(host, port, None));
    reaches(closed, |host, port| http_connect(host, port, Some(("a", "b"))));
    let refused = |proxy, port, auth| talk(&mut connect(proxy), http_connect("127.0.0.1", port, auth)).unwrap_err();
    let forbidden = refused(open, 22, None);
    assert!(forbidden.contains("refuses to connect to 127.0.0.1:22: \"HTTP/1.1 403 "), "{forbidden}");
    let login = refused(closed, 8443, None);
    assert!(login.contains("asks for a login") && login.ends_with("(it takes Basic)"), "{login}");
    let wrong = refused(closed, 8443, Some(("a", "c")));
    assert!(wrong.contains("does not take the user name and password"), "{wrong}");
    let dead = refused(open, unused_port(), None);
    assert!(dead.contains("HTTP/1.1 503 "), "{dead}");
}

#[test]
fn dante() {
    let server = match servers::dante() {
        Ok(server) => server,
        Err(reason) => return println!("skipped: Dante: {reason}"),
    };
    let proxy = server.ports[0];
    reaches(proxy, |host, port| socks5(host, port, None));
    let refused = |host, port, auth| talk(&mut connect(proxy), socks5(host, port, auth)).unwrap_err();
    let forbidden = refused("127.0.0.1", 22, None);
    assert!(forbidden.contains("its rules do not allow the connection"), "{forbidden}");
    let dead = refused("127.0.0.1", unused_port(), Some(("a", "b")));
    assert!(dead.contains("connection refused (reply 5)"), "{dead}");
}

/// Through the tunnel, by name and by address, to a server that speaks first.
fn reaches(proxy: u16, tunnel: impl Fn(&str, u16) -> Box<dyn Dialogue>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["localhost", "127.0.0.1"] {
        let mut stream = connect(proxy);
        talk(&mut stream, tunnel(host, port)).unwrap_or_else(|reason| panic!("{host}: {reason}"));
        listener.accept().unwrap().0.write_all(b"through").unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert_eq!(said, "through");
    }
}

fn unused_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn check(software: &str, server: Result<Server, Skip>, upgrades: &[(&str, Bare)]) {
    let server = match server {
        Ok(server) => server,
        Err(reason) => return println!("skipped: {software}: {reason}"),
    };
    for (&(name, bare), &port) in upgrades.iter().zip(&server.ports) {
        let mut stream = connect(port);
        let dialogue = (upgrade(name).unwrap().start)("localhost");
        talk(&mut stream, dialogue).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        stream.write_all(&client_hello()).unwrap();
        let mut first = [0];
        stream.read_exact(&mut first).unwrap();
        assert!(matches!(first, [0x15 | 0x16]), "{name}: {first:?} after the upgrade");
        println!("{software}: {name}: TLS answers with record type {:#04x}", first[0]);

        let (said, ending) = after_bare_hello(port);
        println!("{software}: {name}: a bare ClientHello gets {ending} after \"{}\"", said.escape_ascii());
        let recognised = recognise(&said);
        match bare {
            Bare::Says(protocol, upgrade) => {
                let recognised = recognised.unwrap_or_else(|| panic!("{name}: not recognised"));
                assert_eq!((recognised.name, recognised.upgrade), (protocol, Some(upgrade)), "{name}");
            }
            Bare::Closes => assert_eq!((said, recognised, ending), (vec![], None, "a close"), "{name}"),
        }
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn talk(stream: &mut TcpStream, mut dialogue: Box<dyn Dialogue>) -> Result<(), String> {
    let mut input = Vec::new();
    loop {
        match dialogue.receive(&input) {
            Step::Continue { send } => stream.write_all(&send).unwrap(),
            Step::Ready { send, consumed } => {
                assert_eq!(consumed, input.len(), "the server said more before TLS");
                stream.write_all(&send).unwrap();
                return Ok(());
            }
            Step::Refused { reason } => return Err(reason),
        }
        input.resize(4096, 0);
        match stream.read(&mut input) {
            Ok(0) => return Err("closed".to_owned()),
            Ok(length) => input.truncate(length),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// What a server says in the first two seconds, and how it ends.
fn after_bare_hello(port: u16) -> (Vec<u8>, &'static str) {
    let mut stream = connect(port);
    stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    stream.write_all(&client_hello()).unwrap();
    let mut said = Vec::new();
    let mut input = [0; 4096];
    loop {
        match stream.read(&mut input) {
            Ok(0) => return (said, "a close"),
            Ok(length) => said.extend(&input[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return (said, "a reset"),
            Err(_) => return (said, "silence"),
        }
    }
}

/// TLS 1.2 as an ordinary client of 2015 offers it.
fn client_hello() -> Vec<u8> {
    let spec = HelloSpec {
        format: HelloFormat::Tls,
        record_version: ProtocolVersion::TLSV1_0,
        legacy_version: ProtocolVersion::TLSV1_2,
        cipher_suites: vec![
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256,
        ],
        sslv2_cipher_kinds: vec![],
        compression: vec![0],
        session_id_length: 0,
        extensions: Some(vec![
            ExtensionSpec::ServerName("localhost".into()),
            ExtensionSpec::SupportedGroups(vec![NamedGroup::X25519, NamedGroup::SECP256R1]),
            ExtensionSpec::EcPointFormats(vec![0]),
            ExtensionSpec::SignatureAlgorithms(vec![SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme::RSA_PSS_RSAE_SHA256]),
            ExtensionSpec::RenegotiationInfo,
        ]),
        pad_to: None,
        fragment: Fragment::Whole,
    };
    let material = KeyMaterial { random: [7; 32], session_id: vec![], key_shares: vec![] };
    spec.encode(&material).unwrap().records
}
