//! LMTP: SMTP for the last step of delivery, greeted with `LHLO` (RFC 2033 §4.1).

use super::served::serve;
use super::{Upgrade, smtp};

/// LMTP.
pub(super) static UPGRADE: Upgrade = Upgrade {
    name: "lmtp",
    aliases: &[],
    title: "LMTP",
    scheme: "lmtp",
    tls_scheme: None,
    port: 24,
    reference: "RFC 2033, RFC 3207",
    openssl: Some("lmtp"),
    start: |_| smtp::with_hello("LHLO"),
    serve: || serve(&smtp::SERVED),
};
