//! The edits that bring about what is wanted: a module of one's own, and its name in `config`.

use tlswhy_wire::{CipherMode, CipherSuite, Encryption, KeyExchange, Mac, ProtocolVersion};

use super::evaluate::{OPENSSL, Scoped};
use super::{Policy, algorithms, language, openssl};
use crate::dialects::{Context, client};
use crate::language::openssl_ciphers::{Library, cipher_list};
use crate::mend::{CannotMend, Patch, Want, line_end};
use crate::release::Release;
use crate::service::Service;

/// The module that edits go into.
const MODULE: &str = "TLSWHY";

/// Where it lies.
pub(super) fn module_path(base: &str) -> String {
    format!("{base}/policies/modules/{MODULE}.pmod")
}

pub(super) fn mend(context: &Context<'_>, _service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let policy = Policy::read(context.files, context.main);
    if let Some(trouble) = policy.troubles.first() {
        return Err(CannotMend::because(trouble.says.clone()));
    }
    let scoped = Scoped::of(&policy.directives, OPENSSL);
    let mut lines: Vec<String> = Vec::new();
    match want {
        Want::Versions(versions) => put(&mut lines, "protocol", versions_wanted(scoped, versions)?),
        Want::CipherList(suites, _) => {
            let parts = suites.iter().filter(|suite| !evaluated(scoped).contains(suite)).map(|suite| parts(*suite));
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            for (at, class) in ["key_exchange", "cipher", "mac"].iter().enumerate() {
                let names = parts.iter().flat_map(|parts| parts.get(at)).flatten().copied();
                put(&mut lines, class, added(&scoped.list(class), names));
            }
        }
        Want::CipherSuites(suites) => {
            let names = suites.iter().map(|suite| parts(*suite)).collect::<Result<Vec<_>, _>>()?;
            put(
                &mut lines,
                "cipher",
                added(&scoped.list("cipher"), names.iter().filter_map(|parts| parts.get(1)).flatten().copied()),
            );
        }
        Want::Groups(groups) => {
            let names = named(groups, |group| openssl::group_name(*group))?;
            put(&mut lines, "group", added(&scoped.list("group"), names));
        }
        Want::SignatureAlgorithms(schemes) => {
            let names = named(schemes, |scheme| openssl::signature_name(*scheme))?;
            let names = added(&scoped.list("sign"), names);
            if names.iter().any(|name| name.ends_with("-SHA1+")) {
                put(&mut lines, "hash", added(&scoped.list("hash"), ["SHA1"]));
                lines.push("__openssl_block_sha1_signatures = 0".to_owned());
            }
            put(&mut lines, "sign", names);
        }
        Want::SecurityLevel(level) => {
            let bits = match level {
                0 => 512,
                1 => 1024,
                2 => 2048,
                _ => 3072,
            };
            lines.extend(["min_dh_size", "min_rsa_size"].map(|name| format!("{name}@openssl = {bits}")));
        }
        _ => return Err(CannotMend::because("a policy does not say that")),
    }
    if lines.is_empty() {
        return Err(CannotMend::because("the policy gives it already"));
    }
    let text = lines.join("\n");
    let path = module_path(&policy.base);
    let mut directives = policy.directives.clone();
    directives.extend(language::read(&context.files.path(&path), text.as_bytes()).0);
    let after = Scoped::of(&directives, OPENSSL);
    if let Want::CipherList(suites, _) = want
        && let Some(suite) = suites.iter().find(|suite| !evaluated(after).contains(suite))
    {
        return Err(CannotMend::because(format!("crypto-policies never gives OpenSSL {suite}")));
    }
    patches(context, &policy, &path, &text)
}

fn put(lines: &mut Vec<String>, class: &str, changes: Vec<String>) {
    if !changes.is_empty() {
        lines.push(format!("{class}@openssl = {}", changes.join(" ")));
    }
}

/// The module gets the lines, `config` its name.
fn patches(context: &Context<'_>, policy: &Policy, path: &str, text: &str) -> Result<Vec<Patch>, CannotMend> {
    let module = context.files.bytes(path).unwrap_or_default();
    let newline = line_end(module);
    let before = if module.is_empty() || module.ends_with(b"\n") { "" } else { newline };
    let mut patches =
        vec![Patch { path: path.to_owned(), start: module.len(), end: module.len(), new: format!("{before}{text}{newline}") }];
    if !policy.modules.iter().any(|known| known == MODULE) {
        let line = policy.line.as_ref().ok_or_else(|| CannotMend::because("`config` names no policy"))?;
        let end = line.end;
        patches.push(Patch { path: line.path.to_string(), start: end, end, new: format!(":{MODULE}") });
    }
    Ok(patches)
}

/// What brings a list to just these versions: OpenSSL takes the lowest and the highest.
fn versions_wanted(scoped: Scoped<'_>, wanted: &[ProtocolVersion]) -> Result<Vec<String>, CannotMend> {
    client::ends(wanted)?;
    let names = named(wanted, |version| openssl::version_name(*version))?;
    let now = scoped.list("protocol");
    let gone = now.iter().filter(|name| algorithms::TLS.contains(name) && !names.contains(name)).map(|name| format!("-{name}"));
    let mut changes: Vec<String> = gone.collect();
    changes.extend(added(&now, names));
    Ok(changes)
}

/// `x+` for each that is not there.
fn added<'n>(there: &[&str], names: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    let mut new: Vec<String> = Vec::new();
    for name in names {
        let change = format!("{name}+");
        if !there.contains(&name) && !new.contains(&change) {
            new.push(change);
        }
    }
    new
}

/// The names that policies have for all of these.
fn named<T: ToString>(values: &[T], name: impl Fn(&T) -> Option<&'static str>) -> Result<Vec<&'static str>, CannotMend> {
    let each =
        |value: &T| name(value).ok_or_else(|| CannotMend::because(format!("no policy gives OpenSSL {}", value.to_string())));
    values.iter().map(each).collect()
}

/// The suites up to TLS 1.2 that a policy leaves.
fn evaluated(scoped: Scoped<'_>) -> Vec<CipherSuite> {
    let library = Library { weak: true, ..Library::upstream(Release::new(3, 0, 0)) };
    cipher_list(&openssl::cipher_string(scoped), &library).map(|list| list.suites).unwrap_or_default()
}

/// Key exchanges, ciphers and MACs that a suite needs.
fn parts(suite: CipherSuite) -> Result<[Vec<&'static str>; 3], CannotMend> {
    let unknown = || CannotMend::because(format!("crypto-policies never gives OpenSSL {suite}"));
    let details = suite.details().ok_or_else(unknown)?;
    let exchange = match details.key_exchange {
        KeyExchange::Rsa => vec!["RSA"],
        KeyExchange::Ecdhe => vec!["ECDHE"],
        KeyExchange::Dhe => vec!["DHE", "DHE-RSA"],
        KeyExchange::Tls13 => Vec::new(),
        _ => return Err(unknown()),
    };
    // What has no GCM loses the rest of its kind too.
    let cipher = match (details.encryption, details.mode, details.key_bits) {
        (Encryption::Aes, CipherMode::Gcm, 128) => vec!["AES-128-GCM"],
        (Encryption::Aes, CipherMode::Gcm, 256) => vec!["AES-256-GCM"],
        (Encryption::Aes, CipherMode::Ccm, 128) => vec!["AES-128-GCM", "AES-128-CCM"],
        (Encryption::Aes, CipherMode::Ccm, 256) => vec!["AES-256-GCM", "AES-256-CCM"],
        (Encryption::Aes, CipherMode::Cbc, 128) => vec!["AES-128-GCM", "AES-128-CBC", "AES-256-CBC"],
        (Encryption::Aes, CipherMode::Cbc, 256) => vec!["AES-256-GCM", "AES-256-CBC"],
        (Encryption::Chacha20Poly1305, ..) => vec!["CHACHA20-POLY1305"],
        (Encryption::TripleDes, ..) => vec!["3DES-CBC"],
        _ => return Err(unknown()),
    };
    let mac = match details.mac {
        Mac::Sha1 => vec!["HMAC-SHA1"],
        Mac::Sha256 => vec!["HMAC-SHA2-256"],
        _ => vec!["AEAD"],
    };
    Ok([exchange, cipher, mac])
}
