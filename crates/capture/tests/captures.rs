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
    let limits = tlswhy_capture::Limits { connections: 1, bytes: 1 << 20, silence: None };
    let mut found = Vec::new();
    tlswhy_capture::read(bytes.as_slice(), limits, &mut |handshake| found.push(handshake)).unwrap();
    assert_eq!(found.len(), 2, "one after the other there is room for both");
    let limits = tlswhy_capture::Limits { connections: 8, bytes: 100, silence: None };
    let reading = tlswhy_capture::read(bytes.as_slice(), limits, &mut |_| {}).unwrap();
    assert!(reading.counts.forgotten > 0);
}

/// A capture without end tells of a connection that was reset before it ends.
#[test]
fn a_reset_connection_is_told_once_it_stays_quiet() {
    let mut bytes = fs::read(common::shipped().join("reset.pcap")).unwrap();
    let other = later(&fs::read(common::shipped().join("tls13.pcap")).unwrap(), 1_000_000);
    bytes.extend(&other[24..]);
    let mut order = Vec::new();
    let mut told = |handshake: Handshake| order.push(handshake.outcome.failed());
    tlswhy_capture::read(bytes.as_slice(), tlswhy_capture::Limits::default(), &mut told).unwrap();
    assert_eq!(order, [true, false]);
}

/// A server that never answers, before another connection a minute later, and a clock that goes on by frames without bytes.
#[test]
fn what_is_silent_is_told_while_the_capture_goes_on() {
    let whole = fs::read(common::shipped().join("tls13.pcap")).unwrap();
    // Up to the hello.
    let silent = &whole[..(0..4).fold(24, |at, _| at + 16 + field(&whole, at + 8) as usize)];
    let other = later(&fs::read(common::shipped().join("tls12.pcap")).unwrap(), 1_000_000);
    let limits = tlswhy_capture::Limits { silence: Some(15_000_000_000), ..tlswhy_capture::Limits::default() };
    let outcomes = |capture: &[u8]| {
        let mut order = Vec::new();
        let reading =
            tlswhy_capture::read(capture, limits, &mut |handshake: Handshake| order.push(handshake.outcome.failed())).unwrap();
        (order, reading.counts.frames)
    };
    assert_eq!(outcomes(&[silent, &other[24..]].concat()).0, [true, false]);
    // A header of a record, and nothing behind it.
    let time = other[24..28].to_vec();
    let tick = [time.as_slice(), &[0; 12]].concat();
    assert_eq!(outcomes(&[silent, &tick, &tick].concat()), (vec![true], 4));
}

/// A capture in the format of pcap with its times put off, in seconds.
fn later(capture: &[u8], seconds: u32) -> Vec<u8> {
    let mut capture = capture.to_vec();
    let mut at = 24;
    while at < capture.len() {
        let (time, length) = (field(&capture, at) + seconds, field(&capture, at + 8) as usize);
        capture[at..at + 4].copy_from_slice(&time.to_le_bytes());
        at += 16 + length;
    }
    capture
}

fn field(capture: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(capture[at..at + 4].try_into().unwrap())
}

/// What no sender of packets may bring about: a panic, or memory without a bound. Each costs the reader what its packets cost.
#[test]
fn hostile_captures_are_read_within_bounds() {
    let mut capture = fs::read(common::shipped().join("tls13.pcap")).unwrap();
    capture.truncate(24);
    let link = u32::from_le_bytes(capture[20..24].try_into().unwrap());
    assert_eq!(link, 1, "Ethernet");
    let header = capture.clone();
    let hello = [&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3][..], &[7; 200]].concat();
    let limits = tlswhy_capture::Limits { connections: 4096, bytes: 8 << 20, silence: None };
    let read = |frames: &mut dyn FnMut(&mut Vec<u8>)| {
        let mut capture = header.clone();
        frames(&mut capture);
        let mut count = 0_u64;
        let reading = tlswhy_capture::read(capture.as_slice(), limits, &mut |_| count += 1).unwrap();
        assert!(reading.stopped.is_none());
        (reading.counts, count)
    };
    // Two hundred thousand connections that stay half open, most of them with a hello that never ends.
    let (counts, _) = read(&mut |capture| {
        for number in 0..200_000_u32 {
            let packet = segment(number, 1, if number % 4 == 0 { &[] } else { &hello }, 0x02);
            frame(capture, number / 1000, &packet);
        }
    });
    assert_eq!((counts.frames, counts.connections), (200_000, 200_000));
    assert!(counts.forgotten > 100_000, "{counts:?}");
    // Numbers that jump by gigabytes, and segments that overlap with other bytes.
    let (_, count) = read(&mut |capture| {
        for turn in 0..50_000_u32 {
            let jump = turn.wrapping_mul(0x4000_0001);
            frame(capture, 0, &segment(7, jump, &hello, 0x10));
            frame(capture, 0, &segment(7, turn % 300, &[turn as u8; 64], 0x10));
        }
    });
    assert!(count <= 1);
    // Resets that never let time go on.
    let (counts, _) = read(&mut |capture| {
        for number in 0..100_000_u32 {
            frame(capture, 0, &segment(number, 1, &hello, 0x10));
            frame(capture, 0, &segment(number, 300, &[], 0x04));
        }
    });
    assert_eq!(counts.connections, 100_000);
}

/// A frame of Ethernet in the format of pcap.
fn frame(capture: &mut Vec<u8>, seconds: u32, packet: &[u8]) {
    let length = u32::try_from(packet.len() + 14).unwrap();
    for word in [seconds, 0, length, length] {
        capture.extend(word.to_le_bytes());
    }
    capture.extend([0; 12]);
    capture.extend([8, 0]);
    capture.extend(packet);
}

/// A segment to port 443 of a connection with this number.
fn segment(number: u32, sequence: u32, payload: &[u8], flags: u8) -> Vec<u8> {
    let length = u16::try_from(40 + payload.len()).unwrap();
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 6, 0, 0]);
    packet.extend((0x0a00_0000 + number).to_be_bytes());
    packet.extend([192, 0, 2, 1, 0x80, 0, 1, 187]);
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 0, 0x50, flags, 255, 255, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}
