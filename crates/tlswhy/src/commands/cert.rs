//! `tlswhy cert`: a certificate chain as a person wants it, from a file or from a server.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tlswhy_core::chain::{
    self, Anchor, Certificate, Judgement, Known, Objection, ObjectionKind, OcspEvidence, PathEnd, PathPolicy, Purpose,
    ServerName, Situation, Store,
};
use tlswhy_gather::{CertificateFile, Live, java_trust_store, public_half, read_certificates, system_trust_store};
use tlswhy_model::{ChainView, ClientProfile, Fetched, Subject, printable};

use super::asking::{self, Presented};
use super::chain::{Chain, LONGEST_URL, facts_of};
use super::check::note;
use super::examine::Interrupted;
use super::{connect, judged, served, trust};
use crate::cli::{Cert, ListFormat};
use crate::exit::{Failure, Status};
use crate::output::Output;
use crate::render::cert::{self as sheet, Document, Fault, Shown};
use crate::render::chain::Facts;
use crate::target::{Target, domain_name};
use crate::terminal;

/// Endings of file names that are not those of hosts.
const FILE_ENDINGS: &[&str] = &[".pem", ".crt", ".cer", ".der", ".p7b", ".p7c", ".p7s", ".jks", ".p12", ".pfx"];
/// Rounds of fetching issuers: one for each intermediate that is missing in a row.
const MOST_ROUNDS: usize = 4;
/// Addresses that one certificate names and that are asked.
const MOST_URLS: usize = 2;
/// Most characters of a sentence with names in it.
const LONGEST_SENTENCE: usize = 600;

/// Shows every chain.
pub(crate) fn run(arguments: &Cert) -> Result<Status, Failure> {
    if arguments.subjects.len() > 1 && (arguments.save.is_some() || arguments.save_chain.is_some()) {
        return Err(Failure::new("--save and --save-chain write the certificates of one file or server"));
    }
    served::may_write(arguments.save.as_deref(), arguments.force)?;
    served::may_write(arguments.save_chain.as_deref(), arguments.force)?;
    let subjects = arguments.subjects.iter().map(|given| Wanted::read(given)).collect::<Result<Vec<_>, _>>()?;
    let name = arguments.name.as_deref().map(server_name).transpose()?;
    let named = arguments.client.iter().map(|name| judged::profile(name)).collect::<Result<Vec<_>, _>>()?;
    let key = arguments.key.as_deref().map(key_of).transpose()?;
    let given = trust::known_certificates(&arguments.sources.known)?;
    let stores = stores(arguments.ca.as_deref())?;
    // Mozilla's stands behind the user's and the system's.
    let place = stores.iter().position(|store| store.name == trust::JAVA).unwrap_or(stores.len());
    let (before, java) = stores.split_at(place);
    let stores: Vec<&Store> = before.iter().chain([Store::mozilla()]).chain(java).collect();
    let mut output = Output::open(arguments.output.file.as_deref())?;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(async {
        let interrupted = Interrupted::watch();
        let clients = judged::judged(named, None, &interrupted).await?;
        let client = clients.into_iter().next().ok_or_else(|| Failure::new("there is no client to judge for"))?;
        let known = given
            .iter()
            .map(|known| Known { certificate: Arc::new(Certificate::read(&known.certificate)), source: known.source.clone() });
        let bench = Bench {
            arguments,
            policy: PathPolicy::of(&client.policy),
            client,
            stores,
            given: known.collect(),
            name,
            key,
            now: Timestamp::now().as_second(),
            interrupted,
        };
        let mut worst = Status::Fine;
        let alone = subjects.len() == 1;
        for (place, wanted) in subjects.iter().enumerate() {
            match bench.examine(wanted).await {
                Ok((document, saved)) => {
                    output.write(|out| match arguments.output.format {
                        ListFormat::Json => sheet::json(&document, alone, out),
                        ListFormat::Human => sheet::human(&document, place == 0, arguments.verbose, terminal::width(), out),
                    })?;
                    let fails = document.chains.iter().any(|shown| !shown.findings.is_empty());
                    worst = worst.max(if fails { Status::Blocked } else { Status::Fine });
                    if let Err(failure) = saved {
                        failure.print();
                        worst = Status::CouldNot;
                    }
                }
                Err(failure) if alone => return Err(failure),
                Err(failure) => {
                    failure.print();
                    worst = Status::CouldNot;
                }
            }
        }
        Ok(worst)
    });
    // A name that is still being resolved must not hold up the end.
    runtime.shutdown_background();
    let status = ended?;
    output.finish()?;
    Ok(status)
}

/// What the user asks about.
enum Wanted {
    File(String),
    Server(Target),
}

impl Wanted {
    /// A file is what exists as one, or looks like one; everything else is a target.
    fn read(given: &str) -> Result<Wanted, Failure> {
        let is_path = given == "-" || (given.contains(['/', '\\']) && !given.contains("://"));
        let is_named_so = FILE_ENDINGS.iter().any(|ending| given.to_ascii_lowercase().ends_with(ending));
        if is_path || is_named_so || Path::new(given).is_file() {
            return Ok(Wanted::File(given.to_owned()));
        }
        let target = given.parse::<Target>();
        target.map(Wanted::Server).map_err(|error| Failure::new(format!("`{given}` is no file, and no target: {error}")))
    }
}

/// What was found, and whether what was to be saved could be.
type Examined = (Document, Result<(), Failure>);

/// What all of them are judged with.
struct Bench<'a> {
    arguments: &'a Cert,
    client: ClientProfile,
    policy: PathPolicy,
    stores: Vec<&'a Store>,
    given: Vec<Known>,
    name: Option<ServerName>,
    key: Option<(String, Vec<u8>)>,
    now: i64,
    interrupted: Interrupted,
}

impl Bench<'_> {
    async fn examine(&self, wanted: &Wanted) -> Result<Examined, Failure> {
        match wanted {
            Wanted::File(path) => self.file(path).await,
            Wanted::Server(target) => self.server(target).await,
        }
    }

    async fn file(&self, path: &str) -> Result<Examined, Failure> {
        let file = read_certificates(Path::new(path)).map_err(|error| Failure::new(format!("cannot read {path}: {error}")))?;
        if file.certificates.is_empty() {
            return Err(Failure::new(format!("{} holds no certificate", file.source)));
        }
        let mut notes: Vec<String> = file.damaged.iter().map(ToString::to_string).collect();
        notes.extend(keys(&file));
        let own_key = file.public_halves.first().map(|spki| (file.source.clone(), spki.clone()));
        let presented = Presented { certificates: file.certificates, ..Presented::default() };
        let subject = Subject { target: file.source, client: self.client.title.clone(), ..Subject::default() };
        let key = self.key.clone().or(own_key);
        let matter = Matter { subject, from_file: true, name: self.name.clone(), key, live: Live::default() };
        self.judge(matter, vec![presented], None, notes).await
    }

    async fn server(&self, target: &Target) -> Result<Examined, Failure> {
        let connection = &self.arguments.connection;
        let live = connect::live(connection, target)?;
        let clients = std::slice::from_ref(&self.client);
        let mut subject = connect::subject(connection, target, live.proxy.as_ref(), clients);
        let shown = asking::ask(&subject, connection, &live, &self.interrupted).await?;
        subject.address = shown.address;
        let asked_for = subject.server_name.clone().unwrap_or_else(|| subject.host.clone());
        let name = self.name.clone().or_else(|| server_name(&asked_for).ok());
        let matter = Matter { subject, from_file: false, name, key: self.key.clone(), live };
        self.judge(matter, shown.chains, shown.without_name, Vec::new()).await
    }

    async fn judge(
        &self,
        matter: Matter,
        presented: Vec<Presented>,
        without_name: Option<Presented>,
        mut notes: Vec<String>,
    ) -> Result<Examined, Failure> {
        let mut chains: Vec<Chain> = presented.iter().cloned().map(Chain::of).collect();
        let sorted: Vec<bool> = chains.iter_mut().map(Chain::sort).collect();
        let (mut shown, mut saved) = (Vec::new(), Ok(()));
        for (place, (chain, was_sorted)) in chains.iter().zip(sorted).enumerate() {
            let mut known = self.given.clone();
            for other in chains.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, other)| other) {
                let source = format!("the chain that the server shows with {}", other.kinds.join(" and "));
                let issuers = other.certificates.iter().skip(1).cloned();
                known.extend(issuers.map(|certificate| Known { certificate, source: source.clone() }));
            }
            shown.push(self.one(&matter, chain, &mut known, was_sorted, &mut notes).await?);
            if place == 0 {
                saved = self.save(chain, &known, presented.first(), chains.len());
            }
        }
        if let Some(other) = without_name.map(Chain::of).and_then(|chain| chain.certificates.into_iter().next()) {
            notes.push(format!(
                "to clients without SNI the server shows another certificate: {}, issued by {}",
                other.subject.text, other.issuer.text
            ));
        }
        notes.dedup();
        let Matter { subject, from_file, .. } = matter;
        Ok((Document { subject, from_file, taken_at: time(self.now), chains: shown, notes }, saved))
    }

    /// Judges one chain.
    async fn one(
        &self,
        matter: &Matter,
        chain: &Chain,
        known: &mut Vec<Known>,
        was_sorted: bool,
        notes: &mut Vec<String>,
    ) -> Result<Shown, Failure> {
        let sources = &self.arguments.sources;
        let mut evidence = Evidence::default();
        evidence.ocsp.extend(chain.staple.clone().map(|response| OcspEvidence { response, stapled: true }));
        if sources.aia {
            self.fetch_issuers(chain, known, &matter.live, notes).await?;
        }
        if sources.online {
            let judgement = self.opinion(chain, known, &evidence, None);
            self.fetch_revocation(&judgement, &mut evidence, &matter.live, notes).await?;
        }
        let judgement = self.opinion(chain, known, &evidence, matter.name.as_ref());
        let mut findings = Vec::new();
        if was_sorted {
            let number = chain.places.first().map_or(0, |place| place + 1);
            let says = format!("the end entity must stand first; here it is certificate {number}");
            findings.push(Fault::new("chain-misordered", says, None));
        }
        findings.extend(matter.key.as_ref().and_then(|key| key_fault(key, chain, notes)));
        findings.extend(judgement.objections.iter().map(|objection| {
            let says = in_words(objection, matter);
            let fault = Fault::new(objection.kind.cause(), says, Some(&objection.certificate));
            let unknown = matches!(objection.kind, ObjectionKind::Untrusted { end: PathEnd::IssuerUnknown, .. });
            if unknown { fault.or("chain-incomplete") } else { fault }
        }));
        let (view, mut facts) = self.view(chain, known);
        if let Some(leaf) = chain.certificates.first()
            && let Some(facts) = facts.get_mut(&leaf.fingerprint())
            && !matter.from_file
        {
            facts.says.push(self.staple(chain, &judgement));
        }
        Ok(Shown { kinds: chain.kinds.clone(), view, facts, findings })
    }

    /// The chain in every store.
    fn view(&self, chain: &Chain, known: &[Known]) -> (ChainView, BTreeMap<String, Facts>) {
        let known = self.with_anchors(chain, known, None);
        let names = served::names(chain.certificates.iter().chain(known.iter().map(|known| &known.certificate)));
        let stores = self.stores.iter().map(|store| (store.name.clone(), store.source.clone(), store.anchors(&names)));
        let stores: Vec<(String, String, Vec<Anchor>)> = stores.collect();
        let mut view = chain::view(&chain.certificates, &known, &stores, &self.policy, self.now);
        for certificate in &mut view.certificates {
            let place = certificate.place.and_then(|place| chain.places.get(usize::try_from(place).ok()?));
            certificate.place = place.and_then(|place| u32::try_from(*place).ok());
        }
        let all = chain.certificates.iter().chain(known.iter().map(|known| &known.certificate));
        let mut facts: BTreeMap<String, Facts> = all.map(|one| (one.fingerprint(), facts_of(one))).collect();
        facts.retain(|sha256, _| view.certificates.iter().any(|certificate| certificate.sha256 == *sha256));
        (view, facts)
    }

    /// The store that the judged client uses: the user's, its own, or Mozilla's.
    fn store(&self) -> Option<&Store> {
        let own = self.client.policy.trust_store.as_deref().unwrap_or("system");
        let given = self.stores.first().filter(|_| self.arguments.ca.is_some()).copied();
        let named = |name: &str| self.stores.iter().find(|store| store.name == name).copied();
        given.or_else(|| named(own)).or_else(|| named("mozilla"))
    }

    /// What is known, and the anchors of every store but `except`: they show where a path leads.
    fn with_anchors(&self, chain: &Chain, known: &[Known], except: Option<&Store>) -> Vec<Known> {
        let mut all = known.to_vec();
        let names = served::names(chain.certificates.iter().chain(known.iter().map(|known| &known.certificate)));
        let own: BTreeSet<[u8; 32]> =
            except.iter().flat_map(|store| store.anchors(&names)).map(|anchor| anchor.certificate.sha256).collect();
        for store in &self.stores {
            for anchor in store.anchors(&names) {
                let sha256 = anchor.certificate.sha256;
                if !own.contains(&sha256) && !all.iter().any(|known| known.certificate.sha256 == sha256) {
                    all.push(Known { certificate: anchor.certificate, source: store.source.clone() });
                }
            }
        }
        all
    }

    fn opinion(&self, chain: &Chain, known: &[Known], evidence: &Evidence, name: Option<&ServerName>) -> Judgement {
        let store = self.store();
        let known = self.with_anchors(chain, known, store);
        let names = served::names(chain.certificates.iter().chain(known.iter().map(|known| &known.certificate)));
        let anchors = store.map(|store| store.anchors(&names)).unwrap_or_default();
        chain::judge(&Situation {
            sent: &chain.certificates,
            known: &known,
            anchors: &anchors,
            policy: &self.policy,
            name,
            purpose: Purpose::Server,
            now: self.now,
            maximum_intermediates: None,
            revocation_lists: &evidence.lists,
            ocsp: &evidence.ocsp,
        })
    }

    /// Fetches the issuers that nobody knows, from the addresses that certificates name.
    async fn fetch_issuers(
        &self,
        chain: &Chain,
        known: &mut Vec<Known>,
        live: &Live,
        notes: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let mut asked: BTreeSet<String> = BTreeSet::new();
        for _ in 0..MOST_ROUNDS {
            let judgement = self.opinion(chain, known, &Evidence::default(), None);
            let tops = judgement.paths.iter().filter(|path| path.end == PathEnd::IssuerUnknown);
            let tops = tops.filter_map(|path| path.links.last());
            let urls: Vec<String> = tops
                .flat_map(|link| link.certificate.issuer_urls.iter().take(MOST_URLS))
                .filter(|url| asked.insert((*url).clone()))
                .take(2 * MOST_URLS)
                .cloned()
                .collect();
            if judgement.paths.iter().any(|path| path.end == PathEnd::Anchor) || urls.is_empty() {
                return Ok(());
            }
            let wanted = urls.into_iter().map(|url| (url, None)).collect();
            for fetched in asking::fetch(live, wanted, &self.interrupted).await? {
                notes.extend(complaint(&fetched));
                for der in fetched.body.iter().flat_map(|body| chain::certificates_in(body)) {
                    known.push(Known { certificate: Arc::new(Certificate::read(&der)), source: fetched.url.clone() });
                }
            }
        }
        Ok(())
    }

    /// Asks whether the certificates of the path are revoked.
    async fn fetch_revocation(
        &self,
        judgement: &Judgement,
        evidence: &mut Evidence,
        live: &Live,
        notes: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let Some(path) = judgement.paths.first() else { return Ok(()) };
        let mut wanted = Vec::new();
        for pair in path.links.windows(2) {
            let [link, issuer] = pair else { continue };
            if let Some(url) = link.certificate.ocsp_urls.first() {
                wanted.push((url.clone(), Some(chain::ocsp::request(&link.certificate, &issuer.certificate))));
            } else if let Some(url) = link.certificate.crl_urls.first() {
                wanted.push((url.clone(), None));
            }
        }
        for fetched in asking::fetch(live, wanted, &self.interrupted).await? {
            notes.extend(complaint(&fetched));
            let Some(body) = fetched.body else { continue };
            match fetched.request {
                Some(_) => evidence.ocsp.push(OcspEvidence { response: body.0, stapled: false }),
                None => evidence.lists.push(body.0),
            }
        }
        Ok(())
    }

    /// What the stapled response says, in words.
    fn staple(&self, chain: &Chain, judgement: &Judgement) -> String {
        let Some(response) = &chain.staple else {
            return "no OCSP response is stapled".to_owned();
        };
        let links = judgement.paths.first().map(|path| path.links.as_slice()).unwrap_or_default();
        let [leaf, issuer, ..] = links else {
            return "an OCSP response is stapled; without the issuer it cannot be checked".to_owned();
        };
        let said = match chain::ocsp::status(response, &leaf.certificate, &issuer.certificate, self.now) {
            Ok(chain::ocsp::OcspStatus::Good { next_update, .. }) => {
                let until = next_update.map(|next| format!(", until {}", time(next))).unwrap_or_default();
                format!("not revoked{until}")
            }
            Ok(chain::ocsp::OcspStatus::Revoked(revoked)) => format!("revoked on {}", time(revoked.at)),
            Ok(chain::ocsp::OcspStatus::Unknown) => "its responder does not know the certificate".to_owned(),
            Ok(chain::ocsp::OcspStatus::Stale { next_update }) => format!("too old, it ended {}", time(next_update)),
            Err(why) => why,
        };
        format!("stapled OCSP response: {said}")
    }

    /// Writes what the user wants written.
    fn save(&self, chain: &Chain, known: &[Known], presented: Option<&Presented>, count: usize) -> Result<(), Failure> {
        let arguments = self.arguments;
        if count > 1 && (arguments.save.is_some() || arguments.save_chain.is_some()) {
            note(&format!("the server shows {count} chains; the one with {} is written", chain.kinds.join(" and ")));
        }
        if let (Some(path), Some(presented)) = (&arguments.save, presented) {
            let order = chain.places.iter().filter_map(|place| presented.certificates.get(*place));
            served::write_pem(path, order.map(Vec::as_slice))?;
        }
        if let Some(path) = &arguments.save_chain {
            let own = self.store();
            let others = self.stores.iter().copied().filter(|store| own.is_none_or(|own| !std::ptr::eq(own, *store)));
            let stores: Vec<&Store> = own.into_iter().chain(others).collect();
            served::save_chain(path, &chain.certificates, known, &stores, &self.policy, self.now)?;
        }
        Ok(())
    }
}

/// What is judged, and how it may be asked about.
struct Matter {
    subject: Subject,
    from_file: bool,
    name: Option<ServerName>,
    /// Where the key comes from, and its SubjectPublicKeyInfo.
    key: Option<(String, Vec<u8>)>,
    live: Live,
}

/// What was fetched or stapled on revocation.
#[derive(Default)]
struct Evidence {
    ocsp: Vec<OcspEvidence>,
    lists: Vec<Vec<u8>>,
}

/// An objection as a sentence: for a file no server is to blame, and a name that does not fit stands beside those that there are.
fn in_words(objection: &Objection, matter: &Matter) -> String {
    match &objection.kind {
        ObjectionKind::Incomplete { missing } if matter.from_file => {
            let missing: Vec<String> = missing.iter().map(|(one, source)| format!("{} ({source})", one.subject.text)).collect();
            format!("the file lacks {}", printable(&missing.join(", "), LONGEST_SENTENCE))
        }
        ObjectionKind::Untrusted { end: PathEnd::IssuerUnknown, issuer } => format!(
            "no path leads to a trust anchor: {issuer} is neither here nor known; it may be a missing intermediate (`--aia` or \
             `--known FILE` would tell) or a root that is not trusted (`--ca FILE`)"
        ),
        ObjectionKind::NameMismatch { names, near, common_name_only: false } => {
            let asked = match &matter.name {
                Some(ServerName::Dns(name)) => name.clone(),
                Some(ServerName::Address(address)) => address.to_string(),
                None => "the name asked for".to_owned(),
            };
            let has = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
            let near = near.as_ref().map(|(name, why)| format!("; {name}: {why}")).unwrap_or_default();
            printable(&format!("no name in the certificate covers {asked}; {has}{near}"), LONGEST_SENTENCE)
        }
        kind => kind.says(&objection.subject),
    }
}

/// Whether the key is that of the end entity, of another certificate, or of none.
fn key_fault((source, spki): &(String, Vec<u8>), chain: &Chain, notes: &mut Vec<String>) -> Option<Fault> {
    let place = chain.certificates.iter().position(|certificate| certificate.spki == *spki);
    let Some(place) = place else {
        let leaf = chain.certificates.first();
        let subject = leaf.map(|leaf| leaf.subject.text.clone()).unwrap_or_default();
        let says = format!("the key in {source} does not belong to {subject}, nor to any other certificate here");
        return Some(Fault::new("certificate-key-mismatch", says, leaf.map(|leaf| &leaf.sha256)));
    };
    let number = chain.places.get(place).map_or(0, |place| place + 1);
    if place > 0 {
        let says = format!("the key in {source} belongs to certificate {number}, which must stand first");
        return Some(Fault::new("chain-misordered", says, chain.certificates.get(place).map(|one| &one.sha256)));
    }
    notes.push(format!("the key in {source} belongs to certificate {number}"));
    None
}

/// What is to be said of the keys of a file that were not compared.
fn keys(file: &CertificateFile) -> Option<String> {
    match file.encrypted_keys {
        0 => None,
        count => Some(format!("{count} of its private keys cannot be compared: encrypted")),
    }
}

/// Why nothing was fetched.
fn complaint(fetched: &Fetched) -> Option<String> {
    let error = fetched.error.as_ref()?;
    Some(format!("{} gave nothing: {error}", printable(&fetched.url, LONGEST_URL)))
}

/// The user's store and those of this machine; Java's is last.
fn stores(ca: Option<&Path>) -> Result<Vec<Store>, Failure> {
    let mut stores = Vec::new();
    if let Some(path) = ca {
        let given = trust::named_trust_store(path)?;
        stores.push(Store::new("--ca", &given.source, given.certificates));
    }
    if let Some((source, certificates)) = system_trust_store() {
        stores.push(Store::new("system", &source, certificates));
    }
    if let Some(java) = java_trust_store() {
        stores.push(Store::new(trust::JAVA, &java.source, java.certificates));
    }
    Ok(stores)
}

fn key_of(path: &Path) -> Result<(String, Vec<u8>), Failure> {
    let spki = public_half(path).map_err(|error| Failure::new(format!("--key {}: {error}", path.display())))?;
    Ok((path.display().to_string(), spki))
}

/// A name or an address, as certificates are compared with.
fn server_name(text: &str) -> Result<ServerName, Failure> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(ServerName::Address(address));
    }
    let name = domain_name(text).map_err(|error| Failure::new(format!("--name: {error}")))?;
    Ok(ServerName::Dns(name.strip_suffix('.').unwrap_or(&name).to_owned()))
}

fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_targets_are_told_apart() {
        for (given, is_file) in [
            ("-", true),
            ("./chain", true),
            ("/etc/ssl/x", true),
            ("missing.pem", true),
            ("BUNDLE.CRT", true),
            ("www.example.test", false),
            ("https://www.example.test/a/b.pem/x", false),
            ("192.0.2.1:8443", false),
        ] {
            assert_eq!(matches!(Wanted::read(given), Ok(Wanted::File(_))), is_file, "{given}");
        }
        assert!(Wanted::read("a b").is_err());
    }
}
