//! Whatever a server sends: reading it ends, and every place lies within it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tlswhy_wire::Transcript;

fuzz_target!(|bytes: &[u8]| {
    let transcript = Transcript::of_server(bytes);
    assert!(transcript.records.iter().all(|record| record.span.end <= bytes.len()));
    assert!(transcript.messages.iter().all(|message| message.span.end <= bytes.len()));
    assert!(transcript.stopped.is_none_or(|error| error.at <= bytes.len()));
});
