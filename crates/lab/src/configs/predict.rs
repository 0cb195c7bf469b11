//! What `tlswhy-config` reads in the files of a case.

use std::path::Path;
use std::process::Command;

use tlswhy_config::{Effective, Files, Reading, Service, effective, serving};
use tlswhy_gather::{FilesOf, read_certificates};
use tlswhy_model::{FileContent, InstalledSoftware, SeenFile};
use tlswhy_wire::ProtocolVersion;

use super::case::{Case, Look, Placed};
use super::compare::Predicted;
use super::leaf::Leaf;
use super::measure::Measurer;
use crate::server::find_program;

/// A reading is made again at most so often; each time there is a file more.
const MOST_READINGS: usize = 200;

/// What is expected of a case.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    /// Why the program would refuse to start, as far as the files tell.
    pub refused: Vec<String>,
    /// What each look meets, in their order; an error says why that cannot be told.
    pub looks: Vec<Result<Predicted, String>>,
}

/// Reads the files of a case as they lie on the disk.
///
/// # Errors
/// There is no such dialect, or the reading never ends.
pub fn predict(case: &Case, placed: &Placed, measurer: &Measurer) -> Result<Forecast, String> {
    let dialect = tlswhy_config::dialect(case.dialect).ok_or_else(|| format!("no dialect {}", case.dialect))?;
    let main = placed.path(&case.main);
    let machine = FilesOf::default();
    let (mut seen, mut software): (Vec<SeenFile>, Vec<InstalledSoftware>) = Default::default();
    for _ in 0..MOST_READINGS {
        let files = Files::new(&seen, &software);
        let reading = dialect.reading(&tlswhy_config::Context { files: &files, main: &main });
        let looks = case.looks.iter().map(|look| of_look(case, placed, look, &reading, &files)).collect();
        let (wanted, products) = (files.wanted(), files.wanted_software());
        if wanted.is_empty() && products.is_empty() {
            let fatal = reading.troubles.iter().filter(|trouble| trouble.fatal);
            return Ok(Forecast { refused: fatal.map(|trouble| trouble.says.clone()).collect(), looks });
        }
        drop(files);
        seen.extend(measurer.wait(machine.look(wanted)));
        let asked = |product| case.assume(measurer.software(product, installed));
        software.extend(products.into_iter().map(asked));
    }
    Err("the reading never ends".to_owned())
}

fn of_look(case: &Case, placed: &Placed, look: &Look, reading: &Reading, files: &Files<'_>) -> Result<Predicted, String> {
    let address = Some(std::net::Ipv4Addr::LOCALHOST.into());
    let port = placed.port(look);
    let service = serving(&reading.services, address, port, look.name.as_deref()).ok_or("no service listens there")?;
    Ok(of_service(case, look, service, &effective(service, files), files))
}

fn of_service(case: &Case, look: &Look, service: &Service, effective: &Effective, files: &Files<'_>) -> Predicted {
    let settings = &service.settings;
    let strange = look.name.as_deref().is_some_and(|name| service.fits(name).is_none());
    let value = |setting: &Option<tlswhy_config::Setting<bool>>| setting.as_ref().map(|setting| setting.value);
    let refuses_strange = value(&settings.refuses_unknown_names) == Some(true) && !service.names_from_certificates;
    let versions: Option<Vec<ProtocolVersion>> = effective.versions.clone();
    let no_version = versions.as_ref().is_some_and(Vec::is_empty);
    // Where a directory or a variable stands for certificates, nothing is claimed.
    let leaves: Option<Vec<String>> = settings.certificates.iter().map(|setting| leaf_of(files, &setting.value)).collect();
    let without_parameters = (case.dialect == "nginx").then_some(false);
    Predicted {
        tls: value(&settings.tls),
        refuses: Some(value(&settings.refuses_all) == Some(true) || no_version || refuses_strange && strange),
        versions,
        suites: effective.cipher_suites.clone(),
        suites_13: effective.cipher_suites_13.clone(),
        groups: effective.groups.clone(),
        dhe: if settings.dh_parameters.is_some() { Some(true) } else { without_parameters },
        server_preference: value(&settings.server_preference),
        leaves: leaves.filter(|leaves| !leaves.is_empty()),
        asks_certificate: settings
            .client_verification
            .as_ref()
            .map(|setting| setting.value != tlswhy_config::ClientVerification::Off),
        alpn: settings.alpn.as_ref().map(|setting| setting.value.clone()),
    }
}

/// The SHA-256 of a file's first certificate.
fn leaf_of(files: &Files<'_>, path: &str) -> Option<String> {
    let seen = files.seen(path)?;
    matches!(seen.content, FileContent::Bytes { .. }).then_some(())?;
    let read = read_certificates(Path::new(&seen.path)).ok()?;
    read.certificates.first().map(|der| Leaf::of(der, 1).sha256)
}

/// How the installed programs say their version: product, program, arguments.
const VERSIONS: &[(&str, &str, &[&str])] = &[
    ("apache", "apache2", &["-v"]),
    ("caddy", "caddy", &["version"]),
    ("dovecot", "dovecot", &["--version"]),
    ("gnutls", "gnutls-cli", &["--version"]),
    ("haproxy", "haproxy", &["-v"]),
    ("java", "java", &["-version"]),
    ("lighttpd", "lighttpd", &["-v"]),
    ("mariadb", "mariadbd", &["--version"]),
    ("mysql", "mysqld", &["--version"]),
    ("nginx", "nginx", &["-v"]),
    ("openssl", "openssl", &["version"]),
    ("postfix", "postconf", &["-h", "mail_version"]),
    ("postgresql", "postgres", &["--version"]),
    ("stunnel", "stunnel", &["-version"]),
    ("tomcat", "dpkg-query", &["-W", "-f", "${Version}", "libtomcat10-java"]),
];

/// What is installed here, asked of the program that is started.
fn installed(product: String) -> InstalledSoftware {
    let row = VERSIONS.iter().find(|(name, ..)| *name == product);
    let version = row.and_then(|(_, program, arguments)| {
        let output = Command::new(find_program(program)?).args(*arguments).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        // The first word that looks like a version, whatever stands around it.
        let text = String::from_utf8_lossy(&text).into_owned();
        let line = text.lines().find(|line| line.parse::<tlswhy_config::Release>().is_ok() && line.contains('.'))?;
        line.parse::<tlswhy_config::Release>().ok().map(|release| release.to_string())
    });
    InstalledSoftware { product, version, source: "the program itself".to_owned(), ..InstalledSoftware::default() }
}
