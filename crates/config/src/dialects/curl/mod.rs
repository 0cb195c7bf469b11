//! curl's configuration file: options as on the command line, one a line.
//!
//! Sources: <https://curl.se/docs/manpage.html#-K>, src/tool_parsecfg.c and src/tool_getparam.c; measured on 7.88.1.

mod ending;
mod options;

use std::sync::Arc;

use tlswhy_wire::{CipherSuite, ProtocolVersion};

use self::options::{FLAGS, VALUED, Written, options};
use super::client;
use crate::dialects::openssl::heeds;
use crate::dialects::{Commands, Context, Dialect, Likeness, MOST_SERVICES};
use crate::files::Content;
use crate::includes::Includes;
use crate::language::names;
use crate::language::openssl_ciphers::selects_nothing;
use crate::release::Release;
use crate::service::{Heeds, Library, Note, Reading, Service, Side, Trouble};
use crate::setting::{CipherList, Language, Setting, Settings};
use crate::span::{Origin, Via};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "curl",
    title: "curl",
    sides: &[Side::Client],
    places: &["/root/.curlrc", "/root/.config/curlrc", "/home/*/.curlrc", "/home/*/.config/curlrc"],
    recognise,
    read,
    mend: ending::mend,
    // A line that it does not understand costs a warning; each run reads the file anew.
    commands: |_| Commands::default(),
};

/// How deep files may name files (curl 8.16 has the same limit; before there was none).
const DEEPEST: usize = 10;
const LATER: &str = "a later line sets it anew, and the last one counts";

/// Lowest versions by option.
const LOWEST: &[(&str, ProtocolVersion)] = &[
    ("tlsv1", ProtocolVersion::TLSV1_0),
    ("tlsv1.0", ProtocolVersion::TLSV1_0),
    ("tlsv1.1", ProtocolVersion::TLSV1_1),
    ("tlsv1.2", ProtocolVersion::TLSV1_2),
    ("tlsv1.3", ProtocolVersion::TLSV1_3),
    ("sslv2", ProtocolVersion::SSLV2),
    ("sslv3", ProtocolVersion::SSLV3),
];
/// sslv2 and sslv3 do nothing since this release.
const WITHOUT_SSL: Release = Release::new(7, 77, 0);
/// TLS 1.2 is the lowest version by default since this release.
const LOWEST_IS_1_2: Release = Release::new(8, 16, 0);

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    let name = path.rsplit('/').next().unwrap_or_default();
    if matches!(name, ".curlrc" | "curlrc" | "_curlrc") {
        return Likeness::Name;
    }
    let text = bytes.get(..bytes.len().min(64 * 1024)).unwrap_or_default();
    let options = options(&Arc::from(path), text, None);
    let telling = ["cacert", "capath", "tls-max", "tls13-ciphers", "insecure"];
    let dashed = |option: &&Written| option.dashed && telling.contains(&option.name.as_str());
    if options.iter().any(|option| dashed(&option)) { Likeness::Content } else { Likeness::None }
}

struct Reader<'c> {
    context: &'c Context<'c>,
    options: Vec<Written>,
    includes: Includes,
    troubles: Vec<Trouble>,
    read: Vec<String>,
}

impl Reader<'_> {
    fn file(&mut self, path: &str, bytes: &[u8], via: Option<&Arc<Via>>) {
        let path = self.context.files.path(path);
        if !self.read.contains(&path.to_string()) {
            self.read.push(path.to_string());
        }
        for option in options(&path, bytes, via) {
            if option.name == "config" {
                self.nested(&option, via);
            }
            self.options.push(option);
        }
    }

    fn nested(&mut self, option: &Written, via: Option<&Arc<Via>>) {
        let Some(path) = &option.value else { return };
        let chain = || std::iter::successors(via, |via| via.via.as_ref());
        let says = if !path.starts_with('/') {
            format!("`{path}` is taken from the directory in which curl is run, and was not read")
        } else if **path == *option.at.path || chain().any(|via| *via.at.path == **path) {
            format!("{path} reads itself: curl does not come back from that")
        } else if Via::depth(via) >= DEEPEST || self.read.len() > 100 {
            "files lie too deep in files".to_owned()
        } else {
            match self.includes.look(self.context.files, path) {
                Content::Missing => format!("{path} does not exist: curl warns and goes on"),
                Content::Unreadable(why) => format!("{path} cannot be read: {why}"),
                Content::Directory(_) => format!("{path} is a directory: curl cannot read it"),
                Content::Asked => return,
                Content::Bytes(bytes) => {
                    self.file(path, bytes, Some(&Arc::new(Via { at: option.at.clone(), via: via.cloned() })));
                    return;
                }
            }
        };
        self.troubles.push(Trouble { at: Some(option.at.clone()), says, fatal: false });
    }
}

fn read(context: &Context<'_>) -> Reading {
    let files = context.files;
    let release = files.release_of("curl");
    let openssl = files.openssl_of("curl");
    let mut reader =
        Reader { context, options: Vec::new(), includes: Includes::default(), troubles: Vec::new(), read: Vec::new() };
    if let Content::Bytes(bytes) = files.text(context.main) {
        reader.file(context.main, bytes, None);
    }
    if let Some(home) = client::home(context.main)
        && context.main.ends_with("/.config/curlrc")
        && matches!(files.look(&format!("{home}/.curlrc")), Content::Bytes(_))
    {
        let says = format!("curl reads {home}/.curlrc, which is there, and not this file");
        reader.troubles.push(Trouble { at: None, says, fatal: false });
    }
    // `next` begins another transfer where one has its URL, and does nothing else.
    let mut transfers: Vec<Vec<&Written>> = vec![Vec::new()];
    let mut has_url = false;
    for option in &reader.options {
        if option.name == "next" && has_url {
            if transfers.len() >= MOST_SERVICES {
                break;
            }
            transfers.push(Vec::new());
            has_url = false;
        } else if let Some(transfer) = transfers.last_mut() {
            transfer.push(option);
            has_url |= option.name == "url";
        }
    }
    let mut reading = Reading { services: Vec::new(), troubles: reader.troubles, files: reader.read };
    for transfer in &transfers {
        let (services, known) = (reading.services.len(), reading.troubles.len());
        let (service, troubles) = service(context, transfer, release, openssl);
        reading.services.push(service);
        reading.troubles.extend(troubles);
        reading.stop_since(services, known);
    }
    reading
}

fn service(
    context: &Context<'_>,
    options: &[&Written],
    release: Option<Release>,
    openssl: Option<Release>,
) -> (Service, Vec<Trouble>) {
    let mut service = client::service("curl", "curl".to_owned(), ("curl", release), Library::OpenSsl(openssl));
    service.heeds = heeds("curl", release).unwrap_or(Heeds::ALL);
    service.declared = options.last().map(|option| option.at.clone());
    let (mut notes, mut troubles) = (Vec::new(), Vec::new());
    let mut note = |option: &Written, says: String| notes.push(Note { at: Some(option.at.clone()), says });
    let (mut lowest, mut pinned) = (Vec::new(), Vec::new());
    let mut highest: Vec<Setting<Option<ProtocolVersion>>> = Vec::new();
    let mut insecure = Vec::new();
    let has_ssl = release.is_some_and(|release| release < WITHOUT_SSL);
    for option in options {
        let valued = VALUED.contains(&option.name.as_str());
        let version = LOWEST.iter().find(|(name, _)| *name == option.name).map(|(_, version)| *version);
        let flag = version.is_some() || FLAGS.contains(&option.name.as_str());
        if valued && option.value.is_none() {
            note(option, format!("`{}` has no value: curl warns and leaves it out", option.name));
        }
        if flag && !option.letter && option.value.as_ref().is_some_and(|value| !value.is_empty()) {
            note(option, format!("`{}` takes no value: it counts all the same", option.name));
        }
        match (option.name.as_str(), version) {
            (_, Some(ProtocolVersion::SSLV2 | ProtocolVersion::SSLV3)) if !has_ssl => {
                note(option, format!("curl since {WITHOUT_SSL} passes over `{}`", option.name));
            }
            (_, Some(version)) if version < ProtocolVersion::TLSV1_0 => {
                pinned.push(option.setting(vec![version]));
                lowest.clear();
            }
            (_, Some(version)) => {
                lowest.push(option.setting(version));
                pinned.clear();
            }
            ("tls-max", _) => match option.value.as_deref() {
                Some("default") => highest.push(option.setting(None)),
                Some(text @ ("1.0" | "1.1" | "1.2" | "1.3")) => {
                    highest.push(option.setting(names::version(&format!("TLSv{text}"))));
                }
                Some(text) => note(option, format!("curl knows no `tls-max` {text:?}: it warns and leaves it out")),
                None => {}
            },
            ("insecure", _) => insecure.push(option.setting(false)),
            ("no-insecure", _) => insecure.push(option.setting(true)),
            ("url", _) => service.names.extend(option.value.as_deref().and_then(host)),
            _ => {}
        }
        let word = option.name.as_str();
        if !option.letter
            && !valued
            && !flag
            && option.dashed
            && word.contains('=')
            && VALUED.iter().any(|own| word.starts_with(own))
        {
            note(
                option,
                "behind a dash `=` separates no value: curl knows no option of this name and leaves it out".to_owned(),
            );
        }
    }
    let of = |name: &str| {
        let named = options.iter().filter(|option| option.name == name && option.value.is_some());
        client::last(named.map(|option| option.setting(option.value.clone().unwrap_or_default())), LATER)
    };
    // Where curl cannot set a list, no connection is made.
    let mut refuse = |setting: &Setting<String>, says: &str| {
        let says = format!("`{}` {says}: curl makes no TLS connection with it", setting.name);
        troubles.push(Trouble { at: setting.origin.span().cloned(), says, fatal: true });
    };
    let ciphers = of("ciphers");
    if let Some(list) = &ciphers
        && let Some(openssl) = openssl
        && selects_nothing(&list.value, openssl)
    {
        refuse(list, "names no suite that OpenSSL knows");
    }
    let suites = of("tls13-ciphers");
    if let Some(list) = suites.as_ref().filter(|list| suites_of_1_3(&list.value).is_none()) {
        refuse(list, "names no suite of TLS 1.3");
    }
    let groups = of("curves");
    let strange = |list: &str| list.split([':', '/']).any(|name| !name.starts_with('?') && names::groups(name).is_none());
    if let Some(list) = groups.as_ref().filter(|list| strange(&list.value)) {
        refuse(list, "names a group that OpenSSL does not know");
    }
    let (cert, key, anchors) = (of("cert").map(without_password), of("key"), of("cacert"));
    let verifies_peer = client::last(insecure, LATER);
    // Without verification it looks for no anchors.
    let looks = verifies_peer.as_ref().is_none_or(|verifies| verifies.value);
    for file in [&cert, &key].into_iter().flatten().chain(anchors.as_ref().filter(|_| looks)) {
        if file.value.starts_with('/') && context.files.look(&file.value) == Content::Missing {
            refuse(file, "names a file that is not there");
        }
    }
    let by = client::by("curl", release);
    let lowest = client::last(lowest, LATER);
    let usual = || {
        let since = release.is_none_or(|release| release >= LOWEST_IS_1_2);
        since.then(|| Setting::new("tlsv1.2", ProtocolVersion::TLSV1_2, "", Origin::built_in(by.as_str())))
    };
    let pinned = client::last(pinned, LATER);
    let has_pin = pinned.is_some();
    let highest = client::last(highest, LATER);
    service.settings = Settings {
        versions: pinned,
        minimum_version: lowest.or_else(|| usual().filter(|_| !has_pin)),
        maximum_version: highest.and_then(|highest| {
            let version = highest.value?;
            Some(highest.map(|_| version))
        }),
        cipher_list: ciphers.map(|list| list.map(|text| CipherList { language: Language::OpenSsl, text })),
        cipher_suites: suites.and_then(|list| suites_of_1_3(&list.value).map(|suites| list.map(|_| suites))),
        groups: groups.and_then(|list| names::groups(&list.value).map(|groups| list.map(|_| groups))),
        certificates: cert.into_iter().collect(),
        keys: key.into_iter().collect(),
        verifies_peer,
        trust: anchors.or_else(|| of("capath")).or_else(|| trust_of_environment(context)),
        ..Settings::default()
    };
    if has_pin && let Some(versions) = &service.settings.versions {
        service.notes.push(Note {
            at: versions.origin.span().cloned(),
            says: "newer versions of the protocol are not offered".to_owned(),
        });
    }
    service.notes.extend(notes);
    (service, troubles)
}

/// What stands in the place of `cacert` where no line names it (tool_operate.c).
fn trust_of_environment(context: &Context<'_>) -> Option<Setting<String>> {
    ["CURL_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"].into_iter().find_map(|name| {
        let value = context.files.environment(name).filter(|value| !value.is_empty())?;
        Some(Setting::new(name, value.to_owned(), value, Origin::Environment { name: name.to_owned() }))
    })
}

/// `file:password` without the password, which nobody gets to see.
fn without_password(mut setting: Setting<String>) -> Setting<String> {
    let mut escaped = false;
    let colon = setting.value.bytes().position(|byte| {
        let found = byte == b':' && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    });
    if let Some(colon) = colon {
        setting.value.truncate(colon);
    }
    setting.value = setting.value.replace("\\:", ":");
    setting.text = setting.value.clone();
    setting
}

/// The suites of TLS 1.3 of a list; others are left out (SSL_CTX_set_ciphersuites since 3.0; measured).
fn suites_of_1_3(list: &str) -> Option<Vec<CipherSuite>> {
    let suites: Vec<CipherSuite> = names::suites(list)?.into_iter().filter(|suite| suite.0 >> 8 == 0x13).collect();
    (!suites.is_empty()).then_some(suites)
}

/// The host of a URL, lower case.
fn host(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(address) => address.split(']').next()?,
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}
