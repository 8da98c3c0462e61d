//! A segment's name: all that must be known of it even where its content can't be read.
//!
//! `<age>-<order>-<fingerprint>-<destination>-<stands for>-<length>.<kind>`, hexadecimal:
//!
//! | part | digits | what |
//! |---|---|---|
//! | age | 10 | when its oldest record was written, by the spool's own clock (see `state`) |
//! | order | 16 | random, but greater than that of an earlier one of the same second |
//! | fingerprint | 16 | the schema of its records; 0 of a crash, which any version can tell |
//! | destination | 16 | where its records are meant to go |
//! | stands for | 1 to 16 | how many events, losses and additions its records stand for |
//! | length | 1 to 8 | its bytes, as they were written |

use automagik_telemetry_core::otlp::Signal;

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Events, and losses among them.
    Logs,
    /// What metrics counted, to be merged.
    Counts,
    /// What metrics counted, merged and given the interval over which it is told: one request, the same each time.
    Points,
    /// Losses alone, which are told when a collector has taken something else.
    Losses,
    /// One crash, of any version of the program: see `kept::crash`.
    Crash,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Logs, Self::Counts, Self::Points, Self::Losses, Self::Crash];

    const fn ending(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Counts => "counts",
            Self::Points => "points",
            Self::Losses => "losses",
            Self::Crash => "crash",
        }
    }

    pub(super) const fn signal(self) -> Signal {
        match self {
            Self::Logs | Self::Losses | Self::Crash => Signal::Logs,
            Self::Counts | Self::Points => Signal::Metrics,
        }
    }
}

/// A segment's name. They sort from the oldest to the newest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) age: u64,
    pub(super) order: u64,
    pub(super) fingerprint: u64,
    pub(super) destination: u64,
    pub(super) stands_for: u64,
    pub(super) len: u32,
    pub(super) kind: Kind,
}

impl Name {
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (name, ending) = name.rsplit_once('.')?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.ending() == ending)?;
        let mut parts = name.split('-');
        let mut number = |digits: core::ops::RangeInclusive<usize>| {
            let part = parts.next().filter(|part| digits.contains(&part.len()))?;
            u64::from_str_radix(part, 16).ok()
        };
        let (age, order) = (number(10..=10)?, number(16..=16)?);
        let (fingerprint, destination) = (number(16..=16)?, number(16..=16)?);
        let (stands_for, len) = (number(1..=16)?, number(1..=8)?);
        let len = u32::try_from(len).ok()?;
        parts.next().is_none().then_some(Self { age, order, fingerprint, destination, stands_for, len, kind })
    }
}

impl core::fmt::Display for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { age, order, fingerprint, destination, stands_for, len, kind } = self;
        let ending = kind.ending();
        write!(
            f,
            "{age:010x}-{order:016x}-{fingerprint:016x}-{destination:016x}-{stands_for:x}-{len:x}.{ending}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written_and_nothing_else_is_one() {
        for kind in Kind::ALL {
            let name =
                Name { age: 7, order: 9, fingerprint: 1, destination: 2, stands_for: 300, len: 77, kind };
            assert_eq!(Name::parse(&name.to_string()), Some(name.clone()));
            for wrong in [format!("{name}.bak"), format!("x{name}"), name.to_string().replace('-', "_")] {
                assert_eq!(Name::parse(&wrong), None, "{wrong}");
            }
        }
    }
}
