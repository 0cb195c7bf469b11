//! Which of the things negotiated is not shared: from a control that works, one thing after another is narrowed.

use tlswhy_model::{Confidence, Depth};
use tlswhy_wire::{AlertDescription, Fragment, HelloSpec, NamedGroup, ProtocolVersion, ServerHello};

use super::hellos::{
    SMALLEST_HYBRID, certificate_group, offers_what_was_chosen, only_what_was_chosen, says_something, signalling, signs_in_13,
    widen, widen_versions, without_unusual_extensions,
};
use super::{FaultKind, Teller};
use crate::case::Seen;
use crate::chain::KeyKind;
use crate::knowledge::controls;
use crate::negotiate::{ClientCapabilities, Knob, Obstacle, chain_authentication, differing_fields};

impl<'c, 'e> Teller<'c, 'e> {
    /// A control that worked at this version.
    pub(super) fn control_at(&self, version: ProtocolVersion) -> Option<(&'c Seen<'e>, HelloSpec)> {
        let name = self.name();
        let name = name.as_deref();
        [
            controls::tls13(name),
            controls::tls12(name),
            controls::short_tls12(name),
            controls::tls11(name),
            controls::tls10(name),
            controls::tls11_without_signature(name),
            controls::ssl3(),
            controls::ssl2(),
        ]
        .into_iter()
        .find_map(|hello| {
            let probe = self.case.hello_probe(hello.clone(), self.story.upgrade.as_deref(), Depth::Flight);
            let seen = self.case.find(&probe)?;
            let chosen = if seen.speaks_sslv2() { Some(ProtocolVersion::SSLV2) } else { seen.version() };
            (seen.chose() && chosen == Some(version)).then_some((seen, hello))
        })
    }

    pub(super) fn negotiate(&mut self, own: &'c Seen<'e>) -> Option<()> {
        // Asked along with what follows: a fault is the same each time.
        let (client, server) = (self.client(), self.server());
        let accepted = server.accepted_versions();
        let alive = accepted.last() >= Some(&ProtocolVersion::TLSV1_0);
        if alive
            && let Some(again) = self.repeat(self.hello(), 1)
            && (again.chose() || again.alert() != own.alert())
        {
            return self.inconsistent(own);
        }
        let Some(version) = client.versions.iter().copied().find(|version| accepted.contains(version)) else {
            return self.no_version(own, &client, &accepted);
        };
        if version <= ProtocolVersion::TLSV1_1 && client.versions.first() > Some(&version) {
            return self.meets_only_in_old_versions(own, version, &client, &accepted);
        }
        self.narrow(own, version)
    }

    /// The client offers more, and the server does TLS 1.1 and below alone; and the client's hello fails.
    pub(super) fn meets_only_in_old_versions(
        &mut self,
        own: &'c Seen<'e>,
        version: ProtocolVersion,
        client: &ClientCapabilities,
        accepted: &[ProtocolVersion],
    ) -> Option<()> {
        let (control, hello) = self.control_at(version)?;
        // A server that does old versions and breaks on a hello of a newer one, where it ought to answer with the old.
        let newer = HelloSpec { legacy_version: ProtocolVersion::TLSV1_2, ..hello.clone() };
        let newer = self.ask(newer, Depth::Flight, "the same hello with a newer version");
        // The client's own hello without its newest version, for a server that breaks on supported_versions.
        let below_13: Vec<ProtocolVersion> =
            client.versions.iter().copied().filter(|offered| *offered <= ProtocolVersion::TLSV1_2).collect();
        let without_13 = self.hello().with_versions(&below_13);
        let shortened = (without_13 != self.hello())
            .then(|| self.ask(without_13.clone(), Depth::Finish, "the client's hello without TLS 1.3"));
        let newer = newer?;
        if let Some(Some(seen)) = shortened
            && seen.chose()
        {
            if is_marked(seen) {
                return self.cannot_in_its_newest(seen);
            }
            let kind = FaultKind::VersionIntolerant { field: "supported_versions" };
            let fault = self.push(kind, Confidence::Confirmed, Some(own.id()));
            fault.works = Some(seen.id());
            fault.differs_in = vec!["supported_versions"];
            self.story.furthest = Some(seen.id());
            return self.accept(seen, &without_13);
        }
        if !newer.chose() {
            let kind = FaultKind::VersionIntolerant { field: "legacy_version" };
            let fault = self.push(kind, Confidence::Confirmed, Some(newer.id()));
            fault.works = Some(control.id());
            fault.differs_in = vec!["legacy_version"];
            let old: Vec<ProtocolVersion> = client.versions.iter().copied().filter(|offered| *offered <= version).collect();
            let lowered = self.hello().with_versions(&old);
            let seen = self.ask(lowered.clone(), Depth::Finish, "the client's hello with old versions alone")?;
            self.story.furthest = Some(seen.id());
            return if seen.chose() { self.accept(seen, &lowered) } else { self.end() };
        }
        let modern: Vec<ProtocolVersion> =
            client.versions.iter().copied().filter(|offered| *offered > ProtocolVersion::TLSV1_1).collect();
        if !modern.is_empty() {
            let obstacle = Obstacle::Versions { client: modern, server: accepted.to_vec() };
            let fault = self.push(FaultKind::Negotiation(obstacle), Confidence::Observed, Some(own.id()));
            fault.works = Some(control.id());
            fault.differs_in = vec!["cipher_suites and others"];
            if hello == controls::tls11_without_signature(self.name().as_deref()) {
                // The server itself cannot sign in these versions; nothing else is amiss.
                return self.end();
            }
        }
        self.narrow(own, version)
    }

    /// No version in common.
    pub(super) fn no_version(
        &mut self,
        own: &'c Seen<'e>,
        client: &ClientCapabilities,
        accepted: &[ProtocolVersion],
    ) -> Option<()> {
        let modern = ProtocolVersion::TLSV1_2;
        let name = self.name();
        let alert_to = |hello: HelloSpec| self.ask(hello, Depth::Flight, "").and_then(Seen::alert);
        let to_12 = alert_to(controls::tls12(name.as_deref()));
        let to_11 = alert_to(controls::tls11(name.as_deref()));
        let version_word = Some(AlertDescription::PROTOCOL_VERSION);
        // The client's best is 1.2, the server has 1.3, and it said something other than "version" to everything that 1.2
        // offers: is 1.2 off, or on and without a suite? Named in supported_versions, a version that is off is refused as such.
        let doubtful = client.versions.first() == Some(&modern) && accepted.first() > Some(&modern) && to_12 != version_word;
        let named = doubtful.then(|| {
            let purpose = "TLS 1.2 alone, named in supported_versions";
            self.ask(controls::tls12_named(name.as_deref()), Depth::Flight, purpose)
        });
        let to_named = match named {
            Some(named) => named?.alert(),
            None => None,
        };
        if doubtful && to_named == Some(AlertDescription::HANDSHAKE_FAILURE) && to_11 == version_word {
            let key = self.server().certificate_key;
            let failing = self.ask(controls::tls12(name.as_deref()), Depth::Flight, "")?.id();
            self.push(
                FaultKind::CertificateMismatch { version: modern, key, curve: false },
                Confidence::Inferred,
                Some(failing),
            );
            return self.end();
        }
        if doubtful && to_named == Some(AlertDescription::HANDSHAKE_FAILURE) {
            // The same word for every version that it may not have: nothing tells them apart.
            self.open(
                "Is TLS 1.2 switched off at the server, or on and without a usable suite? It says the same to both",
                &["version-ranges-disjoint", "no-shared-cipher", "cipher-certificate-mismatch"],
                "read the protocol and cipher settings of the server",
            );
            return self.end();
        }
        let version = *accepted.last()?;
        let (control, control_hello) = self.control_at(version)?;
        let versions: Vec<ProtocolVersion> = client.versions.clone();
        let server_side = version < modern;
        // The client's hello with the server's version added; where it has nothing to offer at that version, with the
        // control's suites, groups and schemes, for a client that had the version would bring those.
        let widened = widen_versions(&self.hello(), version, &control_hello);
        let with_version = if version >= ProtocolVersion::TLSV1_0 {
            self.ask(widened.clone(), Depth::Finish, "the client's hello with the server's version")
        } else {
            Some(control)
        };
        let with_version = with_version?;
        let confirmed = with_version.chose();
        let obstacle = Obstacle::Versions { client: versions, server: accepted.to_vec() };
        let certain = !doubtful || own.alert() == version_word || to_named == version_word;
        // A contrast is one only where nothing but the versions differs.
        let contrast = confirmed && differing_fields(&self.hello(), &widened).len() == 1;
        let confidence = if !certain {
            Confidence::Suspected
        } else if contrast {
            Confidence::Confirmed
        } else {
            Confidence::Observed
        };
        if !certain {
            self.open(
                "Is the version switched off, or on and without a usable suite? The server says the same to both",
                &["version-ranges-disjoint", "no-shared-cipher", "cipher-certificate-mismatch"],
                "read the protocol and cipher settings of the server",
            );
        }
        let works = if confirmed { with_version } else { control };
        let fault = self.push(FaultKind::Negotiation(obstacle), confidence, Some(own.id()));
        fault.works = Some(works.id());
        fault.differs_in = vec!["supported_versions"];
        if confirmed {
            self.story.furthest = Some(with_version.id());
            return self.accept(with_version, &widened);
        }
        if server_side && version >= ProtocolVersion::TLSV1_0 && !client.suites_at(version).is_empty() {
            let hello = self.hello();
            return self.narrow_at(own, version, control, control_hello, &hello, widened);
        }
        if !server_side && client.versions.first() >= Some(&modern) {
            // A client that gains the version brings suites, groups and schemes for it; what else it offers stays.
            return self.narrow_at(own, version, control, control_hello, &widened.clone(), widened);
        }
        self.end()
    }

    /// A version is shared: which of the other things is not?
    pub(super) fn narrow(&mut self, own: &'c Seen<'e>, version: ProtocolVersion) -> Option<()> {
        let Some((control, control_hello)) = self.control_at(version) else {
            // The version was seen in an answer to another hello; the short control may be what it takes.
            let name = self.name();
            let short = self.ask(controls::short_tls12(name.as_deref()), Depth::Flight, "a short hello")?;
            if version == ProtocolVersion::TLSV1_2 && short.chose() && self.control_at(version).is_some() {
                return self.only_short_works(own, short);
            }
            self.open(
                format!("Why does the server take {version} from one hello and not from another?"),
                &["server-version-intolerant", "server-size-intolerant"],
                "compare the attempts (-v, --save-evidence)",
            );
            return self.end();
        };
        let hello = self.hello();
        self.narrow_at(own, version, control, control_hello, &hello.clone(), hello)
    }

    /// From a hello that works at `version`, one thing after another is narrowed to what the client offers.
    pub(super) fn narrow_at(
        &mut self,
        own: &'c Seen<'e>,
        version: ProtocolVersion,
        control: &'c Seen<'e>,
        control_hello: HelloSpec,
        client_hello: &HelloSpec,
        mut widened: HelloSpec,
    ) -> Option<()> {
        let mut lifted: Vec<Knob> = Vec::new();
        let faults_before = self.story.faults.len();
        let (mut narrowest, mut narrowest_hello);
        loop {
            (narrowest, narrowest_hello) = (control, control_hello.clone());
            let mut steps: Vec<(Knob, HelloSpec, Option<&'c Seen<'e>>)> = Vec::new();
            let mut hello = control_hello.clone();
            for knob in [Knob::Suites, Knob::Groups, Knob::Schemes, Knob::Alpn] {
                if lifted.contains(&knob) || !says_something(knob, client_hello, version) {
                    continue;
                }
                let narrowed = knob.narrow(hello.clone(), client_hello, version);
                if narrowed == hello {
                    continue;
                }
                hello = narrowed;
                let purpose = format!("the control with the client's {}", knob.field());
                steps.push((knob, hello.clone(), self.ask(hello.clone(), Depth::Flight, &purpose)));
            }
            if self.case.is_waiting() {
                return None;
            }
            let mut stopped = None;
            for (knob, hello, seen) in steps {
                let seen = seen?;
                if !seen.chose() {
                    stopped = Some((knob, seen, hello));
                    break;
                }
                (narrowest, narrowest_hello) = (seen, hello);
            }
            let Some((knob, failing, failing_hello)) = stopped else { break };
            if let Some(found) =
                self.rather_the_length(own, version, faults_before, &narrowest_hello, narrowest, &failing_hello)?
            {
                return found;
            }
            if offers_what_was_chosen(knob, client_hello, narrowest) {
                return self.breaks_on_a_value(faults_before, knob, client_hello, narrowest, failing, version);
            }
            let kind = self.name_the_obstacle(knob, version, narrowest, &narrowest_hello)?;
            let foreign_key = matches!(kind, FaultKind::CertificateMismatch { curve: true, .. }) && !signs_in_13(narrowest);
            let fault = self.push(kind, Confidence::Confirmed, Some(failing.id()));
            fault.works = Some(narrowest.id());
            fault.differs_in = vec![knob.field()];
            widened = widen(knob, &widened, narrowest, &narrowest_hello, version);
            if foreign_key {
                // With such a key a server gets no further in TLS 1.3, if it has that: the same fault, with the same repair.
                widened = widened.with_versions(&[version]);
            }
            lifted.push(knob);
            // Was that all?
            if self.ask(widened.clone(), Depth::Finish, "the client's hello with what was missing")?.chose() {
                break;
            }
        }

        let seen = self.ask(widened.clone(), Depth::Finish, "the client's hello with what was missing")?;
        if !seen.chose() {
            return self.residue(faults_before, version, narrowest, narrowest_hello, seen, widened);
        }
        // With a single fault the client's own two hellos are the plainest contrast.
        if self.story.faults.len() == faults_before + 1
            && seen.id() != own.id()
            && widened.offered_versions() == self.hello().offered_versions()
            && let Some(fault) = self.story.faults.last_mut()
        {
            fault.fails = Some(own.id());
            fault.works = Some(seen.id());
        }
        self.story.furthest = Some(seen.id());
        self.accept(seen, &widened)
    }

    /// Where a step fails whose hello is longer than any that worked: is it the length, not the content? `Some(Some(_))` if
    /// so, and the story went on from there. `at` is where the faults of this negotiation begin: the length comes before them.
    pub(super) fn rather_the_length(
        &mut self,
        own: &'c Seen<'e>,
        version: ProtocolVersion,
        at: usize,
        works: &HelloSpec,
        working: &'c Seen<'e>,
        fails: &HelloSpec,
    ) -> Option<Option<Option<()>>> {
        let length = fails.message_length();
        let worked = |seen: &&Seen<'_>| seen.chose() && seen.attempt.probe.upgrade == self.story.upgrade;
        let longest = self.case.all().filter(worked).filter_map(|seen| Some(seen.hello()?.message_length())).max().unwrap_or(0);
        if length <= longest.max(usize::from(controls::LONG)) {
            return Some(None);
        }
        let padded = works.clone().with_pad_to(u16::try_from(length).ok());
        let padded = self.ask(padded, Depth::Flight, "the control, as long as the hello that fails")?;
        if padded.chose() {
            return Some(None);
        }
        let kind = FaultKind::SizeIntolerant { fails: length, works: works.message_length(), split: false };
        if self.size_fault(at, kind, padded, working).is_none() {
            return Some(Some(None));
        }
        // The same client with small key shares: what else would it meet?
        let hello = self.hello();
        let small: Vec<NamedGroup> = hello.key_shares().into_iter().filter(|group| group.0 < SMALLEST_HYBRID).collect();
        let smaller = hello.clone().with_groups(&hello.groups(), &small);
        let seen = self.ask(smaller.clone(), Depth::Finish, "the client's hello with small key shares alone")?;
        self.story.furthest = Some(seen.id());
        Some(Some(if seen.chose() {
            self.accept(seen, &smaller)
        } else {
            self.narrow_at(own, version, working, works.clone(), &smaller.clone(), smaller)
        }))
    }

    /// The client offers the very value that the server chose from the control, and is refused for its list all the same: the
    /// server breaks on another value in it.
    fn breaks_on_a_value(
        &mut self,
        at: usize,
        knob: Knob,
        client_hello: &HelloSpec,
        working: &'c Seen<'e>,
        failing: &'c Seen<'e>,
        version: ProtocolVersion,
    ) -> Option<()> {
        if failing.alert().is_none() && !self.case.no_path_between() {
            self.open(
                format!("Is it the server that breaks on a value in {}, or something between?", knob.field()),
                &["server-version-intolerant", "path-blocks-handshake"],
                "try from the server's own network",
            );
            return self.end();
        }
        let fault =
            self.insert(at, FaultKind::VersionIntolerant { field: "extensions" }, Confidence::Confirmed, Some(failing.id()));
        fault.works = Some(working.id());
        fault.differs_in = vec![knob.field()];
        let hello = only_what_was_chosen(knob, client_hello, working, version);
        let seen = self.ask(hello.clone(), Depth::Finish, "the client's hello with the value that the server chose alone")?;
        self.story.furthest = Some(seen.id());
        if seen.chose() { self.accept(seen, &hello) } else { self.end() }
    }

    /// It answers with TLS 1.2, by whose mark it has TLS 1.3; and everything that TLS 1.3 offers is refused. Whatever breaks, it is
    /// not that it does not know the version.
    fn cannot_in_its_newest(&mut self, marked: &Seen<'_>) -> Option<()> {
        let question = format!(
            "Why is every hello with TLS 1.3 refused? The server has that version: its answer to one without it (attempt {}) bears the mark of a server that could do more (RFC 8446 §4.1.3)",
            marked.id()
        );
        let on_the_way: &[&str] = if self.case.no_path_between() { &[] } else { &["path-blocks-handshake"] };
        let causes = ["no-shared-signature-algorithm", "cipher-certificate-mismatch", "no-shared-cipher", "no-shared-group"];
        self.open(
            question,
            &[&causes[..], on_the_way].concat(),
            "see which signatures, groups and suites the server's configuration leaves to TLS 1.3, and whether its certificate's key can make one of these signatures: a plain RSA key makes only those named rsa_pss_rsae",
        );
        self.end()
    }

    /// Which fault it is that this thing is not shared.
    pub(super) fn name_the_obstacle(
        &self,
        knob: Knob,
        version: ProtocolVersion,
        working: &'c Seen<'e>,
        working_hello: &HelloSpec,
    ) -> Option<FaultKind> {
        let below_13 = version <= ProtocolVersion::TLSV1_2;
        let client = self.client();
        let key = working.certificates().and_then(|list| KeyKind::of_der(&list.entries.first()?.value));
        match knob {
            Knob::Suites if below_13 => {
                let suites = client.suites_at(version);
                let offers = |authentication| {
                    suites.iter().any(|suite| suite.details().is_some_and(|row| row.authentication == authentication))
                };
                if let Some(key) = key
                    && !offers(chain_authentication(key))
                    && !suites.is_empty()
                {
                    // Would another certificate be there for what the client can use?
                    let usable = controls::suites_for(version)
                        .into_iter()
                        .filter(|suite| suite.details().is_some_and(|row| offers(row.authentication)));
                    let hello = working_hello.clone().with_suites(usable.chain(signalling(working_hello)).collect());
                    let other = self.ask(hello, Depth::Flight, "every suite for the kinds of key that the client takes")?;
                    if !other.chose() {
                        return Some(FaultKind::CertificateMismatch { version, key: Some(key), curve: false });
                    }
                }
                Some(FaultKind::Negotiation(Obstacle::Suites { version }))
            }
            Knob::Groups if below_13 => {
                // In TLS 1.2 and below the curve of an ECDSA certificate must be among the client's groups (RFC 8422 §5.1.1).
                let exchange = working.group();
                let curve_missing = certificate_group(working).is_some_and(|curve| !client.groups.contains(&curve));
                if curve_missing && exchange.is_some_and(|group| client.groups.contains(&group)) {
                    return Some(FaultKind::CertificateMismatch { version, key, curve: true });
                }
                Some(FaultKind::Negotiation(Obstacle::Groups { version }))
            }
            Knob::Suites => Some(FaultKind::Negotiation(Obstacle::Suites { version })),
            Knob::Groups => Some(FaultKind::Negotiation(Obstacle::Groups { version })),
            Knob::Schemes => Some(FaultKind::Negotiation(Obstacle::Schemes { version })),
            Knob::Alpn => Some(FaultKind::Negotiation(Obstacle::Alpn)),
            Knob::Versions => None,
        }
    }

    /// All that is negotiated is shared, and the client's hello fails still: its length, its cut, its versions or an extension.
    pub(super) fn residue(
        &mut self,
        at: usize,
        version: ProtocolVersion,
        narrowest: &'c Seen<'e>,
        narrowest_hello: HelloSpec,
        failing: &'c Seen<'e>,
        hello: HelloSpec,
    ) -> Option<()> {
        let (short, long) = (narrowest_hello.message_length(), hello.message_length());
        let pad = |length: usize| u16::try_from(length).ok();
        let whole = HelloSpec { fragment: Fragment::Whole, ..hello.clone() };
        let versions = hello.clone().with_versions(&[version]).with_pad_to(pad(long));
        let plain = without_unusual_extensions(&hello).with_pad_to(pad(long));
        let same_length =
            if short < long { narrowest_hello.clone().with_pad_to(pad(long)) } else { hello.clone().with_pad_to(pad(short)) };

        let cut = (whole != hello).then(|| self.ask(whole.clone(), Depth::Finish, "the same hello in one piece"));
        let sized = self.ask(same_length.clone(), Depth::Finish, "the same content at the other length");
        let versioned = (versions != hello)
            .then(|| self.ask(versions.clone(), Depth::Finish, "the same hello with the shared version alone"));
        let plained =
            (plain != hello).then(|| self.ask(plain.clone(), Depth::Finish, "the same hello without unusual extensions"));
        if self.case.is_waiting() {
            return None;
        }
        let works = |seen: Option<Option<&'c Seen<'e>>>| seen.flatten().filter(|seen| seen.chose());
        let sized = sized?;
        let size_matters = sized.chose() != (short < long);
        let (kind, fails, works, differs, next) = if let Some(seen) = works(cut) {
            (FaultKind::SizeIntolerant { fails: long, works: long, split: true }, failing, seen, "record fragmentation", whole)
        } else if size_matters && short < long {
            let kind = FaultKind::SizeIntolerant { fails: long, works: short, split: false };
            (kind, sized, narrowest, "length of the ClientHello", narrowest_hello)
        } else if size_matters {
            let kind = FaultKind::SizeIntolerant { fails: long, works: short, split: false };
            (kind, failing, sized, "length of the ClientHello", same_length)
        } else if let Some(marked) = works(versioned).filter(|seen| is_marked(seen)) {
            return self.cannot_in_its_newest(marked);
        } else if let Some(seen) = works(versioned) {
            (FaultKind::VersionIntolerant { field: "supported_versions" }, failing, seen, "supported_versions", versions)
        } else if let Some(seen) = works(plained) {
            (FaultKind::VersionIntolerant { field: "extensions" }, failing, seen, "unusual extensions", plain)
        } else {
            self.open(
                "Which part of the client's hello does the server not take? Version, suites, groups, signature schemes, length and extensions were each found acceptable on their own",
                &["server-version-intolerant", "server-size-intolerant"],
                "compare a packet capture of the client with the attempts in the evidence (--save-evidence)",
            );
            return self.end();
        };
        let by_size = matches!(kind, FaultKind::SizeIntolerant { .. });
        let quietly = fails.alert().is_none();
        if !by_size && quietly && !self.case.no_path_between() {
            self.open(
                "Is it the server that breaks on the newer hello, or something between?",
                &["server-version-intolerant", "path-blocks-handshake"],
                "try from the server's own network",
            );
            return self.end();
        }
        if by_size {
            self.size_fault(at, kind, fails, works)?;
        } else {
            self.insert(at, kind, Confidence::Confirmed, Some(fails.id())).works = Some(works.id());
        }
        if let Some(fault) = self.story.faults.get_mut(at) {
            fault.differs_in = vec![differs];
        }
        let seen = self.ask(next.clone(), Depth::Finish, "the hello that works, to its end")?;
        self.story.furthest = Some(seen.id());
        if seen.chose() {
            return self.accept(seen, &next);
        }
        self.end()
    }
}

/// Whether the answer is that of a server which has TLS 1.3 and was asked for less.
fn is_marked(seen: &Seen<'_>) -> bool {
    seen.server_hello().and_then(ServerHello::downgrade_sentinel) == Some(ProtocolVersion::TLSV1_2)
}
