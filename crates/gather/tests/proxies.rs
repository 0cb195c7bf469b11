//! Ways through proxies and upgrades, with partners that play a script.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "this is test code")]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use common::{attempt, hello, live, peer, probe_of};
use tlswhy_gather::Live;
use tlswhy_model::{Attempt, Awaited, Depth, Ending, Opening, Probe, Speaker};
use tlswhy_wire::{AlertDescription, AlertLevel};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

const ALERT: &[u8] = &[21, 3, 3, 0, 2, 2, 70];

fn too_old() -> Ending {
    Ending::Alert {
        level: AlertLevel::FATAL,
        description: AlertDescription::PROTOCOL_VERSION,
        awaited: Awaited::ServerHello,
        encrypted: false,
    }
}

/// A partner that hears and says these things in turn; what it hears must end (or, if empty, be anything).
async fn partner(script: &'static [(&'static [u8], &'static [u8])]) -> SocketAddr {
    peer(move |mut stream| async move {
        for (hears, says) in script {
            let mut heard = Vec::new();
            while heard.is_empty() || !heard.ends_with(hears) {
                if stream.read_buf(&mut heard).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            stream.write_all(says).await.unwrap();
        }
        drain(stream).await;
    })
    .await
}

async fn drain(mut stream: TcpStream) {
    sleep(Duration::from_millis(50)).await;
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(Duration::from_millis(50), stream.read_buf(&mut rest)).await;
}

fn far_away(address: Option<Ipv4Addr>) -> Probe {
    let mut probe = probe_of(SocketAddr::from((Ipv4Addr::LOCALHOST, 443)), Opening::Hello { hello: hello() }, Depth::Flight);
    probe.host = "target.test".to_owned();
    probe.address = address.map(Into::into);
    probe
}

async fn through(scheme: &str, login: &str, proxy: SocketAddr, probe: Probe) -> Attempt {
    let proxy = format!("{scheme}://{login}{proxy}").parse().unwrap();
    let live = Live { proxy: Some(proxy), tls_timeout: Duration::from_millis(500), ..live() };
    attempt(&live, probe).await
}

fn said(attempt: &Attempt) -> Vec<(Speaker, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    attempt.dialogue.iter().map(|exchange| (exchange.from, text(&exchange.bytes))).collect()
}

#[tokio::test]
async fn an_http_proxy_opens_a_tunnel_and_credentials_are_not_kept() {
    let proxy = partner(&[
        (b"\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n", b"HTTP/1.1 200 Connection established\r\n\r\n"),
        (b"", ALERT),
    ]);
    let attempt = through("http", "user:secret@", proxy.await, far_away(None)).await;
    assert_eq!(attempt.ending, too_old());
    assert_eq!((attempt.address.as_deref(), &attempt.received[..]), (None, ALERT));
    let said = said(&attempt);
    assert_eq!(said[0].0, Speaker::Client);
    assert!(
        said[0].1.starts_with("CONNECT target.test:443 HTTP/1.1\r\n")
            && said[0].1.contains("\r\nProxy-Authorization: Basic ***\r\n")
    );
    assert_eq!(said[1], (Speaker::Proxy, "HTTP/1.1 200 Connection established\r\n\r\n".to_owned()));
    assert!(!format!("{attempt:?}").contains("dXNlcjpzZWNyZXQ"));
}

#[tokio::test]
async fn socks_proxies_open_a_tunnel_to_a_name_or_an_address() {
    const CONNECTED: &[u8] = &[5, 0, 0, 1, 127, 0, 0, 1, 0, 80];
    let named = partner(
        const {
            &[
                (&[5, 2, 0, 2], &[5, 2]),
                (b"\x01\x04user\x06secret", &[1, 0]),
                (b"\x05\x01\x00\x03\x0btarget.test\x01\xbb", CONNECTED),
                (b"", ALERT),
            ]
        },
    );
    let attempt = through("socks5h", "user:secret@", named.await, far_away(None)).await;
    assert_eq!(attempt.ending, too_old());
    assert_eq!(attempt.dialogue[2].bytes.0, b"\x01\x03***\x03***");
    assert_eq!(attempt.dialogue.last().unwrap().bytes.0, CONNECTED);
    assert!(said(&attempt).iter().all(|(_, text)| !text.contains("secret")));

    // The tunnel's last word and the answer may come together.
    let numbered = partner(const { &[(&[5, 1, 0], &[5, 0]), (&[5, 1, 0, 1, 192, 0, 2, 9, 1, 187], CONNECTED), (b"", ALERT)] });
    let attempt = through("socks5", "", numbered.await, far_away(Some(Ipv4Addr::new(192, 0, 2, 9)))).await;
    assert_eq!((attempt.ending, attempt.address.as_deref()), (too_old(), Some("192.0.2.9:443")));
}

#[tokio::test]
async fn a_tunnel_that_is_not_opened_says_why() {
    let refused = |ending: Ending| match ending {
        Ending::TunnelRefused { reason } => reason,
        other => panic!("{other:?}"),
    };
    let login = partner(&[(b"\r\n\r\n", b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n")]);
    assert!(refused(through("http", "", login.await, far_away(None)).await.ending).contains("407"));
    // A proxy that quotes the request must not bring the credentials into the record.
    let quoting = partner(&[(b"\r\n\r\n", b"HTTP/1.1 400 Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n")]);
    let attempt = through("http", "user:secret@", quoting.await, far_away(None)).await;
    assert!(
        !format!("{attempt:?}").contains("dXNlcjpzZWNyZXQ") && !said(&attempt)[1].1.contains("dXNlcjpzZWNyZXQ"),
        "{attempt:?}"
    );

    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, common::free_port()));
    let reason = refused(through("http", "", nobody, far_away(None)).await.ending);
    assert!(reason.contains("refuses the connection") && reason.contains(&nobody.port().to_string()), "{reason}");

    let silent = peer(|stream| async move {
        sleep(Duration::from_secs(5)).await;
        drop(stream)
    })
    .await;
    let attempt = through("socks5h", "", silent, far_away(None)).await;
    assert!(
        matches!(attempt.ending, Ending::TimedOut { awaited: Awaited::TunnelAnswer, waited_ms: 490..900 }),
        "{:?}",
        attempt.ending
    );
    let closing = partner(&[(b"", b"")]).await;
    let attempt = through("socks5h", "", closing, far_away(None)).await;
    assert_eq!(attempt.ending, Ending::Closed { awaited: Awaited::TunnelAnswer });
}

#[tokio::test]
async fn an_upgrade_is_held_first_also_through_a_tunnel() {
    const SMTP: [(&[u8], &[u8]); 3] =
        [(b"", b"250-mx.test\r\n250 STARTTLS\r\n"), (b"STARTTLS\r\n", b"220 go\r\n"), (b"", ALERT)];
    let server = peer(|mut stream| async move {
        stream.write_all(b"220 mx.test ESMTP\r\n").await.unwrap();
        play(&mut stream, &SMTP).await;
        drain(stream).await;
    })
    .await;
    let upgraded = |address: SocketAddr| {
        let mut probe = probe_of(address, Opening::Hello { hello: hello() }, Depth::Flight);
        probe.upgrade = Some("smtp".to_owned());
        probe
    };
    let attempt = attempt(&live(), upgraded(server)).await;
    assert_eq!((&attempt.ending, &attempt.received[..]), (&too_old(), ALERT));
    let speakers: Vec<Speaker> = attempt.dialogue.iter().map(|exchange| exchange.from).collect();
    assert_eq!(speakers, [Speaker::Server, Speaker::Client, Speaker::Server, Speaker::Client, Speaker::Server]);
    assert_eq!(said(&attempt)[4].1, "220 go\r\n");

    // The proxy's answer and the greeting in one piece.
    let both = peer(|mut stream| async move {
        play(&mut stream, &[(b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n220 mx.test ESMTP\r\n")]).await;
        play(&mut stream, &SMTP).await;
        drain(stream).await;
    })
    .await;
    let attempt = through("http", "", both, upgraded(server)).await;
    assert_eq!((&attempt.ending, &attempt.received[..]), (&too_old(), ALERT));
    assert_eq!(said(&attempt)[2], (Speaker::Server, "220 mx.test ESMTP\r\n".to_owned()));
}

async fn play(stream: &mut TcpStream, script: &[(&[u8], &[u8])]) {
    for (hears, says) in script {
        let mut heard = Vec::new();
        while heard.is_empty() || !heard.ends_with(hears) {
            if stream.read_buf(&mut heard).await.unwrap_or(0) == 0 {
                return;
            }
        }
        stream.write_all(says).await.unwrap();
    }
}

#[tokio::test]
async fn an_upgrade_that_is_not_done_says_how_it_ended() {
    let try_upgrade = async |greeting: &'static [u8], answers: &'static [(&'static [u8], &'static [u8])]| {
        let server = peer(move |mut stream| async move {
            stream.write_all(greeting).await.unwrap();
            play(&mut stream, answers).await;
            drain(stream).await;
        });
        let mut probe = probe_of(server.await, Opening::Hello { hello: hello() }, Depth::Flight);
        probe.upgrade = Some("smtp".to_owned());
        attempt(&live(), probe).await.ending
    };
    let ending = try_upgrade(b"220 mx.test ESMTP\r\n", &[(b"", b"250 mx.test\r\n")]).await;
    assert!(matches!(ending, Ending::UpgradeRefused { .. }), "{ending:?}");
    let ending = try_upgrade(b"* OK IMAP4rev1 ready\r\n", &[]).await;
    assert!(matches!(&ending, Ending::NotTls { protocol: Some(name), .. } if name == "imap"), "{ending:?}");
    let ending = try_upgrade(b"220 mx.test ESMTP\r\n", &[(b"", b"")]).await;
    assert_eq!(ending, Ending::Closed { awaited: Awaited::UpgradeAnswer });

    let mut unknown = far_away(Some(Ipv4Addr::LOCALHOST));
    unknown.upgrade = Some("gopher".to_owned());
    assert!(matches!(attempt(&live(), unknown).await.ending, Ending::Impossible { .. }));
}
