//! SSL 3.0 to TLS 1.2: which suites, in whose order, with which groups and signatures.
//!
//! The server chooses one suite a connection. What it chose is left out of the next hello, until it refuses the rest: as many
//! connections as it has suites, and one. Groups and signature schemes are asked along with them.

use tlswhy_model::Depth;
use tlswhy_wire::{
    AlertDescription, Authentication, CipherSuite, HelloSpec, KeyExchange, NamedGroup, ProtocolVersion, SignatureScheme,
};

use super::asker::{Asker, Reply};
use super::order::{Order, find_order, is_chacha};
use super::tried::{Aside, Tried};
use super::{VersionInventory, features};
use crate::case::Seen;
use crate::knowledge::controls;
use crate::negotiate::{Support, needs_signature, signature_scheme};

/// Suites in one hello of those that servers with a limit still take.
const FEW: usize = 96;

/// Everything at one version. `detailed`: with groups and signature schemes; `None` while that is open.
pub(super) fn take(asker: &Asker<'_, '_>, version: ProtocolVersion, detailed: Option<bool>) -> VersionInventory {
    let base = control(version, asker.server_name);
    let usual = base.real_suites();
    let others: Vec<CipherSuite> = every_suite(version).filter(|suite| !usual.contains(suite)).collect();
    let mut taking = Taking {
        asker,
        version,
        found: VersionInventory::of(version, Tried::of([usual.clone(), others.clone()].concat())),
        offered: [usual.clone(), others.clone()].concat(),
        groups: Aside::of(curves(&base)),
        rsa: Aside::of(schemes(&base, Authentication::Rsa)),
        ecdsa: Aside::of(schemes(&base, Authentication::Ecdsa)),
        detailed: false,
        suites_done: false,
        in_pieces: false,
        offers_features: true,
        from_both_ends: true,
        picks: Vec::new(),
        base,
    };
    // `None` is an early end: an answer is awaited, or there is nothing more to ask.
    let _ended_early = taking.run(&usual, &others, detailed);
    taking.finish()
}

struct Taking<'a, 'c, 'e> {
    asker: &'a Asker<'c, 'e>,
    version: ProtocolVersion,
    found: VersionInventory,
    groups: Aside<NamedGroup>,
    rsa: Aside<SignatureScheme>,
    ecdsa: Aside<SignatureScheme>,
    detailed: bool,
    /// All suites are known.
    suites_done: bool,
    /// Suites were asked for in several lists, which shows no order across them.
    in_pieces: bool,
    /// Hellos offer what is looked for beside the lists, unless the server may choke on it.
    offers_features: bool,
    /// Nothing shows yet that the server has an order of its own, or nothing more to choose.
    from_both_ends: bool,
    /// What was chosen of which offer.
    picks: Vec<(Vec<CipherSuite>, CipherSuite)>,
    /// All suites in the order in which they are offered.
    offered: Vec<CipherSuite>,
    base: HelloSpec,
}

/// Why a list was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// The server refused the rest.
    Refused(Option<AlertDescription>),
    /// It gave no answer, or one that cannot be.
    Unanswered,
}

impl<'c, 'e> Taking<'_, 'c, 'e> {
    fn run(&mut self, usual: &[CipherSuite], others: &[CipherSuite], detailed: Option<bool>) -> Option<()> {
        let version = self.version;
        let purpose = format!("everything that {version} offers");
        match self.asker.ask(self.base.clone(), Depth::Flight, &purpose)? {
            Reply::NoAnswer(seen) => {
                self.found.settle(Support::Untested, seen);
                return None;
            }
            Reply::Refused(seen) => {
                self.found.settle(Support::Refused, seen);
                return self.after_a_refusal(seen, usual, others);
            }
            Reply::Chosen(seen) if seen.version() > Some(version) => {
                // It cannot choose what was not offered.
                self.found.settle(Support::Untested, seen);
                return None;
            }
            Reply::Chosen(seen) if seen.version() != Some(version) => {
                // A server takes the highest version that both have.
                self.found.settle(Support::Refused, seen);
                self.found.suites.refuse_rest(seen.id());
                return None;
            }
            Reply::Chosen(seen) => {
                self.found.settle(Support::Accepted, seen);
                self.detailed = detailed? && version > ProtocolVersion::SSLV3;
                let base = self.base.clone();
                self.learn(&base, seen);
            }
        }
        self.all_suites(usual, others)?;
        self.by_order();
        Some(())
    }

    /// The control failed: the version may be there for suites that it lacks, or for those that need no signature.
    fn after_a_refusal(&mut self, seen: &Seen<'_>, usual: &[CipherSuite], others: &[CipherSuite]) -> Option<()> {
        if seen.alert().is_none() || seen.alert() == Some(AlertDescription::PROTOCOL_VERSION) {
            self.found.suites.refuse_rest(seen.id());
            return None;
        }
        let unsigned: Vec<CipherSuite> = usual.iter().copied().filter(|suite| !needs_signature(self.version, *suite)).collect();
        // An OpenSSL server above level 0 has nothing to sign with below TLS 1.2, and finds out too late; it may still do without.
        let stumbled = self.version < ProtocolVersion::TLSV1_2 && seen.alert() != Some(AlertDescription::HANDSHAKE_FAILURE);
        let lists = if stumbled { vec![unsigned] } else { Vec::new() };
        let refused = usual.iter().copied().filter(|suite| !lists.iter().flatten().any(|later| later == suite)).collect();
        self.found.suites.refuse(refused, seen.id());
        self.in_pieces = true;
        for list in lists.into_iter().chain(others.chunks(FEW).map(<[_]>::to_vec)) {
            self.until_refused(list)?;
        }
        self.by_order();
        Some(())
    }

    fn all_suites(&mut self, usual: &[CipherSuite], others: &[CipherSuite]) -> Option<()> {
        let first = self.found.suites.taken();
        let usual: Vec<CipherSuite> = usual.iter().copied().filter(|suite| !first.contains(suite)).collect();
        let left = self.until_refused([&usual, others].concat())?;
        if self.found.suites.accepted.len() == first.len() {
            // Nothing shows yet that it takes so long a list, or all that is offered beside it, at all.
            self.offers_features = false;
            let refused = std::mem::take(&mut self.found.suites.refused);
            self.found.suites.untested.extend(refused);
            self.in_pieces = true;
            for list in std::iter::once(usual).chain(others.chunks(FEW).map(<[_]>::to_vec)) {
                self.until_refused(list)?;
            }
        } else if let Left::Refused(Some(alert)) = left
            && self.version < ProtocolVersion::TLSV1_2
            && ![AlertDescription::HANDSHAKE_FAILURE, AlertDescription::INSUFFICIENT_SECURITY].contains(&alert)
        {
            // It stumbled over something, maybe over a signature: suites without one are asked by themselves.
            let (signed, unsigned) = std::mem::take(&mut self.found.suites.refused)
                .into_iter()
                .partition(|suite| needs_signature(self.version, *suite));
            self.found.suites.refused = signed;
            self.found.suites.untested.extend(&unsigned);
            self.in_pieces = true;
            self.until_refused(unsigned)?;
        }
        Some(())
    }

    /// Takes from a list what the server chooses, until it refuses the rest.
    fn until_refused(&mut self, mut list: Vec<CipherSuite>) -> Option<Left> {
        let purpose = format!("which further suites it has at {}", self.version);
        while !list.is_empty() {
            // Of a server that heeds the client's order, both ends of the list show a suite at the same time.
            let ends = [Some(list.clone()), from_behind(&list).filter(|_| self.from_both_ends)];
            let hellos: Vec<HelloSpec> =
                ends.into_iter().flatten().enumerate().map(|(end, suites)| self.hello(suites, end > 0)).collect();
            let replies: Vec<_> = hellos.iter().map(|hello| self.asker.ask(hello.clone(), Depth::Flight, &purpose)).collect();
            let replies = replies.into_iter().collect::<Option<Vec<_>>>()?;
            let chosen: Vec<_> = replies.iter().zip(&hellos).filter_map(|(reply, hello)| self.choice(reply, hello)).collect();
            for (seen, suite, hello) in &chosen {
                if !hello.cipher_suites.contains(suite) {
                    self.found.says = Some("it chose a suite that was not offered".to_owned());
                    return Some(Left::Unanswered);
                }
                list.retain(|other| other != suite);
                self.found.settle(Support::Accepted, seen);
                self.learn(hello, seen);
                self.picks.push((hello.cipher_suites.clone(), *suite));
            }
            match (chosen.as_slice(), replies.first()?) {
                ([(_, one, _), (_, other, _)], _) if one == other => self.from_both_ends = false,
                // An order across what came from both ends does not show.
                ([_, _], _) => self.in_pieces = true,
                ([_], _) => self.from_both_ends = false,
                // An older version instead: at this one there is nothing to choose.
                (_, Reply::Refused(seen) | Reply::Chosen(seen)) => {
                    self.found.suites.refuse(list, seen.id());
                    return Some(Left::Refused(seen.alert()));
                }
                (_, Reply::NoAnswer(_)) => return Some(Left::Unanswered),
            }
        }
        Some(Left::Refused(None))
    }

    /// The suite that the server chose at this version.
    fn choice<'s, 'h>(
        &self,
        reply: &Reply<'s, 'e>,
        hello: &'h HelloSpec,
    ) -> Option<(&'s Seen<'e>, CipherSuite, &'h HelloSpec)> {
        match reply {
            Reply::Chosen(seen) if seen.version() == Some(self.version) => Some((*seen, seen.suite()?, hello)),
            _ => None,
        }
    }

    /// A hello with these suites, and what is to be asked along with them.
    fn hello(&self, suites: Vec<CipherSuite>, from_behind: bool) -> HelloSpec {
        let mut hello = with_suites(&self.base, &suites);
        if self.detailed {
            let groups = if from_behind { self.groups.offer_from_behind() } else { self.groups.offer() };
            hello = hello.with_groups(&groups, &[]);
            if self.version >= ProtocolVersion::TLSV1_2 {
                let offer =
                    |known: &Aside<SignatureScheme>| if from_behind { known.offer_from_behind() } else { known.offer() };
                let others = schemes(&self.base, Authentication::Dss);
                hello = hello.with_signature_schemes(&[offer(&self.rsa), offer(&self.ecdsa), others].concat());
            }
            if self.offers_features {
                hello = features::offering(hello);
            }
        }
        sized(hello)
    }

    fn learn(&mut self, hello: &HelloSpec, seen: &Seen<'_>) {
        let Some(suite) = seen.suite() else { return };
        self.found.suites.accept(suite, seen.id());
        if let Some(group) = seen.group() {
            self.groups.learn(&hello.groups(), &group, seen.id());
        }
        let signed_by = suite.details().map(|row| row.authentication);
        if let (Some(scheme), Some(offered)) = (signature_scheme(seen), hello.signature_schemes()) {
            match signed_by {
                Some(Authentication::Rsa) => self.rsa.learn(&offered, &scheme, seen.id()),
                Some(Authentication::Ecdsa) => self.ecdsa.learn(&offered, &scheme, seen.id()),
                _ => {}
            }
        }
    }

    fn by_order(&mut self) {
        let suites = self.found.suites.taken();
        if heeds_the_hello(&self.picks, &suites) {
            self.found.order = Order::Client;
        } else {
            let (order, chacha_first) =
                find_order(self.asker, self.version, &suites, Depth::Flight, |suites| self.hello(suites, false));
            // What was found in several lists shows no order across them.
            self.found.order = if self.in_pieces && order == Order::Server { Order::Unknown } else { order };
            self.found.chacha_first = chacha_first;
        }
        if self.in_pieces {
            let place = |suite: &CipherSuite| self.offered.iter().position(|other| other == suite);
            self.found.suites.accepted.sort_by_key(|(suite, _)| place(suite));
        }
        self.suites_done = true;
    }

    /// What hellos that are sent anyway cannot show is asked in hellos of its own, once a suite is known that does for it.
    fn settle(&mut self) {
        if !self.detailed {
            return;
        }
        let first = |wanted: &dyn Fn(KeyExchange, Authentication) -> bool| {
            let rows = self.found.suites.accepted.iter().filter_map(|(suite, _)| suite.details());
            rows.into_iter().find(|row| wanted(row.key_exchange, row.authentication)).map(|row| row.suite)
        };
        let with_rsa = first(&|exchange, by| exchange == KeyExchange::Ecdhe && by == Authentication::Rsa);
        let with_any = first(&|exchange, _| matches!(exchange, KeyExchange::Ecdhe | KeyExchange::EcdhAnon));
        let signed = |kind: Authentication| {
            first(&move |exchange, by| matches!(exchange, KeyExchange::Ecdhe | KeyExchange::Dhe) && by == kind)
        };
        let (rsa, ecdsa) = (signed(Authentication::Rsa), signed(Authentication::Ecdsa));
        if let Some(suite) = with_rsa.or(with_any.filter(|_| self.suites_done))
            && (!self.groups.is_open() || self.suites_done)
        {
            let hello = |groups: &[NamedGroup]| with_suites(&self.base, &[suite]).with_groups(groups, &[]);
            // With a key on a curve, a hello without that curve is refused for the certificate.
            let is_telling = with_rsa.is_some();
            self.asker.exhaust(&mut self.groups.tried, self.version, Depth::Flight, hello, |seen| seen.group(), is_telling);
        }
        if self.version < ProtocolVersion::TLSV1_2 {
            return;
        }
        for (suite, known) in [(rsa, &mut self.rsa), (ecdsa, &mut self.ecdsa)] {
            if let Some(suite) = suite
                && (!known.is_open() || self.suites_done)
            {
                let hello = |schemes: &[SignatureScheme]| with_suites(&self.base, &[suite]).with_signature_schemes(schemes);
                self.asker.exhaust(&mut known.tried, self.version, Depth::Flight, hello, signature_scheme, true);
            }
        }
    }

    fn finish(mut self) -> VersionInventory {
        self.settle();
        if self.detailed {
            self.found.groups = self.groups.tried;
            // A kind of key that it does not have says nothing of the signatures.
            for known in [self.rsa, self.ecdsa].into_iter().filter(|known| !known.tried.accepted.is_empty()) {
                self.found.schemes.accepted.extend(known.tried.accepted);
                self.found.schemes.refused.extend(known.tried.refused);
                self.found.schemes.untested.extend(known.tried.untested);
                self.found.schemes.refused_in = self.found.schemes.refused_in.or(known.tried.refused_in);
            }
        }
        self.found
    }
}

/// The control hello of a version.
pub(super) fn control(version: ProtocolVersion, server_name: Option<&str>) -> HelloSpec {
    match version {
        ProtocolVersion::TLSV1_2 => controls::tls12(server_name),
        ProtocolVersion::TLSV1_1 => controls::tls11(server_name),
        ProtocolVersion::TLSV1_0 => controls::tls10(server_name),
        _ => controls::ssl3(),
    }
}

pub(super) fn with_suites(base: &HelloSpec, suites: &[CipherSuite]) -> HelloSpec {
    sized(base.clone().with_suites([suites, &[CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV]].concat()))
}

/// Whether each pick was the first of its offer that the server has, and two offers had two of them the other way round.
fn heeds_the_hello(picks: &[(Vec<CipherSuite>, CipherSuite)], has: &[CipherSuite]) -> bool {
    let first = |offered: &[CipherSuite]| offered.iter().copied().find(|suite| has.contains(suite));
    let place = |offered: &[CipherSuite], wanted: CipherSuite| offered.iter().position(|suite| *suite == wanted);
    let are_reversed = |one: &(Vec<CipherSuite>, CipherSuite), other: &(Vec<CipherSuite>, CipherSuite)| {
        let before = |offered: &[CipherSuite], a, b| place(offered, a).zip(place(offered, b)).is_some_and(|(a, b)| a < b);
        before(&one.0, one.1, other.1) && before(&other.0, other.1, one.1)
    };
    picks.iter().all(|(offered, chosen)| first(offered) == Some(*chosen))
        && picks.windows(2).any(|pair| matches!(pair, [one, other] if are_reversed(one, other)))
}

/// The list the other way round, but with ChaCha20 at the end: that in front is a wish of its own to some servers. `None` where
/// that makes no difference.
fn from_behind(list: &[CipherSuite]) -> Option<Vec<CipherSuite>> {
    let (chacha, mut others): (Vec<CipherSuite>, Vec<CipherSuite>) = list.iter().rev().partition(|suite| is_chacha(**suite));
    others.extend(chacha);
    (others.first() != list.first()).then_some(others)
}

/// The hello at a length that load balancers do not choke on (256 to 511 bytes, see [`controls`]).
fn sized(hello: HelloSpec) -> HelloSpec {
    let length = hello.clone().with_pad_to(None).message_length();
    let pad_to = (hello.extensions.is_some() && (256..usize::from(controls::LONG)).contains(&length)).then_some(controls::LONG);
    hello.with_pad_to(pad_to)
}

/// Every suite that can be agreed at this version.
fn every_suite(version: ProtocolVersion) -> impl Iterator<Item = CipherSuite> {
    CipherSuite::all().filter(move |suite| suite.details().is_some_and(|row| row.usable_with(version)))
}

/// The curves of a control, then every other that TLS 1.2 and below can negotiate.
fn curves(base: &HelloSpec) -> Vec<NamedGroup> {
    let usual = base.groups();
    let others = NamedGroup::all().filter(|group| *group <= NamedGroup::X448 && !usual.contains(group));
    usual.iter().copied().chain(others).collect()
}

/// The signature schemes of a control that a key of this kind can make.
fn schemes(base: &HelloSpec, kind: Authentication) -> Vec<SignatureScheme> {
    let of_kind = |scheme: &SignatureScheme| match scheme.name() {
        Some(name) if name.starts_with("rsa_") => kind == Authentication::Rsa,
        Some(name) if name.starts_with("dsa_") => kind == Authentication::Dss,
        _ => kind == Authentication::Ecdsa,
    };
    base.signature_schemes().unwrap_or_default().into_iter().filter(of_kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: CipherSuite = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;
    const B: CipherSuite = CipherSuite::TLS_RSA_WITH_AES_256_CBC_SHA;
    const C: CipherSuite = CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256;

    #[test]
    fn only_who_always_takes_the_first_of_the_hello_heeds_it() {
        let picks = |last| [(vec![A, B, C], A), (vec![C, B, A], C), (vec![B, A, C], last)];
        assert!(heeds_the_hello(&picks(B), &[A, B, C]));
        // It holds A and C for equal, and both for better than B.
        assert!(!heeds_the_hello(&picks(A), &[A, B, C]));
        // An order of its own.
        assert!(!heeds_the_hello(&[(vec![A, B, C], A), (vec![C, B, A], A)], &[A, B, C]));
        assert!(!heeds_the_hello(&[(vec![A, B], A)], &[A, B]));
    }
}
