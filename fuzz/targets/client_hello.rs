//! A client's first bytes: what is read gives the same bytes again, and has fingerprints.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tlswhy_wire::client_hello::from_records;
use tlswhy_wire::{HelloFormat, fingerprint};

fuzz_target!(|bytes: &[u8]| {
    let Ok((version, hello)) = from_records(bytes) else {
        return;
    };
    let _ = (fingerprint::ja3(&hello), fingerprint::Ja4::of(&hello));
    let mut groups: Vec<_> = hello.material().key_shares.into_iter().map(|(group, _)| group).collect();
    groups.sort();
    let repeats = groups.windows(2).any(|pair| pair[0] == pair[1]);
    let again = hello.to_spec(version).encode(&hello.material());
    // Two keys of one group, which RFC 8446 §4.2.8 forbids, cannot be told apart by their group.
    if hello.format == HelloFormat::Tls && !repeats {
        assert_eq!(again.map(|again| again.message), Ok(hello.raw));
    }
});
