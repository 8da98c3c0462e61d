//! The turn: what one process at a time does with the segments that are there. It merges them, drops what is too old or too
//! much, gives the oldest batch, and removes it when it was delivered or never will be. Every loss on the way becomes a record
//! among what waits, in the same step as the loss itself.

use super::content::{Content, lose, lose_many};
use super::interval::{next_interval, part_of_step};
use super::journal::{self, Change};
use super::name::{Kind, Name};
use super::segment::{self, Progress};
use super::{Found, SEGMENT_BYTES_MAX, SEGMENTS_MAX, SPOOL_SECONDS_MAX, Spool};
use super::{newest_age, reserve, state};
use crate::files::disk;
use crate::files::exclusive::Exclusive;
use automagik_telemetry_core::loss::{Losses, Reason};
use automagik_telemetry_core::otlp::{Interval, Signal};
use automagik_telemetry_core::schema::SchemaDescriptor;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{CrashReport, Record};
use std::io;

/// How old a file must be that never became whole before it is removed, in seconds.
const TEMPORARY_SECONDS_MAX: u64 = 3_600;

/// The turn. It ends when it is dropped, or when the process does.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(super) spool: &'a Spool,
    right: Exclusive,
}

/// Records to deliver in one request.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) signal: Signal,
    pub(crate) records: Vec<Record>,
    /// Over which time counts are told.
    pub(crate) interval: Option<Interval>,
    /// A crash, instead of records.
    pub(crate) crash: Option<CrashReport>,
    /// The segment they are of, how far it is delivered when they are, and whether that is all of it; none for what was never on
    /// disk.
    place: Option<(Name, Progress, bool)>,
}

impl Batch {
    /// A batch that is not on disk.
    pub(crate) fn in_memory(signal: Signal, records: Vec<Record>, interval: Option<Interval>) -> Self {
        Self { signal, records, interval, crash: None, place: None }
    }

    /// A crash that is not on disk.
    pub(crate) fn of_crash(report: CrashReport) -> Self {
        Self { crash: Some(report), ..Self::in_memory(Signal::Logs, Vec::new(), None) }
    }

    /// This one, which is all of the segment of this name.
    pub(super) fn of_segment(self, name: Name) -> Self {
        Self { place: Some((name, Progress { at: 0, delivered: 1 }, true)), ..self }
    }

    /// Whether it tells of losses alone.
    pub(crate) fn is_losses(&self) -> bool {
        self.place.as_ref().is_some_and(|(name, ..)| name.kind == Kind::Losses)
    }
}

impl<'a> Turn<'a> {
    pub(super) fn begin(spool: &'a Spool, right: Exclusive) -> io::Result<Self> {
        journal::finish(&spool.folder)?;
        Ok(Self { spool, right })
    }

    /// Whether it is still this process's turn.
    pub(crate) fn is_held(&self) -> bool {
        self.right.is_held()
    }

    /// Drops what is too old at `now`, in seconds since 1970, and the oldest of what is too much; merges where there is a crowd.
    pub(crate) fn tidy(&self, now: u64) -> io::Result<()> {
        let folder = &self.spool.folder;
        self.remove_unfinished()?;
        let _ = reserve::make(folder);
        self.take_in_crashes(now)?;
        reserve::take(folder, |mut losses| {
            let segments = self.spool.segments()?;
            journal::apply(folder, self.telling(&segments, &mut losses, now)?)
        })?;
        let segments = self.spool.segments()?;
        let mut state = self.spool.state()?;
        if state.wants_a_look(now) {
            state.look(now, newest_age(&segments));
            disk::publish(folder, state::FILE, &state.encode())?;
        }
        let segments = self.make_room(segments, state.age(now, None), now)?;
        if segments.len() >= SEGMENTS_MAX {
            self.merge_all(&segments, now)?;
        }
        Ok(())
    }

    /// The next batch of `schema`, in requests of `most` records, or `None` if there is nothing to deliver. It is given again
    /// until [`Turn::commit`]. Losses alone are given where `tell` says so.
    pub(crate) fn next(
        &self,
        schema: &'static SchemaDescriptor,
        now: u64,
        most: usize,
        tell: bool,
    ) -> io::Result<Option<Batch>> {
        // On a full disk there is no room to make order in: what is delivered makes some.
        if self.tidy(now).is_err() {
            journal::finish(&self.spool.folder)?;
        }
        loop {
            let mine = self.spool.mine()?;
            let of = |kind: Kind| mine.iter().filter(|found| found.name.kind == kind).collect::<Vec<_>>();
            let (logs, points, counts) = (of(Kind::Logs), of(Kind::Points), of(Kind::Counts));
            let (losses, crashes, mut batch) = (of(Kind::Losses), of(Kind::Crash), None);
            if let Some(crash) = crashes.first() {
                batch = self.crash_of(crash, now)?;
            } else if !logs.is_empty() {
                batch = self.first_of(&logs, schema, now, most)?;
            } else if !points.is_empty() {
                batch = self.first_of(&points[..1], schema, now, most)?;
            } else if !counts.is_empty() {
                self.give_interval(&counts, now, most)?;
            } else if tell && !losses.is_empty() {
                batch = self.first_of(&losses, schema, now, most)?;
            } else {
                return Ok(None);
            }
            if batch.is_some() {
                return Ok(batch);
            }
        }
    }

    /// The batch is over: it was taken, but for `refused`, which is told. Nothing of it is given again.
    pub(crate) fn commit(&self, batch: &Batch, refused: &Losses, now: u64) -> io::Result<()> {
        let Some((name, progress, is_all)) = &batch.place else { return Ok(()) };
        // Where this is a second attempt, the first may have got as far as the journal.
        journal::finish(&self.spool.folder)?;
        if !self.spool.folder.join(name.to_string()).exists() {
            return Ok(());
        }
        let mut changes = self.telling(&self.spool.segments()?, &mut refused.clone(), now)?;
        changes.push(if *is_all {
            Change::Remove(name.to_string())
        } else {
            Change::Progress(name.to_string(), *progress)
        });
        journal::apply(&self.spool.folder, changes)
    }

    /// Whether `batch` would be given again.
    #[cfg(test)]
    pub(super) fn holds(&self, batch: &Batch) -> bool {
        batch.place.as_ref().is_some_and(|(name, progress, _)| {
            let bytes = std::fs::read(self.spool.folder.join(name.to_string()));
            bytes.is_ok_and(|bytes| Progress::of(&bytes).at < progress.at)
        })
    }

    /// The batch is too large for the collector: it will be given in halves.
    pub(crate) fn split(&self, batch: &Batch, now: u64) -> io::Result<()> {
        let Some((name, ..)) = &batch.place else { return Ok(()) };
        let half = batch.records.len().div_ceil(2);
        let Some(found) = self.find(name)? else { return Ok(()) };
        let segments = self.spool.segments()?;
        if name.kind == Kind::Points {
            // Each half is a request of its own, one after the other.
            let (mut state, mut given) = (self.spool.state()?, batch.interval);
            let mut changes = vec![Change::Remove(name.to_string())];
            for records in batch.records.chunks(half) {
                let interval = given.take().unwrap_or_else(|| {
                    let start = state.streams;
                    state.streams += part_of_step(self.spool.resolution.seconds());
                    Interval { start, end: state.streams }
                });
                changes.push(self.writing(
                    &segments,
                    &found,
                    records,
                    Some(interval),
                    half,
                    changes.len(),
                )?);
            }
            changes.push(Change::Write(state::FILE.to_owned(), state.encode()));
            return journal::apply(&self.spool.folder, changes);
        }
        self.rewrite(&[&found], half, now)
    }

    /// The collector at the destination of `signal` wants no request for some seconds, or took one.
    pub(crate) fn note(
        &self,
        signal: Signal,
        now: u64,
        wait: Option<u64>,
        is_answered: bool,
    ) -> io::Result<()> {
        let before = self.spool.state()?;
        let (mut after, destination) = (before, self.spool.destinations.of(signal));
        after.set_wait(destination, now, wait);
        after.set_answered(destination, is_answered.then_some(now));
        // That it goes on being well is no news.
        let was_answered = before.answered(destination).is_some_and(|time| now.abs_diff(time) < 3_600);
        if is_answered && was_answered && before.wait(destination, now).is_none() {
            return Ok(());
        }
        if before == after { Ok(()) } else { disk::publish(&self.spool.folder, state::FILE, &after.encode()) }
    }

    /// The end of the next interval of the streams, and where it starts; for what is told from memory.
    pub(crate) fn interval(&self, counted: core::ops::Range<u64>, now: u64) -> io::Result<Interval> {
        let mut state = self.spool.state()?;
        let interval = next_interval(&mut state.streams, counted, now, self.spool.resolution.seconds());
        disk::publish(&self.spool.folder, state::FILE, &state.encode())?;
        Ok(interval)
    }

    /// The first batch of `found`, oldest first. Where several lie before it, or it is damaged, they are merged first, and it is
    /// asked again.
    fn first_of(
        &self,
        found: &[&Found],
        schema: &'static SchemaDescriptor,
        now: u64,
        most: usize,
    ) -> io::Result<Option<Batch>> {
        let Some(first) = found.first() else { return Ok(None) };
        let mut together: Vec<&Found> = vec![first];
        let mut len = first.len;
        for next in &found[1..] {
            len += next.len;
            if len > SEGMENT_BYTES_MAX {
                break;
            }
            together.push(next);
        }
        if together.len() > 1 {
            if self.rewrite(&together, most, now).is_ok() {
                return Ok(None);
            }
            // All of it, or nothing. Nothing, on a full disk: then this one goes alone, and makes room.
            journal::finish(&self.spool.folder)?;
            if self.find(&first.name)?.is_none() {
                return Ok(None);
            }
        }
        let Some(content) = Content::read(&self.spool.folder, first)? else { return Ok(None) };
        let is_unknown = |record: &Record| Record::decode(schema, record.encode().as_slice()).is_err();
        let is_without_interval = first.name.kind == Kind::Points && content.interval.is_none();
        // Points are told whole, or split into requests of their own.
        let is_long = first.name.kind != Kind::Points
            && content.first.as_ref().is_some_and(|(records, _)| records.len() > most);
        if content.damaged > 0 || content.records.iter().any(is_unknown) || is_without_interval || is_long {
            return self.mend(first, content, schema, most, now).map(|()| None);
        }
        let Some((records, progress)) = content.first else {
            disk::remove(&self.spool.folder.join(first.name.to_string()))?;
            return Ok(None);
        };
        let place = Some((first.name.clone(), progress, content.frames == 1));
        let (signal, interval) = (first.name.kind.signal(), content.interval);
        Ok(Some(Batch { signal, records, interval, crash: None, place }))
    }

    /// Drops segments that are too old by the spool's clock, and the oldest while there are too many bytes: events first, since what
    /// was counted is added up and takes little room. Gives those that are left.
    fn make_room(&self, mut segments: Vec<Found>, age: u64, now: u64) -> io::Result<Vec<Found>> {
        let mut total: u64 = segments.iter().map(|found| found.len).sum();
        let (mut dropped, mut losses) = (Vec::new(), Losses::new());
        let is_old = |found: &&Found| age.saturating_sub(found.name.age) > SPOOL_SECONDS_MAX;
        let of_kind = |is_logs: bool| {
            let is_one = move |found: &&Found| match found.name.kind {
                Kind::Logs => is_logs,
                Kind::Counts | Kind::Points | Kind::Crash => !is_logs,
                Kind::Losses => false,
            };
            segments.iter().filter(is_one)
        };
        let old = of_kind(true).chain(of_kind(false)).filter(is_old).map(|found| (found, Reason::Expired));
        let rest = of_kind(true).chain(of_kind(false)).filter(|found| !is_old(found));
        for (found, reason) in old.chain(rest.map(|found| (found, Reason::StoreFull))) {
            if reason == Reason::StoreFull && total <= self.spool.bytes_max {
                break;
            }
            if let Some(content) = Content::read(&self.spool.folder, found)? {
                lose_many(&mut losses, reason, content.damaged);
                content.records.iter().for_each(|record| lose(&mut losses, record, reason));
            }
            total -= found.len;
            dropped.push(found.name.clone());
        }
        if dropped.is_empty() {
            return Ok(segments);
        }
        let mut changes = self.telling(&segments, &mut losses, now)?;
        changes.extend(dropped.iter().map(|name| Change::Remove(name.to_string())));
        journal::apply(&self.spool.folder, changes)?;
        segments.retain(|found| !dropped.contains(&found.name));
        Ok(segments)
    }

    /// The change that tells `losses`, and takes them; none if there are none.
    pub(super) fn telling(
        &self,
        segments: &[Found],
        losses: &mut Losses,
        now: u64,
    ) -> io::Result<Vec<Change>> {
        let time = Coarse::from_unix_seconds(now, self.spool.resolution);
        let records: Vec<Record> = Record::of_losses(losses, time).collect();
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let age = self.spool.state()?.age(now, newest_age(segments));
        let segment = segment::encode(&records, None, crate::BATCH_RECORDS_MAX);
        let name = self.spool.name(segments, Kind::Losses, age, &records, &segment)?;
        Ok(vec![Change::Write(name.to_string(), segment)])
    }

    /// The change that writes `records` in place of `found`, as old as that. `nth` tells names of one step apart.
    pub(super) fn writing(
        &self,
        segments: &[Found],
        found: &Found,
        records: &[Record],
        interval: Option<Interval>,
        most: usize,
        nth: usize,
    ) -> io::Result<Change> {
        let mut name = found.name.clone();
        name.stands_for = segment::stands_for(records);
        name.order = name.order.wrapping_add(nth as u64);
        while segments.iter().any(|other| other.name.age == name.age && other.name.order == name.order) {
            name.order = name.order.wrapping_add(0x100);
        }
        let segment = segment::encode(records, interval, most);
        name.len = u32::try_from(segment.len()).unwrap_or(u32::MAX);
        Ok(Change::Write(name.to_string(), segment))
    }

    fn find(&self, name: &Name) -> io::Result<Option<Found>> {
        Ok(self.spool.segments()?.into_iter().find(|found| found.name == *name))
    }

    /// Removes what processes left that died while they wrote.
    fn remove_unfinished(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.spool.folder)? {
            let entry = entry?;
            let is_temporary = entry.file_name().to_str().is_some_and(|name| name.ends_with(disk::TEMPORARY));
            if !is_temporary {
                continue;
            }
            let Ok(made) = entry.metadata().and_then(|metadata| metadata.modified()) else { continue };
            // A time in the future is no younger than one in the past. Whoever still writes it finds it gone, and writes it again.
            let age = made.elapsed().unwrap_or_else(|error| error.duration());
            if age.as_secs() > TEMPORARY_SECONDS_MAX {
                disk::remove(&entry.path())?;
            }
        }
        Ok(())
    }
}
