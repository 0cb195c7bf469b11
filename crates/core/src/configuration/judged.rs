//! The judged client as its own configuration makes it.
//!
//! A profile is what a program sends as it comes. Where files that belong to it were named, they are read as this client reads them (its
//! program, its library, their versions), and its hello is judged, and sent, with what they leave of the program's abilities, or add to
//! them. What does not speak for it is left alone, and that is said.

use tlswhy_config::{
    Context, Effective, Files, Heeds, Language, Library, Origin, Release, Service, Setting, Settings, Side, Trouble, effective,
    system_policy,
};
use tlswhy_model::{ClientProfile, Evidence, GivenConfiguration, InstalledSoftware, Party, SeenFile, Subject};
use tlswhy_wire::ProtocolVersion;

use super::identity::Identity;
use super::place::line;
use super::restricting::{Restriction, restriction, restriction_where, stop};
use super::rivals::{has, provides, same_service};
use super::shift::{own_offer, shifted, versions};
use super::survey::{Configuration, Survey};
use crate::negotiate::{Change, ClientCapabilities, Obstacle};

const CRYPTO_POLICIES: &str = "crypto-policies";
/// Dialects whose files are a library's policy for all programs on it, and the variable that names such a file, where there is one.
const POLICIES: &[(&str, Option<&str>)] =
    &[(CRYPTO_POLICIES, None), ("gnutls", Some("GNUTLS_SYSTEM_PRIORITY_FILE")), ("openssl", Some("OPENSSL_CONF"))];
/// Dialects whose settings are all that the program offers, also where no line says so: their defaults are in the file itself.
const WHOLE: &[&str] = &["java"];
/// Most of what is wrong in one configuration and stops nobody that is told of.
const MOST_TROUBLES: usize = 5;
/// OpenSSL takes settings of TLS from openssl.cnf by itself since this release.
const HAS_SYSTEM_DEFAULT: Release = Release::new(1, 1, 1);

/// The files that were named as the client's, and what they are read with.
pub(crate) struct Own {
    given: Vec<GivenConfiguration>,
    software: Vec<InstalledSoftware>,
    environment: Vec<(String, String)>,
    nowhere: Vec<(String, String)>,
}

impl Own {
    /// Those of this client; `None` where none were named.
    pub(crate) fn of(client: &ClientProfile, evidence: &Evidence) -> Option<Own> {
        let its = |given: &&GivenConfiguration| given.party == Some(Party::Client);
        let given: Vec<GivenConfiguration> = evidence.configurations.iter().filter(its).cloned().collect();
        if given.is_empty() {
            return None;
        }
        let identity = Identity::of(client);
        let mut software = identity.software();
        software.extend(evidence.software.iter().cloned());
        // Of software that is not known nothing is put in the place of what the machine tells.
        if identity.library.is_none() {
            return Some(Own { given, software, environment: Vec::new(), nowhere: Vec::new() });
        }
        // Without a name no file of the machine is taken for the client's.
        let nowhere = POLICIES.iter().filter_map(|(_, variable)| Some(((*variable)?.to_owned(), String::new())));
        let nowhere: Vec<(String, String)> = nowhere.collect();
        let mut own = Own { given, software, environment: nowhere.clone(), nowhere };
        let mut environment = own.environment.clone();
        for configuration in own.survey(&evidence.files).configurations {
            let policy = POLICIES.iter().find(|(dialect, _)| *dialect == configuration.dialect.name);
            let variable = policy.and_then(|(_, variable)| *variable);
            if let Some(named) = environment.iter_mut().find(|(name, _)| Some(name.as_str()) == variable) {
                named.1 = configuration.main;
            }
        }
        own.environment = environment;
        Some(own)
    }

    /// What they say, as far as the files were seen.
    pub(crate) fn survey<'a>(&'a self, seen: &'a [SeenFile]) -> Survey<'a> {
        self.survey_within(Files::new(seen, &self.software))
    }

    /// The same over files in the place of others.
    pub(crate) fn survey_within<'a>(&'a self, files: Files<'a>) -> Survey<'a> {
        Survey::within(&self.given, files.with_variables(&self.environment))
    }
}

/// A file that does not speak for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// The file.
    pub(crate) path: String,
    /// Why it does not, a clause.
    pub(crate) why: String,
}

/// A client with what of its own files speaks for it.
pub(crate) struct Judged<'s> {
    client: &'s ClientProfile,
    own: &'s Own,
    survey: &'s Survey<'s>,
    /// What speaks for it, its program's own before its library's policies.
    pub(crate) speaking: Vec<(&'s Configuration, &'s Service)>,
    /// What does not.
    pub(crate) left: Vec<Left>,
    /// The client as a service; `None` where its software is not known: then each of the files speaks for itself.
    service: Option<Service>,
    /// All that it offers follows from its files, and not only that of which they speak.
    whole: bool,
}

impl<'s> Judged<'s> {
    /// A client that connects to this subject, under its own files.
    pub(crate) fn of(client: &'s ClientProfile, subject: &Subject, own: &'s Own, survey: &'s Survey<'s>) -> Judged<'s> {
        let identity = Identity::of(client);
        let mut judged = Judged { client, own, survey, speaking: Vec::new(), left: Vec::new(), service: None, whole: false };
        let mut policies = Vec::new();
        for configuration in &survey.configurations {
            let services = || configuration.reading.services.iter().filter(|service| service.side == Side::Client);
            let speaks = services().map(|service| (service, speaks(&identity, client, configuration, service)));
            let (speaking, silent): (Vec<_>, Vec<_>) = speaks.partition(|(_, speaks)| speaks.is_ok());
            let speaking: Vec<&Service> = speaking.into_iter().map(|(service, _)| service).collect();
            let why = silent.into_iter().find_map(|(_, speaks)| speaks.err());
            if speaking.is_empty() {
                let why = why.unwrap_or_else(|| "no client is read in it".to_owned());
                judged.left.push(Left { path: configuration.main.clone(), why });
            } else if identity.library.is_none() {
                judged.speaking.extend(speaking.into_iter().map(|service| (configuration, service)));
            } else if is_policy(configuration) {
                policies.extend(speaking.into_iter().map(|service| (configuration, service)));
            } else if let Some(service) = towards(&speaking, subject) {
                // Of several files of a program the one named last comes on top.
                if let Some((earlier, _)) = judged.speaking.pop() {
                    let why = format!("{} is its program's as well, and was named later", configuration.main);
                    judged.left.push(Left { path: earlier.main.clone(), why });
                }
                judged.speaking.push((configuration, service));
            } else {
                let why = format!("none of its {} services is for {}", speaking.len(), subject.target);
                judged.left.push(Left { path: configuration.main.clone(), why });
            }
        }
        let unread = survey.unread.iter().map(|unread| Left { path: unread.path.clone(), why: unread.why.clone() });
        judged.left.extend(unread);
        if identity.library.is_some() {
            let program = judged.speaking.first().copied();
            judged.service = Some(program.map_or_else(|| bare(&identity), |(_, service)| as_its(&identity, service)));
            let stands_for_another = |service: &Service| identity.is_library() && !identity.is(&service.program.0);
            judged.whole = program.is_some_and(|(configuration, service)| {
                WHOLE.contains(&configuration.dialect.name) || stands_for_another(service)
            });
        }
        judged.speaking.extend(policies);
        judged
    }

    /// The client as these files make it.
    pub(crate) fn configured(&self) -> ClientProfile {
        let Some((from, to)) = self.change() else { return self.client.clone() };
        let mut client = shifted(self.client, &from, &to);
        // A library stands for every program on it: once its file is known, it is that program.
        let program = self.speaking.first().filter(|(configuration, _)| !is_policy(configuration));
        if let Some((_, service)) = program.filter(|_| self.whole && Identity::of(self.client).is_library()) {
            client.title = format!("{} on {}", tlswhy_model::printable(&service.title, 160), client.title);
        }
        client
    }

    /// The line for which the client has no version left: then it sends nothing, whatever the server.
    pub(crate) fn silence(&self) -> Option<Restriction> {
        if let Some(stop) = self.stop() {
            return Some(stop);
        }
        if !self.is_mute() {
            return None;
        }
        let current = [ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2];
        let obstacle = Obstacle::Versions { client: Vec::new(), server: current.to_vec() };
        let mut restriction = self.restriction(&Change::ClientVersions(current.to_vec()), &obstacle)?;
        restriction.takes = "every version".to_owned();
        Some(restriction)
    }

    /// What in its files makes it end, or connect nowhere. Who was watched has begun with them.
    fn stop(&self) -> Option<Restriction> {
        self.service.as_ref()?;
        let identity = Identity::of(self.client);
        self.speaking.iter().find_map(|(configuration, service)| {
            // A policy that cannot be loaded is passed over by most programs.
            let counts =
                !is_policy(configuration) || configuration.dialect.name == "openssl" && identity.stops_at_diagnostics();
            stop(service, service.settings.stops.as_ref().filter(|_| counts)?, &self.survey.files)
        })
    }

    /// What is wrong in its files and does not stop it, each with its place.
    pub(crate) fn troubles(&self) -> Vec<(String, String)> {
        let files = &self.survey.files;
        let of = |(configuration, _): &(&Configuration, &Service)| {
            let harmless = configuration.reading.troubles.iter().filter(|trouble| !trouble.fatal);
            let placed = |trouble: &Trouble| {
                let line = trouble.at.as_ref().and_then(|at| line(at, files));
                let place =
                    line.map_or_else(|| configuration.main.clone(), |line| format!("{}:{}", line.path, line.position.line));
                (place, trouble.says.clone())
            };
            harmless.take(MOST_TROUBLES).map(placed).collect::<Vec<_>>()
        };
        self.speaking.iter().filter(|_| self.service.is_some()).flat_map(of).collect()
    }

    fn is_mute(&self) -> bool {
        self.change().is_some_and(|(from, to)| versions(self.client, &from, &to).is_empty())
    }

    /// From what to what its files lead: from what they do not speak of, in the terms of the library; from what they do, as the profile
    /// has it. `None` where nothing speaks for it.
    fn change(&self) -> Option<(Effective, Effective)> {
        let service = self.service.as_ref().filter(|_| !self.speaking.is_empty())?;
        let to = self.effective(&self.survey.files)?;
        let untouched = self.survey.files.with(&[]).with_variables(&self.own.nowhere);
        let mut alone = service.clone();
        alone.settings.library_policy = None;
        let free = effective(&self.at_its_level(alone, &untouched), &untouched);
        let own = own_offer(self.client, &service.library);
        let pick = |dimension: &[&str]| if self.whole || is_governed(service, dimension) { &own } else { &free };
        let suites = pick(&["cipher-list", "cipher-suites", "security-level", "signature-algorithms", "versions"]);
        let from = Effective {
            versions: pick(&["versions", "cipher-list", "cipher-suites"]).versions.clone(),
            cipher_suites: suites.cipher_suites.clone(),
            cipher_suites_13: suites.cipher_suites_13.clone(),
            groups: pick(&["groups", "security-level"]).groups.clone(),
            signature_schemes: pick(&["signature-algorithms", "security-level"]).signature_schemes.clone(),
            security_level: pick(&["security-level"]).security_level,
            legacy_servers: pick(&["options"]).legacy_servers,
            ..Effective::default()
        };
        Some((from, to))
    }

    /// The line of its files that keeps it from what a change wants.
    pub(crate) fn restriction(&self, change: &Change, obstacle: &Obstacle) -> Option<Restriction> {
        let files = &self.survey.files;
        let Some(service) = &self.service else {
            return self.speaking.iter().find_map(|(_, service)| restriction(service, change, obstacle, files));
        };
        if self.speaking.is_empty() {
            return None;
        }
        let service = self.under_crypto_policies(service.clone(), files);
        let service = self.at_its_level(service, files);
        let policy = policy(&service, files).unwrap_or_default();
        let found = restriction_where(&service, &[policy], change, obstacle, files, |now, without| {
            let client = ClientCapabilities::of(&shifted(self.client, now, without));
            has(&client, change) || provides(without, change).is_none()
        });
        // What crypto-policies writes for OpenSSL is made anew from its own files: the line to change is there.
        let of_itself = |found: &Restriction| {
            let is_program = |(configuration, _): &&(&Configuration, &Service)| !is_policy(configuration);
            let program = self.speaking.first().filter(is_program);
            program.is_some_and(|(configuration, _)| {
                found.line.line.as_ref().is_some_and(|line| configuration.reading.files.contains(&line.path))
            })
        };
        if found.as_ref().is_some_and(of_itself) {
            return found;
        }
        let generated = self.crypto_policies().and_then(|(_, service)| restriction(service, change, obstacle, files));
        generated.or(found)
    }

    /// What it does under these files: its own, or some of them changed.
    pub(crate) fn effective(&self, files: &Files<'_>) -> Option<Effective> {
        let service = self.under_crypto_policies(self.service.clone()?, files);
        Some(effective(&self.at_its_level(service, files), files))
    }

    /// What the client brings once these files of a configuration stand in the place of what it has; `None` where they do not tell.
    pub(crate) fn mended(
        &self,
        configuration: &Configuration,
        service: &Service,
        subject: &Subject,
        instead: &[SeenFile],
    ) -> Option<ClientCapabilities> {
        let survey = self.own.survey_within(self.survey.files.with(instead));
        // Of a policy that the library's files are made from, and where nothing is known of the client, it tells for itself.
        let of_itself = self.service.is_none() || configuration.dialect.name == CRYPTO_POLICIES;
        let (from, to, is_mute) = if of_itself {
            let context = Context { files: &survey.files, main: &configuration.main };
            let reading = configuration.dialect.reading(&context);
            let after = same_service(&reading.services, service)?;
            (effective(service, &self.survey.files), effective(after, &survey.files), false)
        } else {
            let judged = Judged::of(self.client, subject, self.own, &survey);
            (self.effective(&self.survey.files)?, judged.effective(&survey.files)?, judged.is_mute())
        };
        let mut client = ClientCapabilities::of(&shifted(self.client, &from, &to));
        if is_mute {
            client.versions.clear();
        }
        (from.versions.is_some() && to.versions.is_some()).then_some(client)
    }

    fn crypto_policies(&self) -> Option<&(&'s Configuration, &'s Service)> {
        self.speaking.iter().find(|(configuration, _)| configuration.dialect.name == CRYPTO_POLICIES)
    }

    /// What crypto-policies gives OpenSSL comes to programs by openssl.cnf; where that was not named, the policy itself tells.
    fn under_crypto_policies(&self, mut service: Service, files: &Files<'_>) -> Service {
        let named = files.environment("OPENSSL_CONF").is_some_and(|path| !path.is_empty());
        if let Some((_, policy)) = self.crypto_policies().filter(|_| !named) {
            let policy = heeded(policy.settings.clone(), &service.heeds);
            let own = &mut service.settings;
            if own.versions.is_none() && own.minimum_version.is_none() && own.maximum_version.is_none() {
                own.versions = policy.versions;
            }
            own.cipher_list = own.cipher_list.take().or(policy.cipher_list);
            own.cipher_suites = own.cipher_suites.take().or(policy.cipher_suites);
            own.groups = own.groups.take().or(policy.groups);
            own.signature_algorithms = own.signature_algorithms.take().or(policy.signature_algorithms);
        }
        service
    }

    /// The level that the profile has where nothing sets another.
    fn at_its_level(&self, mut service: Service, files: &Files<'_>) -> Service {
        let set_elsewhere = || policy(&service, files).is_some_and(|policy| policy.security_level.is_some());
        if let (Library::OpenSsl(_), Some(level)) = (&service.library, self.client.policy.security_level)
            && service.settings.security_level.is_none()
            && !set_elsewhere()
        {
            let by = Origin::built_in(self.client.title.as_str());
            service.settings.security_level = Some(Setting::new("SECLEVEL", level, level.to_string(), by));
        }
        service
    }
}

/// A recorded client once these files stand in the place of what it was seen to have: of its hello, which somebody recorded, what the
/// change of its files adds and takes away. `None` for a client that is asked anew under its own files, and where no file of it changed.
pub fn once_mended(evidence: &Evidence, instead: &[SeenFile]) -> Option<ClientProfile> {
    let client = evidence.clients.first()?;
    let own = Own::of(client, evidence)?;
    let survey = own.survey(&evidence.files);
    let judged = Judged::of(client, &evidence.subject, &own, &survey);
    if judged.service.is_some() {
        return None;
    }
    let files = survey.files.with(instead);
    judged.speaking.iter().find_map(|(configuration, service)| {
        let reading = configuration.dialect.reading(&Context { files: &files, main: &configuration.main });
        let (from, to) = (effective(service, &survey.files), effective(same_service(&reading.services, service)?, &files));
        let mended = shifted(client, &from, &to);
        (mended.hello != client.hello).then_some(mended)
    })
}

/// Whether a service speaks for the client; the error says for whom it does.
fn speaks(identity: &Identity, client: &ClientProfile, configuration: &Configuration, service: &Service) -> Result<(), String> {
    if identity.library.is_none() {
        return Ok(());
    }
    let for_others = || format!("it speaks for {}", tlswhy_model::printable(&service.title, 160));
    if !is_policy(configuration) {
        let is_its = identity.is(&service.program.0) && is_of_its_machine(identity, &service.library);
        let is_on_it = identity.is_library() && identity.is_on(&service.library);
        return if is_its || is_on_it { Ok(()) } else { Err(for_others()) };
    }
    if !identity.is_on(&service.library) {
        return Err(for_others());
    }
    if let Some(Library::OpenSsl(Some(release))) = identity.library
        && release < HAS_SYSTEM_DEFAULT
    {
        return Err(format!("OpenSSL {release} gives no program anything of it by itself"));
    }
    match identity.heeds() {
        None => Err(format!("what {} heeds of it is not known", client.title)),
        Some(heeds) if heeds == Heeds::NOTHING => Err(format!("{} heeds nothing of it", client.title)),
        Some(_) => Ok(()),
    }
}

/// A file of a virtual machine is no other one's.
fn is_of_its_machine(identity: &Identity, library: &Library) -> bool {
    match (library, &identity.library) {
        (Library::Jsse(Some(of)), Some(Library::Jsse(Some(own)))) => of.major == own.major,
        _ => true,
    }
}

/// Whether a configuration is a library's policy for all programs on it.
pub(super) fn is_policy(configuration: &Configuration) -> bool {
    POLICIES.iter().any(|(dialect, _)| *dialect == configuration.dialect.name)
}

/// The service that connects to this subject: by name and port where it has them, else the only one there is.
fn towards<'s>(services: &[&'s Service], subject: &Subject) -> Option<&'s Service> {
    let fits = |service: &Service| {
        let is_named = |name: &String| service.fits(name).is_some();
        let by_name = match service.names.as_slice() {
            [] => Some(0),
            _ => (subject.server_name.iter().chain([&subject.host]).any(is_named)).then_some(2),
        };
        let by_port = match service.listeners.as_slice() {
            [] => Some(0),
            _ => service.listens_on(subject.port).map(|_| 1),
        };
        Some(by_name? + by_port?)
    };
    // Of equals the first counts.
    let best = services.iter().rev().filter(|service| fits(service).is_some()).max_by_key(|service| fits(service));
    // What no line declares is what a program does without one.
    let mut declared = services.iter().filter(|service| service.declared.is_some());
    let only = declared.next().filter(|_| declared.next().is_none());
    best.filter(|best| best.declared.is_some()).or(only).or(best).copied()
}

/// The client's program without a file of its own.
fn bare(identity: &Identity) -> Service {
    Service {
        dialect: "",
        side: Side::Client,
        title: identity.program().0,
        listeners: Vec::new(),
        names: Vec::new(),
        names_from_certificates: false,
        declared: None,
        upgrade: None,
        program: identity.program(),
        library: identity.library.clone().unwrap_or(Library::Other(String::new())),
        heeds: identity.heeds().unwrap_or(Heeds::NOTHING),
        settings: Settings::default(),
        notes: Vec::new(),
    }
}

/// A service of its program on its own library. Of a library whose rules are not known, only what is plainly said counts.
fn as_its(identity: &Identity, service: &Service) -> Service {
    let mut service = service.clone();
    if !identity.is_on(&service.library)
        && let Some(library) = &identity.library
    {
        service.library = Library::Other(format!("{library:?}"));
    }
    service
}

/// Whether a line of a program's own file bears on what it offers of one kind.
fn is_governed(service: &Service, dimension: &[&str]) -> bool {
    let priority_string = |governs: &str| {
        governs == "cipher-list"
            && service.settings.cipher_list.as_ref().is_some_and(|list| list.value.language == Language::GnuTls)
    };
    service.settings.shown().iter().any(|shown| {
        let governs = if shown.governs.ends_with("imum-version") { "versions" } else { shown.governs };
        let level = || governs == "cipher-list" && shown.text.contains("@SECLEVEL") && dimension.contains(&"security-level");
        !matches!(shown.origin, Origin::BuiltIn { .. }) && (dimension.contains(&governs) || priority_string(governs) || level())
    })
}

/// What of the policy of its library's configuration a service on OpenSSL heeds, with the level that it sets.
fn policy(service: &Service, files: &Files<'_>) -> Option<Settings> {
    let Library::OpenSsl(release) = service.library else { return None };
    if service.heeds == Heeds::NOTHING {
        return None;
    }
    let instead = service.settings.library_policy.as_ref().map(|named| named.value.as_str());
    let policy = system_policy(files, instead, service.heeds.section, release, Side::Client)?;
    let settings = Settings { security_level: policy.level.clone(), ..policy.settings.clone() };
    Some(heeded(settings, &service.heeds))
}

/// The settings of a policy that a program does not set itself.
fn heeded(mut settings: Settings, heeds: &Heeds) -> Settings {
    fn keep<T>(setting: &mut Option<T>, heeded: bool) {
        *setting = setting.take().filter(|_| heeded);
    }
    keep(&mut settings.versions, heeds.minimum_version && heeds.maximum_version);
    keep(&mut settings.minimum_version, heeds.minimum_version);
    keep(&mut settings.maximum_version, heeds.maximum_version);
    keep(&mut settings.cipher_list, heeds.cipher_list);
    keep(&mut settings.security_level, heeds.security_level);
    keep(&mut settings.cipher_suites, heeds.cipher_suites);
    keep(&mut settings.groups, heeds.groups);
    keep(&mut settings.signature_algorithms, heeds.signature_algorithms);
    settings
}

#[cfg(test)]
mod tests {
    use tlswhy_model::FileContent;
    use tlswhy_wire::{CipherSuite, NamedGroup};

    use super::*;

    /// A client under these files, as it then is, what was left aside, and the line that leaves it nothing.
    fn under(name: &str, files: &[(&str, &str)]) -> (ClientProfile, Vec<Left>, Option<String>) {
        let client = crate::client(name).unwrap();
        let seen = |(path, text): &(&str, &str)| {
            let bytes = text.as_bytes().to_vec().into();
            let content = FileContent::Bytes { bytes, sha256: String::new(), public_keys: Vec::new() };
            SeenFile { path: (*path).to_owned(), real_path: None, content }
        };
        let given = |(path, _): &(&str, &str)| GivenConfiguration { party: Some(Party::Client), path: (*path).to_owned() };
        let subject = Subject { host: "a.test".to_owned(), port: 443, ..Subject::default() };
        let mut evidence = crate::Examination::new(crate::Request { subject, ..Default::default() }).evidence().clone();
        evidence.configurations = files.iter().map(given).collect();
        evidence.files = files.iter().map(seen).collect();
        let own = Own::of(&client, &evidence).unwrap();
        let survey = own.survey(&evidence.files);
        let judged = Judged::of(&client, &evidence.subject, &own, &survey);
        let silence = judged.silence().map(|restriction| restriction.line.where_it_stands());
        (judged.configured(), judged.left.clone(), silence)
    }

    fn offer(name: &str, files: &[(&str, &str)]) -> ClientCapabilities {
        let (client, left, silence) = under(name, files);
        assert_eq!((left, silence), (Vec::new(), None), "{name}");
        ClientCapabilities::of(&client)
    }

    fn cnf(lines: &str) -> String {
        format!("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n{lines}\n")
    }

    const V10: ProtocolVersion = ProtocolVersion::TLSV1_0;
    const V11: ProtocolVersion = ProtocolVersion::TLSV1_1;
    const V12: ProtocolVersion = ProtocolVersion::TLSV1_2;
    const V13: ProtocolVersion = ProtocolVersion::TLSV1_3;

    #[test]
    fn a_file_that_says_nothing_of_tls_changes_nothing() {
        let nothing = cnf("Options = MiddleboxCompat");
        let files = [
            ("/etc/ssl/openssl.cnf", nothing.as_str()),
            ("/etc/gnutls/config", "[overrides]\n"),
            ("/root/.curlrc", "cacert = /x\n"),
            ("/root/.wgetrc", "check_certificate = off\n"),
            ("/root/.gitconfig", "[http]\n\tsslVerify = false\n"),
            ("/etc/environment", "NODE_OPTIONS=--no-warnings\nGODEBUG=http2client=0\nSSL_CERT_FILE=/x\n"),
        ];
        for client in crate::clients().unwrap() {
            for file in files {
                let (under, _, silence) = under(&client.name, &[file]);
                let is_its_library = matches!(client.software.product.as_str(), "OpenSSL" | "GnuTLS" | "Go");
                // A program on a library has defaults of its own.
                if !is_its_library || under.title == client.title {
                    assert_eq!((&under.hello, silence), (&client.hello, None), "{} under {}", client.name, file.0);
                    assert_eq!(under.policy, client.policy, "{} under {}", client.name, file.0);
                }
            }
        }
    }

    #[test]
    fn openssl_cnf_cuts_each_program_as_far_as_it_heeds_it() {
        let file = cnf("MinProtocol = TLSv1.2\nMaxProtocol = TLSv1.2");
        let files = [("/x/openssl.cnf", file.as_str())];
        for name in ["openssl-1.1.1", "openssl-3.0", "openssl-3.6", "openssl-4.0"] {
            let offer = offer(name, &files);
            assert_eq!(offer.versions, [V12], "{name}");
            assert!(!offer.suites.iter().any(|suite| suite.0 >> 8 == 0x13), "{name}");
        }
        // It sets its own maximum.
        assert_eq!(offer("curl-openssl-3.0", &files).versions, [V13, V12]);
        // Its own minimum, and its own list.
        assert_eq!(offer("python-3.11", &files).versions, [V12]);
        // urllib3 adds a minimum, or a list, to what its Python sets.
        assert_eq!(offer("python-3.13-requests", &files).versions, [V12]);
        let level = cnf("MinProtocol = TLSv1.3\nCipherString = AES128-SHA:@SECLEVEL=0");
        let level = [("/x/openssl.cnf", level.as_str())];
        let by_itself = ClientCapabilities::of(&crate::client("python-3.13-requests").unwrap());
        assert_eq!(offer("python-3.13-requests", &level).suites, by_itself.suites);
        assert_eq!(offer("python-3.9-requests", &level).versions, [V13]);
        // Before 3.10 a list of its own without a level; Debian's builds have none.
        assert_eq!(offer("python-3.8", &level).versions, [V13]);
        let debian = cnf("CipherString = ECDHE-RSA-AES256-GCM-SHA384");
        let debian = [("/x/openssl.cnf", debian.as_str())];
        let own = |name: &str| ClientCapabilities::of(&crate::client(name).unwrap()).suites;
        let old = |suites: Vec<CipherSuite>| suites.iter().filter(|suite| suite.0 >> 8 != 0x13).count();
        assert_eq!(old(offer("python-3.14", &debian).suites), 1);
        for name in ["python-3.8", "python-3.9-requests"] {
            assert_eq!(offer(name, &debian).suites, own(name), "{name}");
        }
        // By a section of its own alone.
        assert_eq!(offer("node-20", &files).versions, [V13, V12]);
        let own = file.replace("openssl_conf", "nodejs_conf").replace("MinProtocol = TLSv1.2", "Groups = P-384");
        assert_eq!(offer("node-20", &[("/x/openssl.cnf", own.as_str())]).groups, [NamedGroup::SECP384R1]);
    }

    #[test]
    fn a_level_brings_its_smallest_keys_along() {
        let file = cnf("CipherString = DEFAULT@SECLEVEL=3");
        let offer = offer("openssl-3.0", &[("/x/openssl.cnf", file.as_str())]);
        assert_eq!((offer.policy.security_level, offer.policy.minimum_rsa_bits), (Some(3), Some(3072)));
        assert!(!offer.suites.iter().any(|suite| suite.to_string().starts_with("TLS_RSA_")));
        let file = cnf("CipherString = DEFAULT@SECLEVEL=0");
        let (client, ..) = under("curl-openssl-3.0", &[("/x/openssl.cnf", file.as_str())]);
        assert_eq!(client.policy.allows_sha1_signatures, Some(true));
        assert_eq!(client.policy.legacy_signature_refused, Some(false));
    }

    #[test]
    fn an_option_lets_a_client_go_on_with_a_server_without_rfc_5746() {
        let insists = |client: &str, options: &str| {
            let file = cnf(&format!("Options = {options}"));
            offer(client, &[("/x/openssl.cnf", file.as_str())]).policy.requires_secure_renegotiation
        };
        for client in ["openssl-3.0", "curl-openssl-3.0", "python-3.13-requests", "python-3.8", "php-8.2"] {
            assert_eq!(insists(client, "MiddleboxCompat"), Some(true), "{client}");
            assert_eq!(insists(client, "MiddleboxCompat,UnsafeLegacyServerConnect"), Some(false), "{client}");
            assert_eq!(insists(client, "unsafelegacyrenegotiation"), Some(false), "{client}");
            assert_eq!(insists(client, "UnsafeLegacyServerConnect,-UnsafeLegacyServerConnect"), Some(true), "{client}");
        }
        assert_eq!(insists("openssl-1.1.1", "MiddleboxCompat"), Some(false));
        let strict = offer("wget-1.21", &[("/root/.wgetrc", "ciphers = NORMAL:%SAFE_RENEGOTIATION\n")]);
        assert_eq!(strict.policy.requires_secure_renegotiation, Some(true));
    }

    #[test]
    fn the_programs_own_file_comes_before_its_librarys() {
        let policy = cnf("MinProtocol = TLSv1.3\nGroups = P-384");
        let files = [("/x/openssl.cnf", policy.as_str()), ("/root/.curlrc", "tlsv1.2\ntls-max = 1.2\n")];
        let offer = offer("curl-openssl-3.0", &files);
        assert_eq!((offer.versions, offer.groups), (vec![V12], vec![NamedGroup::SECP384R1]));
    }

    #[test]
    fn a_line_may_give_what_the_program_does_not_offer_by_itself() {
        let lax = offer("curl-openssl-3.6", &[("/root/.curlrc", "tlsv1.0\nciphers = DEFAULT@SECLEVEL=0\n")]);
        assert_eq!(lax.versions, [V13, V12, V11, V10]);
        let lax = offer("node-20", &[("/etc/environment", "NODE_OPTIONS=\"--tls-min-v1.0\"\n")]);
        assert_eq!(lax.versions, [V13, V12, V11, V10]);
    }

    #[test]
    fn programs_on_gnutls_are_cut_by_their_files_and_the_systems() {
        let policy = ("/etc/gnutls/config", "[overrides]\ndisabled-version = tls1.3\ntls-disabled-group = GROUP-X25519\n");
        for name in ["gnutls-3.7", "gnutls-3.8", "wget-1.21", "git-2.39"] {
            let offer = offer(name, &[policy]);
            assert!(!offer.versions.contains(&V13) && offer.versions.contains(&V12), "{name}: {:?}", offer.versions);
            assert!(!offer.groups.contains(&NamedGroup::X25519), "{name}");
        }
        assert_eq!(offer("wget-1.21", &[("/root/.wgetrc", "secure_protocol = TLSv1_3\n")]).versions, [V13]);
        assert_eq!(offer("git-2.39", &[("/root/.gitconfig", "[http]\n\tsslVersion = tlsv1.3\n")]).versions, [V13]);
        assert_eq!(offer("git-2.39", &[("/root/.gitconfig", "[http]\n\tsslVersion = tlsv1.2\n"), policy]).versions, [V12]);
    }

    #[test]
    fn a_library_is_the_program_whose_file_is_named() {
        let service = "[lab]\nhost=a.test\nport=443\nssl_max_protocol_version=TLSv1.2\n";
        let (client, left, _) = under("openssl-3.0", &[("/root/.pg_service.conf", service)]);
        assert_eq!((client.title.as_str(), left), ("libpq service lab on OpenSSL 3.0 (s_client)", Vec::new()));
        assert_eq!(ClientCapabilities::of(&client).versions, [V12]);
        let my = "[client]\ntls_version = TLSv1.3\n";
        assert_eq!(offer("openssl-3.0", &[("/root/.my.cnf", my)]).versions, [V13]);
        let proxies = "http { server { listen 80; location / { proxy_pass https://a.test; proxy_ssl_protocols TLSv1.2;\n\
                       proxy_ssl_ciphers AES128-SHA; } location /b { proxy_pass https://b.test:8443; } } }";
        let offer = offer("openssl-3.0", &[("/etc/nginx/nginx.conf", proxies)]);
        assert_eq!(offer.versions, [V12]);
        assert_eq!(offer.suites, ["TLS_RSA_WITH_AES_128_CBC_SHA".parse::<CipherSuite>().unwrap()]);
    }

    #[test]
    fn a_library_is_the_proxy_towards_the_server_behind_it() {
        let apache =
            "<VirtualHost *:80>\nSSLProxyEngine on\nSSLProxyProtocol TLSv1.2\nProxyPass / https://a.test/\n</VirtualHost>\n";
        let haproxy = "backend b\n  server s a.test:443 ssl verify none ssl-max-ver TLSv1.2\n";
        let stunnel = "[s]\nclient = yes\naccept = 127.0.0.1:80\nconnect = a.test:443\nsslVersionMax = TLSv1.2\n";
        for (path, text, title) in [
            ("/etc/apache2/apache2.conf", apache, "ProxyPass https://a.test/"),
            ("/etc/haproxy/haproxy.cfg", haproxy, "server b/s a.test:443"),
            ("/etc/stunnel/stunnel.conf", stunnel, "stunnel service s"),
        ] {
            let (client, left, silence) = under("openssl-3.0", &[(path, text)]);
            assert_eq!((left, silence), (Vec::new(), None), "{path}");
            assert_eq!(ClientCapabilities::of(&client).versions.first(), Some(&V12), "{path}");
            assert_eq!(client.title, format!("{title} on OpenSSL 3.0 (s_client)"));
        }
    }

    #[test]
    fn what_speaks_for_others_is_left_aside_with_the_reason() {
        let java = ("/etc/java-17-openjdk/security/java.security", "jdk.tls.disabledAlgorithms=TLSv1.3\n");
        let file = cnf("MaxProtocol = TLSv1.2");
        let openssl = ("/etc/ssl/openssl.cnf", file.as_str());
        for (client, named, why) in [
            ("curl-openssl-3.0", java, "it speaks for Java 17"),
            ("java-25", java, "it speaks for Java 17"),
            (
                "wget-1.21",
                openssl,
                "it speaks for programs that heed OpenSSL's system defaults (curl, openssl s_client, PHP, Ruby …)",
            ),
            (
                "go-1.24",
                openssl,
                "it speaks for programs that heed OpenSSL's system defaults (curl, openssl s_client, PHP, Ruby …)",
            ),
            ("openssl-1.0.2", openssl, "OpenSSL 1.0.2 gives no program anything of it by itself"),
            (
                "openssl-3.0",
                ("/etc/gnutls/config", "[overrides]\n"),
                "it speaks for programs on GnuTLS (wget, git, gnutls-cli …)",
            ),
            ("wget-1.21", ("/root/.curlrc", "tls-max = 1.2\n"), "it speaks for curl"),
            ("chrome-131", ("/root/.curlrc", "tls-max = 1.2\n"), "it speaks for curl"),
        ] {
            let (judged, left, _) = under(client, &[named]);
            assert_eq!(judged, crate::client(client).unwrap());
            assert_eq!(left, [Left { path: named.0.to_owned(), why: why.to_owned() }], "{client}");
        }
    }

    #[test]
    fn of_another_build_of_the_program_only_what_is_plainly_said_counts() {
        let offer = offer("curl-macos-11", &[("/root/.curlrc", "tls-max = 1.1\nciphers = HIGH\n")]);
        let own = ClientCapabilities::of(&crate::client("curl-macos-11").unwrap());
        assert_eq!((offer.versions, offer.groups), (vec![V11, V10], own.groups));
    }

    #[test]
    fn a_client_without_a_version_is_silent() {
        let file = cnf("MinProtocol = TLSv1.3\nMaxProtocol = TLSv1.2");
        let (_, _, silence) = under("openssl-3.0", &[("/x/openssl.cnf", file.as_str())]);
        assert_eq!(silence.as_deref(), Some("/x/openssl.cnf:7"));
        // What a program sets itself and what the policy leaves have nothing in common.
        let file = cnf("MaxProtocol = TLSv1.1");
        let (_, _, silence) = under("python-3.11", &[("/x/openssl.cnf", file.as_str())]);
        assert_eq!(silence.as_deref(), Some("/x/openssl.cnf:7"));
    }

    #[test]
    fn a_line_at_which_a_program_ends_leaves_it_nothing() {
        let lax = cnf("MinProtocol = TLSv1.2");
        let broken = format!("config_diagnostics = 1\n{}", lax.replace("ssl_conf = b", "ssl_conf = none"));
        for (client, path, text, line) in [
            ("wget-1.21", "/root/.wgetrc", "check_certificate = off\nnonsense words\n", Some("/root/.wgetrc:2")),
            ("git-2.39", "/root/.gitconfig", "[http\n", Some("/root/.gitconfig:1")),
            ("curl-openssl-3.0", "/root/.curlrc", "tls-max = 1.3\ncurves = NONSENSE\n", Some("/root/.curlrc:2")),
            ("node-20", "/etc/environment", "GODEBUG=\nNODE_OPTIONS=--tls-min-v1.4\n", Some("/etc/environment:2")),
            ("go-1.27", "/etc/environment", "GODEBUG=tlsrsakex=1\n", Some("/etc/environment:1")),
            // What stops another program.
            ("go-1.24", "/etc/environment", "GODEBUG=\nNODE_OPTIONS=--tls-min-v1.4\n", None),
            ("node-20", "/etc/environment", "GODEBUG=tlsrsakex=1\n", None),
            ("openssl-3.0", "/x/openssl.cnf", broken.as_str(), Some("/x/openssl.cnf:4")),
            // It goes on without the file.
            ("curl-openssl-3.0", "/x/openssl.cnf", broken.as_str(), None),
        ] {
            let (_, _, silence) = under(client, &[(path, text)]);
            assert_eq!(silence.as_deref(), line, "{client}: {text}");
        }
    }

    #[test]
    fn for_a_silent_client_no_server_is_asked() {
        let (text, path) = ("tlsv1.3\ntls-max = 1.2\n", "/root/.curlrc".to_owned());
        let bytes = text.as_bytes().to_vec().into();
        let content = FileContent::Bytes { bytes, sha256: String::new(), public_keys: Vec::new() };
        let software = |product: &str| InstalledSoftware { product: product.to_owned(), ..InstalledSoftware::default() };
        let request = crate::Request {
            subject: Subject { host: "a.test".to_owned(), port: 443, ..Subject::default() },
            clients: vec![crate::client("curl-openssl-3.0").unwrap()],
            address: Some([127, 0, 0, 1].into()),
            configurations: vec![GivenConfiguration { party: Some(Party::Client), path: path.clone() }],
            files: vec![SeenFile { path, real_path: None, content }],
            software: vec![software("system"), software("openssl")],
            ..crate::Request::default()
        };
        match crate::Examination::new(request).next() {
            crate::Step::Done(report) => {
                assert_eq!(report.root_cause.as_deref(), Some("client-policy-restricts"));
                assert_eq!(report.cost.connections, 0);
            }
            crate::Step::Ask(asked) => panic!("{asked:?}"),
        }
    }

    #[test]
    fn a_java_client_offers_what_its_lists_leave_and_what_they_do_not_take() {
        let path = "/etc/java-17-openjdk/security/java.security";
        let with = |list: &str| {
            let text = format!("jdk.tls.disabledAlgorithms={list}\n");
            offer("java-17", &[(path, text.as_str())])
        };
        let strict = with("TLSv1.3, TLSv1, TLSv1.1, x25519");
        assert_eq!(strict.versions, [V12]);
        assert!(!strict.groups.contains(&NamedGroup::X25519));
        let lax = with("TLSv1.1");
        assert!(lax.versions.contains(&V10) && !lax.versions.contains(&V11));
    }
}
