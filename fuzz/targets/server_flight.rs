//! Handshake messages without records, in every version and with the suites that shape ServerKeyExchange.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tlswhy_wire::{CipherSuite, ProtocolVersion, Reader, ServerKeyExchange, Transcript};

fuzz_target!(|input: (u16, u16, &[u8])| {
    let (version, suite, bytes) = input;
    let version = ProtocolVersion(0x0300 | version % 5);
    let transcript = Transcript::of_decrypted(bytes, version);
    assert!(transcript.messages.iter().all(|message| message.span.end <= bytes.len()));
    let _ = transcript.stapled_ocsp();
    let _ = ServerKeyExchange::parse(Reader::new(bytes, 0), version, CipherSuite(suite));
});
