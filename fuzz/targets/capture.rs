//! A capture: reading never panics and keeps within its limits. The input is the file itself; where its first byte is odd, the rest
//! is the data of segments of one connection instead, so that the streams behind the headers are reached without a checksum of luck:
//! each piece is a byte of flags, one of a sequence number, one of a length, and the bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tlswhy_capture::{Limits, read};

/// Bytes of one frame before its payload: IPv4 and TCP without options.
const HEADERS: usize = 40;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { connections: 4, bytes: 1 << 16, silence: Some(1_000_000_000) };
    let made;
    let capture = match bytes {
        [first, pieces @ ..] if first & 1 == 1 => {
            made = frames(pieces);
            made.as_slice()
        }
        _ => bytes,
    };
    let mut found = 0_usize;
    let _ = read(capture, limits, &mut |handshake| {
        found += 1;
        assert!(handshake.sent.len() <= 256 << 10 && handshake.received.len() <= 256 << 10);
    });
    assert!(found <= bytes.len());
});

fn frames(mut pieces: &[u8]) -> Vec<u8> {
    let mut capture = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0];
    let mut at = 0_u32;
    while let [flags, sequence, length, rest @ ..] = pieces {
        let (payload, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        let size = HEADERS + payload.len();
        let from_server = flags & 0x80 != 0;
        at += u32::from(flags & 0x40 != 0) * 2;
        capture.extend(at.to_le_bytes());
        capture.extend([0; 4]);
        capture.extend((size as u32).to_le_bytes());
        capture.extend((size as u32).to_le_bytes());
        capture.extend([0x45, 0]);
        capture.extend((size as u16).to_be_bytes());
        capture.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        let (client, server) = ([10, 0, 0, 1, 0xc0, 0], [10, 0, 0, 2, 1, 0xbb]);
        let (source, destination) = if from_server { (server, client) } else { (client, server) };
        capture.extend(&source[..4]);
        capture.extend(&destination[..4]);
        capture.extend(&source[4..]);
        capture.extend(&destination[4..]);
        capture.extend((u32::from(*sequence) * 16).to_be_bytes());
        capture.extend([0, 0, 0, 0, 0x50, flags & 0x17, 0, 0, 0, 0, 0, 0]);
        capture.extend(payload);
        pieces = rest;
    }
    capture
}
