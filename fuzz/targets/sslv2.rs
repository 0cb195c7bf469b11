//! SSLv2 of both sides.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tlswhy_wire::{ClientHello, KeyMaterial, ProtocolVersion, Reader, Sslv2Message};

fuzz_target!(|bytes: &[u8]| {
    let _ = Sslv2Message::parse(&mut Reader::new(bytes, 0));
    if let Ok(hello) = ClientHello::parse_sslv2(bytes, 0) {
        let material = KeyMaterial { session_id: vec![0; 255], ..hello.material() };
        let _ = hello.to_spec(ProtocolVersion::SSLV2).encode(&material);
    }
});
