//! The judged client as its own configuration makes it.
//!
//! A profile is what a program sends as it comes. Where a file that belongs to it was named, its hello is judged, and sent, with what
//! that file leaves of the program's abilities, or adds to them.

use tlswhy_config::{Effective, Library, Release, Service, Side, effective};
use tlswhy_model::{ClientProfile, GivenConfiguration, InstalledSoftware, Party};
use tlswhy_wire::{CipherSuite, ProtocolVersion};

use super::survey::Survey;

/// The signalling value of RFC 5746, which no configuration names.
const SIGNALLING: CipherSuite = CipherSuite(0x00ff);

/// The configurations that are the judged client's.
pub(crate) fn own(configurations: &[GivenConfiguration]) -> Vec<GivenConfiguration> {
    configurations.iter().filter(|given| given.party == Some(Party::Client)).cloned().collect()
}

/// Whether a profile is one of a program whose configuration can be applied to it.
pub(crate) fn is_configurable(client: &ClientProfile) -> bool {
    client.software.library.as_deref() == Some("JSSE")
}

/// The virtual machine of a judged client, for files that do not tell theirs.
pub(crate) fn software(client: &ClientProfile) -> InstalledSoftware {
    InstalledSoftware {
        product: "java".to_owned(),
        version: Some(client.software.version.clone()),
        source: "the judged client".to_owned(),
        ..InstalledSoftware::default()
    }
}

/// The client under the configurations of this survey; as it was where none is of its virtual machine.
pub(crate) fn configured(client: &ClientProfile, survey: &Survey<'_>) -> ClientProfile {
    let release: Option<Release> = client.software.version.parse().ok();
    let is_its = |service: &&Service| match service.library {
        Library::Jsse(of) => of.is_none_or(|of| release.is_some_and(|release| release.major == of.major)),
        _ => false,
    };
    let mut services = survey.services(Side::Client).map(|(_, service)| service);
    match services.find(is_its).filter(|_| is_configurable(client)) {
        Some(service) => under(client, &effective(service, &survey.files)),
        None => client.clone(),
    }
}

/// The client with these abilities; what is `None` stays as it was.
fn under(client: &ClientProfile, effective: &Effective) -> ClientProfile {
    let mut client = client.clone();
    let mut hello = client.hello.clone();
    if let (Some(old), Some(of_13)) = (&effective.cipher_suites, &effective.cipher_suites_13) {
        let mut suites: Vec<CipherSuite> = of_13.iter().chain(old).copied().collect();
        suites.extend(hello.cipher_suites.contains(&SIGNALLING).then_some(SIGNALLING));
        hello = hello.with_suites(suites);
    }
    if let Some(groups) = effective.groups.as_ref().filter(|groups| !same_set(groups, &hello.groups())) {
        let mut shares = hello.key_shares();
        shares.retain(|share| groups.contains(share));
        shares.extend(groups.first().filter(|_| shares.is_empty()));
        hello = hello.with_groups(groups, &shares);
    }
    if let Some(schemes) = &effective.signature_schemes {
        hello = hello.with_signature_schemes(schemes);
    }
    if let Some(versions) = effective.versions.as_ref().filter(|versions| !same_set(versions, &hello.offered_versions())) {
        let record_version = hello.record_version;
        hello = hello.with_versions(versions);
        if hello.legacy_version >= ProtocolVersion::TLSV1_2 {
            hello.record_version = record_version;
        }
        client.policy.minimum_version = versions.iter().min().copied().or(client.policy.minimum_version);
    }
    client.hello = hello;
    client
}

fn same_set<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.len() == other.len() && one.iter().all(|each| other.contains(each))
}

#[cfg(test)]
mod tests {
    use tlswhy_model::{FileContent, SeenFile};

    use super::*;
    use crate::negotiate::ClientCapabilities;

    fn with(client: &str, list: &str) -> ClientCapabilities {
        let text = format!("jdk.tls.disabledAlgorithms={list}\n");
        let bytes = FileContent::Bytes { bytes: text.into_bytes().into(), sha256: String::new(), public_keys: Vec::new() };
        let path = "/etc/java-17-openjdk/security/java.security".to_owned();
        let seen = [SeenFile { path: path.clone(), real_path: None, content: bytes }];
        let given = [GivenConfiguration { party: Some(Party::Client), path }];
        let client = crate::client(client).unwrap();
        let survey = Survey::over(&own(&given), &seen, &[]);
        ClientCapabilities::of(&configured(&client, &survey))
    }

    #[test]
    fn a_java_client_offers_what_its_lists_leave_and_what_they_do_not_take() {
        let strict = with("java-17", "TLSv1.3, TLSv1, TLSv1.1, x25519");
        assert_eq!(strict.versions, [ProtocolVersion::TLSV1_2]);
        assert!(!strict.groups.contains(&tlswhy_wire::NamedGroup::X25519));
        let lax = with("java-17", "TLSv1.1");
        assert!(lax.versions.contains(&ProtocolVersion::TLSV1_0) && !lax.versions.contains(&ProtocolVersion::TLSV1_1));
    }

    #[test]
    fn the_file_of_another_virtual_machine_changes_nothing() {
        for client in ["java-25", "openssl-3.0"] {
            let as_it_comes = ClientCapabilities::of(&crate::client(client).unwrap());
            assert_eq!(with(client, "TLSv1.3").versions, as_it_comes.versions);
        }
    }
}
