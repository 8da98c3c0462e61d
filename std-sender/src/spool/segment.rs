//! A segment: one file of the spool.
//!
//! | offset | size | what |
//! |---|---|---|
//! | 0 | 4 | `committed`: offset of the first frame that was not delivered yet, little-endian |
//! | 4 | 4 | `committed` with every bit turned: where the two disagree, nothing counts as delivered |
//! | 8 | | frames |
//!
//! | of a frame | size | what |
//! |---|---|---|
//! | 0 | 2 | length of the records, little-endian, at most [`RECORDS_LEN_MAX`] |
//! | 2 | 2 | number of records, little-endian, 1 to 100 |
//! | 4 | 4 | CRC-32 (IEEE) of the four bytes before and of the records, little-endian |
//! | 8 | | records in postcard, one behind the other |
//!
//! A frame is written in one piece. What a process that died left of one at the end is cut off by the next that
//! appends. A damaged frame is skipped and counted; the frames behind it are found by their checksums.

use crate::BATCH_RECORDS_MAX;
use crate::checksum::checksum;
use automagik_telemetry_core::Record;
use automagik_telemetry_core::record::RECORD_LEN_MAX;

/// Length of a segment's head.
pub(crate) const HEAD_LEN: usize = 8;

const FRAME_HEAD_LEN: usize = 8;

/// Most bytes of records in one frame.
pub(crate) const RECORDS_LEN_MAX: usize = BATCH_RECORDS_MAX * RECORD_LEN_MAX;

/// The head of a segment of which everything before `committed` was delivered.
pub(crate) fn head(committed: usize) -> [u8; HEAD_LEN] {
    let committed = u32::try_from(committed).unwrap_or(0);
    let ([a, b, c, d], [e, f, g, h]) = (committed.to_le_bytes(), (!committed).to_le_bytes());
    [a, b, c, d, e, f, g, h]
}

/// Offset of the first frame that was not delivered yet.
pub(crate) fn committed(segment: &[u8]) -> usize {
    let (Some(committed), Some(check)) = (u32_at(segment, 0), u32_at(segment, 4)) else { return HEAD_LEN };
    match usize::try_from(committed) {
        Ok(at) if committed == !check && (HEAD_LEN..=segment.len()).contains(&at) => at,
        _ => HEAD_LEN,
    }
}

/// A frame of at most 100 records.
pub(crate) fn frame(records: &[Record]) -> Vec<u8> {
    let mut frame = vec![0; FRAME_HEAD_LEN];
    for record in records {
        frame.extend_from_slice(record.encode().as_slice());
    }
    let len = u16::try_from(frame.len() - FRAME_HEAD_LEN).unwrap_or(u16::MAX);
    let count = u16::try_from(records.len()).unwrap_or(u16::MAX);
    frame[0..2].copy_from_slice(&len.to_le_bytes());
    frame[2..4].copy_from_slice(&count.to_le_bytes());
    let sum = checksum(&frame[0..4], &frame[FRAME_HEAD_LEN..]);
    frame[4..8].copy_from_slice(&sum.to_le_bytes());
    frame
}

/// What stands at an offset of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// An intact frame.
    Frame {
        /// The records in postcard.
        records: &'a [u8],
        /// How many.
        count: u32,
        /// Offset of what follows.
        end: usize,
    },
    /// What is no frame, before one that is, or before the end.
    Damaged {
        /// How many records it held, as far as can be told; at least 1.
        count: u32,
        /// Offset of what follows.
        end: usize,
    },
    /// The start of a frame that was never written to its end.
    Torn,
}

/// What stands at `at`, or `None` at the end.
pub(crate) fn item(segment: &[u8], at: usize) -> Option<Item<'_>> {
    if at >= segment.len() {
        return None;
    }
    if let Some(frame) = intact(segment, at) {
        return Some(frame);
    }
    let claimed = claimed(segment, at);
    let resumed = (at + 1..segment.len()).find(|next| intact(segment, *next).is_some());
    Some(match (resumed, claimed) {
        (Some(next), claim) => {
            // The frame's own count is believed where its length leads to the next frame.
            let count = claim.filter(|(_, end)| *end == next).map_or(1, |(count, _)| count);
            Item::Damaged { count, end: next }
        }
        (None, Some((count, end))) if end <= segment.len() => Item::Damaged { count, end: segment.len() },
        (None, _) => Item::Torn,
    })
}

/// Offset behind the last frame: where the next one goes.
pub(crate) fn end(segment: &[u8]) -> usize {
    let mut at = HEAD_LEN;
    while let Some(Item::Frame { end, .. } | Item::Damaged { end, .. }) = item(segment, at) {
        at = end;
    }
    at
}

/// Number of records that were not delivered yet.
pub(crate) fn waiting(segment: &[u8]) -> u32 {
    let mut at = committed(segment);
    let mut sum: u32 = 0;
    while let Some(Item::Frame { count, end, .. } | Item::Damaged { count, end }) = item(segment, at) {
        sum = sum.saturating_add(count);
        at = end;
    }
    sum
}

fn intact(segment: &[u8], at: usize) -> Option<Item<'_>> {
    let (count, end) = claimed(segment, at)?;
    let records = segment.get(at + FRAME_HEAD_LEN..end)?;
    let sum = checksum(segment.get(at..at + 4)?, records);
    (u32_at(segment, at + 4)? == sum).then_some(Item::Frame { records, count, end })
}

/// The number of records and the end that the frame at `at` claims, where they are possible.
fn claimed(segment: &[u8], at: usize) -> Option<(u32, usize)> {
    let len = usize::from(u16_at(segment, at)?);
    let count = u16_at(segment, at + 2)?;
    let possible = len <= RECORDS_LEN_MAX && (1..=BATCH_RECORDS_MAX).contains(&usize::from(count));
    possible.then_some((u32::from(count), at + FRAME_HEAD_LEN + len))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use automagik_telemetry_core::loss::Reason;
    use automagik_telemetry_core::time::Coarse;
    use proptest::prelude::*;

    fn records(count: usize) -> Vec<Record> {
        let time = Coarse::from_steps(29_350_800);
        (0..count).map(|n| Record::dropped(Reason::Refused, u32::try_from(n).unwrap() + 1, time)).collect()
    }

    fn segment(frames: &[usize]) -> Vec<u8> {
        let mut bytes = head(HEAD_LEN).to_vec();
        frames.iter().for_each(|count| bytes.extend(frame(&records(*count))));
        bytes
    }

    /// Records that come out whole, and records that are said to be damaged.
    fn found(segment: &[u8]) -> (u32, u32) {
        let (mut whole, mut damaged, mut at) = (0, 0, committed(segment));
        loop {
            match item(segment, at) {
                Some(Item::Frame { count, end, .. }) => (whole, at) = (whole + count, end),
                Some(Item::Damaged { count, end }) => (damaged, at) = (damaged + count, end),
                Some(Item::Torn) | None => return (whole, damaged),
            }
        }
    }

    #[test]
    fn what_is_written_is_found() {
        let bytes = segment(&[1, 100, 7]);
        assert_eq!(found(&bytes), (108, 0));
        assert_eq!(end(&bytes), bytes.len());
        assert_eq!(waiting(&bytes), 108);
    }

    #[test]
    fn what_was_delivered_is_not_found_again() {
        let mut bytes = segment(&[3, 4]);
        let first = HEAD_LEN + frame(&records(3)).len();
        bytes[..HEAD_LEN].copy_from_slice(&head(first));
        assert_eq!(found(&bytes), (4, 0));
    }

    #[test]
    fn a_torn_tail_is_nobodys_record() {
        let whole = segment(&[3, 4]);
        let first = HEAD_LEN + frame(&records(3)).len();
        for len in first..whole.len() {
            assert_eq!(found(&whole[..len]), (3, 0), "{len}");
            assert_eq!(end(&whole[..len]), first, "{len}");
        }
    }

    proptest! {
        #[test]
        fn a_flipped_bit_costs_one_frame_at_most(
            frames in prop::collection::vec(1_usize..=20, 2..6),
            at: prop::sample::Index,
            bit in 0_u32..8,
        ) {
            let mut bytes = segment(&frames);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let all = u32::try_from(frames.iter().sum::<usize>()).unwrap();
            let most = u32::try_from(*frames.iter().max().unwrap()).unwrap();
            let (whole, _) = found(&bytes);
            // A head that is damaged delivers everything again: better twice than never.
            prop_assert!(whole <= all && whole >= all - most, "{whole} of {all}");
        }

        #[test]
        fn any_bytes_are_walked_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..3_000)) {
            found(&bytes);
            prop_assert!(end(&bytes) <= bytes.len().max(HEAD_LEN));
            waiting(&bytes);
        }
    }
}
