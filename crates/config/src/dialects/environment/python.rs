//! Python: the files of trust anchors.
//!
//! Source: <https://docs.python.org/3/library/ssl.html>; which certificates `ssl.create_default_context` has under these variables was
//! seen on 3.11.2 (Debian's), 3.12.1 and 3.13.0.

use super::{Environment, push, trust};
use crate::dialects::{Context, client};
use crate::service::{Heeds, Library, Note, Reading};

const NAMES: &[&str] = &["REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"];

pub(super) fn read(context: &Context<'_>, environment: &Environment, reading: &mut Reading) {
    if !NAMES.iter().any(|name| environment.last(name).is_some()) {
        return;
    }
    let release = context.files.release_of("python");
    let title = "programs of Python with this environment".to_owned();
    let mut service = client::service("environment", title, ("Python", release), Library::Other("OpenSSL".to_owned()));
    // Nothing of what it offers is claimed: that hangs on how Python was built (`dialects/openssl/heeding.rs`).
    service.heeds = Heeds::NOTHING;
    let mut notes = Vec::new();
    if let Some(bundle) = environment.setting("REQUESTS_CA_BUNDLE") {
        let says = "the package requests trusts these certificates alone; the module ssl does not look at it".to_owned();
        notes.push(Note { at: bundle.origin.span().cloned(), says });
    }
    service.settings.trust = trust(environment, &mut notes);
    push(reading, service, environment, NAMES, notes);
}
