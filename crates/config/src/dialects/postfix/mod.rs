//! Postfix: main.cf, and the services of master.cf with their own parameters; its SMTP client as well.
//!
//! Sources: <https://www.postfix.org/postconf.5.html>, master.5.html, TLS_README.html; Postfix 3.7.11.

mod defaults;
mod ending;
mod master;
mod parameters;
mod values;

use std::net::IpAddr;
use std::sync::Arc;

use self::master::Entry;
use self::parameters::{Parameters, Scope, main_cf};
use super::{Commands, Context, Dialect, Likeness};
use crate::files::{Content, directory_of};
use crate::service::{Heeds, Library, Listener, Note, Reading, Service, Side, Trouble};
use crate::setting::{ClientVerification, Setting, Settings, Shadowed};
use crate::span::{Origin, Span};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "postfix",
    title: "Postfix",
    sides: &[Side::Server, Side::Client],
    places: &["/etc/postfix/main.cf", "/usr/local/etc/postfix/main.cf", "/etc/postfix-*/main.cf"],
    recognise,
    read,
    mend: ending::mend,
    commands,
};

/// Postfix sets versions, ciphers, curves and security level 0 itself; the rest is the library's (tls_client.c, tls_server.c).
const HEEDS: Heeds = Heeds { cipher_suites: true, signature_algorithms: true, options: true, ..Heeds::NOTHING };
/// Ports by the names that master.cf has for them (/etc/services).
const PORTS: &[(&str, u16)] =
    &[("smtp", 25), ("smtps", 465), ("submissions", 465), ("submission", 587), ("lmtp", 24), ("qmtp", 209)];

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    // The survey finds main.cf for master.cf, which it reads.
    if path.ends_with("/main.cf") || path.ends_with("/master.cf") {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let lines = main_cf(&Arc::from(path), text);
    let own = ["smtpd_tls_", "smtp_tls_", "smtpd_recipient_restrictions", "mydestination"];
    let is_own = |name: &str| own.iter().any(|own| name.starts_with(own)) && !name.contains(char::is_whitespace);
    if lines.iter().any(|line| is_own(&line.name)) { Likeness::Content } else { Likeness::None }
}

fn commands(main: &str) -> Commands {
    let directory = directory_of(main);
    if directory == "/etc/postfix" {
        return Commands::of("postfix check", "postfix reload");
    }
    let command = |word: &str| ["postfix", "-c", directory, word].map(str::to_owned).to_vec();
    Commands { check: command("check"), reload: command("reload") }
}

/// One side of Postfix: `smtpd_` parameters or `smtp_` ones, as a service has them.
struct Half<'s> {
    prefix: &'static str,
    scope: Scope<'s>,
}

fn read(context: &Context<'_>) -> Reading {
    let mut reading = Reading::default();
    let Content::Bytes(bytes) = context.files.text(context.main) else { return reading };
    let path = context.files.path(context.main);
    reading.files.push(path.to_string());
    let lines = main_cf(&path, bytes);
    let declared = lines.first().and_then(|line| line.at().cloned());
    let parameters = Parameters::new(lines, context.files.release_of("postfix"));
    let master = format!("{}/master.cf", directory_of(&path));
    let (entries, notes) = match context.files.text(&master) {
        Content::Bytes(bytes) => {
            reading.files.push(master.clone());
            master::read(&context.files.path(&master), bytes)
        }
        Content::Missing => (Vec::new(), Vec::new()),
        Content::Unreadable(error) => {
            reading.troubles.push(Trouble { at: None, says: format!("{master} cannot be read: {error}"), fatal: false });
            (Vec::new(), Vec::new())
        }
        _ => return reading,
    };
    let fatal = |note: Note| Trouble { at: note.at, says: note.says, fatal: true };
    reading.troubles.extend(notes.into_iter().map(fatal));
    let library = Library::OpenSsl(context.files.openssl_of("postfix"));
    let program = ("Postfix".to_owned(), parameters.release);
    let mut add = |entry: Option<&Entry>, client: bool| {
        let scope = parameters.within(entry);
        let side = Half { prefix: if client { "smtp" } else { "smtpd" }, scope };
        let (mut settings, mut notes) = (Settings::default(), Vec::new());
        let upgrade = if client { side.client(&mut settings, &mut notes) } else { side.server(&mut settings, &mut notes) };
        let listeners = if client { Vec::new() } else { listeners(&scope, entry) };
        let title = match (client, entry) {
            (true, Some(entry)) => format!("delivery by {} {}", entry.name, entry.kind),
            (true, None) => "delivery by SMTP".to_owned(),
            (false, Some(entry)) => format!("service {}", entry.name),
            (false, None) => "service smtp".to_owned(),
        };
        reading.services.push(Service {
            dialect: "postfix",
            side: if client { Side::Client } else { Side::Server },
            title,
            listeners,
            names: Vec::new(),
            names_from_certificates: false,
            declared: entry.map(|entry| entry.at.clone()).or_else(|| declared.clone()),
            upgrade,
            program: program.clone(),
            library: library.clone(),
            heeds: HEEDS,
            settings,
            notes,
        });
    };
    for entry in entries.iter().filter(|entry| entry.kind == "inet" && ["smtpd", "postscreen"].contains(&program_of(entry))) {
        add(Some(entry), false);
    }
    let deliver = |entry: &&Entry| ["smtp", "lmtp"].contains(&program_of(entry)) && entry.kind != "inet";
    let special = |entry: &&Entry| entry.options.iter().any(|line| line.name.contains("tls"));
    for (index, entry) in entries.iter().filter(deliver).enumerate() {
        // Those without parameters of their own all do the same.
        if index == 0 || special(&entry) {
            add(Some(entry), true);
        }
    }
    if entries.is_empty() {
        add(None, false);
        add(None, true);
    }
    reading
}

/// The program without its directory.
fn program_of(entry: &Entry) -> &str {
    entry.command.rsplit('/').next().unwrap_or_default()
}

/// Where a service listens: its first column, and `inet_interfaces` where that names no host.
fn listeners(scope: &Scope<'_>, entry: Option<&Entry>) -> Vec<Listener> {
    let name = entry.map_or("smtp", |entry| entry.name.as_str());
    let (host, port) = match name.rsplit_once(':') {
        Some((host, port)) => (Some(host.trim_matches(['[', ']'])), port),
        None => (None, name),
    };
    let known = PORTS.iter().find(|(known, _)| *known == port).map(|(_, number)| *number);
    let Some(port) = known.or_else(|| port.parse().ok()) else { return Vec::new() };
    let listener = |address: Option<IpAddr>| Listener { address, port, is_default: true };
    if let Some(host) = host.filter(|host| !host.is_empty()) {
        let address = host.parse().ok().or_else(|| (host == "localhost").then(|| IpAddr::from([127, 0, 0, 1])));
        return vec![listener(address)];
    }
    let interfaces = scope.text("inet_interfaces");
    let words: Vec<&str> = interfaces.split([' ', '\t', ',']).filter(|word| !word.is_empty()).collect();
    let mut listeners: Vec<Listener> = Vec::new();
    for word in words {
        let address = match word {
            "loopback-only" | "localhost" | "$mydomain_localhost" => Some(IpAddr::from([127, 0, 0, 1])),
            word => word.trim_matches(['[', ']']).parse().ok(),
        };
        // `all`, and names of hosts, which the files do not resolve.
        listeners.push(listener(address));
    }
    if listeners.is_empty() { vec![listener(None)] } else { listeners }
}

impl Half<'_> {
    fn name(&self, rest: &str) -> String {
        format!("{}_{rest}", self.prefix)
    }

    /// Fills the settings of a server; the STARTTLS protocol, if one comes first.
    fn server(&self, settings: &mut Settings, notes: &mut Vec<Note>) -> Option<&'static str> {
        let scope = &self.scope;
        let level = scope.get("smtpd_tls_security_level");
        let wrapper = scope.boolean("smtpd_tls_wrappermode");
        let word = level.value.trim().to_ascii_lowercase();
        let (enforce, offer) = (scope.boolean("smtpd_enforce_tls"), scope.boolean("smtpd_use_tls"));
        // smtpd.c: a level puts the two older parameters out of use, the wrapper mode stands over both.
        let (tls, enforced) = match word.as_str() {
            _ if wrapper.value => (wrapper.clone(), true),
            "" if enforce.value => (enforce, true),
            "" => (if scope.is_set("smtpd_use_tls") { offer } else { level.clone().map(|_| false) }, false),
            "may" => (level.clone().map(|_| true), false),
            "encrypt" | "verify" | "secure" | "fingerprint" | "dane" | "dane-only" => (level.clone().map(|_| true), true),
            _ => (level.clone().map(|_| false), false),
        };
        let on = tls.value;
        settings.tls = Some(tls);
        let upgrade = (!wrapper.value).then_some("smtp");
        if !on {
            return upgrade;
        }
        self.certificates(settings);
        if settings.certificates.is_empty() {
            let ruling = settings.tls.take();
            let at = ruling.as_ref().and_then(|tls| tls.origin.span().cloned());
            notes.push(Note { at, says: "no certificate is set: Postfix offers no TLS without one".to_owned() });
            settings.tls = ruling.map(|tls| tls.map(|_| false));
            return upgrade;
        }
        let (ask, require) = (scope.boolean("smtpd_tls_ask_ccert"), scope.boolean("smtpd_tls_req_ccert"));
        // Where TLS is not enforced nobody is made to show one.
        settings.client_verification = if require.value && enforced {
            Some(require.map(|_| ClientVerification::Required))
        } else {
            Some(ask).filter(|ask| ask.value).map(|ask| ask.map(|_| ClientVerification::Optional))
        };
        self.common(settings, notes, enforced);
        settings.groups = values::server_groups(scope);
        settings.server_preference = Some(scope.boolean("tls_preempt_cipherlist"));
        if scope.is_set("tls_server_sni_maps") {
            notes.push(Note {
                at: scope.get("tls_server_sni_maps").origin.span().cloned(),
                says: "names in this table have certificates of their own, which are not read here".to_owned(),
            });
        }
        upgrade
    }

    /// The same for the client.
    fn client(&self, settings: &mut Settings, notes: &mut Vec<Note>) -> Option<&'static str> {
        let scope = &self.scope;
        let level = scope.get("smtp_tls_security_level");
        let wrapper = scope.boolean("smtp_tls_wrappermode");
        let word = level.value.trim().to_ascii_lowercase();
        let (enforce, offer) = (scope.boolean("smtp_enforce_tls"), scope.boolean("smtp_use_tls"));
        let verifies = ["verify", "secure", "dane-only", "fingerprint"].contains(&word.as_str());
        let (tls, enforced) = match word.as_str() {
            "" if enforce.value => (enforce, true),
            "" => (if scope.is_set("smtp_use_tls") { offer } else { level.clone().map(|_| false) }, false),
            "none" => (level.clone().map(|_| false), false),
            "may" => (level.clone().map(|_| true), false),
            // Where the domain has no TLSA record, `dane` is `may`; with one it is enforced.
            _ => (level.clone().map(|_| true), true),
        };
        let on = tls.value;
        settings.tls = Some(tls);
        let upgrade = (!wrapper.value).then_some("smtp");
        if !on {
            return upgrade;
        }
        self.certificates(settings);
        self.common(settings, notes, enforced);
        settings.groups = values::groups(scope, "tls_eecdh_auto_curves", Some("tls_ffdhe_auto_groups"));
        settings.verifies_peer = Some(level.map(|_| verifies));
        let name = scope.get("smtp_tls_servername");
        settings.server_name = Some(name.map(|name| Some(name).filter(|name| !name.is_empty())));
        if scope.is_set("smtp_tls_policy_maps") {
            notes.push(Note {
                at: scope.get("smtp_tls_policy_maps").origin.span().cloned(),
                says: "destinations in this table have levels, protocols and ciphers of their own, which are not read here"
                    .to_owned(),
            });
        }
        upgrade
    }

    /// Versions, ciphers and trust: two sets of parameters, of which the level chooses one.
    fn common(&self, settings: &mut Settings, notes: &mut Vec<Note>, enforced: bool) {
        let scope = &self.scope;
        let release = scope.parameters.release;
        let (ruling, idle) =
            if enforced { ("tls_mandatory_protocols", "tls_protocols") } else { ("tls_protocols", "tls_mandatory_protocols") };
        let written = scope.get(&self.name(ruling));
        match values::protocols(&written.value, release) {
            Ok(on) => {
                let mut versions = written.map(|_| on);
                self.rival(&mut versions, idle, enforced);
                settings.versions = Some(versions);
            }
            Err(word) => {
                let bounds = word.contains('=') && release.is_some_and(|release| release < values::BOUNDS_SINCE);
                let why = if bounds { " before 3.6" } else { "" };
                notes.push(Note {
                    at: written.origin.span().cloned(),
                    says: format!("`{word}` is no protocol for Postfix{why}: it switches TLS off here"),
                });
                settings.tls = Some(written.map(|_| false));
                return;
            }
        }
        let grade = scope.get(&self.name(if enforced { "tls_mandatory_ciphers" } else { "tls_ciphers" }));
        let (general, special) = (self.name("tls_exclude_ciphers"), self.name("tls_mandatory_exclude_ciphers"));
        let excluded: &[&str] = if enforced { &[&general, &special] } else { &[&general] };
        let asks = settings.client_verification.is_some();
        match values::ciphers(scope, grade.clone(), excluded, asks) {
            Some(mut ciphers) => {
                self.rival(&mut ciphers, if enforced { "tls_ciphers" } else { "tls_mandatory_ciphers" }, enforced);
                settings.cipher_list = Some(ciphers);
            }
            None => {
                notes.push(Note {
                    at: grade.origin.span().cloned(),
                    says: format!(
                        "`{}` is no grade of ciphers ({}): every handshake fails",
                        grade.value,
                        values::GRADES.join(", ")
                    ),
                });
                settings.refuses_all = Some(grade.map(|_| true));
            }
        }
        let by = scope.parameters.by.as_str();
        settings.security_level = Some(Setting::new("security level", 0, "0", Origin::built_in(by)));
        let file = scope.get(&self.name("tls_CAfile"));
        let trust = if file.value.is_empty() { scope.get(&self.name("tls_CApath")) } else { file };
        settings.trust = Some(trust).filter(|trust| !trust.value.is_empty());
    }

    /// The parameter that counts at the other kind of level is shown as having no effect, where a line sets it.
    fn rival<T>(&self, setting: &mut Setting<T>, idle: &str, enforced: bool) {
        let name = self.name(idle);
        if !self.scope.is_set(&name) {
            return;
        }
        let line = self.scope.get(&name);
        // A value given through the other parameter (`$smtpd_tls_protocols`) has its effect.
        if setting.text.contains(&name) {
            return;
        }
        let why = if enforced {
            format!("TLS is enforced here, and then {} counts", setting.name)
        } else {
            format!("TLS is not enforced here, and then {} counts", setting.name)
        };
        // Whoever sets one of the two for main.cf sets it for the services that it is for; it is an error where the one that
        // counts is not set at all.
        let meant = matches!(setting.origin, Origin::BuiltIn { .. });
        setting.shadowed.push(Shadowed { name: line.name, text: line.text, origin: line.origin, why, meant_to_count: meant });
    }

    /// Certificates and keys: one list of files since 3.4, else a pair for each algorithm.
    fn certificates(&self, settings: &mut Settings) {
        let scope = &self.scope;
        let chains = scope.get(&self.name("tls_chain_files"));
        if !chains.value.trim().is_empty() {
            let files = chains.value.split([' ', '\t', ',']).filter(|file| !file.is_empty());
            for file in files {
                let one = Setting { value: file.to_owned(), text: file.to_owned(), shadowed: Vec::new(), ..chains.clone() };
                settings.certificates.push(one.clone());
                settings.keys.push(one);
            }
            return;
        }
        for (certificate, key) in [("tls_cert_file", "tls_key_file"), ("tls_eccert_file", "tls_eckey_file")] {
            let certificate = scope.get(&self.name(certificate));
            if certificate.value.trim().is_empty() || certificate.value.trim() == "none" {
                continue;
            }
            settings.certificates.push(certificate);
            settings.keys.push(scope.get(&self.name(key)));
        }
    }
}

/// The place below which a new line of main.cf is put: what says that TLS is spoken, else the first line.
fn anchor<'s>(service: &'s Service, main: &str) -> Option<&'s Span> {
    let settings = &service.settings;
    let tls = settings.tls.as_ref().and_then(|tls| tls.origin.span());
    let certificate = settings.certificates.first().and_then(|certificate| certificate.origin.span());
    [tls, certificate, service.declared.as_ref()].into_iter().flatten().find(|span| *span.path == *main)
}
