//! What became of a request: records to keep, and what was refused, by reason.

use super::origin::Origin;
use crate::counts::RecordRefusal as Refusal;
use crate::intake::placing::Now;
use automagik_telemetry_core::Record;

/// Bytes of records that are held as one: what one length can say.
const HELD_BYTES_MAX: usize = 60_000;

/// What became of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// [`Held`](crate::intake::held::Held) parts behind each other.
    pub held: Vec<u8>,
    /// How many records are in them.
    pub records: u64,
    /// How many log records or points were not taken.
    pub refused: [u64; Refusal::ALL.len()],
}

impl Taken {
    /// Keeps `records` of `origin`.
    pub(super) fn keep(&mut self, origin: &Origin, records: &[Record], now: Now) {
        let mut bytes = Vec::new();
        for record in records {
            bytes.extend_from_slice(record.encode().as_slice());
            if bytes.len() > HELD_BYTES_MAX {
                origin.held(&bytes, now).write(&mut self.held);
                bytes.clear();
            }
        }
        if !bytes.is_empty() {
            origin.held(&bytes, now).write(&mut self.held);
        }
        self.records += records.len() as u64;
    }

    /// Counts `count` that were not taken.
    pub(super) const fn refuse(&mut self, refusal: Refusal, count: usize) {
        self.refused[refusal as usize] += count as u64;
    }

    /// How many were not taken, and what to tell of the first reason.
    #[must_use]
    pub fn refused(&self) -> (u64, &'static str) {
        let first = Refusal::ALL.into_iter().find(|refusal| self.refused[*refusal as usize] > 0);
        (self.refused.iter().sum(), first.map_or("", Refusal::remedy))
    }
}
