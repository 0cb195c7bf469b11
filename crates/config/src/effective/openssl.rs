//! Programs on OpenSSL: their settings, what openssl.cnf says where they heed it, the security level, and what the release can do.
//!
//! Measured on 1.1.1w, 3.0.19 and 3.6.5, by the hellos of `s_client` and at `s_server`.

use std::borrow::Cow;
use std::rc::Rc;

use tlswhy_wire::{Authentication, CipherSuite, KeyExchange, NamedGroup, ProtocolVersion, SignatureScheme};

use super::{Effective, Reduction, VERSIONS, levels};
use crate::dialects::openssl::{SystemPolicy, default_groups, default_schemes, default_suites, level_in, system_policy};
use crate::files::Files;
use crate::language::openssl_ciphers::{Library, Refused, at_level, cipher_list, name_of};
use crate::release::{Release, rhel};
use crate::service::{Heeds, Service, Side};
use crate::setting::{Language, Setting, Settings};
use crate::span::Origin;

const SINCE_3_0: Release = Release::new(3, 0, 0);
const SINCE_3_1: Release = Release::new(3, 1, 0);

pub(super) fn effective(service: &Service, files: &Files<'_>, release: Option<Release>) -> Effective {
    let release = release.or_else(|| files.release_of("openssl"));
    let heeds = &service.heeds;
    let instead = service.settings.library_policy.as_ref().map(|named| named.value.as_str());
    let policy = || system_policy(files, instead, heeds.section, release, service.side);
    let policy = (*heeds != Heeds::NOTHING).then(policy).flatten();
    let system = files.software("system").and_then(|system| system.version.clone()).unwrap_or_default();
    let mut judging = Judging { service, policy, files, release, system, reductions: Vec::new() };
    judging.run()
}

/// What a client of TLS 1.3 alone does not offer: DSA, and hashes below SHA-256 (`tls12_sigalg_allowed` in ssl/t1_lib.c; measured on
/// 3.0.19). The upper byte is the hash, the lower one the signature (RFC 5246 §7.4.1.4.1).
fn is_gone_in_13(scheme: SignatureScheme) -> bool {
    const SHA224: u16 = 3;
    const SHA512: u16 = 6;
    const DSA: u16 = 2;
    let (hash, signature) = (scheme.0 >> 8, scheme.0 & 0xff);
    hash <= SHA224 || (hash <= SHA512 && signature == DSA)
}

struct Judging<'s> {
    service: &'s Service,
    policy: Option<Rc<SystemPolicy>>,
    files: &'s Files<'s>,
    release: Option<Release>,
    system: String,
    reductions: Vec<Reduction>,
}

/// Servers (dialect and title) without Diffie-Hellman parameters of their own since a release, and the setting that gives them some:
/// <https://nginx.org/en/CHANGES>, <https://doc.dovecot.org/2.3/installation_guide/upgrading/from-2.2-to-2.3/>.
const WITHOUT_PARAMETERS: &[(&str, &str, Release, &str)] =
    &[("dovecot", "Dovecot", Release::new(2, 3, 0), "ssl_dh"), ("nginx", "nginx", Release::new(1, 11, 0), "ssl_dhparam")];

/// The options with which a client goes on with a server without RFC 5746, and since which release each does so in a file.
const LEGACY_OPTIONS: [(&str, Release); 2] =
    [("UnsafeLegacyServerConnect", CONNECT_COUNTS), ("UnsafeLegacyRenegotiation", Release::new(1, 1, 1))];
/// Before this release the word does nothing: <https://github.com/openssl/openssl/pull/18296>.
const CONNECT_COUNTS: Release = Release::new(3, 0, 4);

/// A value, and whether somebody wrote it for this program.
struct Value<T> {
    value: T,
    written: bool,
}

/// The word of Red Hat's OpenSSL for the suites of the system-wide policy, and the file that they stand in.
const PROFILE: &str = "PROFILE=SYSTEM";
const PROFILE_FILE: &str = "/etc/crypto-policies/back-ends/openssl.config";

impl Judging<'_> {
    fn run(&mut self) -> Effective {
        let level = self.level();
        let cut = level.as_ref().map(|(level, by)| (*level, by));
        let suites_13 = self.suites_13(cut);
        let schemes = self.schemes(cut);
        let suites = self.suites(cut).map(|mut suites| {
            if let Some(schemes) = schemes.as_deref().filter(|_| self.service.side == Side::Client) {
                suites.retain(|suite| can_be_signed(*suite, schemes));
            }
            suites
        });
        let versions = self.versions(cut, suites.as_deref(), suites_13.as_deref());
        let schemes = schemes.map(|mut schemes| {
            let only_13 =
                versions.as_ref().is_some_and(|versions| versions.iter().all(|version| *version >= ProtocolVersion::TLSV1_3));
            if only_13 && self.service.side == Side::Client {
                schemes.retain(|scheme| !is_gone_in_13(*scheme));
            }
            schemes
        });
        let groups = self.groups(cut);
        Effective {
            versions,
            cipher_suites: suites,
            cipher_suites_13: suites_13,
            groups,
            signature_schemes: schemes,
            security_level: level.map(|(level, _)| level),
            server_preference: self.settings().server_preference.as_ref().map(|preference| preference.value),
            legacy_servers: self.legacy_servers(),
            reductions: std::mem::take(&mut self.reductions),
        }
    }

    fn settings(&self) -> &Settings {
        &self.service.settings
    }

    fn library(&self) -> String {
        self.release.map_or_else(|| "OpenSSL".to_owned(), |release| format!("OpenSSL {release}"))
    }

    fn take_away(&mut self, what: impl Into<String>, why: impl Into<String>, by: Origin) {
        self.reductions.push(Reduction { what: what.into(), why: why.into(), by });
    }

    /// The program's own setting, or the policy's where it heeds that.
    fn own_or_policy<T: Clone>(
        &self,
        own: Option<&Setting<T>>,
        heeded: bool,
        of: impl Fn(&Settings) -> Option<&Setting<T>>,
    ) -> Option<Setting<T>> {
        let policy = || self.policy.as_deref().filter(|_| heeded).and_then(|policy| of(&policy.settings));
        own.or_else(policy).cloned()
    }

    /// A cipher string with what the word of Red Hat's OpenSSL at its beginning stands for: the first line of a file that
    /// crypto-policies writes, else the library's own default (measured on AlmaLinux 8's 1.1.1k).
    fn in_full<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(rest) = text.strip_prefix(PROFILE).filter(|_| self.has_profile()) else { return Cow::Borrowed(text) };
        let line = self.files.bytes(PROFILE_FILE).and_then(|bytes| bytes.split(|byte| *byte == b'\n').next());
        let line = line.map(String::from_utf8_lossy).filter(|line| !line.trim().is_empty());
        Cow::Owned(format!("{}{rest}", line.as_deref().unwrap_or("DEFAULT")))
    }

    /// Whether this OpenSSL knows the word, and takes it for its list where none is set.
    fn has_profile(&self) -> bool {
        rhel(&self.system).is_some_and(|number| number >= Release::new(8, 0, 0))
            && self.release.is_some_and(|release| release >= Release::new(1, 1, 1))
    }

    /// The security level, and what sets it.
    fn level(&self) -> Option<(u8, Origin)> {
        let settings = self.settings();
        let list = settings.cipher_list.as_ref().filter(|list| list.value.language == Language::OpenSsl);
        if let Some((list, level)) = list.and_then(|list| Some((list, level_in(&self.in_full(&list.value.text))?))) {
            return Some((level, list.origin.clone()));
        }
        if let Some(level) = &settings.security_level {
            return Some((level.value, level.origin.clone()));
        }
        let policy = self.policy.as_deref().filter(|_| self.service.heeds.security_level);
        if let Some(level) = policy.and_then(|policy| policy.level.as_ref()) {
            return Some((level.value, level.origin.clone()));
        }
        // A list of the program's own takes the place of the profile, and leaves the level that came with it.
        if let Some(level) = level_in(&self.in_full(PROFILE)) {
            return Some((level, Origin::built_in(format!("{PROFILE_FILE}, which crypto-policies writes"))));
        }
        let (level, by) = levels::compiled(self.release, &self.system)?;
        Some((level, Origin::built_in(by)))
    }

    fn suites_13(&mut self, level: Option<(u8, &Origin)>) -> Option<Vec<CipherSuite>> {
        let own = self.settings().cipher_suites.as_ref();
        let set = self.own_or_policy(own, self.service.heeds.cipher_suites, |settings| settings.cipher_suites.as_ref());
        let release = self.release.filter(|release| *release >= Release::new(1, 1, 1));
        let (suites, written) = match set {
            Some(set) => (set.value, true),
            None => (release.map(|_| default_suites())?, false),
        };
        Some(self.cut(Value { value: suites, written }, level, |suite, level, release| {
            levels::permits_suite_13(*suite, level, release)
        }))
    }

    /// Suites up to TLS 1.2.
    fn suites(&mut self, level: Option<(u8, &Origin)>) -> Option<Vec<CipherSuite>> {
        let own = self.settings().cipher_list.as_ref();
        let set = self.own_or_policy(own, self.service.heeds.cipher_list, |settings| settings.cipher_list.as_ref());
        if set.as_ref().is_some_and(|set| set.value.language != Language::OpenSsl) {
            return None;
        }
        let default = if self.has_profile() { PROFILE } else { "DEFAULT" };
        let text = self.in_full(set.as_ref().map_or(default, |set| set.value.text.as_str())).into_owned();
        let text = text.as_str();
        let Some(release) = self.release else { return named_one_by_one(text).filter(|_| set.is_some()) };
        let library = Library { default_level: level.map_or(0, |(level, _)| level), ..Library::of(release, &self.system) };
        let listed = match cipher_list(text, &library) {
            Ok(list) => list.suites,
            // The context has lost its list all the same (measured).
            Err(Refused::NoMatch) => Vec::new(),
            Err(Refused::InvalidCommand(_) | Refused::UnknownRelease) => return None,
        };
        let mut suites = match level {
            Some((level, by)) => {
                let kept = at_level(&listed, level, &library);
                let names = |suite: &&CipherSuite| {
                    !kept.contains(suite)
                        && name_of(**suite, &library).is_some_and(|name| text.split([':', ',', ' ']).any(|word| word == name))
                };
                for suite in listed.iter().filter(names) {
                    let why = format!("{} at security level {level} does without it", self.library());
                    self.take_away(name_of(*suite, &library).unwrap_or_default(), why, by.clone());
                }
                kept
            }
            None => listed,
        };
        // Without a key or a password that both sides hold these are never used (measured).
        suites.retain(|suite| !needs_a_secret(*suite));
        self.without_parameters(&mut suites);
        Some(suites)
    }

    /// Some servers have no Diffie-Hellman parameters of their own.
    fn without_parameters(&mut self, suites: &mut Vec<CipherSuite>) {
        let service = self.service;
        let Some((_, title, since, setting)) = WITHOUT_PARAMETERS.iter().find(|(dialect, ..)| *dialect == service.dialect)
        else {
            return;
        };
        let has_own = service.program.1.is_some_and(|release| release < *since);
        if service.side != Side::Server || has_own || service.settings.dh_parameters.is_some() {
            return;
        }
        let ephemeral = |suite: &CipherSuite| {
            let exchange = suite.details().map(|details| details.key_exchange);
            matches!(exchange, Some(KeyExchange::Dhe | KeyExchange::DhAnon))
        };
        let before = suites.len();
        suites.retain(|suite| !ephemeral(suite));
        if suites.len() < before {
            let by = service.settings.cipher_list.as_ref().map_or_else(|| Origin::built_in(*title), |list| list.origin.clone());
            self.take_away("suites with DHE", format!("no `{setting}` gives them parameters"), by);
        }
    }

    /// The last word of `Options` about servers without RFC 5746; of itself OpenSSL insists on it since 3.0 (measured with s_client, curl,
    /// Python, requests, PHP and Node.js on 3.0.19).
    fn legacy_servers(&self) -> Option<bool> {
        let release = self.release?;
        if self.service.side == Side::Server {
            return None;
        }
        let own = self.settings().options.as_ref();
        let set = self.own_or_policy(own, self.service.heeds.options, |settings| settings.options.as_ref());
        let mut allowed = [release < SINCE_3_0, false];
        for word in set.iter().flat_map(|set| &set.value) {
            let (word, on) = word.strip_prefix('-').map_or((word.trim_start_matches('+'), true), |word| (word, false));
            for ((name, since), allowed) in LEGACY_OPTIONS.iter().zip(&mut allowed) {
                if name.eq_ignore_ascii_case(word) && release >= *since {
                    *allowed = on;
                }
            }
        }
        Some(allowed.contains(&true))
    }

    fn groups(&mut self, level: Option<(u8, &Origin)>) -> Option<Vec<NamedGroup>> {
        let own = self.settings().groups.as_ref();
        let set = self.own_or_policy(own, self.service.heeds.groups, |settings| settings.groups.as_ref());
        let groups = match set {
            Some(set) => Value { value: set.value, written: true },
            None => Value { value: default_groups(self.release?)?, written: false },
        };
        Some(self.cut(groups, level, |group, level, _| levels::permits_group(*group, level)))
    }

    fn schemes(&mut self, level: Option<(u8, &Origin)>) -> Option<Vec<SignatureScheme>> {
        let own = self.settings().signature_algorithms.as_ref();
        let heeded = self.service.heeds.signature_algorithms;
        let set = self.own_or_policy(own, heeded, |settings| settings.signature_algorithms.as_ref());
        let schemes = match set {
            Some(set) => Value { value: set.value, written: true },
            None => Value { value: default_schemes(self.release?)?, written: false },
        };
        Some(self.cut(schemes, level, |scheme, level, release| levels::permits_scheme(*scheme, level, release)))
    }

    /// What a level leaves of a list; of what somebody wrote it is said what goes.
    fn cut<T: ToString>(
        &mut self,
        list: Value<Vec<T>>,
        level: Option<(u8, &Origin)>,
        permits: impl Fn(&T, u8, Release) -> bool,
    ) -> Vec<T> {
        let (Some((level, by)), Some(release)) = (level, self.release) else { return list.value };
        let (kept, cut): (Vec<T>, Vec<T>) = list.value.into_iter().partition(|one| permits(one, level, release));
        if list.written {
            for one in cut {
                let why = format!("{} at security level {level} does without it", self.library());
                self.take_away(one.to_string(), why, by.clone());
            }
        }
        kept
    }

    fn versions(
        &mut self,
        level: Option<(u8, &Origin)>,
        suites: Option<&[CipherSuite]>,
        suites_13: Option<&[CipherSuite]>,
    ) -> Option<Vec<ProtocolVersion>> {
        let settings = &self.service.settings;
        let heeds = &self.service.heeds;
        let own = settings.versions.is_some() || settings.minimum_version.is_some() || settings.maximum_version.is_some();
        let policy = self.policy.clone();
        let of_policy = policy.as_deref().map(|policy| &policy.settings);
        if !own && self.release.is_none() && of_policy.is_none() {
            return None;
        }
        let mut on: Vec<ProtocolVersion> = VERSIONS.to_vec();
        // What the program itself leaves, before anything else has a say.
        if let Some(versions) = &settings.versions {
            on.retain(|version| versions.value.contains(version));
        }
        if let Some(lowest) = &settings.minimum_version {
            on.retain(|version| *version >= lowest.value);
        }
        if let Some(highest) = &settings.maximum_version {
            on.retain(|version| *version <= highest.value);
        }
        let written = |version: ProtocolVersion| {
            let names = settings.versions.as_ref().is_some_and(|versions| versions.value.contains(&version));
            let from = settings.minimum_version.as_ref().is_some_and(|lowest| lowest.text != "None" && version >= lowest.value);
            let highest = settings.maximum_version.as_ref().filter(|highest| highest.origin.span().is_some());
            names || from || highest.is_some_and(|highest| highest.value == version)
        };
        let mut gone: Vec<(ProtocolVersion, String, Origin)> = Vec::new();
        let mut forbid = |on: &mut Vec<ProtocolVersion>, keep: &dyn Fn(ProtocolVersion) -> bool, why: &str, by: &Origin| {
            let (kept, cut): (Vec<ProtocolVersion>, Vec<ProtocolVersion>) = on.iter().partition(|version| keep(**version));
            *on = kept;
            gone.extend(cut.into_iter().map(|version| (version, why.to_owned(), by.clone())));
        };
        if let Some(of_policy) = of_policy {
            if let Some(lowest) = of_policy.minimum_version.as_ref().filter(|_| heeds.minimum_version)
                && settings.minimum_version.is_none()
            {
                let why = format!("the system's `{} = {}` forbids it", lowest.name, lowest.text);
                forbid(&mut on, &|version| version >= lowest.value, &why, &lowest.origin);
            }
            if let Some(highest) = of_policy.maximum_version.as_ref().filter(|_| heeds.maximum_version)
                && settings.maximum_version.is_none()
            {
                let why = format!("the system's `{} = {}` forbids it", highest.name, highest.text);
                forbid(&mut on, &|version| version <= highest.value, &why, &highest.origin);
            }
            if let Some(versions) = of_policy.versions.as_ref().filter(|_| heeds.minimum_version && heeds.maximum_version) {
                let why = format!("the system's `{} = {}` switches it off", versions.name, versions.text);
                forbid(&mut on, &|version| versions.value.contains(&version), &why, &versions.origin);
            }
        }
        let library = Origin::built_in(self.library());
        let why = format!("{} is compiled without it", self.library());
        if self.release.is_none_or(|release| release >= Release::new(1, 1, 0)) {
            forbid(&mut on, &|version| version > ProtocolVersion::SSLV3, &why, &library);
        }
        if self.release.is_some_and(|release| release < Release::new(1, 1, 1)) {
            let why = format!("{} has no TLS 1.3", self.library());
            forbid(&mut on, &|version| version < ProtocolVersion::TLSV1_3, &why, &library);
        }
        if let (Some((level, by)), Some(release)) = (level, self.release) {
            let why = format!("{} at security level {level} refuses it", self.library());
            forbid(&mut on, &|version| levels::permits_version(version, level, release, &self.system), &why, by);
        }
        if self.service.side == Side::Client
            && let Some(end) = self.first_hole(&on)
        {
            let why = "a hole below it ends the range that an OpenSSL client offers".to_owned();
            forbid(&mut on, &|version| version <= end, &why, &library);
        }
        // From here on versions stay in a client's hello, and lead nowhere.
        if let (Some((level, by)), Some(release)) = (level, self.release)
            && level >= 1
            && (SINCE_3_0..SINCE_3_1).contains(&release)
        {
            {
                let why = format!("{} at security level {level} signs no handshake of it (SHA-1)", self.library());
                let signs = suites.is_none_or(|suites| suites.iter().any(|suite| is_unsigned(*suite)));
                // A server looks for a signature algorithm whatever the key exchange (measured).
                // From level 3 on no suite without forward secrecy is left, and with one the server signs.
                let possible = self.service.side == Side::Client && signs && level < 3;
                forbid(&mut on, &|version| possible || version >= ProtocolVersion::TLSV1_2, &why, by);
            }
        }
        let highest = on.last().copied();
        if let Some(suites) = suites {
            let by = settings.cipher_list.as_ref().map_or_else(|| library.clone(), |list| list.origin.clone());
            let usable = |version| suites.iter().any(|suite| suite.details().is_some_and(|row| row.usable_with(version)));
            let keep = |version| version >= ProtocolVersion::TLSV1_3 || usable(version);
            forbid(&mut on, &keep, "no suite that is on can be used in it", &by);
        }
        if suites_13.is_some_and(<[CipherSuite]>::is_empty) {
            let by = settings.cipher_suites.as_ref().map_or_else(|| library.clone(), |suites| suites.origin.clone());
            forbid(&mut on, &|version| version < ProtocolVersion::TLSV1_3, "no suite of TLS 1.3 is on", &by);
        }
        if self.service.side == Side::Client && highest.is_some_and(|highest| !on.contains(&highest)) {
            // ssl_cipher_list_to_bytes; measured.
            let why = "an OpenSSL client connects nowhere while its highest version has no suite";
            forbid(&mut on, &|_| false, why, &library);
        }
        for (version, why, by) in gone.into_iter().filter(|(version, ..)| written(*version)) {
            self.take_away(version.to_string(), why, by);
        }
        on.sort_unstable_by(|a, b| b.cmp(a));
        Some(on)
    }

    /// The highest version of the lowest unbroken range, where another comes after a hole: since 1.1.0 a client offers that range
    /// alone (ssl_get_min_max_version; measured).
    fn first_hole(&self, on: &[ProtocolVersion]) -> Option<ProtocolVersion> {
        if self.release.is_some_and(|release| release < Release::new(1, 1, 0)) {
            return None;
        }
        let place = |version: &ProtocolVersion| VERSIONS.iter().position(|known| known == version);
        let mut places: Vec<usize> = on.iter().filter_map(place).collect();
        places.sort_unstable();
        let end = places.windows(2).find_map(|pair| match pair {
            [low, high] if high - low > 1 => Some(*low),
            _ => None,
        })?;
        VERSIONS.get(end).copied()
    }
}

/// Whether a client that takes these signature schemes offers a suite: it leaves out the suites of a kind of key with which none of
/// them signs (ssl_set_sig_mask; measured).
fn can_be_signed(suite: CipherSuite, schemes: &[SignatureScheme]) -> bool {
    let signs = |authentication: Authentication, scheme: SignatureScheme| match authentication {
        Authentication::Rsa => {
            matches!(scheme.0, 0x0101 | 0x0201 | 0x0301 | 0x0401 | 0x0501 | 0x0601 | 0x0804..=0x0806 | 0x0809..=0x080b)
        }
        Authentication::Ecdsa => {
            matches!(scheme.0, 0x0103 | 0x0203 | 0x0303 | 0x0403 | 0x0503 | 0x0603 | 0x0807 | 0x0808 | 0x081a..=0x081c)
        }
        Authentication::Dss => matches!(scheme.0, 0x0102 | 0x0202 | 0x0302 | 0x0402 | 0x0502 | 0x0602),
        _ => true,
    };
    suite.details().is_none_or(|row| schemes.iter().any(|scheme| signs(row.authentication, *scheme)))
}

/// Whether a suite is for peers that hold a secret in common.
pub(super) fn needs_a_secret(suite: CipherSuite) -> bool {
    use KeyExchange::{DhePsk, EcdhePsk, Psk, RsaPsk, Srp};
    suite.details().is_some_and(|row| matches!(row.key_exchange, Psk | RsaPsk | DhePsk | EcdhePsk | Srp))
}

/// Whether the server signs nothing in a key exchange.
fn is_unsigned(suite: CipherSuite) -> bool {
    suite
        .details()
        .is_some_and(|details| matches!(details.key_exchange, KeyExchange::Rsa | KeyExchange::DhAnon | KeyExchange::EcdhAnon))
}

/// The suites of a list in which every word is the name of one; `None` where a word stands for more, or is not known.
fn named_one_by_one(list: &str) -> Option<Vec<CipherSuite>> {
    let mut suites: Vec<CipherSuite> = Vec::new();
    let words = list.split([':', ',', ';', ' ']).map(|word| word.split("@SECLEVEL=").next().unwrap_or_default());
    for word in words.filter(|word| !word.is_empty()) {
        let of_openssl = |suite: &CipherSuite| suite.details().is_some_and(|details| details.openssl_name == Some(word));
        let suite = word.parse::<CipherSuite>().ok().filter(of_openssl)?;
        // Those of TLS 1.3 have a list of their own.
        if suite.0 >> 8 != 0x13 && !suites.contains(&suite) {
            suites.push(suite);
        }
    }
    Some(suites)
}
