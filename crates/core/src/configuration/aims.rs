//! What a server's configuration is brought to when the user says so: a guideline, or just what one client needs.

use tlswhy_config::{CannotMend, Context, Effective, Library, Release, Service, Side, Want, effective};
use tlswhy_model::{ClientProfile, Edit, Evidence, Outcome, Prediction, SeenFile};
use tlswhy_wire::{Authentication, CipherSuite, KeyExchange, NamedGroup, ProtocolVersion};

use super::inspection::fares;
use super::mending::{self, apply, configured_versions, knows, level_in};
use super::rivals::same_service;
use super::survey::{Configuration, Survey};
use super::{capabilities, locate};
use crate::case::Case;
use crate::chain::KeyKind;
use crate::knowledge::policies::Policy;
use crate::negotiate::{self, ClientCapabilities, Negotiated, Obstacle, VERSIONS, chain_authentication, is_current};

/// Most changes that one service takes.
const MOST_CHANGES: usize = 8;

/// What a configuration is to be brought to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Exactly what a guideline has.
    Policy(&'static Policy),
    /// What is on, and the least that the judged client needs besides, even where that weakens the server.
    Client,
}

/// The way to an aim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// The services that it changes, by their titles.
    pub services: Vec<String>,
    /// The edits, in the files as read.
    pub edits: Vec<Edit>,
    /// What is accepted afterwards and was not before; `true` where nobody should accept it any more.
    pub opens: Vec<(String, bool)>,
    /// What is no longer accepted.
    pub closes: Vec<String>,
    /// Well-known clients that connect afterwards and did not before, by their names.
    pub gains: Vec<String>,
    /// Well-known clients that connected and do not afterwards.
    pub loses: Vec<String>,
    /// What the configuration cannot be brought to, sentences without their full stops.
    pub cannot: Vec<String>,
    /// What the judged client will agree on.
    pub predicts: Option<Prediction>,
    /// Whether the model has the judged client connect afterwards; `None` where the files do not tell.
    pub connects: Option<bool>,
    /// Validates the configuration.
    pub check: Vec<String>,
    /// Makes the program read it.
    pub reload: Vec<String>,
}

/// The edits that bring the configurations in this evidence to an aim: of the server that answers for its subject, or of all
/// servers where it has none.
pub fn course(evidence: &Evidence, aim: &Aim, client: &ClientProfile, panel: &[ClientProfile]) -> Course {
    let survey = Survey::of(evidence);
    let case = Case::new(evidence, client, evidence_address(evidence), &[]);
    let services: Vec<(&Configuration, &Service)> = if evidence.subject.host.is_empty() {
        let is_meant = |(configuration, service): &(&Configuration, &Service)| {
            configuration.is_meant(service) && service.settings.tls.as_ref().is_none_or(|tls| tls.value)
        };
        survey.services(Side::Server).filter(is_meant).collect()
    } else {
        locate::server_of(&case, &survey).into_iter().collect()
    };
    let capabilities = ClientCapabilities::of(client);
    let mut course = Course::default();
    let mut instead: Vec<SeenFile> = Vec::new();
    for (configuration, service) in &services {
        let mut way = Way { configuration, service, survey: &survey, instead: &mut instead, cannot: Vec::new() };
        match aim {
            Aim::Policy(policy) => way.follow_policy(policy),
            Aim::Client => way.serve_client(&capabilities),
        }
        for why in std::mem::take(&mut way.cannot) {
            if !course.cannot.contains(&why) {
                course.cannot.push(why);
            }
        }
    }
    let files = survey.files.with(&instead);
    for (configuration, service) in &services {
        let reading = configuration.dialect.reading(&Context { files: &files, main: &configuration.main });
        let Some(now) = same_service(&reading.services, service) else { continue };
        let (before, after) = (effective(service, &survey.files), effective(now, &files));
        if before == after {
            continue;
        }
        if course.services.is_empty() {
            let commands = mending::commands(configuration, Side::Server);
            (course.check, course.reload) = (commands.check, commands.reload);
        }
        course.services.push(locate::described(service));
        let keys = capabilities::keys(now, &files);
        course.compare(&before, &after, &keys);
        for other in panel {
            let outcome = |effective: &Effective| fares(other, effective, &keys).outcome;
            let list = match (outcome(&before), outcome(&after)) {
                (Outcome::Fails, Outcome::Works) => &mut course.gains,
                (Outcome::Works, Outcome::Fails) => &mut course.loses,
                _ => continue,
            };
            if !list.contains(&other.name) {
                list.push(other.name.clone());
            }
        }
        match negotiate::negotiate(&capabilities, &capabilities::of(&after, &keys, &capabilities)) {
            Negotiated::Agreed(agreement) => {
                course.connects = Some(course.connects.unwrap_or(true));
                course.predicts = Some(Prediction {
                    version: Some(agreement.version),
                    cipher_suite: Some(agreement.suite),
                    group: agreement.group,
                });
            }
            Negotiated::Obstacle(_) => course.connects = Some(false),
            Negotiated::Unknown(_) => {}
        }
    }
    course.edits = mending::edits(&survey, &instead);
    course
}

/// The address that was examined.
fn evidence_address(evidence: &Evidence) -> Option<std::net::IpAddr> {
    let address = evidence.subject.address.as_deref()?;
    address.parse::<std::net::SocketAddr>().map(|address| address.ip()).or_else(|_| address.parse()).ok()
}

impl Course {
    /// Adds what the difference opens and closes.
    fn compare(&mut self, before: &Effective, after: &Effective, keys: &[KeyKind]) {
        fn list<T: Clone>(list: Option<&Vec<T>>) -> Vec<T> {
            list.cloned().unwrap_or_default()
        }
        let old = |version: &ProtocolVersion| *version < ProtocolVersion::TLSV1_2;
        self.put(&list(before.versions.as_ref()), &list(after.versions.as_ref()), old);
        // A suite that no key of the server can sign for was never accepted.
        let signs = |suite: &CipherSuite| fits(*suite, &keys.iter().map(|key| chain_authentication(*key)).collect::<Vec<_>>());
        let both = |one: &Effective| {
            let mut all = [list(one.cipher_suites.as_ref()), list(one.cipher_suites_13.as_ref())].concat();
            all.retain(signs);
            all
        };
        if before.cipher_suites.is_some() == after.cipher_suites.is_some() {
            self.put(&both(before), &both(after), |suite| !is_current(*suite));
        }
        if before.groups.is_some() {
            self.put(&list(before.groups.as_ref()), &list(after.groups.as_ref()), |_| false);
        }
        let level = |one: &Effective| one.security_level;
        if let (Some(before), Some(after)) = (level(before), level(after))
            && after < before
        {
            self.open(format!("security level {after} (it was {before})"), true);
        }
    }

    fn put<T: PartialEq + ToString>(&mut self, before: &[T], after: &[T], weak: impl Fn(&T) -> bool) {
        for new in after.iter().filter(|new| !before.contains(new)) {
            self.open(new.to_string(), weak(new));
        }
        for gone in before.iter().filter(|gone| !after.contains(gone)) {
            let gone = gone.to_string();
            if !self.closes.contains(&gone) {
                self.closes.push(gone);
            }
        }
    }

    fn open(&mut self, what: String, weak: bool) {
        if !self.opens.iter().any(|(known, _)| *known == what) {
            self.opens.push((what, weak));
        }
    }
}

/// One service on its way, in the files as they have become.
struct Way<'w, 's> {
    configuration: &'w Configuration,
    service: &'w Service,
    survey: &'w Survey<'s>,
    instead: &'w mut Vec<SeenFile>,
    cannot: Vec<String>,
}

impl Way<'_, '_> {
    /// Looks at the service as it has become.
    fn now<R>(&self, look: impl FnOnce(&Service, &Context<'_>) -> R) -> Option<R> {
        let files = self.survey.files.with(self.instead);
        let context = Context { files: &files, main: &self.configuration.main };
        let reading = self.configuration.dialect.reading(&context);
        Some(look(same_service(&reading.services, self.service)?, &context))
    }

    /// Brings one thing about; whether that changed anything.
    fn bring(&mut self, want: &Want) -> bool {
        let mend = self.configuration.dialect.mend;
        let brought = self.now(|service, context| match mend(context, service, want) {
            Ok(patches) => Ok(apply(context, &patches).unwrap_or_default()),
            Err(CannotMend { why }) => Err(why),
        });
        match brought {
            Some(Ok(patched)) if !patched.is_empty() => {
                for file in patched {
                    self.instead.retain(|known| known.path != file.path);
                    self.instead.push(file);
                }
                true
            }
            Some(Err(why)) => {
                self.cannot.push(why);
                false
            }
            _ => false,
        }
    }

    /// What is in effect by now.
    fn effective(&self) -> Effective {
        self.now(|service, context| effective(service, context.files)).unwrap_or_default()
    }

    /// Exactly what a guideline has.
    fn follow_policy(&mut self, policy: &Policy) {
        let oldest = policy.versions.first().copied().unwrap_or(ProtocolVersion::TLSV1_3);
        let mut on = self.effective().versions.unwrap_or_default();
        on.sort_unstable();
        if on != policy.versions {
            self.bring(&Want::Versions(policy.versions.clone()));
        }
        if oldest < ProtocolVersion::TLSV1_3 {
            let level = self.level_for(oldest);
            let there = self.effective().cipher_suites;
            let same = |there: &Vec<CipherSuite>| same_set(there, &policy.cipher_suites);
            if level.is_some() || !there.as_ref().is_some_and(same) {
                self.bring(&Want::CipherList(policy.cipher_suites.clone(), level.or_else(|| self.level_written())));
            }
        }
        let there = self.effective().cipher_suites_13;
        if there.is_some_and(|there| !same_set(&there, &policy.cipher_suites_13)) {
            self.bring(&Want::CipherSuites(policy.cipher_suites_13.clone()));
        }
        let groups: Vec<NamedGroup> =
            policy.groups.iter().copied().filter(|group| knows(&self.service.library, *group)).collect();
        if self.effective().groups.is_some_and(|there| there != groups) {
            self.bring(&Want::Groups(groups));
        }
    }

    /// What the judged client lacks, one obstacle after the other.
    fn serve_client(&mut self, client: &ClientCapabilities) {
        for _ in 0..MOST_CHANGES {
            let stands = self.now(|service, context| {
                let keys = capabilities::keys(service, context.files);
                let now = effective(service, context.files);
                let server = capabilities::of(&now, &keys, client);
                let Negotiated::Obstacle(obstacle) = negotiate::negotiate(client, &server) else { return None };
                let authentications: Vec<Authentication> = keys.iter().map(|key| chain_authentication(*key)).collect();
                Some(least(&obstacle, client, service, &now, &authentications))
            });
            match stands.flatten() {
                Some(Ok(want)) => {
                    let before = self.effective();
                    if !self.bring(&want) || self.effective() == before {
                        // One line was not enough or not possible: what else stands in the way is not this line's.
                        break;
                    }
                }
                Some(Err(why)) => {
                    self.cannot.push(why);
                    break;
                }
                None => break,
            }
        }
    }

    /// The level that OpenSSL 3 needs for versions before TLS 1.2, where it is not in effect yet.
    fn level_for(&self, oldest: ProtocolVersion) -> Option<u8> {
        needs_level_0(self.service, oldest, self.effective().security_level).then_some(0)
    }

    /// The level that the cipher string names.
    fn level_written(&self) -> Option<u8> {
        self.now(|service, _| service.settings.cipher_list.as_ref().and_then(|list| level_in(&list.value.text))).flatten()
    }
}

/// Whether versions as old as this need level 0: since OpenSSL 3.0 their signatures are below level 1.
fn needs_level_0(service: &Service, oldest: ProtocolVersion, level: Option<u8>) -> bool {
    let modern =
        matches!(service.library, Library::OpenSsl(release) if release.is_none_or(|release| release >= Release::new(3, 0, 0)));
    modern && oldest < ProtocolVersion::TLSV1_2 && level.is_some_and(|level| level > 0)
}

fn same_set<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.iter().all(|each| other.contains(each)) && other.iter().all(|each| one.contains(each))
}

/// The least that removes an obstacle for this client.
fn least(
    obstacle: &Obstacle,
    client: &ClientCapabilities,
    service: &Service,
    now: &Effective,
    authentications: &[Authentication],
) -> Result<Want, String> {
    match obstacle {
        Obstacle::Versions { .. } | Obstacle::LegacySignature { .. } => {
            let newest = client.versions.iter().copied().filter(|version| VERSIONS.contains(version)).max();
            let newest = newest.ok_or("the client offers no version that a server could switch on")?;
            let mut all = configured_versions(service);
            if all.contains(&newest) {
                return match now.security_level {
                    Some(level) if level > 0 && newest < ProtocolVersion::TLSV1_2 => Ok(level_0(service, now)),
                    // A version without a suite is as good as off.
                    _ => with_a_suite(newest, client, service, now, authentications),
                };
            }
            all.push(newest);
            let (lowest, highest) = (all.iter().min().copied().unwrap_or(newest), all.iter().max().copied().unwrap_or(newest));
            // No hole: a client whose newest version lies in it would be cut off.
            Ok(Want::Versions(VERSIONS.iter().copied().filter(|version| (lowest..=highest).contains(version)).collect()))
        }
        Obstacle::Suites { version } if *version >= ProtocolVersion::TLSV1_3 => {
            let first = client.suites_at(*version).into_iter().find(|suite| is_current(*suite));
            let mut suites = now.cipher_suites_13.clone().unwrap_or_default();
            suites.push(first.ok_or("no suite of the client is one that a server should have")?);
            Ok(Want::CipherSuites(suites))
        }
        Obstacle::Suites { version } => with_a_suite(*version, client, service, now, authentications),
        Obstacle::Groups { .. } => {
            let usable = client.groups.iter().copied().find(|group| knows(&service.library, *group));
            let mut groups = now.groups.clone().unwrap_or_default();
            groups.push(usable.ok_or("the server's library knows none of the client's groups")?);
            Ok(Want::Groups(groups))
        }
        Obstacle::Schemes { .. } => {
            let mut schemes = now.signature_schemes.clone().ok_or("the signature algorithms in effect are not known")?;
            let usable = client.schemes.iter().flatten().copied().find(|scheme| !schemes.contains(scheme));
            schemes.push(usable.ok_or("the client's signature algorithms are configured already")?);
            Ok(Want::SignatureAlgorithms(schemes))
        }
        Obstacle::DhSize { .. } => Ok(Want::NoDhParameters),
        _ => Err("no line of a configuration gives what is missing".to_owned()),
    }
}

/// The suites in effect, and the best one of the client's up to TLS 1.2.
fn with_a_suite(
    version: ProtocolVersion,
    client: &ClientCapabilities,
    service: &Service,
    now: &Effective,
    authentications: &[Authentication],
) -> Result<Want, String> {
    let mut suites = now.cipher_suites.clone().unwrap_or_default();
    // Where the certificate is not known, the suites that are configured tell its kind; RSA is the usual one.
    let configured = suites.iter().filter_map(|suite| suite.details()).map(|row| row.authentication);
    let configured: Vec<Authentication> =
        configured.filter(|one| matches!(one, Authentication::Rsa | Authentication::Ecdsa)).collect();
    let authentications = match (authentications, configured.as_slice()) {
        ([], []) => &[Authentication::Rsa],
        ([], configured) => configured,
        (known, _) => known,
    };
    let usable = client.suites_at(version).into_iter().filter(|suite| fits(*suite, authentications) && worth(*suite) > 0);
    let usable: Vec<CipherSuite> = usable.collect();
    // Of equals the first: the client prefers it.
    let best = usable.into_iter().rev().max_by_key(|suite| worth(*suite));
    let best = best.ok_or(
        "every suite that the client offers is broken (NULL, anonymous, export, RC4) or needs another kind of certificate",
    )?;
    if suites.contains(&best) {
        return Err(format!("{version} with {best} is configured, and the library does not do it"));
    }
    suites.push(best);
    let level = service.settings.cipher_list.as_ref().and_then(|list| level_in(&list.value.text));
    Ok(Want::CipherList(suites, level))
}

/// Whether one of these keys can sign for a suite, as far as that needs a key of its kind.
fn fits(suite: CipherSuite, authentications: &[Authentication]) -> bool {
    suite.details().is_some_and(|row| {
        let needs_a_key = matches!(row.authentication, Authentication::Rsa | Authentication::Ecdsa | Authentication::Dss);
        !needs_a_key || authentications.is_empty() || authentications.contains(&row.authentication)
    })
}

/// Level 0 in the way that the service's cipher string has it.
fn level_0(service: &Service, now: &Effective) -> Want {
    match &service.settings.security_level {
        Some(_) => Want::SecurityLevel(0),
        None => Want::CipherList(now.cipher_suites.clone().unwrap_or_default(), Some(0)),
    }
}

/// How good a suite up to TLS 1.2 is, of those that a server may be made to accept at all; 0 for none of them.
fn worth(suite: CipherSuite) -> u8 {
    let Some(row) = suite.details() else { return 0 };
    let broken = ["NULL", "anon", "EXPORT", "RC4", "_DES_", "RC2", "KRB5", "PSK"];
    if broken.iter().any(|word| row.name.contains(word)) {
        return 0;
    }
    let forward = matches!(row.key_exchange, KeyExchange::Ecdhe);
    match (forward, row.is_aead(), row.strength_bits() >= 128) {
        (true, true, true) => 5,
        (true, false, true) => 4,
        (false, true, true) => 3,
        (false, false, true) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use tlswhy_model::{FileContent, GivenConfiguration, InstalledSoftware, Party};

    use super::*;
    use crate::knowledge::policies::policy;

    /// Evidence of one nginx and its files; everything else that is looked for is missing.
    fn evidence(text: &str) -> Evidence {
        let file = |path: &str, content| SeenFile { path: path.to_owned(), real_path: None, content };
        let bytes =
            FileContent::Bytes { bytes: text.as_bytes().to_vec().into(), sha256: String::new(), public_keys: Vec::new() };
        let mut seen = vec![file("/etc/nginx/nginx.conf", bytes)];
        let mut software = Vec::new();
        loop {
            let given = [GivenConfiguration { party: Some(Party::Server), path: "/etc/nginx/nginx.conf".to_owned() }];
            let survey = Survey::over(&given, &seen, &software);
            let (paths, products) = (survey.files.wanted(), survey.files.wanted_software());
            if paths.is_empty() && products.is_empty() {
                break;
            }
            seen.extend(paths.iter().map(|path| file(path, FileContent::Missing)));
            software.extend(products.into_iter().map(|product| InstalledSoftware {
                version: Some(if product == "openssl" { "3.0.13" } else { "1.24.0" }.to_owned()),
                product,
                source: String::new(),
                ..InstalledSoftware::default()
            }));
        }
        let request = crate::InspectionRequest {
            configurations: vec![GivenConfiguration { party: Some(Party::Server), path: "/etc/nginx/nginx.conf".to_owned() }],
            ..crate::InspectionRequest::default()
        };
        let mut evidence = crate::Inspection::new(request).evidence().clone();
        (evidence.files, evidence.software) = (seen, software);
        evidence
    }

    fn after(text: &str, course: &Course) -> String {
        let mut text = text.to_owned();
        let mut edits: Vec<&Edit> = course.edits.iter().collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.start));
        for edit in edits {
            text.replace_range(edit.start as usize..edit.end as usize, &edit.new);
        }
        text
    }

    const OLD: &str = "http {\n  server {\n    listen 443 ssl; # here\n    ssl_protocols TLSv1.2;\n    ssl_ciphers AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256;\n  }\n}\n";

    fn to(name: &str, text: &str, client: &str) -> Course {
        let aim = policy(name).map_or(Aim::Client, Aim::Policy);
        course(&evidence(text), &aim, &crate::client(client).unwrap(), &crate::panel())
    }

    #[test]
    fn a_guideline_is_reached_exactly_and_a_second_time_nothing_is_left_to_do() {
        for policy in crate::knowledge::policies::aims() {
            let course = to(&policy.name, OLD, "openssl-3.0");
            assert_eq!(course.cannot, Vec::<String>::new(), "{}", policy.name);
            let text = after(OLD, &course);
            assert!(text.contains("# here"));
            assert_eq!(to(&policy.name, &text, "openssl-3.0").edits, [], "{text}");
            let seen = evidence(&text);
            let survey = Survey::of(&seen);
            let (_, service) = survey.services(Side::Server).next().unwrap();
            let mut versions = effective(service, &survey.files).versions.unwrap();
            versions.sort_unstable();
            assert_eq!(versions, policy.versions, "{text}");
            assert_eq!(course.connects, Some(true));
        }
    }

    #[test]
    fn what_a_guideline_costs_is_said() {
        let course = to("modern", OLD, "openssl-3.0");
        assert!(course.closes.contains(&"TLSv1.2".to_owned()), "{:?}", course.closes);
        assert!(course.loses.contains(&"java-8u161".to_owned()), "{:?}", course.loses);
        assert!(course.opens.iter().all(|(_, weak)| !weak), "{:?}", course.opens);
    }

    #[test]
    fn an_old_client_is_let_in_by_the_least_that_it_needs_and_that_is_called_weak() {
        let course = to("client", OLD, "android-4.4");
        assert_eq!(course.connects, Some(true));
        assert!(course.gains.contains(&"android-4.4".to_owned()) && course.loses.is_empty());
        assert!(course.opens.contains(&("TLSv1.0".to_owned(), true)), "{:?}", course.opens);
        let text = after(OLD, &course);
        assert!(text.contains("AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"), "{text}");
    }

    #[test]
    fn a_version_that_is_opened_gets_a_suite_that_it_can_be_used_with() {
        let text = OLD.replace("AES128-SHA:", "");
        let course = to("client", &text, "android-4.4");
        assert_eq!(course.connects, Some(true), "{:?}", course.cannot);
        let opened: Vec<&String> = course.opens.iter().map(|(what, _)| what).filter(|what| what.starts_with("TLS_")).collect();
        assert_eq!(
            opened,
            ["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"],
            "just one, for the kind of certificate that the other suite needs"
        );
    }

    #[test]
    fn nothing_is_opened_for_a_client_that_connects_already() {
        assert_eq!(to("client", OLD, "openssl-3.0"), Course::default());
    }
}
