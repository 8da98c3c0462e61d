//! A frame or a program's request that was taken, as it lies on disk until the collector has it: who it is from, when it began, and its records.
//!
//! | what | bytes |
//! |---|---|
//! | half of the fingerprint | 4 |
//! | mark of the version | 3 |
//! | pseudonym | 16 |
//! | what records of the boot are named by | 12 |
//! | boot, sequence | 8, 4 |
//! | when it arrived, in seconds since 1970 | 8 |
//! | the step in which the boot began, to its events and to its metrics | 4, 4 |
//! | lost: the reason's ordinal, how many | 1, 4 |
//! | the operating system and the processor, of a program | 1, 1 |
//! | how the records are packed | 1 |
//! | length of the records | 2 |
//! | the records | |

use super::placing::{Now, Placing};
use crate::known::system::System;
use crate::known::vocabulary::Vocabulary;
use automagik_telemetry_core::Record;
use automagik_telemetry_core::frames::Reader;
use automagik_telemetry_core::loss::{DROPPED_COUNT_MAX, Losses, Reason};
use automagik_telemetry_core::record::Delta;
use automagik_telemetry_core::time::Coarse;

/// Length of all but the stream.
pub const HEAD_LEN: usize = 73;

/// How records are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packing {
    /// As a device's frame has them: bits, in steps since its boot began.
    #[default]
    Frame,
    /// One behind the other as [`Record::encode`] writes them, at times of day.
    Encoded,
}

/// A frame, or a program's request, on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held<'a> {
    /// The half of a fingerprint.
    pub mark: u32,
    /// What stands for a version.
    pub version: [u8; 3],
    /// The installation's pseudonym.
    pub pseudonym: [u8; 16],
    /// What records of the boot are named by.
    pub uid: [u8; 12],
    /// The number of the boot.
    pub boot: [u8; 8],
    /// The whole sequence of its first record.
    pub sequence: u32,
    /// The step in which the boot began.
    pub start: u32,
    /// When it arrived.
    pub arrived: u64,
    /// The same, to its metrics.
    pub counts_start: u32,
    /// How many records were lost before it, and why.
    pub lost: Option<(Reason, u32)>,
    /// What a program runs on.
    pub system: System,
    /// How the records are packed.
    pub packing: Packing,
    /// The records; empty where it only tells of losses.
    pub stream: &'a [u8],
}

impl<'a> Held<'a> {
    /// Appends it to `bytes`.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.mark.to_le_bytes());
        bytes.extend_from_slice(&self.version);
        bytes.extend_from_slice(&self.pseudonym);
        bytes.extend_from_slice(&self.uid);
        bytes.extend_from_slice(&self.boot);
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        bytes.extend_from_slice(&self.start.to_le_bytes());
        bytes.extend_from_slice(&self.arrived.to_le_bytes());
        bytes.extend_from_slice(&self.counts_start.to_le_bytes());
        let (reason, count) = self.lost.map_or((0, 0), |(reason, count)| (reason as u8, count));
        bytes.push(reason);
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&self.system.to_bytes());
        bytes.push(u8::from(self.packing == Packing::Encoded));
        // A frame is 1,200 bytes at most; a request is held in parts.
        bytes.extend_from_slice(&(self.stream.len() as u16).to_le_bytes());
        bytes.extend_from_slice(self.stream);
    }

    /// Takes one from the start of `bytes`.
    #[must_use]
    pub fn take(bytes: &mut &'a [u8]) -> Option<Self> {
        fn part<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
            let (part, rest) = bytes.split_first_chunk()?;
            *bytes = rest;
            Some(*part)
        }
        let mut held = Self {
            mark: u32::from_le_bytes(part(bytes)?),
            version: part(bytes)?,
            pseudonym: part(bytes)?,
            uid: part(bytes)?,
            boot: part(bytes)?,
            sequence: u32::from_le_bytes(part(bytes)?),
            start: u32::from_le_bytes(part(bytes)?),
            arrived: u64::from_le_bytes(part(bytes)?),
            counts_start: u32::from_le_bytes(part(bytes)?),
            lost: None,
            system: System::default(),
            packing: Packing::Frame,
            stream: &[],
        };
        let [reason] = part(bytes)?;
        let count = u32::from_le_bytes(part(bytes)?);
        held.lost = (count > 0).then_some((*Reason::ALL.get(usize::from(reason))?, count));
        held.system = System::from_bytes(part(bytes)?)?;
        held.packing = if part(bytes)? == [1] { Packing::Encoded } else { Packing::Frame };
        let len = usize::from(u16::from_le_bytes(part(bytes)?));
        let (stream, rest) = bytes.split_at_checked(len)?;
        (held.stream, *bytes) = (stream, rest);
        Some(held)
    }

    /// Hands its records to `take`, each placed in time, with its number in the boot, which a loss that a gateway tells has not; and says how many had to be
    /// moved.
    pub fn records(&self, vocabulary: &Vocabulary, mut take: impl FnMut(Record, Option<u32>)) -> u32 {
        let now = Now(self.arrived);
        let placing = Placing::new(self.start, now, vocabulary.resolution);
        let counts = Placing::new(self.counts_start, now, vocabulary.resolution);
        if let Some((reason, count)) = self.lost {
            let mut losses = Losses::new();
            losses.add(reason, count);
            let at = Coarse::from_steps(now.step(vocabulary.resolution));
            while let Some((reason, count)) = losses.take_some(DROPPED_COUNT_MAX) {
                take(Record::dropped(reason, count, at), None);
            }
        }
        if self.stream.is_empty() {
            return 0;
        }
        let mut moved = 0;
        for (number, record) in self.packed(vocabulary) {
            let Some(delta) = record.as_delta() else {
                let (step, is_moved) = placing.place(record.time().steps());
                moved += u32::from(is_moved);
                take(record.at(Coarse::from_steps(step)), number);
                continue;
            };
            let (end, is_moved) = counts.place(delta.end.steps());
            moved += u32::from(is_moved);
            let steps = delta.end.steps().saturating_sub(delta.start.steps());
            let start = Coarse::from_steps(end.saturating_sub(steps));
            let placed = Record::from_delta(&Delta { start, end: Coarse::from_steps(end), ..delta });
            take(placed, number);
        }
        moved
    }

    /// Its records as they are packed, each with its number in the boot, if it is of one. They were checked when they were taken.
    fn packed<'s>(&'s self, vocabulary: &'s Vocabulary) -> impl Iterator<Item = (Option<u32>, Record)> + 's {
        let (framed, mut encoded) = match self.packing {
            Packing::Frame => (self.stream, &[][..]),
            Packing::Encoded => (&[][..], self.stream),
        };
        let framed = (!framed.is_empty()).then(|| Reader::new(vocabulary, framed).flatten());
        let framed = (self.sequence..).zip(framed.into_iter().flatten());
        let encoded = std::iter::from_fn(move || {
            let (record, rest) = Record::read(encoded).ok()?;
            encoded = rest;
            Some((None, record))
        });
        framed.map(|(number, record)| (Some(number), record)).chain(encoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let held = Held {
            mark: 1,
            version: [2; 3],
            pseudonym: [3; 16],
            uid: [11; 12],
            boot: [4; 8],
            sequence: 5,
            start: 6,
            arrived: 7,
            counts_start: 8,
            lost: Some((Reason::Undeliverable, 9)),
            system: System::from_bytes([1, 2]).unwrap(),
            packing: Packing::Encoded,
            stream: &[1, 2, 3],
        };
        let mut bytes = Vec::new();
        held.write(&mut bytes);
        held.write(&mut bytes);
        assert_eq!(bytes.len(), 2 * (HEAD_LEN + 3));
        let mut rest = bytes.as_slice();
        assert_eq!(
            (Held::take(&mut rest), Held::take(&mut rest), Held::take(&mut rest)),
            (Some(held), Some(held), None)
        );
        for len in 0..HEAD_LEN + 3 {
            assert_eq!(Held::take(&mut &bytes[..len]), None, "{len}");
        }
    }
}
