//! The virtual machine that runs Tomcat, and what it leaves a server.

use tlswhy_wire::{CipherSuite, ProtocolVersion};

use crate::dialects::Context;
use crate::dialects::java::lines::{Disabled, Lines};
use crate::dialects::java::{DISABLED, homes};
use crate::language::java_algorithms::Entry;
use crate::language::jsse_offer::{Named, Offer};
use crate::release::Release;
use crate::service::Reading;

/// A virtual machine whose lists are known.
pub(super) struct Machine {
    lines: Lines,
}

impl Machine {
    /// The one that is installed, or that `JAVA_HOME` or the version of `java` says; `None` where several could be meant.
    pub(super) fn of(context: &Context<'_>, reading: &mut Reading) -> Option<Machine> {
        let base = homes::base(context)?;
        let mut of_java = Reading::default();
        let lines = Lines::of(&Context { main: &base, ..*context }, &mut of_java);
        lines.last(DISABLED)?;
        lines.disabled(&mut of_java);
        reading.files.extend(of_java.files);
        reading.troubles.extend(of_java.troubles);
        Some(Machine { lines })
    }

    pub(super) fn release(&self) -> Option<Release> {
        self.lines.release
    }

    /// What is left of these versions and suites.
    pub(super) fn leaves(&self, versions: Vec<ProtocolVersion>, suites: Vec<CipherSuite>) -> Offer {
        let mut nobody = Reading::default();
        let disabled: Vec<Disabled<'_>> = self.lines.disabled(&mut nobody);
        let entries: Vec<&Entry> = disabled.iter().map(|one| &one.entry).collect();
        let named = Named { versions: Some(versions), suites: Some(suites), ..Named::default() };
        Offer::under(&entries, &named, self.lines.release)
    }

    /// Where the list that takes a version away stands, for people.
    pub(super) fn takes(&self, version: ProtocolVersion) -> Option<String> {
        let mut nobody = Reading::default();
        let disabled = self.lines.disabled(&mut nobody);
        let one = disabled.iter().find(|one| one.entry.takes_version(version))?;
        Some(format!("{} of {}", one.line.property.key, one.line.property.at.path))
    }
}
