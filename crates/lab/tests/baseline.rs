//! What `check --baseline` says after a server changed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use std::process::{Command, Output};

use common::{check, inventory, started};
use tlswhy_lab::runner::find_binary;
use tlswhy_lab::{Lab, Server};
use tlswhy_model::Change;

/// What `tlswhy check --full --baseline` prints for people.
fn told(server: &Server, baseline: &str) -> Output {
    Command::new(find_binary().unwrap())
        .args(["check", "--full", "--address", "127.0.0.1", "--sni", "good.example.test", "--baseline", baseline])
        .arg(format!("good.example.test:{}", server.port))
        .output()
        .unwrap()
}

#[test]
fn nginx_without_tls_1_3_and_with_other_suites_is_told_by_its_changes_alone() {
    let lab = Lab::new().unwrap();
    let nginx = |body: &str| started(lab.nginx("rsa", body));
    let Some(before) = nginx("ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA;") else {
        return;
    };
    let Some(after) = nginx("ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;") else { return };
    let saved = before.dir().join("saved.json");
    let baseline = saved.display().to_string();
    let options = ["--full".to_owned(), "--baseline".to_owned(), baseline.clone()];
    let (_, mut first) = inventory(&before);
    std::fs::write(&saved, serde_json::to_vec(&first).unwrap()).unwrap();

    // The same server: whatever differs from one examination to the next is no change.
    let (again, status) = check(&before, &options);
    let view = again.changes.expect("changes");
    assert!(view.changes.is_empty() && view.not_compared.is_empty(), "{view:#?}");
    assert_eq!(status, check(&before, &[]).1);

    // Another one is not compared with it.
    let refused = told(&after, &baseline);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("holds no report of"), "{refused:?}");

    // The two stand at different ports at once; one server would stand at one.
    first.subject.port = after.port;
    std::fs::write(&saved, serde_json::to_vec(&first).unwrap()).unwrap();
    let changes = check(&after, &options).0.changes.expect("changes").changes;
    let has = |about: &str, name: &str, version: Option<&str>, before: &str, after: &str| {
        let wanted = Change {
            about: about.into(),
            name: Some(name.into()),
            version: version.map(str::to_owned),
            before: Some(before.into()),
            after: Some(after.into()),
        };
        assert!(changes.contains(&wanted), "{wanted:?} is not in {changes:#?}");
    };
    has("version", "TLSv1.3", None, "accepted", "refused");
    has("cipher-suite", "TLS_RSA_WITH_AES_128_CBC_SHA", Some("TLSv1.2"), "accepted", "refused");
    let told = told(&after, &baseline);
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(text.contains("TLSv1.3: refused (was accepted)"), "{text}");
    assert!(!text.contains("What the server accepts") && !text.contains("ECDHE_RSA_WITH_AES_128_GCM"), "{text}");
}
