//! A segment: one file of the spool, written once, whole, by one process, and never appended to.
//!
//! | offset | size | what |
//! |---|---|---|
//! | 0 | 4 | offset of the first frame that was not delivered yet, little-endian |
//! | 4 | 8 | for how many the delivered records stood, little-endian |
//! | 12 | 4 | CRC-32 (IEEE) of the twelve bytes before: where it is wrong, nothing counts as delivered |
//! | 16 | 8 | start of the interval of its points, in nanoseconds since 1970, little-endian; 0 for other kinds |
//! | 24 | 8 | its end |
//! | 32 | 4 | CRC-32 of the sixteen bytes before |
//! | 36 | | frames |
//!
//! | of a frame | size | what |
//! |---|---|---|
//! | 0 | 2 | length of the records, little-endian, at most [`RECORDS_LEN_MAX`] |
//! | 2 | 2 | number of records, little-endian, 1 to 100 |
//! | 4 | 4 | CRC-32 (IEEE) of the four bytes before and of the records, little-endian |
//! | 8 | | records in postcard, one behind the other |
//!
//! A damaged frame is passed over, and the frames behind it are found by their checksums. The segment's name says for how many
//! all its records stood, so what damage took is known exactly.

use crate::BATCH_RECORDS_MAX;
use crate::files::checksum::checksum;
use automagik_telemetry_core::Record;
use automagik_telemetry_core::otlp::Interval;
use automagik_telemetry_core::record::RECORD_LEN_MAX;

/// Length of a segment's head.
pub(super) const HEAD_LEN: usize = 36;

const FRAME_HEAD_LEN: usize = 8;

/// Most bytes of records in one frame.
const RECORDS_LEN_MAX: usize = BATCH_RECORDS_MAX * RECORD_LEN_MAX;

/// How much of a segment was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// Offset of the first frame that was not.
    pub(super) at: usize,
    /// For how many what was delivered stood.
    pub(super) delivered: u64,
}

impl Progress {
    /// Length of what is written over the start of a segment.
    const LEN: usize = 16;

    pub(super) fn encode(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&u32::try_from(self.at).unwrap_or(0).to_le_bytes());
        bytes[4..12].copy_from_slice(&self.delivered.to_le_bytes());
        let sum = checksum(&bytes[..12], &[]);
        bytes[12..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(super) fn of(segment: &[u8]) -> Self {
        let none = Self { at: HEAD_LEN, delivered: 0 };
        let Some((head, sum)) = segment.first_chunk::<16>().and_then(|head| head.split_last_chunk::<4>())
        else {
            return none;
        };
        let (Some(at), Some(delivered)) = (u32_at(head, 0), u64_at(head, 4)) else { return none };
        let at = at as usize;
        if checksum(head, &[]) == u32::from_le_bytes(*sum) && at >= HEAD_LEN {
            Self { at, delivered }
        } else {
            none
        }
    }
}

/// A segment of `records`, in frames of `most` at most, with the interval that points have.
pub(super) fn encode(records: &[Record], interval: Option<Interval>, most: usize) -> Vec<u8> {
    let mut segment = Progress { at: HEAD_LEN, delivered: 0 }.encode().to_vec();
    let interval = interval.unwrap_or(Interval { start: 0, end: 0 });
    segment.extend(interval.start.to_le_bytes());
    segment.extend(interval.end.to_le_bytes());
    segment.extend(checksum(&segment[Progress::LEN..], &[]).to_le_bytes());
    records.chunks(most.clamp(1, BATCH_RECORDS_MAX)).for_each(|records| push_frame(&mut segment, records));
    segment
}

fn push_frame(segment: &mut Vec<u8>, records: &[Record]) {
    let start = segment.len();
    segment.extend([0; FRAME_HEAD_LEN]);
    for record in records {
        segment.extend_from_slice(record.encode().as_slice());
    }
    let frame = &mut segment[start..];
    let len = u16::try_from(frame.len() - FRAME_HEAD_LEN).unwrap_or(u16::MAX);
    let count = u16::try_from(records.len()).unwrap_or(u16::MAX);
    frame[0..2].copy_from_slice(&len.to_le_bytes());
    frame[2..4].copy_from_slice(&count.to_le_bytes());
    let sum = checksum(&frame[0..4], &frame[FRAME_HEAD_LEN..]);
    frame[4..8].copy_from_slice(&sum.to_le_bytes());
}

/// The interval of a segment's points; `None` if it has none, or it is damaged.
pub(super) fn interval(segment: &[u8]) -> Option<Interval> {
    let (start, end) = (u64_at(segment, 16)?, u64_at(segment, 24)?);
    let is_sound = checksum(&segment[16..32], &[]) == u32_at(segment, 32)?;
    (is_sound && start < end).then_some(Interval { start, end })
}

/// A frame that is as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) records: Vec<Record>,
    /// Offset of what follows.
    pub(super) end: usize,
}

/// The first intact frame of `segment` at `at` or behind.
pub(super) fn next_frame(segment: &[u8], at: usize) -> Option<Frame> {
    (at.max(HEAD_LEN)..segment.len()).find_map(|at| intact(segment, at))
}

fn intact(segment: &[u8], at: usize) -> Option<Frame> {
    let (len, count) = (usize::from(u16_at(segment, at)?), usize::from(u16_at(segment, at + 2)?));
    if len > RECORDS_LEN_MAX || !(1..=BATCH_RECORDS_MAX).contains(&count) {
        return None;
    }
    let end = at + FRAME_HEAD_LEN + len;
    let mut bytes = segment.get(at + FRAME_HEAD_LEN..end)?;
    if u32_at(segment, at + 4)? != checksum(segment.get(at..at + 4)?, bytes) {
        return None;
    }
    let mut records = Vec::with_capacity(count);
    while let Ok((record, rest)) = postcard::take_from_bytes::<Record>(bytes) {
        records.push(record);
        bytes = rest;
    }
    Some(Frame { records, end })
}

/// For how many `records` stand.
pub(super) fn stands_for(records: &[Record]) -> u64 {
    records.iter().map(|record| u64::from(record.stands_for())).sum()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use automagik_telemetry_core::loss::Reason;
    use automagik_telemetry_core::time::Coarse;
    use proptest::prelude::*;

    fn records(count: u32) -> Vec<Record> {
        let time = Coarse::from_steps(29_350_800);
        (1..=count).map(|n| Record::dropped(Reason::Refused, n, time)).collect()
    }

    /// What can be read from where delivery stands.
    fn found(segment: &[u8]) -> Vec<Record> {
        let (mut found, mut at) = (Vec::new(), Progress::of(segment).at);
        while let Some(frame) = next_frame(segment, at) {
            found.extend(frame.records);
            at = frame.end;
        }
        found
    }

    #[test]
    fn what_is_written_is_found() {
        let times = Interval { start: 5, end: 6 };
        let segment = encode(&records(250), Some(times), 100);
        assert_eq!(found(&segment), records(250));
        assert_eq!(interval(&segment), Some(times));
        assert_eq!(interval(&encode(&records(1), None, 100)), None);
    }

    #[test]
    fn its_bytes_are_the_same_on_every_machine() {
        let times = Interval { start: 0x0102_0304_0506_0708, end: 0x1112_1314_1516_1718 };
        let segment = encode(&records(2), Some(times), 1);
        let expected = [
            ("progress", "240000000000000000000000e826e260"),
            ("interval", "08070605040302011817161514131211cf46d9cb"),
            ("frame", "06000100174f1d710090b7ff0d0c"),
            ("frame", "0600010041d771620090b7ff0d14"),
        ];
        let expected = expected.map(|(_, digits)| digits).concat();
        let digits: String = segment.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, expected);
    }

    #[test]
    fn what_was_delivered_is_not_found_again() {
        let mut segment = encode(&records(30), None, 10);
        let first = next_frame(&segment, 0).unwrap();
        let progress = Progress { at: first.end, delivered: stands_for(&first.records) };
        segment[..Progress::LEN].copy_from_slice(&progress.encode());
        assert_eq!(Progress::of(&segment), progress);
        assert_eq!(found(&segment), records(30)[10..]);
    }

    proptest! {
        #[test]
        fn a_flipped_bit_costs_one_frame_at_most(count in 1_u32..200, most in 1_usize..=40, at: prop::sample::Index, bit in 0_u32..8) {
            let mut segment = encode(&records(count), None, most);
            let at = at.index(segment.len());
            segment[at] ^= 1 << bit;
            // A head that is damaged delivers everything again: better twice than never.
            prop_assert!(found(&segment).len() + most >= count as usize);
        }

        #[test]
        fn any_bytes_are_walked_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..3_000)) {
            found(&bytes);
            interval(&bytes);
        }
    }
}
