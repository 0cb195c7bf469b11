//! Dovecot as a client: mailboxes of another server (imapc, pop3c) and the relay of its submission service.
//!
//! Measured on 2.3.19.1 by imapc's hellos: the lowest version, both lists and the curves are those of the servers, sections for names do not
//! count, `ssl = no` changes nothing, and the host is sent as the server name even where it is an address. Sources besides:
//! imapc-settings.c, pop3c-settings.c, submission-settings.c.

use super::Dovecot;
use super::scopes::{Scope, built_in};
use crate::service::{Library, Listener, Note, Service, Side};
use crate::setting::{Setting, Settings};

/// What Dovecot connects to.
struct Outgoing {
    /// What the names of its settings begin with.
    prefix: &'static str,
    port: u16,
    /// The value of `…_ssl` for TLS from the first byte; the other is `starttls`.
    at_once: &'static str,
    /// As `--starttls` has it.
    upgrade: &'static str,
    /// The process that connects, by the name that `protocol` sections have for it.
    protocol: &'static str,
}

const ALL: &[Outgoing] = &[
    Outgoing { prefix: "imapc", port: 143, at_once: "imaps", upgrade: "imap", protocol: "imap" },
    Outgoing { prefix: "pop3c", port: 110, at_once: "pop3s", upgrade: "pop3", protocol: "imap" },
    Outgoing { prefix: "submission_relay", port: 25, at_once: "smtps", upgrade: "smtp", protocol: "submission" },
];

impl Dovecot<'_> {
    /// The servers that it connects to with TLS; hosts that a user database names are in no file.
    pub(super) fn outgoing(&self) -> Vec<Service> {
        ALL.iter().filter_map(|outgoing| self.towards(outgoing)).collect()
    }

    fn towards(&self, outgoing: &Outgoing) -> Option<Service> {
        let scope = Scope { protocol: outgoing.protocol, name: None, address: None };
        let set = |name: &str| scope.text(&self.ruled, &[&format!("{}_{name}", outgoing.prefix)]);
        let host = set("host").filter(|host| !host.value.is_empty())?;
        let tls = set("ssl").filter(|ssl| [outgoing.at_once, "starttls"].contains(&ssl.value.as_str()))?;
        let port = set("port").map_or(Some(outgoing.port), |port| port.value.parse().ok());
        let mut settings = Settings::default();
        let mut notes = Vec::new();
        self.versions(&scope, &mut settings, &mut notes);
        self.lists(&scope, &mut settings, &mut notes);
        // Whose order of suites counts is the other side's affair.
        settings.server_preference = None;
        self.own_certificate(&scope, &mut settings);
        settings.verifies_peer = Some(self.verifies(&scope, set("ssl_verify")));
        settings.trust = self.trust(&scope, &mut notes, settings.verifies_peer.as_ref());
        settings.server_name = Some(host.clone().map(Some));
        let upgrade = (tls.value == "starttls").then_some(outgoing.upgrade);
        settings.tls = Some(tls.map(|_| true));
        Some(Service {
            dialect: "dovecot",
            side: Side::Client,
            title: format!("{} {}", host.name, host.value),
            listeners: port.map(|port| Listener { address: None, port, is_default: false }).into_iter().collect(),
            names: vec![host.value.to_ascii_lowercase()],
            names_from_certificates: false,
            declared: host.origin.span().cloned(),
            upgrade,
            program: ("Dovecot".to_owned(), self.release),
            library: Library::OpenSsl(self.context.files.openssl_of("dovecot")),
            heeds: super::HEEDS,
            settings,
            notes,
        })
    }

    fn own_certificate(&self, scope: &Scope<'_>, settings: &mut Settings) {
        for (list, keys) in [
            (&mut settings.certificates, ["ssl_client_cert_file", "ssl_client_cert"]),
            (&mut settings.keys, ["ssl_client_key_file", "ssl_client_key"]),
        ] {
            let set = scope.text(&self.ruled, &keys).filter(|set| !set.value.is_empty());
            list.extend(set.map(|set| self.file(set)));
        }
    }

    /// It verifies where neither setting says no.
    fn verifies(&self, scope: &Scope<'_>, own: Option<Setting<String>>) -> Setting<bool> {
        let name = "ssl_client_require_valid_cert";
        let set = [own, scope.text(&self.ruled, &[name])];
        let off = set.into_iter().flatten().find(|set| set.value == "no");
        off.map_or_else(|| built_in(name, true, "yes", &self.by), |off| off.map(|_| false))
    }

    /// What it trusts: a file, a directory, or what clients of its own are judged by. Nothing by itself, as measured.
    fn trust(&self, scope: &Scope<'_>, notes: &mut Vec<Note>, verifies: Option<&Setting<bool>>) -> Option<Setting<String>> {
        let keys = ["ssl_client_ca_file", "ssl_client_ca_dir", "ssl_server_ca_file", "ssl_ca"];
        let set = keys.iter().find_map(|key| scope.text(&self.ruled, &[key]).filter(|set| !set.value.is_empty()));
        if set.is_none() && verifies.is_some_and(|verifies| verifies.value) {
            let says = "neither `ssl_client_ca_file` nor `ssl_client_ca_dir` is set: it trusts no certificate, and every handshake ends";
            notes.push(Note { at: None, says: says.to_owned() });
        }
        set.map(|set| self.file(set))
    }
}
