//! `tls` directives of a site: what they say of connections (caddyconfig/httpcaddyfile/builtins.go, parseTLS).

use tlswhy_wire::CipherSuite;

use super::Program;
use super::policies::{Home, VERSIONS, Written, groups, list};
use super::tree::Line;
use super::words::Word;
use crate::release::Release;
use crate::service::{Note, Trouble};
use crate::setting::{ClientVerification, Setting, Settings};
use crate::span::{Origin, Span};

/// Whence the certificates of a site come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Issuer {
    /// From where Caddy takes those of all sites.
    Default,
    /// From its own authority.
    Internal,
    /// From files, or from another source, of which nothing is said here.
    Elsewhere,
}

/// The `tls` directives of a site taken together.
pub(super) struct Tls {
    program: Program,
    pub(super) settings: Settings,
    pub(super) home: Home,
    /// Certificates are obtained as names are asked for.
    pub(super) on_demand: bool,
    /// Whence certificates come.
    pub(super) issuer: Issuer,
    /// Whether they make a policy: those about issuing certificates alone make none.
    pub(super) says_something: bool,
    pub(super) notes: Vec<Note>,
    pub(super) troubles: Vec<Trouble>,
}

const LATER: &str = "a later line sets it anew, and the last one counts";
/// Further words of a `tls` block (2.6 to 2.11).
const OTHERS: &[&str] = &[
    "ca",
    "ca_root",
    "dns",
    "dns_challenge_override_domain",
    "dns_ttl",
    "eab",
    "force_automate",
    "get_certificate",
    "insecure_secrets_log",
    "issuer",
    "key_type",
    "load",
    "on_demand",
    "propagation_delay",
    "propagation_timeout",
    "renewal_window_ratio",
    "resolvers",
    "reuse_private_keys",
];

/// What Go's CipherSuites lists (src/crypto/tls/cipher_suites.go), and what it listed up to Go 1.21. Caddy is built with a newer one
/// since 2.9 (go.mod).
const SUITES: &[&str] = &[
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];
const SUITES_OF_OLD: &[&str] = &[
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
];
const WITHOUT_RSA: Release = Release::new(2, 9, 0);

/// A setting of a line with its arguments.
pub(super) fn setting<T>(line: &Line, value: T) -> Setting<T> {
    let text: Vec<&str> = line.arguments().iter().map(|word| word.text.as_str()).collect();
    let at = line.at().unwrap_or_else(|| Span { path: "".into(), start: 0, end: 0 });
    let via = line.words.first().and_then(|word| word.via.as_ref());
    Setting::new(line.name(), value, text.join(" "), Origin::file(at, arguments_at(line), via))
}

/// The place of a line's arguments; the end of the line where it has none.
fn arguments_at(line: &Line) -> Span {
    let whole = line.at().unwrap_or_else(|| Span { path: "".into(), start: 0, end: 0 });
    let first = line.arguments().first().map_or(whole.end, |word| word.at.start);
    Span { start: first.clamp(whole.start, whole.end), ..whole }
}

/// The directives of a site's lines; `None` where it has none.
pub(super) fn read(program: Program, lines: &[Line]) -> Option<Tls> {
    let directives: Vec<&Line> = lines.iter().filter(|line| line.name() == "tls").collect();
    let first = directives.first()?;
    let home = Home::Directive {
        at: first.at()?,
        open: first.block.as_ref().map(|block| block.open.clone()),
        lines: directives.iter().flat_map(|line| line.inside()).filter_map(written).collect(),
    };
    let mut tls = Tls {
        program,
        settings: Settings::default(),
        home,
        on_demand: false,
        issuer: Issuer::Default,
        says_something: false,
        notes: Vec::new(),
        troubles: Vec::new(),
    };
    let mut before = Settings::default();
    for line in &directives {
        tls.settings = Settings::default();
        tls.first_line(line);
        line.inside().iter().for_each(|inside| tls.inside(inside));
        let own = std::mem::take(&mut tls.settings);
        tls.join(&mut before, own);
    }
    tls.settings = before;
    Some(tls)
}

fn written(line: &Line) -> Option<Written> {
    Some(Written { name: line.name().to_owned(), at: line.at()?, value: arguments_at(line) })
}

impl Tls {
    fn trouble(&mut self, line: &Line, says: String, fatal: bool) {
        self.troubles.push(Trouble { at: line.at(), says, fatal });
    }

    fn note(&mut self, line: &Line, says: impl Into<String>) {
        self.notes.push(Note { at: line.at(), says: says.into() });
    }

    /// `tls internal`, `tls EMAIL`, `tls CERTIFICATE KEY`.
    fn first_line(&mut self, line: &Line) {
        match line.arguments() {
            [] if line.block.is_none() => self.trouble(line, "`tls` without an argument needs a block".to_owned(), true),
            [] => {}
            [word] if word.unknown => self.issuer = Issuer::Elsewhere,
            [word] if word.text == "internal" => self.issuer = Issuer::Internal,
            [word] if word.text == "force_automate" => {}
            [word] if word.text.contains('@') => {}
            [word] => {
                let says =
                    format!("`{}` is neither `internal` nor an address for mail, and a certificate needs its key", word.text);
                self.trouble(line, says, true);
            }
            [certificate, key] => {
                (self.says_something, self.issuer) = (true, Issuer::Elsewhere);
                for (word, certificates) in [(certificate, true), (key, false)] {
                    if word.unknown || word.text.contains('{') {
                        self.note(line, format!("what `{}` stands for is not known", word.text));
                    } else if word.text.starts_with('/') {
                        let origin =
                            Origin::file(line.at().unwrap_or_else(|| word.at.clone()), word.at.clone(), word.via.as_ref());
                        let setting = Setting::new("tls", word.text.clone(), word.text.clone(), origin);
                        let files = if certificates { &mut self.settings.certificates } else { &mut self.settings.keys };
                        files.push(setting);
                    } else {
                        let says =
                            format!("`{}` is taken from the directory in which Caddy is started, and was not read", word.text);
                        self.note(line, says);
                    }
                }
            }
            _ => self.trouble(line, "`tls` takes a certificate and its key, or one word".to_owned(), true),
        }
    }

    /// A line in the braces.
    fn inside(&mut self, line: &Line) {
        let words = line.arguments();
        if let Some(word) = words.iter().find(|word| word.unknown) {
            let says = format!("what `{}` stands for is not known: `{}` is left out", word.text, line.name());
            self.says_something = true;
            return self.note(line, says);
        }
        match line.name() {
            "protocols" => self.protocols(line, words),
            "ciphers" => self.ciphers(line, words),
            "curves" => {
                let Some(groups) = groups(words.iter().map(|word| word.text.as_str())) else {
                    return self.trouble(line, "Caddy has no curve of one of these names".to_owned(), true);
                };
                if !words.is_empty() {
                    // Further lines add to the list.
                    let before = self.settings.groups.take();
                    let mut all = before.as_ref().map(|before| before.value.clone()).unwrap_or_default();
                    all.extend(groups.into_iter().filter(|group| !before.iter().any(|before| before.value.contains(group))));
                    self.settings.groups = Some(added(setting(line, all), before));
                }
            }
            "alpn" if words.is_empty() => self.trouble(line, "`alpn` names no protocol".to_owned(), true),
            "alpn" => {
                let mut own = setting(line, words.iter().map(|word| word.text.clone()).collect::<Vec<_>>());
                replace(&mut own, self.settings.alpn.take());
                self.settings.alpn = Some(own);
            }
            "client_auth" => self.client_auth(line),
            "on_demand" => self.on_demand = true,
            "insecure_secrets_log" => self.says_something = true,
            "issuer" if words.first().is_some_and(|word| word.text == "internal") => self.issuer = Issuer::Internal,
            "issuer" | "get_certificate" => self.issuer = Issuer::Elsewhere,
            "load" => self.note(line, "certificates of directories are chosen by their names and not listed here"),
            name if OTHERS.contains(&name) => {}
            name => {
                let says = format!("`tls` has no option `{name}`");
                self.trouble(line, says, true);
            }
        }
    }

    fn protocols(&mut self, line: &Line, words: &[Word]) {
        let mut versions = Vec::new();
        for word in words.iter().take(2) {
            match VERSIONS.iter().find(|(name, _)| *name == word.text) {
                Some((_, version)) => versions.push(*version),
                None => {
                    let says = format!("Caddy has no version `{}`: it speaks tls1.2 and tls1.3", word.text);
                    return self.trouble(line, says, true);
                }
            }
        }
        let Some(lowest) = versions.first() else {
            return self.trouble(line, "`protocols` names no version".to_owned(), true);
        };
        let mut minimum = setting(line, *lowest);
        replace(&mut minimum, self.settings.minimum_version.take());
        if let Some(highest) = versions.get(1) {
            let mut maximum = setting(line, *highest);
            replace(&mut maximum, self.settings.maximum_version.take());
            self.settings.maximum_version = Some(maximum);
        }
        // A highest version that an earlier line names stays.
        if self.settings.maximum_version.as_ref().is_some_and(|highest| highest.value < *lowest) {
            self.trouble(line, "the lowest version is above the highest: Caddy does not start".to_owned(), true);
        }
        self.settings.minimum_version = Some(minimum);
    }

    fn ciphers(&mut self, line: &Line, words: &[Word]) {
        let suites: Vec<(&Word, Option<CipherSuite>)> =
            words.iter().map(|word| (word, suite(&word.text, self.program))).collect();
        if let Some((word, _)) = suites.iter().find(|(_, suite)| suite.is_none()) {
            return self.trouble(line, format!("Caddy knows no suite `{}`", word.text), true);
        }
        if suites.iter().any(|(_, suite)| suite.is_some_and(|suite| suite.0 >> 8 == 0x13)) {
            self.note(line, "the suites of TLS 1.3 are Go's choice: naming one here changes nothing");
        }
        if suites.is_empty() {
            return;
        }
        let before = self.settings.cipher_list.take();
        let mut text = before.as_ref().map_or(String::new(), |before| format!("{} ", before.value.text));
        text.push_str(&words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "));
        self.settings.cipher_list = Some(added(setting(line, list(&text)), before));
    }

    fn client_auth(&mut self, line: &Line) {
        let mode = line.inside().iter().rfind(|inside| inside.name() == "mode");
        let pool = line.inside().iter().find(|inside| {
            ["trust_pool", "trusted_ca_cert", "trusted_ca_cert_file", "trusted_leaf_cert", "trusted_leaf_cert_file"]
                .contains(&inside.name())
        });
        let verifier = line.inside().iter().any(|inside| inside.name() == "verifier");
        let word = mode.and_then(|mode| mode.arguments().first()).map(|word| word.text.as_str());
        let value = match word {
            Some("request" | "verify_if_given") => ClientVerification::Optional,
            Some("require" | "require_and_verify") => ClientVerification::Required,
            Some(other) => {
                let says = format!("`client_auth` has no mode `{other}`");
                return self.trouble(mode.unwrap_or(line), says, true);
            }
            None if pool.is_some() || verifier => ClientVerification::Required,
            None => ClientVerification::Off,
        };
        // It is a policy's own even where it asks for nothing.
        self.says_something = true;
        self.settings.client_verification = Some(setting(mode.unwrap_or(line), value));
        let file = pool.and_then(|pool| match (pool.name(), pool.arguments()) {
            ("trusted_ca_cert_file", [file, ..]) => Some(setting(pool, file.text.clone())),
            ("trust_pool", [kind, files @ ..]) if kind.text == "file" => {
                let inside = pool.inside().iter().find(|inside| inside.name() == "pem_file");
                let named = files.first().or_else(|| inside?.arguments().first())?;
                Some(setting(pool, named.text.clone()))
            }
            _ => None,
        });
        self.settings.trust = file.filter(|file| file.value.starts_with('/'));
    }

    /// Several directives are one policy, unless they say different things.
    fn join(&mut self, whole: &mut Settings, own: Settings) {
        fn one<T: PartialEq>(whole: &mut Option<Setting<T>>, own: Option<Setting<T>>) -> Option<Span> {
            match (&whole, &own) {
                (Some(first), Some(second)) if first.value != second.value => second.origin.span().cloned(),
                (None, Some(_)) => {
                    *whole = own;
                    None
                }
                _ => None,
            }
        }
        let conflicts = [
            one(&mut whole.minimum_version, own.minimum_version),
            one(&mut whole.maximum_version, own.maximum_version),
            one(&mut whole.cipher_list, own.cipher_list),
            one(&mut whole.groups, own.groups),
            one(&mut whole.alpn, own.alpn),
        ];
        for at in conflicts.into_iter().flatten() {
            let says = "another `tls` of this site says something else: Caddy does not start".to_owned();
            self.troubles.push(Trouble { at: Some(at), says, fatal: true });
        }
        whole.client_verification = whole.client_verification.take().or(own.client_verification);
        whole.trust = whole.trust.take().or(own.trust);
        whole.certificates.extend(own.certificates);
        whole.keys.extend(own.keys);
        self.says_something |= whole.minimum_version.is_some()
            || whole.maximum_version.is_some()
            || whole.cipher_list.is_some()
            || whole.groups.is_some()
            || whole.alpn.is_some();
    }
}

/// A suite by the name that Go has for it, which is IANA's; of those that Go thinks secure, whatever Go Caddy was built with.
pub(super) fn suite(name: &str, program: Program) -> Option<CipherSuite> {
    let old = !program.since(WITHOUT_RSA) || program.release.is_none();
    let known = SUITES.contains(&name) || old && SUITES_OF_OLD.contains(&name);
    known.then(|| name.parse().ok()).flatten()
}

/// A line that takes the place of an earlier one.
fn replace<T>(own: &mut Setting<T>, before: Option<Setting<T>>) {
    if let Some(before) = before {
        own.shadow([crate::dialects::client::shadowed(&before, LATER, true)]);
        own.shadow(before.shadowed);
    }
}

/// A line that adds to an earlier one: both are shown.
fn added<T>(own: Setting<T>, before: Option<Setting<T>>) -> Setting<T> {
    match before {
        Some(before) => Setting { text: format!("{} {}", before.text, own.text), ..own },
        None => own,
    }
}
