//! What a segment holds, read whole: a megabyte at most.

use super::segment::{self, Progress};
use super::{Found, SEGMENT_READ_MAX};
use crate::files::disk;
use automagik_telemetry_core::Record;
use automagik_telemetry_core::loss::{Losses, Reason};
use automagik_telemetry_core::otlp::Interval;
use std::io;
use std::path::Path;

/// What a segment holds that was not delivered.
pub(super) struct Content {
    pub(super) records: Vec<Record>,
    pub(super) interval: Option<Interval>,
    /// The first frame's records, and where delivery stands behind them.
    pub(super) first: Option<(Vec<Record>, Progress)>,
    /// For how many that stood which can't be read.
    pub(super) damaged: u64,
    /// How many frames were read.
    pub(super) frames: usize,
}

impl Content {
    /// What is in a segment in `folder`; `None` if it is gone.
    pub(super) fn read(folder: &Path, found: &Found) -> io::Result<Option<Self>> {
        let path = folder.join(found.name.to_string());
        let Some(bytes) = disk::read(&path, SEGMENT_READ_MAX)? else { return Ok(None) };
        let progress = Progress::of(&bytes);
        let mut content = Self {
            records: Vec::new(),
            interval: segment::interval(&bytes),
            first: None,
            damaged: 0,
            frames: 0,
        };
        let mut at = progress.at;
        while let Some(frame) = segment::next_frame(&bytes, at) {
            at = frame.end;
            content.frames += 1;
            if content.first.is_none() {
                let delivered = progress.delivered + segment::stands_for(&frame.records);
                content.first = Some((frame.records.clone(), Progress { at, delivered }));
            }
            content.records.extend(frame.records);
        }
        let read = progress.delivered.saturating_add(segment::stands_for(&content.records));
        content.damaged = found.name.stands_for.saturating_sub(read);
        Ok(Some(content))
    }
}

/// Counts a record as lost for `reason`, with all that it stands for.
pub(crate) fn lose(losses: &mut Losses, record: &Record, reason: Reason) {
    let (reason, count) = record.lost_for(reason);
    losses.add(reason, count);
}

pub(super) fn lose_many(losses: &mut Losses, reason: Reason, count: u64) {
    losses.add(reason, u32::try_from(count).unwrap_or(u32::MAX));
}
