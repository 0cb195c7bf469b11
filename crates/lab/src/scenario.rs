//! One server and what must be said of it.

use std::path::Path;

use crate::pki::NAME;
use crate::programs::Started;
use crate::server::Lab;

/// A server, how `tlswhy` is run against it, and what it must answer.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name: cause, software, particulars.
    pub id: &'static str,
    /// The cause's code, or `layered`, `healthy`, `undetermined`.
    pub group: &'static str,
    /// Starts the server.
    pub start: fn(&Lab) -> Started,
    /// What `tlswhy check` is told to examine; `{port}` is replaced.
    pub target: &'static str,
    /// The name to ask for (`none`: no SNI); empty leaves `--sni` out.
    pub server_name: &'static str,
    /// The trust anchors of client and `tlswhy`; `{pki}` is replaced.
    pub ca: &'static str,
    /// Further arguments of `tlswhy`; `{clients}` is the lab's directory of client profiles, `{pki}` the server's certificates,
    /// `{dir}` the directory of its program.
    pub args: &'static [&'static str],
    /// What `faketime` makes of this machine's clock for `tlswhy`, such as `-900d`; empty: nothing.
    pub clock: &'static str,
    /// Commands of `nft` for a network namespace of its own that `tlswhy` runs in; empty: no namespace.
    pub firewall: Option<&'static str>,
    /// The outcomes that are right; the first is the best.
    pub outcomes: &'static [&'static str],
    /// The findings with impact `blocks`, in order; the first is the root cause.
    pub causes: &'static [&'static str],
    /// Other lists that are as right.
    pub or_causes: &'static [&'static [&'static str]],
    /// Causes that must not be found, whatever their impact.
    pub forbidden: &'static [&'static str],
    /// Words that the report must contain, in whatever case.
    pub mentions: &'static [&'static str],
    /// Most connections and rounds.
    pub budget: (u64, u64),
    /// How the real client meets this server.
    pub seen: Seen,
}

/// What `openssl s_client` sees: the proof that the server is broken in this way, and only in this way.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Arguments that make it behave like the judged client, as far as it can.
    pub like: &'static str,
    /// What it then prints; empty: the handshake succeeds and the server answers.
    pub says: &'static str,
    /// Arguments with which the handshake succeeds: the fault taken away. `old …` is the client of OpenSSL 1.1.0i,
    /// `curl …` is curl.
    pub works_with: Option<&'static str>,
}

/// A healthy server, to be changed in what differs.
pub const HEALTHY: Scenario = Scenario {
    id: "",
    group: "healthy",
    start: |lab| lab.nginx("rsa", ""),
    target: "127.0.0.1:{port}",
    server_name: NAME,
    ca: "{pki}/ca.pem",
    args: &[],
    clock: "",
    firewall: None,
    outcomes: &["works"],
    causes: &[],
    or_causes: &[],
    forbidden: &[],
    mentions: &[],
    budget: (12, 5),
    seen: Seen { like: "", says: "", works_with: None },
};

/// A server with which the handshake fails.
pub const BROKEN: Scenario = Scenario { outcomes: &["fails"], ..HEALTHY };

impl Scenario {
    /// The arguments of `tlswhy` for a server on this port, certificates in `pki`.
    pub fn arguments(&self, port: u16, pki: &Path, dir: &Path) -> Vec<String> {
        let mut arguments = vec!["check".to_owned(), self.target.replace("{port}", &port.to_string())];
        if !self.server_name.is_empty() {
            arguments.extend(["--sni".to_owned(), self.server_name.to_owned()]);
        }
        let (pki, dir) = (pki.display().to_string(), dir.display().to_string());
        arguments.extend(["--ca".to_owned(), self.ca.replace("{pki}", &pki)]);
        let clients = concat!(env!("CARGO_MANIFEST_DIR"), "/clients");
        let fill = |argument: &&str| argument.replace("{clients}", clients).replace("{pki}", &pki).replace("{dir}", &dir);
        arguments.extend(self.args.iter().map(fill));
        arguments.extend(["--format".to_owned(), "json".to_owned()]);
        arguments
    }
}
