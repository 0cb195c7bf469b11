//! Any text of error messages: reading it ends, does not depend on how it comes in pieces, and tells nothing that a terminal obeys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tlswhy_core::symptoms::{Reading, read};

fuzz_target!(|bytes: &[u8]| {
    let Some((step, text)) = bytes.split_first() else { return };
    let whole = read(text);
    let mut pieces = Reading::default();
    text.chunks(usize::from(*step).max(1)).for_each(|piece| pieces.feed(piece));
    assert_eq!(pieces.finish(), whole);
    assert!(whole.symptoms.iter().all(|symptom| !symptom.text.chars().any(char::is_control)));
    assert_eq!(whole.causes.is_empty(), whole.symptoms.is_empty());
    assert!(whole.next.command.chars().all(|c| c.is_ascii_graphic() || c == ' '));
});
