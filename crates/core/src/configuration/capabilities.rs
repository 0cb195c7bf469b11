//! What a configured server can do, in the terms of the negotiation.

use std::collections::BTreeMap;

use tlswhy_config::{Effective, Files, Service};
use tlswhy_model::FileContent;
use tlswhy_wire::{Authentication, ProtocolVersion};

use crate::chain::{self, Certificate, KeyKind};
use crate::negotiate::{
    ClientCapabilities, ServerCapabilities, SuiteOrder, Support, VERSIONS, chain_authentication, usable_at,
};

/// The certificates in the files that a service names, each file's in its order; files that are not there give none.
pub(crate) fn certificates(service: &Service, files: &Files<'_>) -> Vec<Vec<Certificate>> {
    let own = service.settings.certificates.iter().map(|setting| {
        let bytes = files.bytes(&setting.value).unwrap_or_default();
        chain::certificates_in(bytes).iter().map(|der| Certificate::read(der)).collect::<Vec<_>>()
    });
    let mut own: Vec<Vec<Certificate>> = own.collect();
    // One file of intermediates serves all.
    if let Some(chain) = &service.settings.chain
        && let Some(bytes) = files.bytes(&chain.value)
    {
        let rest = chain::certificates_in(bytes);
        own.iter_mut().for_each(|sent| sent.extend(rest.iter().map(|der| Certificate::read(der))));
    }
    own.retain(|sent| !sent.is_empty());
    own
}

/// The kinds of keys in a service's certificates.
pub(crate) fn keys(service: &Service, files: &Files<'_>) -> Vec<KeyKind> {
    certificates(service, files).iter().filter_map(|sent| sent.first()?.key).collect()
}

/// What a server with these effective settings and these keys does with what a client offers. Nothing is said of values that the
/// client does not have.
pub(crate) fn of(effective: &Effective, keys: &[KeyKind], client: &ClientCapabilities) -> ServerCapabilities {
    let support = |yes: bool| if yes { Support::Accepted } else { Support::Refused };
    let mut server = ServerCapabilities::default();
    let Some(versions) = &effective.versions else {
        return server;
    };
    server.versions = VERSIONS.iter().map(|version| (*version, support(versions.contains(version)))).collect();
    let authentications: Vec<Authentication> = keys.iter().map(|key| chain_authentication(*key)).collect();
    for version in versions {
        let list = if *version >= ProtocolVersion::TLSV1_3 { &effective.cipher_suites_13 } else { &effective.cipher_suites };
        for suite in client.suites_at(*version) {
            let fits_a_key = *version >= ProtocolVersion::TLSV1_3
                || authentications.is_empty()
                || suite.details().is_none_or(|row| {
                    let signs = matches!(row.authentication, Authentication::Rsa | Authentication::Ecdsa | Authentication::Dss);
                    !signs || authentications.contains(&row.authentication)
                });
            let listed = list.as_ref().map(|list| list.contains(&suite) && usable_at(suite, *version));
            if let Some(listed) = listed {
                server.suites.insert((*version, suite), support(listed && fits_a_key));
            }
        }
        if let Some(groups) = &effective.groups {
            server.groups.extend(client.groups.iter().map(|group| ((*version, *group), support(groups.contains(group)))));
        }
        for scheme in client.schemes.iter().flatten() {
            let listed = effective.signature_schemes.as_ref().is_none_or(|schemes| schemes.contains(scheme));
            let fits_a_key = keys.is_empty() || keys.iter().any(|key| key.signs_with(*scheme));
            server.schemes.insert((*version, *scheme), support(listed && fits_a_key));
        }
    }
    server.order = match (effective.server_preference, &effective.cipher_suites) {
        (Some(true), Some(order)) => SuiteOrder::Server(order.clone()),
        (Some(false), _) => SuiteOrder::Client,
        _ => SuiteOrder::Unknown,
    };
    server.secure_renegotiation = Some(true);
    server.certificate_key = keys.first().copied();
    server.alpn = BTreeMap::new();
    server
}

/// Whether a configured key is seen not to belong to the certificate that it is configured for.
pub(crate) fn key_is_foreign(service: &Service, files: &Files<'_>) -> bool {
    let settings = &service.settings;
    settings.certificates.iter().zip(&settings.keys).any(|(certificate, key)| {
        let leaf = files.bytes(&certificate.value).map(chain::certificates_in);
        let leaf = leaf.and_then(|ders| ders.first().map(|der| Certificate::read(der)));
        match (leaf, files.seen(&key.value)) {
            (Some(leaf), Some(key)) => key_fits(&leaf, &key.content) == Some(false),
            _ => false,
        }
    })
}

/// Whether the key of a service's n-th certificate is its own, by the public half that was read with the key's file; `None` where
/// that cannot be told.
pub(crate) fn key_fits(certificate: &Certificate, key_file: &FileContent) -> Option<bool> {
    let FileContent::Bytes { public_keys, .. } = key_file else { return None };
    let own = tlswhy_model::Bytes(certificate.spki_sha256.to_vec()).to_hex();
    let known: Vec<&String> = public_keys.iter().filter(|key| !key.is_empty()).collect();
    (!known.is_empty()).then(|| known.contains(&&own))
}
