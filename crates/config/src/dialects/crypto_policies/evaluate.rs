//! What the lines of a policy and its modules come to for one who asks with his scopes.

use super::algorithms::NUMBERS;
use super::language::{Directive, Operation};

/// The scopes with which OpenSSL's configuration is made.
pub(super) const OPENSSL: &[&str] = &["tls", "ssl", "openssl"];
/// The others that speak TLS, by what people call them.
pub(super) const OTHERS: &[(&str, &[&str])] =
    &[("GnuTLS", &["gnutls", "tls", "ssl"]), ("NSS", &["nss", "nss-tls", "tls", "ssl"]), ("Java", &["java-tls", "tls", "ssl"])];

/// Everything that is enabled for some scopes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scoped<'d> {
    directives: &'d [Directive],
    scopes: &'d [&'d str],
}

impl<'d> Scoped<'d> {
    pub(super) fn of(directives: &'d [Directive], scopes: &'d [&'d str]) -> Scoped<'d> {
        Scoped { directives, scopes }
    }

    /// The lines about a property that count here, in their order.
    pub(super) fn about(self, property: &str) -> impl Iterator<Item = &'d Directive> {
        self.directives.iter().filter(move |directive| directive.property == property && directive.is_for(self.scopes))
    }

    /// A list.
    pub(super) fn list(self, property: &str) -> Vec<&'static str> {
        let mut list: Vec<&'static str> = Vec::new();
        for operation in self.about(property).flat_map(|directive| &directive.operations) {
            match operation {
                Operation::Set(names) => list.clone_from(names),
                Operation::Append(name) if !list.contains(name) => list.push(name),
                Operation::Prepend(name) => {
                    list.retain(|known| known != name);
                    list.insert(0, name);
                }
                Operation::Omit(name) => list.retain(|known| known != name),
                Operation::Append(_) | Operation::Number(_) | Operation::Word => {}
            }
        }
        list
    }

    /// A number.
    pub(super) fn number(self, property: &str) -> u32 {
        let default = NUMBERS.iter().find(|(known, _)| *known == property).map_or(0, |(_, default)| *default);
        let numbers =
            self.about(property).flat_map(|directive| &directive.operations).filter_map(|operation| match operation {
                Operation::Number(number) => Some(*number),
                _ => None,
            });
        numbers.last().unwrap_or(default)
    }
}
