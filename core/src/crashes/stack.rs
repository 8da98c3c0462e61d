//! Return addresses, nearest first: 16 at most, recursion collapsed.
//!
//! ```text
//!  a b c b c b c b c d e ...  ──►  a, b ×4, c ×4, d, e      and how many more there were, and how many in other files
//! ```

use crate::events::bucket;

/// Most addresses that are kept.
pub const STACK_MAX: usize = 16;

/// Most functions that call each other in a circle and are seen as recursion.
const CYCLE_MAX: usize = 4;

/// A return address, and how often the circle that it belongs to was gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// Distance from the start of the program's file as it is loaded, in bytes: what `addr2line` takes on ELF.
    pub offset: u32,
    /// How often, as a [bucket]: 1 is no recursion.
    pub times: u32,
}

/// A stack of the program's own return addresses.
///
/// ```
/// use automagik_telemetry_core::crashes::Stack;
/// let mut stack = Stack::new();
/// for address in [7, 5, 5, 5, 5, 1] {
///     stack.push(address);
/// }
/// let seen: Vec<_> = stack.addresses().iter().map(|address| (address.offset, address.times)).collect();
/// assert_eq!(seen, [(7, 1), (5, 4), (1, 1)]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stack {
    addresses: [Address; STACK_MAX],
    len: usize,
    /// How many did not fit.
    more: u32,
    /// How many lay in other files.
    elsewhere: u32,
    /// The circle that the last address belonged to.
    cycle: Option<Cycle>,
}

/// Where recursion goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Cycle {
    start: usize,
    len: usize,
    /// How many of the next round were seen.
    at: usize,
    times: u32,
}

impl Stack {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            addresses: [Address { offset: 0, times: 0 }; STACK_MAX],
            len: 0,
            more: 0,
            elsewhere: 0,
            cycle: None,
        }
    }

    /// Adds the address of who called the last one.
    pub fn push(&mut self, offset: u32) {
        if let Some(mut cycle) = self.cycle {
            let expected = self.addresses.get(cycle.start.saturating_add(cycle.at));
            if expected.is_some_and(|expected| expected.offset == offset) {
                cycle.at = cycle.at.saturating_add(1);
                if cycle.at == cycle.len {
                    (cycle.at, cycle.times) = (0, cycle.times.saturating_add(1));
                }
                self.cycle = Some(cycle);
                return;
            }
            self.leave(cycle);
        }
        self.append(offset);
        self.find_cycle();
    }

    /// Counts one that lies in another file.
    pub const fn push_elsewhere(&mut self) {
        self.elsewhere = self.elsewhere.saturating_add(1);
    }

    /// Counts one whose place was not looked for.
    pub const fn push_more(&mut self) {
        self.more = self.more.saturating_add(1);
    }

    /// Returns the stack, with what is known of a circle that was not left.
    #[must_use]
    pub fn finished(mut self) -> Self {
        if let Some(cycle) = self.cycle {
            self.leave(cycle);
        }
        (self.more, self.elsewhere) = (class(self.more), class(self.elsewhere));
        self
    }

    /// The circle ends: notes how often it was gone through, and adds what was seen of the next round.
    #[inline(never)]
    fn leave(&mut self, cycle: Cycle) {
        let times = class(cycle.times);
        let round = self.addresses.iter_mut().skip(cycle.start).take(cycle.len);
        round.for_each(|address| address.times = times);
        self.cycle = None;
        for at in 0..cycle.at {
            if let Some(Address { offset, .. }) = self.addresses.get(cycle.start.saturating_add(at)).copied()
            {
                self.append(offset);
            }
        }
    }

    fn append(&mut self, offset: u32) {
        match self.addresses.get_mut(self.len) {
            Some(slot) => {
                *slot = Address { offset, times: 1 };
                self.len = self.len.saturating_add(1);
            }
            None => self.more = self.more.saturating_add(1),
        }
    }

    /// Whether what stands last stands in front of it once more; then it is kept once.
    fn find_cycle(&mut self) {
        let kept = self.addresses.get(..self.len).unwrap_or(&[]);
        let is_cycle = |len: &usize| {
            let mut rounds = kept.rchunks_exact(*len);
            let (Some(last), Some(before)) = (rounds.next(), rounds.next()) else { return false };
            last == before && last.iter().all(|address| address.times == 1)
        };
        // A loop, and not four of them: a panic can wait.
        if let Some(len) = (1..=core::hint::black_box(CYCLE_MAX)).find(is_cycle) {
            self.len = self.len.saturating_sub(len);
            // What is not part of it any more is as it was: stacks are compared.
            self.addresses.iter_mut().skip(self.len).for_each(|address| *address = Address::default());
            self.cycle = Some(Cycle { start: self.len.saturating_sub(len), len, at: 0, times: 2 });
        }
    }

    /// Returns the addresses, nearest to the panic first.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        self.addresses.get(..self.len).unwrap_or(&[])
    }

    /// Returns how many more there were, as a [bucket].
    #[must_use]
    pub const fn more(&self) -> u32 {
        self.more
    }

    /// Returns how many lay in other files, such as the system's libraries, as a [bucket].
    #[must_use]
    pub const fn elsewhere(&self) -> u32 {
        self.elsewhere
    }

    /// One of these parts, from anybody; `None` where they break a rule.
    pub(crate) fn of_parts(
        parts: impl Iterator<Item = Option<Address>>,
        more: u32,
        elsewhere: u32,
    ) -> Option<Self> {
        let is_class = |number| class(number) == number;
        if !is_class(more) || !is_class(elsewhere) {
            return None;
        }
        let mut stack = Self { more, elsewhere, ..Self::new() };
        for part in parts {
            let address = part.filter(|address| address.times > 0 && is_class(address.times))?;
            *stack.addresses.get_mut(stack.len)? = address;
            stack.len = stack.len.saturating_add(1);
        }
        Some(stack)
    }
}

/// A depth, as exactly as it leaves.
fn class(number: u32) -> u32 {
    bucket::lower_bound(bucket::ordinal(number))
}

impl Default for Stack {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(addresses: &[u32]) -> (Vec<(u32, u32)>, u32) {
        let mut stack = Stack::new();
        addresses.iter().for_each(|address| stack.push(*address));
        let stack = stack.finished();
        (stack.addresses().iter().map(|address| (address.offset, address.times)).collect(), stack.more())
    }

    #[test]
    fn what_is_not_recursive_is_kept_as_it_is_and_what_does_not_fit_is_counted() {
        let many: Vec<u32> = (0..20).collect();
        let first: Vec<(u32, u32)> = (0..16).map(|address| (address, 1)).collect();
        assert_eq!(seen(&many), (first, 4));
    }

    #[test]
    fn functions_that_call_each_other_are_kept_once_with_their_depth() {
        let mut deep = vec![1];
        (0..6).for_each(|_| deep.extend([2, 3, 4]));
        deep.push(9);
        assert_eq!(seen(&deep).0, [(1, 1), (2, 6), (3, 6), (4, 6), (9, 1)]);
    }

    #[test]
    fn a_round_that_is_not_finished_stands_behind_those_that_are() {
        assert_eq!(seen(&[1, 2, 1, 2, 1, 9]).0, [(1, 2), (2, 2), (1, 1), (9, 1)]);
        assert_eq!(seen(&[1, 2, 1, 2, 1]).0, [(1, 2), (2, 2), (1, 1)]);
    }

    #[test]
    fn a_depth_is_a_class() {
        assert_eq!(seen(&[7; 1_000]).0, [(7, 896)]);
    }

    #[test]
    fn recursion_that_begins_behind_the_last_address_is_counted() {
        let addresses: Vec<u32> = (0..16).chain([5; 100]).collect();
        assert_eq!(seen(&addresses).1, 96);
    }

    proptest! {
        #[test]
        fn no_call_is_forgotten(addresses in prop::collection::vec(0_u32..4, 0..64)) {
            let (kept, more) = seen(&addresses);
            let total: u32 = kept.iter().map(|(_, times)| times).sum::<u32>() + more;
            // Depths are rounded down to their classes.
            prop_assert!(total as usize <= addresses.len());
            prop_assert!(total as usize * 5 + 4 >= addresses.len() * 4, "{kept:?} {more}");
        }
    }
}
