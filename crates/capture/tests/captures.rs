//! Captures of real handshakes, made by `captures/make.sh`, mean what `captures/expected.txt` says. `BLESS=1` writes it anew.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test stops at what it did not expect")]

mod common;

use std::fmt::Write as _;
use std::fs;

use tlswhy_capture::Handshake;

fn line(handshake: &Handshake) -> String {
    let hello = handshake.hello.as_ref().map(|hello| hello.to_spec(handshake.record_version));
    let name = hello.as_ref().and_then(|hello| hello.server_name()).unwrap_or("-");
    let answer = handshake.answer.server_hello();
    let agreed = answer.map_or("-".to_owned(), |hello| format!("{} {}", *hello.selected_version, *hello.cipher_suite));
    // Silences last as long as they last.
    let outcome: String = format!("{:?}", handshake.outcome).split("waited_ms: ").next().unwrap().to_owned();
    let talk: Vec<String> = handshake
        .dialogue
        .iter()
        .map(|turn| format!("{:?}: {:?}", turn.from, String::from_utf8_lossy(&turn.bytes.0)))
        .collect();
    let mut line = format!("  {name} | {agreed} | {outcome}");
    for (label, what) in [
        ("upgrade", format!("{:?}", handshake.upgrade)),
        ("tunnel", format!("{:?}", handshake.tunnel)),
        ("forged", format!("{:?}", handshake.forged)),
        ("notes", format!("{:?}", handshake.notes)),
        ("talk", talk.join(" ")),
    ] {
        if !["None", "[]", ""].contains(&what.as_str()) {
            write!(line, "\n    {label} {what}").unwrap();
        }
    }
    line
}

#[test]
fn captures_of_real_handshakes_mean_what_was_written_down() {
    let mut text = String::new();
    for path in common::captures(&common::shipped()) {
        writeln!(text, "{}", path.file_name().unwrap().to_string_lossy()).unwrap();
        for handshake in common::handshakes(&path) {
            writeln!(text, "{}", line(&handshake)).unwrap();
        }
    }
    let file = common::shipped().join("expected.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&file).unwrap(), "BLESS=1 writes {} anew", file.display());
}

/// Prefixes of every capture are read without a panic, and nothing is said to be established that was not before its end.
#[test]
fn prefixes_of_a_capture_are_read() {
    for path in common::captures(&common::shipped()) {
        let bytes = fs::read(&path).unwrap();
        for end in (0..bytes.len()).step_by(3) {
            let mut count = 0;
            let read = tlswhy_capture::read(&bytes[..end], tlswhy_capture::Limits::default(), &mut |_| count += 1);
            assert!(read.is_ok() || end < 24, "{} {end}", path.display());
            assert!(count <= 2);
        }
    }
}

#[test]
fn too_many_connections_are_given_up_and_counted() {
    let bytes = fs::read(common::shipped().join("tls13-resumed.pcap")).unwrap();
    let limits = tlswhy_capture::Limits { connections: 1, bytes: 1 << 20 };
    let mut found = Vec::new();
    tlswhy_capture::read(bytes.as_slice(), limits, &mut |handshake| found.push(handshake)).unwrap();
    assert_eq!(found.len(), 2, "one after the other there is room for both");
    let limits = tlswhy_capture::Limits { connections: 8, bytes: 100 };
    let reading = tlswhy_capture::read(bytes.as_slice(), limits, &mut |_| {}).unwrap();
    assert!(reading.counts.forgotten > 0);
}
