//! What `tlswhy-config` reads in the files of a case.

use std::fmt::Debug;

use tlswhy_config::{Context, Dialect, Effective, Files, Library, Reading, Service, Side, dialect, effective};
use tlswhy_gather::FilesOf;
use tlswhy_model::{InstalledSoftware, SeenFile};
use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use tokio::runtime::Runtime;

use super::hello::Offer;
use crate::configs::{Case, Placed};

/// What is expected of a program. What is `None` is not claimed.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Why no hello comes.
    pub refused: Vec<String>,
    /// Versions, newest first.
    pub versions: Option<Vec<ProtocolVersion>>,
    /// Suites up to TLS 1.2.
    pub suites: Option<Vec<CipherSuite>>,
    /// Suites of TLS 1.3.
    pub suites_13: Option<Vec<CipherSuite>>,
    /// Groups.
    pub groups: Option<Vec<NamedGroup>>,
    /// Signature schemes.
    pub schemes: Option<Vec<SignatureScheme>>,
    /// The program runs on GnuTLS, which says in a hello just what is on.
    pub gnutls: bool,
}

/// Reads the files of a case as they lie on the disk.
///
/// # Errors
/// There is no such dialect, no client is read, or the reading never ends.
pub fn expected(case: &Case, placed: &Placed, runtime: &Runtime) -> Result<Expected, String> {
    let dialect = dialect(case.dialect).ok_or_else(|| format!("no dialect {}", case.dialect))?;
    let main = placed.path(&case.main);
    let environment: Vec<(String, String)> =
        case.env.iter().map(|(name, value)| ((*name).to_owned(), placed.fill(value))).collect();
    let assume = |found| case.assume(found);
    reading(dialect, &main, runtime, &environment, assume, |context, reading| of(case, placed, reading, context.files))?
}

/// Reads a main file of this machine as often as something new is wanted, for programs of this environment, and uses the last
/// reading. `assume` has the last word on what is installed.
///
/// # Errors
/// The reading never ends.
pub fn reading<T>(
    dialect: &Dialect,
    main: &str,
    runtime: &Runtime,
    environment: &[(String, String)],
    assume: impl Fn(InstalledSoftware) -> InstalledSoftware,
    use_it: impl Fn(&Context<'_>, &Reading) -> T,
) -> Result<T, String> {
    let machine = FilesOf::default();
    let (mut seen, mut software): (Vec<SeenFile>, Vec<InstalledSoftware>) = Default::default();
    for _ in 0..200 {
        let files = Files::new(&seen, &software).in_environment(environment);
        let context = Context { files: &files, main };
        let found = use_it(&context, &dialect.reading(&context));
        let (wanted, products) = (files.wanted(), files.wanted_software());
        if wanted.is_empty() && products.is_empty() {
            return Ok(found);
        }
        drop(files);
        seen.extend(runtime.block_on(machine.look(wanted)));
        software.extend(runtime.block_on(machine.software(products)).into_iter().map(&assume));
    }
    Err("the reading never ends".to_owned())
}

fn of(case: &Case, placed: &Placed, reading: &Reading, files: &Files<'_>) -> Result<Expected, String> {
    let mut refused: Vec<String> =
        reading.troubles.iter().filter(|trouble| trouble.fatal).map(|trouble| trouble.says.clone()).collect();
    let service = chosen(case, placed, &reading.services).ok_or("no client is read")?;
    if service.settings.tls.as_ref().is_some_and(|tls| !tls.value) {
        refused.push("it speaks no TLS".to_owned());
    }
    if service.settings.refuses_all.as_ref().is_some_and(|refuses| refuses.value) {
        refused.push("it ends every attempt".to_owned());
    }
    let Effective { versions, cipher_suites, cipher_suites_13, groups, signature_schemes, .. } = effective(service, files);
    let gnutls = matches!(service.library, Library::GnuTls(_));
    Ok(Expected {
        refused,
        versions,
        suites: cipher_suites,
        suites_13: cipher_suites_13,
        groups,
        schemes: signature_schemes,
        gnutls,
    })
}

/// The service for the port of the case, else the last one that is for no name; of several programs the one that is run.
fn chosen<'s>(case: &Case, placed: &Placed, services: &'s [Service]) -> Option<&'s Service> {
    let port = placed.ports.first().copied().unwrap_or_default();
    let clients = || services.iter().filter(|service| service.side == Side::Client);
    let program = |service: &&Service| service.program.0.to_ascii_lowercase().contains(case.user.unwrap_or_default());
    let fits = |service: &Service| ["localhost", "127.0.0.1"].iter().any(|name| service.fits(name).is_some());
    let own = clients().find(|service| service.listens_on(port).is_some() && fits(service));
    own.or_else(|| clients().filter(program).rfind(|service| service.names.is_empty()))
}

impl Expected {
    /// Where a hello is another.
    pub fn differences(&self, offer: Option<&Offer>) -> Vec<String> {
        let none = !self.refused.is_empty() || self.versions.as_ref().is_some_and(Vec::is_empty);
        let offer = match (offer, none) {
            (None, true) => return Vec::new(),
            (None, false) => return vec!["no hello came".to_owned()],
            (Some(_), true) => return vec![format!("a hello came; read: {}", self.refused.join("; "))],
            (Some(offer), false) => offer,
        };
        let mut differences = Vec::new();
        if let Some(mut versions) = self.versions.clone() {
            // Without the extension a hello says the highest alone.
            if !offer.lists_versions {
                versions.truncate(1);
            }
            differ(&mut differences, "versions", &versions, &offer.versions);
        }
        let highest = self.versions.as_ref().and_then(|versions| versions.first().copied()).or(offer.versions.first().copied());
        let has_13 = highest.is_some_and(|highest| highest >= ProtocolVersion::TLSV1_3);
        let of_13 = |suite: &CipherSuite| suite.0 >> 8 == 0x13;
        let (sent_13, sent): (Vec<CipherSuite>, Vec<CipherSuite>) = offer.suites.iter().copied().partition(of_13);
        if let Some(suites) = &self.suites {
            let usable = |suite: &&CipherSuite| {
                let versions = self.versions.as_deref().unwrap_or(&offer.versions);
                self.gnutls || suite.details().is_some_and(|row| versions.iter().any(|version| row.usable_with(*version)))
            };
            let suites: Vec<CipherSuite> = suites.iter().filter(usable).copied().collect();
            differ(&mut differences, "suites", &suites, &sent);
        }
        if let Some(suites) = self.suites_13.as_ref().filter(|_| has_13) {
            differ(&mut differences, "suites of 1.3", suites, &sent_13);
        }
        // Without an exchange over a curve or TLS 1.3 no groups are sent.
        if let Some(groups) = self.groups.as_ref().filter(|_| !offer.groups.is_empty()) {
            // Finite fields are groups of TLS 1.3 alone for OpenSSL, of RFC 7919 for Java.
            let finite = has_13 || offer.groups.iter().any(|group| group.0 >> 8 == 1);
            let groups: Vec<NamedGroup> = groups.iter().copied().filter(|group| finite || group.0 >> 8 != 1).collect();
            differ(&mut differences, "groups", &groups, &offer.groups);
        }
        // TLS 1.1 and below have no such extension.
        if let Some(schemes) = self.schemes.as_ref().filter(|_| !offer.schemes.is_empty()) {
            differ(&mut differences, "signature schemes", schemes, &offer.schemes);
        }
        differences
    }
}

fn differ<T: Debug + PartialEq>(differences: &mut Vec<String>, what: &str, read: &[T], sent: &[T]) {
    if read != sent {
        differences.push(format!("{what}: read {read:?}, sent {sent:?}"));
    }
}
