//! Application protocols: asked along with signatures, for both show only in a whole flight.

use tlswhy_model::Depth;
use tlswhy_wire::{AlertDescription, HelloSpec};

use super::asker::{Asker, Reply};
use super::tried::Tried;
use crate::case::Seen;
use crate::knowledge::application_protocols::PROTOCOLS;

/// What is known of the application protocols.
pub(super) struct Protocols {
    pub(super) tried: Tried<String>,
    /// Whether they are offered along with something else.
    aside: bool,
    /// A hello with protocols failed, and it is open whether for them.
    suspect: Option<u32>,
}

impl Protocols {
    /// None was asked yet.
    pub(super) fn new() -> Protocols {
        Protocols { tried: Tried::of(PROTOCOLS.iter().map(|name| (*name).to_owned()).collect()), aside: true, suspect: None }
    }

    /// The hello with those that are not known yet.
    pub(super) fn add_to(&self, hello: HelloSpec) -> HelloSpec {
        if self.aside { hello.with_alpn(&names(&self.tried)) } else { hello }
    }

    /// The server chose from a hello of [`Protocols::add_to`].
    pub(super) fn learn(&mut self, seen: &Seen<'_>) {
        if let Some(refused) = self.suspect.take() {
            // The same without them works.
            self.tried.refuse_rest(refused);
        } else if self.aside {
            self.aside = self.choice(seen);
        }
    }

    /// Whether this refusal may be for the protocols; then they are left out from now on.
    pub(super) fn may_be_why(&mut self, seen: &Seen<'_>) -> bool {
        if !self.aside {
            return false;
        }
        self.aside = false;
        if seen.alert() == Some(AlertDescription::NO_APPLICATION_PROTOCOL) {
            self.tried.refuse_rest(seen.id());
        } else {
            self.suspect = Some(seen.id());
        }
        true
    }

    /// Asks for those that are still open, in hellos of their own.
    pub(super) fn finish(&mut self, asker: &Asker<'_, '_>, hello: impl Fn(&[&str]) -> HelloSpec) -> Option<()> {
        while !self.tried.untested.is_empty() {
            match asker.ask(hello(&names(&self.tried)), Depth::Flight, "which application protocols it has")? {
                Reply::Chosen(seen) => {
                    if !self.choice(seen) {
                        break;
                    }
                }
                Reply::Refused(seen) => self.tried.refuse_rest(seen.id()),
                Reply::NoAnswer(_) => break,
            }
        }
        Some(())
    }

    /// Learns from a choice; `false` if there is nothing more to learn.
    fn choice(&mut self, seen: &Seen<'_>) -> bool {
        match seen.alpn() {
            Some(name) if self.tried.untested.contains(&name) => {
                self.tried.accept(name, seen.id());
                !self.tried.untested.is_empty()
            }
            Some(_) => false,
            // It went on and named none: it has none of these, if the place where it would name one came to be read.
            None => {
                if seen.certificates().is_some() {
                    self.tried.refuse_rest(seen.id());
                }
                false
            }
        }
    }
}

fn names(tried: &Tried<String>) -> Vec<&str> {
    tried.untested.iter().map(String::as_str).collect()
}
