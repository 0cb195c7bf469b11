//! What this machine's `openssl` shows of itself.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "this is test code")]

mod common;

use std::time::Instant;

use common::is_there;
use tlswhy_gather::observe_local_openssl;
use tlswhy_wire::{NamedGroup, client_hello};

#[tokio::test]
async fn its_own_hellos_are_caught() {
    if !is_there("openssl") {
        assert_eq!(observe_local_openssl().await, None);
        return;
    }
    let began = Instant::now();
    let found = observe_local_openssl().await.unwrap();
    println!("observed in {:?}", began.elapsed());
    assert!(found.version_text.contains("OPENSSLDIR"), "{}", found.version_text);
    let (_, hello) = client_hello::from_records(&found.hello).unwrap();
    assert_eq!(hello.to_spec(tlswhy_wire::ProtocolVersion::TLSV1_0).server_name(), Some("tlswhy.invalid"));
    if let Some(weak) = found.level_hello {
        let (version, hello) = client_hello::from_records(&weak).unwrap();
        let groups = hello.to_spec(version).groups();
        assert!(groups.contains(&NamedGroup::SECP384R1), "{groups:?}");
    }
}
