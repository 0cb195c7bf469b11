//! Whether what the libraries read is what the policy gives: the program writes it when it is run, and never by itself.

use super::evaluate::{OPENSSL, Scoped};
use super::{Policy, SHIPPED, chosen, openssl};
use crate::files::{Content, Files};
use crate::language::openssl_ciphers::{Library, cipher_list};
use crate::release::Release;
use crate::service::{Note, Trouble};
use crate::span::Span;

/// Back-ends of TLS.
const BACK_ENDS: &[&str] = &["opensslcnf", "openssl", "gnutls", "nss", "java"];

pub(super) fn compare(files: &Files<'_>, policy: &Policy, notes: &mut Vec<Note>, troubles: &mut Vec<Trouble>) {
    let state = format!("{}/state/current", policy.base);
    let current = files.bytes(&state).map(|bytes| chosen(&files.path(&state), bytes).0.join(":"));
    let applied = match current {
        Some(current) if current != policy.in_full() => {
            let says = format!(
                "{} is chosen and {current} is what was applied: until `update-crypto-policies` is run, programs go by that",
                policy.in_full()
            );
            troubles.push(Trouble { at: policy.line.clone(), says, fatal: false });
            false
        }
        current => current.is_some(),
    };
    for name in BACK_ENDS {
        let locals = files.glob(&format!("{}/local.d/{name}-*.config", policy.base));
        for local in &locals {
            if files.bytes(local).is_some() {
                let at = Span { path: files.path(local), start: 0, end: 0 };
                notes.push(Note { at: Some(at), says: format!("it is added to what the policy gives {name}") });
            }
        }
        let path = format!("{}/back-ends/{name}.config", policy.base);
        let (true, Content::Bytes(written)) = (applied, files.look(&path)) else { continue };
        let differs = if policy.modules.is_empty() {
            from_shipped(files, policy, name, &locals, written)
        } else if *name == "opensslcnf" && locals.is_empty() {
            from_policy(policy, written)
        } else {
            None
        };
        if let Some((start, end)) = differs {
            let at = Span { path: files.path(&path), start, end };
            let says = format!(
                "this is not what {} gives: somebody edited it, or a policy file was changed since; `update-crypto-policies` \
                 overwrites it",
                policy.in_full()
            );
            troubles.push(Trouble { at: Some(at), says, fatal: false });
        }
    }
}

/// Where a file differs from the one that is shipped for a policy without modules, local additions behind it.
fn from_shipped(files: &Files<'_>, policy: &Policy, name: &str, locals: &[String], written: &[u8]) -> Option<(usize, usize)> {
    let mut expected = files.bytes(&format!("{SHIPPED}/{}/{name}.txt", policy.name))?.to_vec();
    for local in locals {
        expected.extend_from_slice(files.bytes(local).unwrap_or_default());
    }
    if expected == written {
        return None;
    }
    let same = expected.iter().zip(written).take_while(|(a, b)| a == b).count();
    let before = written.get(..same).unwrap_or_default();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let rest = written.get(start..).unwrap_or_default();
    Some((start, start + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())))
}

/// The first line of opensslcnf.config that means something else than the policy. What later programs write in another way is the same.
fn from_policy(policy: &Policy, written: &[u8]) -> Option<(usize, usize)> {
    let scoped = Scoped::of(&policy.directives, OPENSSL);
    let versions = openssl::versions(scoped);
    let library = Library { weak: true, ..Library::upstream(Release::new(3, 0, 0)) };
    let meant = |text: &str| cipher_list(text, &library).ok().map(|list| (list.suites, list.level));
    let own = meant(&openssl::cipher_string(scoped));
    let mut at = 0;
    for raw in written.split_inclusive(|byte| *byte == b'\n') {
        let (start, text) = (at, raw.trim_ascii_end());
        at += raw.len();
        if text.starts_with(b"[") {
            break;
        }
        let line = String::from_utf8_lossy(text);
        let Some((name, value)) = line.split_once('=') else { continue };
        let version = || crate::language::names::version(value.trim());
        let same = match name.trim() {
            "CipherString" => own.is_none() || meant(value.trim()) == own,
            "TLS.MinProtocol" | "MinProtocol" => versions.is_empty() || version() == versions.first().copied(),
            "TLS.MaxProtocol" | "MaxProtocol" => versions.is_empty() || version() == versions.last().copied(),
            _ => true,
        };
        if !same {
            return Some((start, start + text.len()));
        }
    }
    None
}
