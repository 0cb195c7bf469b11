//! What the wire leaves open and a configuration answers: the recorded case of a Dovecot that closes without a word, with other
//! words in its file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use std::path::Path;

use common::{read_evidence, replay_alone};
use tlswhy_model::{Confidence, FileContent, Report};

/// The report where the file says this in the place of `TLSv1.3` alone, and of the port.
fn report(settings: &str, port: Option<&str>) -> Report {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/version-ranges-disjoint/found-dovecot-by-its-configuration");
    let mut evidence = read_evidence(&folder);
    let own = format!("port = {}", evidence.subject.port);
    let main = evidence.files.iter_mut().find(|file| file.path == "/dovecot.conf").unwrap();
    let FileContent::Bytes { bytes, .. } = &mut main.content else { panic!("{main:?}") };
    let text = String::from_utf8(bytes.0.clone()).unwrap();
    assert!(text.contains("ssl_min_protocol = TLSv1.3") && text.contains(&own), "{text}");
    let text = text.replace("ssl_min_protocol = TLSv1.3", settings).replace(&own, port.unwrap_or(&own));
    *bytes = text.into_bytes().into();
    replay_alone(&evidence)
}

#[test]
fn the_configuration_of_this_very_server_settles_what_it_says() {
    let said = report("ssl_min_protocol = TLSv1.3", None);
    assert_eq!(said.findings[0].cause, "version-ranges-disjoint");
    assert_eq!(said.findings[0].confidence, Confidence::Observed);
    assert!(said.open_questions.is_empty(), "{:?}", said.open_questions);
}

#[test]
fn a_version_that_is_on_without_a_suite_is_another_cause() {
    let said = report("ssl_min_protocol = TLSv1.2\nssl_cipher_list = ECDHE-RSA-NULL-SHA@SECLEVEL=0", None);
    assert_eq!(said.findings[0].cause, "no-shared-cipher");
    assert_eq!(said.findings[0].confidence, Confidence::Observed);
    assert!(said.open_questions.is_empty(), "{:?}", said.open_questions);
}

#[test]
fn a_configuration_that_foretells_other_answers_settles_nothing() {
    for (settings, port) in [
        // The server would take the client's hello, and does not.
        ("ssl_min_protocol = TLSv1.2", None),
        // It would refuse TLS 1.3, and does not.
        ("ssl_min_protocol = TLSv1.3\nssl_cipher_suites = TLS_AES_128_CCM_SHA256", None),
        // The version is on, and gone for want of a suite: whether that is all is not said.
        ("ssl_min_protocol = TLSv1.2\nssl_cipher_list = PSK", None),
        // It listens elsewhere.
        ("ssl_min_protocol = TLSv1.3", Some("port = 1")),
    ] {
        let said = report(settings, port);
        assert_eq!(said.findings[0].confidence, Confidence::Suspected, "{settings}: {}", said.summary);
        assert_eq!(said.open_questions.len(), 1, "{settings}");
    }
}
