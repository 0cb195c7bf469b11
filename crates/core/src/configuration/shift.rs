//! A client profile under other settings than those that it comes with.

use tlswhy_config::{Effective, Library};
use tlswhy_model::ClientProfile;
use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion};

use super::identity::Identity;
use crate::knowledge::local_openssl;
use crate::negotiate::{ClientCapabilities, VERSIONS, offered_versions, usable_at};

/// The major version that an OpenSSL of unknown release is taken for.
const NEWEST: u32 = 3;

/// The client once what its files say goes from one to the other: of each list it loses what `from` has and `to` has not, gains what
/// only `to` has, and gets its order. What neither speaks of stays, and so does a list of which either says nothing.
pub(super) fn shifted(client: &ClientProfile, from: &Effective, to: &Effective) -> ClientProfile {
    let mut client = client.clone();
    let mut hello = client.hello.clone();
    let suites = shifted_list(&hello.cipher_suites, suites_of(from).as_deref(), suites_of(to).as_deref());
    if suites != hello.cipher_suites {
        hello = hello.with_suites(suites);
    }
    let groups = shifted_list(&hello.groups(), from.groups.as_deref(), to.groups.as_deref());
    if groups != hello.groups() {
        let shares = shares(&hello.groups(), &hello.key_shares(), &groups);
        hello = hello.with_groups(&groups, &shares);
    }
    if let Some(own) = hello.signature_schemes() {
        let schemes = shifted_list(&own, from.signature_schemes.as_deref(), to.signature_schemes.as_deref());
        if schemes != own {
            hello = hello.with_signature_schemes(&schemes);
        }
    }
    let versions = versions(&client, from, to);
    // A client without a version sends nothing: its hello stays, for nobody to send.
    if versions != offered_versions(&hello, &client.policy) && !versions.is_empty() {
        let record_version = hello.record_version;
        hello = hello.with_versions(&versions);
        if hello.legacy_version >= ProtocolVersion::TLSV1_2 {
            hello.record_version = record_version;
        }
        client.policy.minimum_version = versions.last().copied();
    }
    if let Some(level) = to.security_level.filter(|level| from.security_level.is_some_and(|from| from != *level)) {
        let major = match Identity::of(&client).library {
            Some(Library::OpenSsl(Some(release))) => release.major,
            _ => NEWEST,
        };
        local_openssl::set_level(&mut client.policy, major, level);
    }
    if let Some(allows) = to.legacy_servers.filter(|allows| from.legacy_servers.is_some_and(|from| from != *allows)) {
        client.policy.requires_secure_renegotiation = Some(!allows);
    }
    client.hello = hello;
    client
}

/// The versions of the client once what its files say goes from one to the other, newest first.
pub(super) fn versions(client: &ClientProfile, from: &Effective, to: &Effective) -> Vec<ProtocolVersion> {
    let own = offered_versions(&client.hello, &client.policy);
    let mut versions = shifted_list(&own, from.versions.as_deref(), to.versions.as_deref());
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions
}

/// What a client offers by itself, as what its files could say. Of a library whose rules are not known nothing is gained by a file.
pub(super) fn own_offer(client: &ClientProfile, library: &Library) -> Effective {
    let own = ClientCapabilities::of(client);
    let (of_13, old) = own.suites.iter().partition(|suite| suite.0 >> 8 == 0x13);
    let known = !matches!(library, Library::Other(_));
    Effective {
        versions: Some(if known { own.versions } else { VERSIONS.to_vec() }),
        cipher_suites: Some(old),
        cipher_suites_13: Some(of_13),
        groups: Some(own.groups),
        signature_schemes: own.schemes,
        security_level: client.policy.security_level,
        legacy_servers: client.policy.requires_secure_renegotiation.map(|requires| !requires),
        ..Effective::default()
    }
}

/// The suites of all versions that are on, those of TLS 1.3 first; `None` where not both lists are known.
fn suites_of(effective: &Effective) -> Option<Vec<CipherSuite>> {
    let (old, of_13) = (effective.cipher_suites.as_ref()?, effective.cipher_suites_13.as_ref()?);
    let is_on = |suite: &&CipherSuite| {
        let usable = |version: &ProtocolVersion| usable_at(**suite, *version);
        effective.versions.as_ref().is_none_or(|versions| versions.iter().any(usable))
    };
    Some(of_13.iter().chain(old).filter(is_on).copied().collect())
}

fn shifted_list<T: PartialEq + Copy>(own: &[T], from: Option<&[T]>, to: Option<&[T]>) -> Vec<T> {
    let (Some(from), Some(to)) = (from, to) else { return own.to_vec() };
    if from == to {
        return own.to_vec();
    }
    let has = to.iter().filter(|one| own.contains(one) || !from.contains(one));
    let unspoken = own.iter().filter(|one| !from.contains(one) && !to.contains(one));
    has.chain(unspoken).copied().collect()
}

/// The groups that a client sends keys for once it has other groups: a client that began with its first group still does.
fn shares(old: &[NamedGroup], shares: &[NamedGroup], new: &[NamedGroup]) -> Vec<NamedGroup> {
    let mut kept: Vec<NamedGroup> = shares.iter().copied().filter(|share| new.contains(share)).collect();
    let led = !shares.is_empty() && shares.first() == old.first();
    if let Some(first) = new.first().filter(|first| kept.is_empty() && !shares.is_empty() || led && !kept.contains(first)) {
        kept.insert(0, *first);
        kept.truncate(shares.len());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_lose_and_gain_and_keep_what_is_not_spoken_of() {
        let shifted = |from: &[u8], to: &[u8]| shifted_list(&[1, 2, 3, 9], Some(from), Some(to));
        assert_eq!(shifted(&[1, 2, 3], &[3, 1]), [3, 1, 9]);
        assert_eq!(shifted(&[1, 2], &[1, 2, 4]), [1, 2, 4, 3, 9]);
        // What the model thinks is always there and this client has not, it does not get.
        assert_eq!(shifted(&[1, 2, 5], &[5, 1]), [1, 3, 9]);
        assert_eq!(shifted_list(&[1, 2], None, Some(&[1])), [1, 2]);
    }

    #[test]
    fn the_first_group_is_the_one_that_a_key_is_sent_for() {
        let (a, b, c) = (NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1);
        assert_eq!(shares(&[a, b, c], &[a], &[c, a]), [c]);
        assert_eq!(shares(&[a, b, c], &[a, b], &[b, c]), [b]);
        assert_eq!(shares(&[a, b, c], &[b], &[a, b]), [b]);
        assert_eq!(shares(&[a, b], &[], &[b]), []);
    }
}
