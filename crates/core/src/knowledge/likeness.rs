//! Which known clients a hello is most like, and in what it differs from theirs.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use tlswhy_model::ClientProfile;
use tlswhy_wire::{ExtensionType, HelloSpec};

/// A known client beside a hello.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// The client.
    pub client: ClientProfile,
    /// In how many things they differ: each value that one has and the other lacks, and each list in another order.
    pub distance: usize,
    /// The differences, each a clause about the seen hello: `lacks the group x25519`.
    pub differences: Vec<String>,
}

/// Extensions that depend on the connection and not on the client: the server's name, application protocols (compared apart), what
/// belongs to a session, what only fills up.
const OF_THE_CONNECTION: [ExtensionType; 6] = [
    ExtensionType::SERVER_NAME,
    ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
    ExtensionType::PADDING,
    ExtensionType::PRE_SHARED_KEY,
    ExtensionType::EARLY_DATA,
    ExtensionType::COOKIE,
];

/// Differences beyond which two hellos have nothing to do with one another.
const FARTHEST: usize = 40;

/// The bundled clients, read once: a capture asks for every kind of its clients.
static KNOWN: LazyLock<Vec<ClientProfile>> = LazyLock::new(|| super::clients::clients().unwrap_or_default());

/// The bundled clients that a hello is most like, nearest first, at most so many.
pub fn nearest(hello: &HelloSpec, most: usize) -> Vec<Likeness> {
    let mut found: Vec<Likeness> = KNOWN.iter().map(|client| beside(hello, client)).collect();
    found.retain(|likeness| likeness.distance <= FARTHEST);
    found.sort_by(|a, b| (a.distance, &a.client.name).cmp(&(b.distance, &b.client.name)));
    found.truncate(most);
    found
}

fn beside(hello: &HelloSpec, client: &ClientProfile) -> Likeness {
    let known = &client.hello;
    let mut differences = Differences::default();
    differences.list("the version", "versions", &hello.offered_versions(), &known.offered_versions());
    differences.list("the suite", "suites", &suites(hello), &suites(known));
    differences.list("the group", "groups", &hello.groups(), &known.groups());
    differences.list("a key for", "keys", &hello.key_shares(), &known.key_shares());
    let schemes = |hello: &HelloSpec| hello.signature_schemes().unwrap_or_default();
    differences.list("the signature scheme", "signature schemes", &schemes(hello), &schemes(known));
    differences.list("the extension", "extensions", &extensions(hello), &extensions(known));
    differences.list("the application protocol", "application protocols", hello.alpn(), known.alpn());
    Likeness { distance: differences.count, differences: differences.says, client: client.clone() }
}

/// Signalling values are part of what a client is; GREASE is not.
fn suites(hello: &HelloSpec) -> Vec<tlswhy_wire::CipherSuite> {
    hello.cipher_suites.iter().copied().filter(|suite| !suite.is_grease()).collect()
}

/// Sorted: browsers shuffle them.
fn extensions(hello: &HelloSpec) -> Vec<ExtensionType> {
    let types: BTreeSet<ExtensionType> =
        hello.extensions.iter().flatten().map(|extension| extension.extension_type()).collect();
    types.into_iter().filter(|of| !of.is_grease() && !OF_THE_CONNECTION.contains(of)).collect()
}

#[derive(Default)]
struct Differences {
    count: usize,
    says: Vec<String>,
}

impl Differences {
    fn list<T: PartialEq + ToString>(&mut self, one: &str, several: &str, seen: &[T], known: &[T]) {
        let lacks: Vec<&T> = known.iter().filter(|value| !seen.contains(value)).collect();
        let besides: Vec<&T> = seen.iter().filter(|value| !known.contains(value)).collect();
        for (verb, values) in [("lacks", &lacks), ("also has", &besides)] {
            match values.as_slice() {
                [] => {}
                [value] => self.says.push(format!("{verb} {one} {}", value.to_string())),
                values => {
                    let names: Vec<String> = values.iter().map(|value| value.to_string()).collect();
                    self.says.push(format!("{verb} {} {several}: {}", values.len(), names.join(", ")));
                }
            }
        }
        self.count += lacks.len() + besides.len();
        if lacks.is_empty() && besides.is_empty() && seen != known {
            self.says.push(format!("has its {several} in another order"));
            self.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlswhy_wire::NamedGroup;

    #[test]
    fn every_bundled_client_is_nearest_to_itself() {
        for client in super::super::clients::clients().unwrap() {
            let found = nearest(&client.hello, 3);
            assert_eq!(found[0].distance, 0, "{}", client.name);
            let same: Vec<&str> =
                found.iter().filter(|like| like.distance == 0).map(|like| like.client.name.as_str()).collect();
            assert!(same.contains(&client.name.as_str()) || same.len() == 3, "{}: {same:?}", client.name);
        }
    }

    #[test]
    fn a_client_with_a_setting_changed_is_told_with_the_difference() {
        let client = super::super::clients::client("openssl-3.0").unwrap();
        let groups: Vec<NamedGroup> = client.hello.groups().into_iter().filter(|group| *group != NamedGroup::X25519).collect();
        let found = nearest(&client.hello.with_groups(&groups, &groups[..1]), 1);
        assert_eq!(found[0].client.name, "openssl-3.0");
        assert!(found[0].differences.contains(&"lacks the group x25519".to_owned()), "{:?}", found[0].differences);
    }

    #[test]
    fn what_offers_nothing_is_like_nobody() {
        assert_eq!(nearest(&HelloSpec::default(), 3).first().map(|like| like.distance > 10), Some(true));
    }
}
