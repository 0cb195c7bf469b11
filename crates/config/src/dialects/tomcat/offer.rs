//! What the values of an SSLHostConfig come to: `protocols`, `ciphers` and `cipherSuites`, cut by the lists of Java.

use tlswhy_wire::{CipherSuite, ProtocolVersion};

use super::document::Element;
use super::machine::Machine;
use super::protocols::protocols;
use crate::language::jsse;
use crate::language::jsse_offer::Offer;
use crate::language::openssl_ciphers::{Library, cipher_list};
use crate::release::Release;

/// `protocols` by itself (its manual).
pub(super) const DEFAULT_PROTOCOLS: &str = "all";
/// `ciphers` by itself (SSLHostConfig.DEFAULT_TLS_CIPHERS_12 of 10.1.60).
pub(super) const DEFAULT_CIPHERS: &str = "HIGH:!aNULL:!eNULL:!DES:!RC4:!MD5:!kRSA";
/// `cipherSuites` by itself (SSLHostConfig.DEFAULT_TLS_CIPHERS_13 of 10.1.60). JSSE has no others.
pub(super) const DEFAULT_SUITES: [CipherSuite; 3] = [CipherSuite(0x1302), CipherSuite(0x1303), CipherSuite(0x1301)];
/// Tomcat reads cipher strings as OpenSSL does; of which release, its manual does not say.
const OPENSSL: Release = Release::new(3, 5, 0);
/// The releases whose two lists are known. Before `cipherSuites` came, in 2026, suites of TLS 1.3 had to stand in `ciphers`.
const MEASURED: (Release, Release) = (Release::new(10, 1, 60), Release::new(10, 2, 0));

/// What is said of the others.
const NOT_MEASURED: &str = "what `ciphers` means for TLS 1.3 is known of Tomcat 10.1.60 and later 10.1 alone: --assume tomcat=10.1.60 says that it is one";

/// What the attributes that Tomcat reads by itself come to.
pub(super) struct Offered {
    /// The versions that `protocols` names.
    pub(super) named: Vec<ProtocolVersion>,
    /// Its words that name none.
    pub(super) unknown: Vec<String>,
    /// Whether SSLv2Hello is among them, which is no version.
    pub(super) has_hello: bool,
    /// What is left under the lists of Java. Suites are `None` where they are not known.
    pub(super) offer: Offer,
    /// Whether `cipherSuites` is written and what comes of it is not known, or nothing does.
    pub(super) suites_13: Suites13,
}

/// What becomes of `cipherSuites`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suites13 {
    /// It counts, or its default does.
    Known,
    /// The default of `ciphers` puts all back.
    NoEffect,
    /// An expression in `ciphers` may put some back.
    NotKnown,
}

impl Offered {
    /// Of this SSLHostConfig; an error says why it is not known.
    pub(super) fn of(machine: &Machine, tomcat: Option<Release>, host: &Element) -> Result<Offered, &'static str> {
        let attributes = ["protocols", "ciphers", "cipherSuites"].map(|name| host.attribute(name));
        if attributes.iter().flatten().any(|attribute| attribute.is_open) {
            return Err("a value names a property that is not known here, so what is offered is not either");
        }
        let [written, ciphers, suites] = attributes.map(|attribute| attribute.map(|attribute| attribute.value.as_str()));
        let supported = jsse::suites(machine.release()).ok_or("what this release of Java can do is not known")?;
        let (named, unknown) = protocols(written.unwrap_or(DEFAULT_PROTOCOLS));
        let has_hello = written.unwrap_or(DEFAULT_PROTOCOLS).contains("SSLv2Hello");
        let is_measured = tomcat.is_some_and(|release| release >= MEASURED.0 && release < MEASURED.1);
        if !is_measured {
            if ciphers.or(suites).is_some() {
                return Err(NOT_MEASURED);
            }
            let offer = Offer { suites: None, ..machine.leaves(named.clone(), supported) };
            return Ok(Offered { named, unknown, has_hello, offer, suites_13: Suites13::Known });
        }
        let (of_ciphers, is_expression) = listed(ciphers.unwrap_or(DEFAULT_CIPHERS));
        let (mut of_13, suites_13) = match suites {
            None => (DEFAULT_SUITES.to_vec(), Suites13::Known),
            Some(_) if ciphers.is_none_or(|ciphers| ciphers == DEFAULT_CIPHERS) => {
                (DEFAULT_SUITES.to_vec(), Suites13::NoEffect)
            }
            Some(text) => {
                let named = words(text).filter_map(|name| name.parse().ok()).filter(|suite| is_13(*suite)).collect();
                (named, if is_expression { Suites13::NotKnown } else { Suites13::Known })
            }
        };
        for suite in of_ciphers {
            if supported.contains(&suite) && !of_13.contains(&suite) {
                of_13.push(suite);
            }
        }
        let offer = machine.leaves(named.clone(), of_13);
        Ok(Offered { named, unknown, has_hello, offer, suites_13 })
    }

    /// The suites of TLS 1.3 that are left, and the others.
    pub(super) fn suites(&self) -> Option<(Vec<CipherSuite>, Vec<CipherSuite>)> {
        Some(self.offer.suites.as_ref()?.iter().copied().partition(|suite| is_13(*suite)))
    }
}

/// The suites of a value of `ciphers`, and whether it is more than names of suites.
fn listed(text: &str) -> (Vec<CipherSuite>, bool) {
    let mut is_expression = false;
    let mut of_13 = Vec::new();
    let mut strings: Vec<&str> = Vec::new();
    for word in words(text) {
        match word.parse::<CipherSuite>() {
            Ok(suite) if is_13(suite) => of_13.push(suite),
            Ok(suite) => strings.push(suite.details().and_then(|row| row.openssl_name).unwrap_or(word)),
            Err(_) => {
                is_expression = true;
                strings.push(word);
            }
        }
    }
    let list = cipher_list(&strings.join(":"), &Library::upstream(OPENSSL)).map(|list| list.suites).unwrap_or_default();
    of_13.extend(list.into_iter().filter(|suite| !is_13(*suite)));
    (of_13, is_expression)
}

/// Colons divide where there is one, else commas.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let divides = if text.contains(':') { ':' } else { ',' };
    text.split(divides).map(str::trim).filter(|word| !word.is_empty())
}

fn is_13(suite: CipherSuite) -> bool {
    suite.0 >> 8 == 0x13
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_both_kinds_and_expressions_are_read() {
        let rsa = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
        let of_13 = CipherSuite(0x1301);
        assert_eq!(listed("TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), (vec![of_13, rsa], false));
        assert_eq!(listed("ECDHE-RSA-AES128-GCM-SHA256:"), (vec![rsa], false));
        assert!(listed("HIGH:!aNULL").1);
        assert_eq!(listed("foo").0, []);
    }
}
