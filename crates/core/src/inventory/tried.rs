//! One list from which a server chooses: what it took, what it refused, what nobody asked.

/// What became of the values of one list, each with the attempt that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried<T> {
    /// Taken, in the order in which the server chose them while all that it had taken before was left out.
    pub accepted: Vec<(T, u32)>,
    /// Refused: a hello that offered just these failed, and the same with one that is accepted worked.
    pub refused: Vec<T>,
    /// The attempt that refused them.
    pub refused_in: Option<u32>,
    /// Not asked, or asked and not answered.
    pub untested: Vec<T>,
}

impl<T> Default for Tried<T> {
    fn default() -> Self {
        Tried { accepted: Vec::new(), refused: Vec::new(), refused_in: None, untested: Vec::new() }
    }
}

impl<T: Clone + PartialEq> Tried<T> {
    /// None of these was asked yet.
    pub fn of(candidates: Vec<T>) -> Tried<T> {
        Tried { untested: candidates, ..Tried::default() }
    }

    /// The values that were taken.
    pub fn taken(&self) -> Vec<T> {
        self.accepted.iter().map(|(value, _)| value.clone()).collect()
    }

    /// Whether it was taken.
    pub fn takes(&self, value: &T) -> bool {
        self.accepted.iter().any(|(taken, _)| taken == value)
    }

    /// The server chose this in that attempt. A value that nobody would have asked for is noted as well.
    pub fn accept(&mut self, value: T, attempt: u32) {
        self.untested.retain(|other| *other != value);
        self.refused.retain(|other| *other != value);
        if !self.takes(&value) {
            self.accepted.push((value, attempt));
        }
    }

    /// All that is left was refused in this attempt.
    pub fn refuse_rest(&mut self, attempt: u32) {
        let rest = std::mem::take(&mut self.untested);
        self.refuse(rest, attempt);
    }

    /// These were refused in this attempt.
    pub fn refuse(&mut self, values: Vec<T>, attempt: u32) {
        self.untested.retain(|other| !values.contains(other));
        if !values.is_empty() {
            self.refused_in = Some(attempt);
        }
        self.refused.extend(values);
    }
}

/// A list that is asked along with another one, in hellos that are sent anyway: what is not known yet stands in front, what was
/// taken stands behind it, so that nothing is lost where the server has no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aside<T> {
    /// What is known.
    pub(super) tried: Tried<T>,
    /// The attempt in which the server passed over all that is not known.
    passed_over: Option<u32>,
    /// Of two values it once chose each, as the hello had the one or the other in front.
    follows_the_hello: bool,
    /// Offered lists with what was chosen of them.
    seen: Vec<(Vec<T>, T)>,
}

impl<T: Clone + PartialEq> Aside<T> {
    /// None of these was asked yet.
    pub(super) fn of(candidates: Vec<T>) -> Aside<T> {
        Aside { tried: Tried::of(candidates), passed_over: None, follows_the_hello: false, seen: Vec::new() }
    }

    /// What to offer next: always everything, for a certificate may need what the key exchange does not take.
    pub(super) fn offer(&self) -> Vec<T> {
        self.offer_in(self.tried.untested.clone())
    }

    /// The same with what is not known the other way round, for a second hello at the same time.
    pub(super) fn offer_from_behind(&self) -> Vec<T> {
        self.offer_in(self.tried.untested.iter().rev().cloned().collect())
    }

    fn offer_in(&self, untested: Vec<T>) -> Vec<T> {
        let taken = self.tried.taken();
        let (first, second) = if self.is_open() { (untested, taken) } else { (taken, untested) };
        [first, second, self.tried.refused.clone()].concat()
    }

    /// Whether hellos that are sent anyway can still show something.
    pub(super) fn is_open(&self) -> bool {
        self.passed_over.is_none() && !self.tried.untested.is_empty()
    }

    /// The server chose this of what was offered.
    pub(super) fn learn(&mut self, offered: &[T], chosen: &T, attempt: u32) {
        let place = |list: &[T], value: &T| list.iter().position(|other| other == value);
        let reversed = |(earlier, other): &(Vec<T>, T)| {
            other != chosen
                && place(earlier, other) < place(earlier, chosen)
                && place(earlier, chosen).is_some()
                && place(offered, chosen) < place(offered, other)
                && place(offered, other).is_some()
        };
        self.follows_the_hello |= self.seen.iter().any(reversed);
        self.seen.push((offered.to_vec(), chosen.clone()));
        let before = offered.iter().take(place(offered, chosen).unwrap_or(0));
        let passed: Vec<T> = before.filter(|value| self.tried.untested.contains(value)).cloned().collect();
        if !passed.is_empty() && self.tried.takes(chosen) {
            self.passed_over = Some(attempt);
            // A server that takes the first that it knows knows none of those in front of it.
            if self.follows_the_hello {
                self.tried.refuse(passed, attempt);
            }
        }
        self.tried.accept(chosen.clone(), attempt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_follows_the_hello_needs_no_hello_of_its_own() {
        let mut groups = Aside::of(vec!['p', 'x', 'y', 'z']);
        groups.learn(&groups.offer(), &'p', 1);
        assert_eq!(groups.offer(), ['x', 'y', 'z', 'p']);
        groups.learn(&groups.offer(), &'x', 2);
        assert_eq!(groups.offer(), ['y', 'z', 'p', 'x']);
        groups.learn(&groups.offer(), &'p', 3);
        assert_eq!(groups.tried.refused, ['y', 'z']);
        assert_eq!((groups.tried.refused_in, groups.is_open()), (Some(3), false));
    }

    #[test]
    fn a_server_with_an_order_of_its_own_leaves_the_rest_open() {
        let mut groups = Aside::of(vec!['x', 'p', 'y']);
        groups.learn(&groups.offer(), &'p', 1);
        groups.learn(&groups.offer(), &'p', 2);
        assert_eq!((groups.tried.untested.clone(), groups.offer()), (vec!['x', 'y'], vec!['p', 'x', 'y']));
        assert!(!groups.is_open());
    }
}
