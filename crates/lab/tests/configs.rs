//! What is read in generated configurations, compared with what the real programs do with them.

use std::io::Write as _;

use tlswhy_lab::configs::{Look, Measurer, Outcome, cases, faults, run};
use tlswhy_lab::{Lab, StartError};
use tlswhy_wire::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion};

#[test]
fn programs_do_what_is_read_in_their_configurations() {
    let lab = Lab::new().unwrap();
    let cases = cases(&[]);
    assert!(!cases.is_empty());
    let ran = run(&lab, &cases, |one| {
        if let Outcome::Skipped(why) = &one.outcome {
            // Not by the macro, whose output the test harness hides where a test passes.
            let _ = writeln!(std::io::stderr(), "skipped {}: {why}", one.id);
        }
    });
    let faults = faults(&cases, &ran.unwrap());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_server_with_known_answers_is_measured_as_it_is() {
    let lab = Lab::new().unwrap();
    let server = lab.nginx_http(
        "ssl_protocols TLSv1.1 TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on; ssl_ecdh_curve X448:prime256v1;
         ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256;
         ssl_ciphers AES256-SHA:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0;
         server { listen 127.0.0.1:{port} ssl http2; server_name good.example.test;
         ssl_certificate {pki}/rsa.pem; ssl_certificate_key {pki}/rsa.key; ssl_verify_client optional_no_ca; }
         server { listen 127.0.0.1:{port} ssl; server_name refused.example.test; ssl_reject_handshake on; }",
    );
    let server = match server {
        Ok(server) => server,
        Err(StartError::Missing(what)) => {
            let _ = writeln!(std::io::stderr(), "skipped: no {what}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let measurer = Measurer::new().unwrap();
    let found = measurer.measure(server.port, &Look::name("good.example.test"));
    assert_eq!(found.versions, [ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_1]);
    assert_eq!(found.suites_at, Some(ProtocolVersion::TLSV1_2));
    let in_order = [CipherSuite::TLS_RSA_WITH_AES_256_CBC_SHA, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];
    assert_eq!(found.suites, in_order);
    assert_eq!(found.suites_13, [CipherSuite::TLS_CHACHA20_POLY1305_SHA256]);
    assert_eq!(found.groups_13, [NamedGroup::X448, NamedGroup::SECP256R1]);
    assert_eq!(found.groups_12.as_deref(), Some(&[NamedGroup::X448, NamedGroup::SECP256R1][..]));
    assert_eq!(found.server_preference, Some(true));
    assert_eq!(
        found.leaves.iter().map(|leaf| (leaf.subject.as_str(), leaf.sent)).collect::<Vec<_>>(),
        [("CN=good.example.test", 2)]
    );
    assert_eq!(found.asks_certificate, Some(true));
    assert_eq!(found.alpn.as_deref(), Some("h2"));

    let refused = measurer.measure(server.port, &Look::name("refused.example.test"));
    assert_eq!((refused.versions, refused.alert), (Vec::new(), Some(AlertDescription::UNRECOGNIZED_NAME)));
    assert!(measurer.measure(1, &Look::default()).closed);
}
