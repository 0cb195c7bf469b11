//! The certificates that Caddy gets by itself: for which names, and from whom.
//!
//! Measured on 2.6.2 and 2.11.7: each name of a site has a certificate for just that name; since 2.10 one that a wildcard of another site
//! covers has that one's. Which names have Caddy's own authority without being told: certmagic's SubjectIsInternal.

use std::collections::HashSet;
use std::net::IpAddr;

use super::Program;
use super::directive::{Issuer, Tls};
use crate::release::Release;
use crate::service::Note;
use crate::setting::Setting;
use crate::span::Span;

/// Names under a wildcard of another site have no certificates of their own since this release (release notes; measured).
const WILDCARDS_SERVE: Release = Release::new(2, 10, 0);
/// `.internal` and `.home.arpa` are asked of no public authority in this release (measured), and were in 2.6.
const KNOWS_INTERNAL: Release = Release::new(2, 11, 0);
const DID_NOT: Release = Release::new(2, 7, 0);
/// Names that are shown of one kind.
const MOST_SHOWN: usize = 5;

/// What the whole configuration says of getting certificates.
pub(super) struct Getting<'s> {
    /// The line that switches it off.
    pub(super) off: Option<&'s Setting<bool>>,
    /// Every certificate is of Caddy's own authority (`local_certs`).
    pub(super) is_local: bool,
    /// Names of all sites that are wildcards.
    pub(super) wildcards: &'s HashSet<String>,
}

/// What is known of the certificates of a site's names; nothing where it names files, or where a line leaves it to something else.
pub(super) fn notes(
    program: &Program,
    getting: &Getting<'_>,
    names: &[String],
    tls: Option<&Tls>,
    at: Option<&Span>,
) -> Vec<Note> {
    let issuer = tls.map_or(Issuer::Default, |tls| tls.issuer);
    if names.is_empty() || issuer == Issuer::Elsewhere || tls.is_some_and(|tls| tls.on_demand) {
        return Vec::new();
    }
    let note = |at: Option<&Span>, says: String| Note { at: at.cloned(), says };
    if let Some(off) = getting.off {
        let says = "Caddy gets no certificate for its names: every handshake ends with internal_error where no certificate that is \
                    loaded for another site fits";
        return vec![note(off.origin.span(), says.to_owned())];
    }
    let covered = |name: &String| {
        let parent = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        program.since(WILDCARDS_SERVE) && parent.is_some_and(|parent| getting.wildcards.contains(&parent))
    };
    let own = names.iter().filter(|name| !covered(name));
    let (mut local, mut public) = (Vec::new(), Vec::new());
    for name in own {
        match is_internal(program, name.as_str()) {
            _ if getting.is_local || issuer == Issuer::Internal => local.push(name.as_str()),
            Some(true) => local.push(name.as_str()),
            Some(false) => public.push(name.as_str()),
            None => {}
        }
    }
    let mut notes = Vec::new();
    if !local.is_empty() {
        let says = format!(
            "{}: the certificate is of Caddy's own authority, which only those trust who were given its root certificate",
            list(&local)
        );
        notes.push(note(at, says));
    }
    if !public.is_empty() {
        let says = format!(
            "{}: Caddy gets the certificate by itself (ACME); until it has it, handshakes end with internal_error",
            list(&public)
        );
        notes.push(note(at, says));
    }
    notes
}

/// Whether a name has Caddy's own authority by itself; `None` where the release leaves it open.
fn is_internal(program: &Program, name: &str) -> Option<bool> {
    let below = |zone: &str| name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
    if name == "localhost" || below("localhost") || below("local") {
        return Some(true);
    }
    if let Ok(address) = name.parse::<IpAddr>() {
        let is_private = match address {
            IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
            IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
        };
        // Whether a public address is asked of an authority has changed.
        return is_private.then_some(true);
    }
    if !below("internal") && !below("home.arpa") {
        return Some(false);
    }
    match program.since(KNOWS_INTERNAL) {
        true => Some(true),
        false => (!program.since(DID_NOT)).then_some(false),
    }
}

fn list(names: &[&str]) -> String {
    let shown = names.iter().take(MOST_SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_names_are_those_of_the_release() {
        let internal = |release: (u32, u32, u32), name: &str| {
            is_internal(&Program { release: Some(Release::new(release.0, release.1, release.2)) }, name)
        };
        for (name, old, between, new) in [
            ("localhost", Some(true), Some(true), Some(true)),
            ("a.local", Some(true), Some(true), Some(true)),
            ("local", Some(false), Some(false), Some(false)),
            ("host", Some(false), Some(false), Some(false)),
            ("a.internal", Some(false), None, Some(true)),
            ("a.home.arpa", Some(false), None, Some(true)),
            ("127.0.0.1", Some(true), Some(true), Some(true)),
            ("192.0.2.1", None, None, None),
        ] {
            let found = [internal((2, 6, 2), name), internal((2, 9, 0), name), internal((2, 11, 7), name)];
            assert_eq!(found, [old, between, new], "{name}");
        }
    }
}
