//! Edits and commands.

use crate::dialects::client;
use crate::dialects::{Commands, Context};
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want};
use crate::service::{Service, Side};
use crate::setting::Setting;
use crate::span::Origin;
use tlswhy_wire::ProtocolVersion;

pub(super) fn commands(main: &str) -> Commands {
    Commands {
        check: vec!["mariadbd".to_owned(), format!("--defaults-file={main}"), "--help".to_owned(), "--verbose".to_owned()],
        // FLUSH SSL, or ALTER INSTANCE RELOAD TLS, read certificates again; versions and suites need a restart.
        reload: ["systemctl", "restart", "mariadb"].map(str::to_owned).to_vec(),
    }
}

pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let mariadb = service.program.0 == "MariaDB";
    let place = Place { context, service };
    match want {
        Want::Tls if service.side == Side::Server => {
            if settings.tls.as_ref().is_some_and(|tls| tls.value) {
                return Err(CannotMend::because("TLS is on"));
            }
            let off = settings.tls.as_ref().filter(|tls| tls.name.to_ascii_lowercase().contains("ssl"));
            if let Some(line) = off.and_then(|tls| tls.origin.span()) {
                // `ssl = 0` and `skip-ssl` alike: the whole line.
                return Ok(vec![Patch::replace(line, "ssl = ON")]);
            }
            Err(CannotMend::because("it has no certificate: name one with `ssl_cert` and its key with `ssl_key`"))
        }
        Want::Versions(wanted) => {
            let value = wanted.iter().map(|version| name(*version, mariadb)).collect::<Vec<_>>().join(",");
            if settings.versions.as_ref().is_some_and(|set| same(&set.value, wanted)) {
                return Err(CannotMend::because("these versions are on"));
            }
            place.set(settings.versions.as_ref(), "tls_version", &value)
        }
        Want::CipherList(suites, level) => {
            let mut names: Vec<String> =
                suites.iter().filter_map(|suite| suite.details()?.openssl_name).map(str::to_owned).collect();
            // MariaDB divides one list: its suites of TLS 1.3 stay.
            let of_13 = settings.cipher_suites.iter().filter(|_| mariadb).flat_map(|suites| &suites.value);
            names.splice(0..0, of_13.map(ToString::to_string));
            names.extend(level.map(|level| format!("@SECLEVEL={level}")));
            place.set(settings.cipher_list.as_ref(), "ssl_cipher", &names.join(":"))
        }
        Want::CipherSuites(suites) if !mariadb => {
            let value = suites.iter().map(ToString::to_string).collect::<Vec<_>>().join(":");
            place.set(settings.cipher_suites.as_ref(), "tls_ciphersuites", &value)
        }
        Want::CipherSuites(suites) => {
            let Some(list) = &settings.cipher_list else {
                return Err(CannotMend::because(
                    "`ssl_cipher` names the suites of every version: without it all of TLS 1.3 are on",
                ));
            };
            let names: Vec<String> = suites.iter().map(ToString::to_string).collect();
            let below = Some(list.value.text.as_str()).filter(|text| !text.is_empty());
            let value = names.iter().map(String::as_str).chain(below).collect::<Vec<_>>().join(":");
            place.set(Some(list), "ssl_cipher", &value)
        }
        Want::Certificate(certificate, key) => {
            let mut patches = place.set(own(settings.certificates.first(), "ssl-cert"), "ssl_cert", certificate)?;
            if let Some(key) = key {
                patches.extend(place.set(own(settings.keys.first(), "ssl-key"), "ssl_key", key)?);
            }
            Ok(patches)
        }
        other => Err(CannotMend::because(format!("{} has no option for {other:?}", service.program.0))),
    }
}

/// A file that is named by the other's option stays there.
fn own<'s>(setting: Option<&'s Setting<String>>, name: &str) -> Option<&'s Setting<String>> {
    setting.filter(|setting| setting.name.to_ascii_lowercase().replace('_', "-").ends_with(name))
}

fn same(set: &[ProtocolVersion], wanted: &[ProtocolVersion]) -> bool {
    set.len() == wanted.len() && wanted.iter().all(|version| set.contains(version))
}

/// MySQL calls 1.0 `TLSv1`, MariaDB's server knows that word not.
fn name(version: ProtocolVersion, mariadb: bool) -> String {
    if mariadb { version.to_string() } else { names::version_name(version) }
}

/// Where a value is put.
struct Place<'p> {
    context: &'p Context<'p>,
    service: &'p Service,
}

impl Place<'_> {
    /// In the place of the ruling value, else on a line of its own below the head of the group.
    fn set<T>(&self, setting: Option<&Setting<T>>, name: &str, value: &str) -> Result<Vec<Patch>, CannotMend> {
        // A user's edit goes into the user's file.
        let is_own = setting.is_some_and(|setting| {
            client::home(self.context.main).is_none() || client::root(&setting.origin) == Some(self.context.main)
        });
        let quote = if value.contains(['#', ' ']) { "\"" } else { "" };
        if let Some(Setting { origin: Origin::File { at, value: place, .. }, .. }) = setting.filter(|_| is_own) {
            let (line, old) = (client::written(self.context.files, at), client::written(self.context.files, place));
            let own = ["'", "\""].into_iter().find(|quote| old.len() > 1 && old.starts_with(quote) && old.ends_with(quote));
            let quote = own.unwrap_or(quote);
            let before = match (old.is_empty(), line.contains('=')) {
                (false, _) => "",
                (true, true) => " ",
                (true, false) => " = ",
            };
            return Ok(vec![Patch::replace(place, format!("{before}{quote}{value}{quote}"))]);
        }
        let mut line = format!("{name} = {quote}{value}{quote}");
        if self.service.declared.is_none() {
            let group = if self.service.side == Side::Server { "mysqld" } else { "client" };
            line = format!("[{group}]{}{line}", self.line_end());
        }
        Ok(vec![client::line(self.context, self.service.declared.as_ref(), &line)?])
    }

    fn line_end(&self) -> &'static str {
        self.context.files.bytes(self.context.main).map_or("\n", crate::mend::line_end)
    }
}
