//! A connection that is told piece by piece is judged as the same one in a capture.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::fs::File;

use tlswhy_capture::{Handshake, Limits, Side, Watch, read};

/// Hands every handshake of a capture over again, cut as it came, and compares.
#[test]
fn what_was_watched_is_judged_as_what_was_captured() {
    for name in ["tls13", "tls13-untrusted", "tls12", "tls12-untrusted", "no-shared-cipher", "tls13-resumed"] {
        let path = format!("{}/tests/captures/{name}.pcap", env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        read(File::open(path).unwrap(), Limits::default(), &mut |handshake| found.push(handshake)).unwrap();
        for captured in found {
            let at = captured.times.started;
            let mut watch = Watch::new(captured.client, captured.server, at);
            // Without the times of packets the first flights alone can be told in their order.
            let (flight, rest) = captured.sent.split_at(captured.sent.len().min(record(&captured.sent)));
            watch.sent(Side::Client, at + 1, flight);
            watch.sent(Side::Server, at + 2, &captured.received);
            watch.sent(Side::Client, at + 3, rest);
            let watched = watch.handshake(at + 4).unwrap();
            assert_eq!(watched.hello, captured.hello, "{name}");
            assert_eq!(watched.answer.server_hello(), captured.answer.server_hello(), "{name}");
            assert_eq!(watched.alerts, captured.alerts, "{name}");
        }
    }
}

#[test]
fn a_client_that_leaves_without_a_word_is_told_though_tickets_come_behind_it() {
    let path = format!("{}/tests/captures/tls13.pcap", env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    read(File::open(path).unwrap(), Limits::default(), &mut |handshake| found.push(handshake)).unwrap();
    let captured = found.remove(0);
    // A server that hears the goodbye may be seen to close first.
    for first in [Side::Client, Side::Server] {
        leaves_without_a_word(&captured, first);
    }
}

fn leaves_without_a_word(captured: &Handshake, first: Side) {
    let at = captured.times.started;
    let mut watch = Watch::new(captured.client, captured.server, at);
    let (flight, rest) = captured.sent.split_at(record(&captured.sent));
    watch.sent(Side::Client, at + 1, flight);
    watch.sent(Side::Server, at + 2, first_flight(&captured.received));
    // ChangeCipherSpec and Finished, then a close_notify and the close; then the server's tickets.
    let finished = rest.len().min(6 + record(rest.get(6..).unwrap_or_default()));
    watch.sent(Side::Client, at + 3, &rest[..finished]);
    watch.sent(Side::Client, at + 4, &[&[23, 3, 3, 0, 19][..], &[0; 19]].concat());
    watch.sent(Side::Server, at + 5, &[&[23, 3, 3, 0, 250][..], &[0; 250]].concat());
    watch.closed(first, at + 6);
    let watched = watch.handshake(at + 7).unwrap();
    assert!(!watched.outcome.failed(), "{:?}", watched.outcome);
    assert!(watched.client_went_silently(), "{:?}", watched.notes);
}

/// Length of the first record.
fn record(bytes: &[u8]) -> usize {
    match bytes {
        [_, _, _, high, low, ..] => 5 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    }
}

/// What the server sent at once: up to five records, as OpenSSL's first flight of TLS 1.3 has with its ChangeCipherSpec.
fn first_flight(bytes: &[u8]) -> &[u8] {
    let mut end = 0;
    for _ in 0..6 {
        end += record(&bytes[end..]);
    }
    &bytes[..end]
}

#[test]
fn a_server_that_greeted_before_the_hello_is_known_by_its_greeting() {
    let ends = ["192.0.2.1:50000".parse().unwrap(), "192.0.2.2:2525".parse().unwrap()];
    let path = format!("{}/tests/captures/tls13.pcap", env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    read(File::open(path).unwrap(), Limits::default(), &mut |handshake| found.push(handshake)).unwrap();
    let hello = &found[0].sent[..record(&found[0].sent)];
    let mut watch = Watch::new(ends[0], ends[1], 1);
    watch.sent(Side::Server, 2, b"220 mail.example.test ESMTP ready\r\n");
    watch.sent(Side::Client, 3, hello);
    watch.sent(Side::Server, 4, b"500 5.5.1 Invalid command\r\n");
    watch.closed(Side::Server, 5);
    let outcome = watch.handshake(6).unwrap().outcome;
    assert!(matches!(outcome, tlswhy_capture::Outcome::NotTls { upgrade: Some("smtp"), .. }), "{outcome:?}");
}
