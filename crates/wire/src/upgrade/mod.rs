//! STARTTLS: protocols that begin in plaintext and start TLS when asked.
//!
//! One file a protocol, each with its `UPGRADE`, the client's side of the dialogue and the server's; the list is [`UPGRADES`]. To add one: write the file, add its `mod` line and
//! its row here, and transcripts of real talks under `tests/upgrade/<name>/`.

mod ftp;
mod imap;
mod irc;
pub(crate) mod ldap;
mod lmtp;
pub(crate) mod mysql;
mod nntp;
mod pop3;
pub(crate) mod postgres;
mod proxy_header;
mod reply;
mod served;
mod sieve;
mod smtp;
mod xmpp;

use crate::dialogue::Dialogue;

/// A protocol that starts TLS only when asked, and how to ask.
#[derive(Debug)]
pub struct Upgrade {
    /// Short name, as an option or a report says it: `"smtp"`.
    pub name: &'static str,
    /// Other names under which [`upgrade`] finds it.
    pub aliases: &'static [&'static str],
    /// Name for people: `"SMTP"`.
    pub title: &'static str,
    /// URL scheme of the plain protocol that upgrades.
    pub scheme: &'static str,
    /// URL scheme and port of the same protocol with TLS from the first byte, where there is one.
    pub tls_scheme: Option<(&'static str, u16)>,
    /// Usual port of the plain protocol.
    pub port: u16,
    /// Where the upgrade is specified.
    pub reference: &'static str,
    /// The word for `openssl s_client -starttls`.
    pub openssl: Option<&'static str>,
    /// Starts the dialogue; the name is the server's, without port or brackets (XMPP sends it).
    pub start: fn(server_name: &str) -> Box<dyn Dialogue>,
    /// Starts the server's side of the dialogue, for a client that comes to us: it offers TLS and nothing else.
    pub serve: fn() -> Box<dyn Dialogue>,
}

/// Every known upgrade, by name.
pub static UPGRADES: &[&Upgrade] = &[
    &ftp::UPGRADE,
    &imap::UPGRADE,
    &irc::UPGRADE,
    &ldap::UPGRADE,
    &lmtp::UPGRADE,
    &mysql::UPGRADE,
    &nntp::UPGRADE,
    &pop3::UPGRADE,
    &postgres::UPGRADE,
    &sieve::UPGRADE,
    &smtp::UPGRADE,
    &xmpp::UPGRADE,
    &xmpp::SERVER_UPGRADE,
];

pub use proxy_header::PROXY_HEADER;

/// Finds an upgrade by its name or an alias, in any case of letters. [`PROXY_HEADER`] is found too.
pub fn upgrade(name: &str) -> Option<&'static Upgrade> {
    let known = |upgrade: &&&Upgrade| {
        std::iter::once(&upgrade.name).chain(upgrade.aliases).any(|known| known.eq_ignore_ascii_case(name))
    };
    UPGRADES.iter().chain([&&PROXY_HEADER]).find(known).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_every_name_is_found_once() {
        assert!(UPGRADES.is_sorted_by_key(|upgrade| upgrade.name));
        let mut names: Vec<_> =
            UPGRADES.iter().flat_map(|upgrade| std::iter::once(upgrade.name).chain(upgrade.aliases.iter().copied())).collect();
        assert!(names.iter().all(|name| upgrade(name).is_some()));
        assert_eq!(upgrade("PostgreSQL").map(|upgrade| upgrade.name), Some("postgres"));
        assert!(upgrade("https").is_none());
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
