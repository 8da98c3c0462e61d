//! Fewer segments instead of many: events one behind the other, counts and losses added up, what is damaged as a loss.

use super::content::{Content, lose, lose_many};
use super::interval::next_interval;
use super::journal::{self, Change};
use super::name::Kind;
use super::turn::Turn;
use super::{Found, SEGMENT_BYTES_MAX, state};
use crate::kept::counts::Counts;
use automagik_telemetry_core::Record;
use automagik_telemetry_core::loss::{Losses, Reason};
use automagik_telemetry_core::schema::SchemaDescriptor;
use automagik_telemetry_core::time::Coarse;
use std::io;

impl Turn<'_> {
    /// What can be read of a segment again as a segment, and what can't as a loss.
    pub(super) fn mend(
        &self,
        found: &Found,
        content: Content,
        schema: &'static SchemaDescriptor,
        most: usize,
        now: u64,
    ) -> io::Result<()> {
        let mut losses = Losses::new();
        lose_many(&mut losses, Reason::Corrupt, content.damaged);
        let (known, unknown): (Vec<Record>, Vec<Record>) = content
            .records
            .into_iter()
            .partition(|record| Record::decode(schema, record.encode().as_slice()).is_ok());
        unknown.iter().for_each(|record| lose(&mut losses, record, Reason::Corrupt));
        let segments = self.spool.segments()?;
        let mut changes = self.telling(&segments, &mut losses, now)?;
        let mut found = found.clone();
        let name = found.name.to_string();
        if found.name.kind == Kind::Points && content.interval.is_none() {
            // Over which time they were told nobody knows any more: they are told anew.
            found.name.kind = Kind::Counts;
        }
        if !known.is_empty() {
            changes.push(self.writing(&segments, &found, &known, content.interval, most, changes.len())?);
        }
        changes.push(Change::Remove(name));
        journal::apply(&self.spool.folder, changes)
    }

    /// Merges the oldest step of what was counted into a request of its own, with the interval that follows the last one; the rest
    /// waits, merged.
    pub(super) fn give_interval(&self, counts: &[&Found], now: u64, most: usize) -> io::Result<()> {
        let (mut sums, mut losses) = (Counts::new(self.spool.resolution), Losses::new());
        for found in counts {
            let Some(content) = Content::read(&self.spool.folder, found)? else { continue };
            lose_many(&mut losses, Reason::Corrupt, content.damaged);
            content.records.iter().for_each(|record| sums.add(record, now));
        }
        let segments = self.spool.segments()?;
        let mut changes = self.telling(&segments, &mut losses, now)?;
        changes.extend(counts.iter().map(|found| Change::Remove(found.name.to_string())));
        if let Some((counted, records)) = sums.take_oldest(most) {
            let mut state = self.spool.state()?;
            let interval = next_interval(&mut state.streams, counted, now, self.spool.resolution.seconds());
            let mut of = counts[0].clone();
            of.name.kind = Kind::Points;
            changes.push(self.writing(&segments, &of, &records, Some(interval), most, changes.len())?);
            changes.push(Change::Write(state::FILE.to_owned(), state.encode()));
        }
        if !sums.is_empty() {
            changes.push(self.writing(&segments, counts[0], &sums.records(), None, most, changes.len())?);
        }
        journal::apply(&self.spool.folder, changes)
    }

    /// Merges all segments that go the same way, of all versions of the program, into as few as there can be.
    pub(super) fn merge_all(&self, segments: &[Found], now: u64) -> io::Result<()> {
        let way = |found: &Found| {
            let name = &found.name;
            (name.kind, name.fingerprint, name.destination)
        };
        let mut ways: Vec<_> = segments.iter().map(way).collect();
        ways.retain(|(kind, ..)| !matches!(kind, Kind::Points | Kind::Crash));
        ways.sort_unstable();
        ways.dedup();
        for this in ways {
            let mut together: Vec<&Found> = Vec::new();
            for found in segments.iter().filter(|found| way(found) == this) {
                let len: u64 = together.iter().map(|found| found.len).sum();
                if len + found.len > SEGMENT_BYTES_MAX && this.0 != Kind::Counts {
                    self.rewrite_several(&together, now)?;
                    together.clear();
                }
                together.push(found);
            }
            self.rewrite_several(&together, now)?;
        }
        Ok(())
    }

    fn rewrite_several(&self, together: &[&Found], now: u64) -> io::Result<()> {
        if together.len() > 1 { self.rewrite(together, crate::BATCH_RECORDS_MAX, now) } else { Ok(()) }
    }

    /// One segment instead of `found`, which go the same way: its events in their order, its counts and losses added up.
    pub(super) fn rewrite(&self, found: &[&Found], most: usize, now: u64) -> io::Result<()> {
        let Some(first) = found.first() else { return Ok(()) };
        let is_own = first.name.fingerprint == self.spool.fingerprint;
        let (mut records, mut losses, mut damaged) = (Vec::new(), Losses::new(), Losses::new());
        let mut sums = Counts::new(self.spool.resolution);
        let mut told = Coarse::from_steps(0);
        for found in found {
            let Some(content) = Content::read(&self.spool.folder, found)? else { continue };
            lose_many(&mut damaged, Reason::Corrupt, content.damaged);
            for record in content.records {
                if record.loss().is_some() {
                    lose(&mut losses, &record, Reason::Corrupt);
                    told = told.max(record.time());
                } else if record.as_delta().is_some() && is_own {
                    sums.add(&record, now);
                } else {
                    records.push(record);
                }
            }
        }
        records.extend(sums.records());
        records.extend(Record::of_losses(&mut losses, told));
        let segments = self.spool.segments()?;
        let mut changes = self.telling(&segments, &mut damaged, now)?;
        if !records.is_empty() {
            changes.push(self.writing(&segments, first, &records, None, most, changes.len())?);
        }
        changes.extend(found.iter().map(|found| Change::Remove(found.name.to_string())));
        journal::apply(&self.spool.folder, changes)
    }
}
