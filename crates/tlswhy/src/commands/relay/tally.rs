//! What passed so far: kinds of handshakes, and the causes that were found of them.

use std::collections::BTreeMap;
use std::mem::discriminant;

use tlswhy_capture::Handshake;
use tlswhy_gather::observe::Unreached;

use crate::commands::pcap::{Kind, Kinds};

/// Ways of not being reached that are told apart: a server has few addresses.
const MOST_WAYS: usize = 16;

/// What passed so far.
pub(crate) struct Tally {
    pub(crate) kinds: Kinds,
    /// The root cause of each kind that was judged, by its place; `None` where it stayed open.
    causes: BTreeMap<usize, Option<String>>,
    pub(crate) handshakes: u64,
    pub(crate) failed: u64,
    /// Completed, and the client went away without a word.
    pub(crate) given_up: u64,
    pub(crate) without_tls: u64,
    pub(crate) unreached: u64,
    /// Why the server was not reached, and how often; the first ways alone.
    pub(crate) ways: Vec<(Unreached, u64)>,
}

impl Tally {
    /// Nothing yet.
    pub(super) fn new() -> Tally {
        Tally {
            kinds: Kinds::of_any_client(),
            causes: BTreeMap::new(),
            handshakes: 0,
            failed: 0,
            given_up: 0,
            without_tls: 0,
            unreached: 0,
            ways: Vec::new(),
        }
    }

    /// Counts a handshake in; the place of its kind where it is the first of it.
    pub(super) fn add(&mut self, handshake: Handshake) -> Option<usize> {
        self.handshakes += 1;
        self.failed += u64::from(handshake.outcome.failed());
        self.given_up += u64::from(handshake.client_went_silently());
        self.kinds.add(handshake)
    }

    /// Counts a client for which the server was not reached.
    pub(super) fn not_carried(&mut self, why: Unreached) {
        self.unreached += 1;
        let same = |known: &Unreached| known.address == why.address && discriminant(&known.ending) == discriminant(&why.ending);
        if let Some((_, count)) = self.ways.iter_mut().find(|(known, _)| same(known)) {
            *count += 1;
        } else if self.ways.len() < MOST_WAYS {
            self.ways.push((why, 1));
        }
    }

    /// Of what the handshakes of this kind fail.
    pub(super) fn conclude(&mut self, place: usize, cause: Option<String>) {
        self.causes.insert(place, cause);
    }

    /// Every kind, with its cause.
    pub(crate) fn judged(&self) -> impl Iterator<Item = (&Kind, Option<&str>)> {
        self.kinds.iter().enumerate().map(|(place, kind)| (kind, self.causes.get(&place).and_then(Option::as_deref)))
    }

    /// How many failed, or were given up by their clients, of what, most first; `None` counts failed ones whose cause is open.
    pub(crate) fn causes<'a>(&self, judged: impl Iterator<Item = (&'a Kind, Option<&'a str>)>) -> Vec<(Option<&'a str>, u64)> {
        let mut counts = BTreeMap::new();
        for (kind, cause) in judged.filter(|(kind, cause)| kind.first.outcome.failed() || cause.is_some()) {
            *counts.entry(cause).or_insert(0) += kind.count;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}
