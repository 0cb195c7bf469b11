//! Every ending is kept apart, against peers on the loopback interface that play a script.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "this is test code")]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use common::{attempt, hello, live, peer, probe_of, try_hello};
use socket2::{Domain, SockRef, Socket, Type};
use tlswhy_gather::Live;
use tlswhy_model::{Attempt, Awaited, Bytes, Depth, Ending, Opening};
use tlswhy_wire::{AlertDescription, AlertLevel, CipherSuite, Fragment, HelloFormat, ProtocolVersion, Sslv2CipherKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

const FATAL_HANDSHAKE_FAILURE: &[u8] = &[21, 3, 3, 0, 2, 2, 40];

/// What the peer does once it has read the hello.
#[derive(Clone, Copy)]
enum Then {
    Close,
    Reset,
    Silence,
}

/// Tries a hello on a peer that reads it, says something and then ends so.
async fn after_hello(says: &[u8], then: Then) -> Attempt {
    let address = speaker(says, then).await;
    let quick = Live { tls_timeout: Duration::from_millis(300), ..live() };
    attempt(&quick, probe_of(address, Opening::Hello { hello: hello() }, Depth::Finish)).await
}

async fn speaker(says: &[u8], then: Then) -> SocketAddr {
    let says = says.to_vec();
    peer(move |mut stream| {
        let says = says.clone();
        async move {
            read_some(&mut stream).await;
            stream.write_all(&says).await.unwrap();
            match then {
                Then::Close => {}
                Then::Reset => SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap(),
                Then::Silence => sleep(Duration::from_secs(20)).await,
            }
        }
    })
    .await
}

async fn read_some(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 16384];
    let length = stream.read(&mut bytes).await.unwrap_or(0);
    bytes.truncate(length);
    bytes
}

/// A ServerHello of TLS 1.2 that chooses this suite.
fn server_hello(suite: CipherSuite) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.push(0);
    body.extend(suite.0.to_be_bytes());
    body.push(0);
    let mut record = vec![22, 3, 3, 0, (body.len() + 4) as u8, 2, 0, 0, body.len() as u8];
    record.extend(body);
    record
}

fn alert(description: AlertDescription, awaited: Awaited) -> Ending {
    Ending::Alert { level: AlertLevel::FATAL, description, awaited, encrypted: false }
}

#[tokio::test]
async fn an_alert_a_close_a_reset_and_silence_are_four_things() {
    let awaited = Awaited::ServerHello;
    let failure = alert(AlertDescription::HANDSHAKE_FAILURE, awaited);
    for then in [Then::Close, Then::Reset, Then::Silence] {
        // What came before a reset is read.
        let attempt = after_hello(FATAL_HANDSHAKE_FAILURE, then).await;
        assert_eq!((attempt.ending, &attempt.received[..]), (failure.clone(), FATAL_HANDSHAKE_FAILURE));
    }
    assert_eq!(after_hello(b"", Then::Close).await.ending, Ending::Closed { awaited });
    assert_eq!(after_hello(b"", Then::Reset).await.ending, Ending::Reset { awaited });
    let Ending::TimedOut { awaited: Awaited::ServerHello, waited_ms: 290..600 } = after_hello(b"", Then::Silence).await.ending
    else {
        panic!("silence is not told")
    };
}

#[tokio::test]
async fn what_was_awaited_is_said() {
    let awaited = Awaited::ServerFlight;
    let says = server_hello(CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256);
    assert_eq!(after_hello(&says, Then::Close).await.ending, Ending::Closed { awaited });
    assert_eq!(after_hello(&says, Then::Reset).await.ending, Ending::Reset { awaited });
    assert!(matches!(after_hello(&says, Then::Silence).await.ending, Ending::TimedOut { awaited: Awaited::ServerFlight, .. }));
    let half = &says[..20];
    let reset = after_hello(half, Then::Reset).await;
    assert_eq!((reset.ending, &reset.received[..]), (Ending::Reset { awaited: Awaited::ServerHello }, half));
    let late = [&says, FATAL_HANDSHAKE_FAILURE].concat();
    assert_eq!(after_hello(&late, Then::Close).await.ending, alert(AlertDescription::HANDSHAKE_FAILURE, awaited));
}

#[tokio::test]
async fn a_warning_does_not_end_it() {
    let says = [&[21, 3, 3, 0, 2, 1, 112][..], FATAL_HANDSHAKE_FAILURE].concat();
    let ending = after_hello(&says, Then::Close).await.ending;
    assert_eq!(ending, alert(AlertDescription::HANDSHAKE_FAILURE, Awaited::ServerHello));
    let says = &says[..7];
    assert_eq!(after_hello(says, Then::Close).await.ending, Ending::Closed { awaited: Awaited::ServerHello });
}

#[tokio::test]
async fn refused_unreachable_and_unanswered_connections_are_three_things() {
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, common::free_port()));
    assert_eq!(try_hello(nobody, hello(), Depth::Flight).await.ending, Ending::Refused);
    let broadcast = SocketAddr::from((Ipv4Addr::BROADCAST, 443));
    let ending = try_hello(broadcast, hello(), Depth::Flight).await.ending;
    assert!(matches!(&ending, Ending::Unreachable { detail } if !detail.is_empty()), "{ending:?}");

    // A full queue of connections that nobody accepts: the next one gets no answer.
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let _waiting = [std::net::TcpStream::connect(address).unwrap()];
    let attempt = try_hello(address, hello(), Depth::Flight).await;
    assert!(matches!(attempt.ending, Ending::ConnectTimedOut { waited_ms: 390..900 }), "{:?}", attempt.ending);
    assert!(attempt.timing.connected_ms.is_none() && attempt.sent.is_empty() && attempt.timing.ended_ms >= 390.0);
}

#[tokio::test]
async fn other_protocols_are_recognised() {
    let not_tls = |ending: Ending| match ending {
        Ending::NotTls { protocol, upgrade, detail } => (protocol.unwrap_or_default(), upgrade.unwrap_or_default(), detail),
        other => panic!("{other:?}"),
    };
    let http = b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n";
    for then in [Then::Close, Then::Reset, Then::Silence] {
        let (protocol, upgrade, detail) = not_tls(after_hello(http, then).await.ending);
        assert_eq!((&*protocol, &*upgrade, &*detail), ("http", "", "HTTP/1.1 400 Bad Request"));
    }
    let (protocol, upgrade, _) = not_tls(after_hello(b"220 mx.test ESMTP Postfix\r\n", Then::Silence).await.ending);
    assert_eq!((&*protocol, &*upgrade), ("smtp", "smtp"));
    let (protocol, _, detail) = not_tls(after_hello(b"\x01\x1b[31m\xff\x00\nmore", Then::Close).await.ending);
    assert_eq!((&*protocol, &*detail), ("", "\\u{1}\\u{1b}[31m\u{fffd}\\u{0}"));

    let echo = peer(|mut stream| async move {
        let bytes = read_some(&mut stream).await;
        stream.write_all(&bytes).await.unwrap();
        sleep(Duration::from_secs(5)).await;
    });
    let (protocol, ..) = not_tls(try_hello(echo.await, hello(), Depth::Flight).await.ending);
    assert_eq!(protocol, "echo");

    // One that speaks before it is spoken to, in pieces.
    let banner = peer(|mut stream| async move {
        for piece in ["SSH-2.0-Ope", "nSSH_9.2\r\n"] {
            stream.write_all(piece.as_bytes()).await.unwrap();
            sleep(Duration::from_millis(10)).await;
        }
        sleep(Duration::from_secs(5)).await;
    });
    let (protocol, _, detail) = not_tls(try_hello(banner.await, hello(), Depth::Flight).await.ending);
    assert_eq!((&*protocol, &*detail), ("ssh", "SSH-2.0-OpenSSH_9.2"));
}

#[tokio::test]
async fn a_plain_question_gets_what_the_other_side_says() {
    let plain = |request: &[u8]| Opening::Plain { request: Bytes(request.to_vec()) };
    let quick = Live { tls_timeout: Duration::from_millis(300), ..live() };
    let address = speaker(b"HTTP/1.0 200 OK\r\n\r\nhi", Then::Close).await;
    let answered = attempt(&quick, probe_of(address, plain(b"GET / HTTP/1.0\r\n\r\n"), Depth::Flight)).await;
    assert!(matches!(&answered.ending, Ending::NotTls { protocol: Some(name), .. } if name == "http"));
    assert_eq!(
        (&answered.sent[..], &answered.received[..]),
        (&b"GET / HTTP/1.0\r\n\r\n"[..], &b"HTTP/1.0 200 OK\r\n\r\nhi"[..])
    );

    let address = speaker(FATAL_HANDSHAKE_FAILURE, Then::Close).await;
    let answered = attempt(&quick, probe_of(address, plain(b"GET / HTTP/1.0\r\n\r\n"), Depth::Flight)).await;
    assert_eq!(answered.ending, alert(AlertDescription::HANDSHAKE_FAILURE, Awaited::ServerHello));

    // Listening for a greeting that does not come.
    let address = speaker(b"", Then::Silence).await;
    let answered = attempt(&quick, probe_of(address, plain(b""), Depth::Flight)).await;
    assert!(matches!(answered.ending, Ending::TimedOut { awaited: Awaited::ServerHello, .. }));
    assert!(answered.sent.is_empty() && answered.timing.hello_sent_ms.is_none());
}

#[tokio::test]
async fn a_replay_is_read_as_far_as_it_is_not_encrypted() {
    let records = Bytes(vec![22, 3, 1, 0, 4, 1, 0, 0, 0]);
    let says = [&server_hello(CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256)[..], &[22, 3, 3, 0, 4, 14, 0, 0, 0]].concat();
    let address = speaker(&says, Then::Silence).await;
    let replayed = attempt(&live(), probe_of(address, Opening::Replay { records: records.clone() }, Depth::Request)).await;
    assert_eq!((replayed.ending, replayed.sent), (Ending::Answered, records));
}

#[tokio::test]
async fn sslv2_is_answered_without_records() {
    let mut sslv2 = hello().with_suites(Vec::new());
    sslv2.format = HelloFormat::Sslv2;
    sslv2.legacy_version = ProtocolVersion::SSLV2;
    sslv2.sslv2_cipher_kinds = vec![Sslv2CipherKind::SSL_CK_RC4_128_WITH_MD5];
    sslv2.extensions = None;
    let mut answer = vec![0x80, 0, 4, 0, 1, 0, 2, 0, 1, 0, 3, 0, 4, 0x30, 1, 0, 0x80, 9, 9, 9, 9];
    answer[1] = (answer.len() - 2) as u8;
    let address = speaker(&answer, Then::Silence).await;
    assert_eq!(try_hello(address, sslv2.clone(), Depth::Flight).await.ending, Ending::Answered);
    let finish = try_hello(address, sslv2.clone(), Depth::Finish).await;
    assert!(matches!(finish.ending, Ending::NotCarriedFurther { .. }));
    // ERROR: no cipher.
    let address = speaker(&[0x80, 3, 0, 0, 1], Then::Close).await;
    let error = try_hello(address, sslv2, Depth::Flight).await;
    assert_eq!(error.ending, Ending::Closed { awaited: Awaited::ServerHello });
    assert_eq!(&error.received[..], [0x80, 3, 0, 0, 1]);
}

#[tokio::test]
async fn what_cannot_be_read_is_malformed_and_bounded() {
    let says = [&server_hello(CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256)[..], b"garbage"].concat();
    let at = says.len() as u64 - 7;
    let ending = after_hello(&says, Then::Close).await.ending;
    assert_eq!(ending, Ending::Malformed { what: "record header".to_owned(), at });
    let cut = [22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3];
    let ending = after_hello(&cut, Then::Close).await.ending;
    assert!(matches!(ending, Ending::Malformed { ref what, .. } if what.starts_with("ServerHello")), "{ending:?}");

    let flood = peer(|mut stream| async move {
        let warnings = [21, 3, 3, 0, 2, 1, 112].repeat(1000);
        while stream.write_all(&warnings).await.is_ok() {}
    });
    let attempt = try_hello(flood.await, hello(), Depth::Flight).await;
    assert!(matches!(attempt.ending, Ending::Malformed { .. }), "{:?}", attempt.ending);
    assert!(attempt.received.len() < 300_000);
}

#[tokio::test]
async fn an_answer_in_drips_is_bounded_in_time() {
    let drips = peer(|mut stream| async move {
        let says = server_hello(CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256);
        for byte in says {
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(60)).await;
        }
    });
    let quick = Live { tls_timeout: Duration::from_millis(150), ..live() };
    let attempt = attempt(&quick, probe_of(drips.await, Opening::Hello { hello: hello() }, Depth::Flight)).await;
    assert!(matches!(attempt.ending, Ending::TimedOut { .. }), "{:?}", attempt.ending);
    assert!((550.0..1500.0).contains(&attempt.timing.ended_ms), "{}", attempt.timing.ended_ms);
}

#[tokio::test]
async fn segments_arrive_apart_and_records_together() {
    let counting = || {
        peer(|mut stream| async move {
            let mut reads = vec![];
            while let Ok(bytes) = tokio::time::timeout(Duration::from_millis(100), read_some(&mut stream)).await {
                if bytes.is_empty() {
                    return;
                }
                reads.push(bytes.len() as u8);
            }
            // How many bytes came with each read, as an answer that is not TLS.
            stream.write_all(&[&b"reads"[..], &reads].concat()).await.unwrap();
        })
    };
    let cut = |fragment| hello().with_fragment(fragment);
    let segments = try_hello(counting().await, cut(Fragment::Segments(vec![1, 50, 100])), Depth::Flight).await;
    assert_eq!(&segments.received[..8], b"reads\x01\x32\x64");
    let records = try_hello(counting().await, cut(Fragment::Records(vec![1, 50, 100])), Depth::Flight).await;
    assert_eq!(records.received.len(), 6);
    assert_eq!(&records.sent[..6], [22, 3, 1, 0, 1, 1]);
}
