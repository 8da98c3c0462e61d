//! The spool: records on disk, so that they survive the process. Recording is a local write; delivery is somebody
//! else's time: the next run's, or that of this one if it lives long enough.
//!
//! ```text
//!  <state>/<project>/spool/
//!      <name>.logs, .counts, .points, .losses    segments (see `name`, `segment`), oldest first by name
//!      <name>.crash, .panic                      crashes (see `kept::crash`): as segments, and as they were left
//!      state                                     the spool's clock, where streams stand, how delivery goes
//!      turn.lock                                 held by the one process that has the turn
//!      reserve                                   room for what is lost where the disk is full
//! ```
//!
//! **Any number of processes append at once**, and none waits: a segment is written once, whole, under a name of its own. So
//! appending needs no lock. **Whatever happens to segments afterwards is done by one process**, which has the turn
//! ([`Turn`]): it merges them, drops those that are too old or too many, delivers them. It has the turn for one request, never
//! while it waits. What it changes, it changes at once (see `journal`), so that a process that is killed leaves each record in one
//! place, and each loss counted.
//!
//! A segment's name says which schema its records are of, and where they are meant to go: an updated program leaves those of its
//! older self to it, and what was recorded for one collector never goes to another.
//!
//! Nothing is synced to the disk: a killed process loses nothing, a power cut may cost the last seconds.

mod adopt;
mod content;
mod interval;
mod journal;
mod merge;
mod name;
mod reserve;
mod segment;
mod state;
mod turn;

pub(crate) use content::lose;
pub(crate) use interval::next_interval;
pub(crate) use state::State;
pub(crate) use turn::{Batch, Turn};

use crate::files::disk;
use crate::files::exclusive::Exclusive;
use crate::kept::crash::{self, EncodedCrash};
use automagik_telemetry_core::loss::Losses;
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::schema::SchemaDescriptor;
use automagik_telemetry_core::time::Resolution;
use automagik_telemetry_core::{Consent, CrashReport, Record};
use name::{Kind, Name};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Most bytes of the spool; the oldest segments go first, and what they held is counted.
pub const SPOOL_BYTES_MAX: u64 = 1 << 20;

/// Longest that a record is kept, in seconds of the spool's own clock: 30 days.
pub const SPOOL_SECONDS_MAX: u64 = 30 * 24 * 3_600;

/// Most bytes of a segment that is merged from others: small, since they are dropped as a whole.
const SEGMENT_BYTES_MAX: u64 = 1 << 16;

/// Most bytes that are read of a segment.
const SEGMENT_READ_MAX: u64 = 1 << 20;

/// How many segments may lie side by side before they are merged.
const SEGMENTS_MAX: usize = 64;

/// Most crashes that wait; a program that crashes at each start has told enough with these. Later ones are counted as dropped.
const CRASHES_MAX: usize = 32;

/// Held by the one process that has the turn.
const TURN: &str = "turn.lock";

/// Held by the process that a short run left behind.
const LEFT_BEHIND: &str = "left-behind.lock";

/// Where the records of each signal are meant to go, as a segment's name has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Destinations {
    pub(crate) logs: u64,
    pub(crate) metrics: u64,
}

impl Destinations {
    pub(crate) fn of(self, signal: Signal) -> u64 {
        match signal {
            Signal::Logs => self.logs,
            Signal::Metrics => self.metrics,
        }
    }
}

/// A program's folder of records.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    fingerprint: u64,
    resolution: Resolution,
    destinations: Destinations,
    bytes_max: u64,
}

/// A segment in the folder.
#[derive(Clone, Debug)]
struct Found {
    name: Name,
    len: u64,
}

/// Where the spool of `project` is.
pub(crate) fn folder(state: &Path, project: impl AsRef<Path>) -> PathBuf {
    state.join(project).join("spool")
}

impl Spool {
    /// The spool of the program of `schema`, whose records go to `destinations`. Nothing is made on disk before something is
    /// appended.
    pub(crate) fn new(
        state: &Path,
        schema: &SchemaDescriptor,
        destinations: Destinations,
        _: Consent,
    ) -> Self {
        Self {
            folder: folder(state, schema.project()),
            fingerprint: schema.fingerprint(),
            resolution: schema.resolution(),
            destinations,
            bytes_max: SPOOL_BYTES_MAX,
        }
    }

    /// Where the segments are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn destinations(&self) -> Destinations {
        self.destinations
    }

    /// What is remembered beside the segments.
    pub(crate) fn state(&self) -> io::Result<State> {
        State::read(&self.folder)
    }

    /// Appends `records` of one signal at `now`, in seconds since 1970. Where there are too many or they are too old, and it is
    /// nobody else's turn, room is made: what is dropped is counted, and the count is among what waits.
    pub(crate) fn append(&self, signal: Signal, records: &[Record], now: u64) -> io::Result<()> {
        let kind = match signal {
            Signal::Metrics => Kind::Counts,
            Signal::Logs if records.iter().all(|record| record.loss().is_some()) => Kind::Losses,
            Signal::Logs => Kind::Logs,
        };
        disk::make_folder(&self.folder)?;
        let (segments, state) = (self.segments()?, self.state()?);
        let segment = segment::encode(records, None, crate::BATCH_RECORDS_MAX);
        let total = segments.iter().map(|found| found.len).sum::<u64>() + segment.len() as u64;
        if total > 2 * self.bytes_max {
            // Whoever has the turn makes no room.
            return Err(ErrorKind::StorageFull.into());
        }
        let age = state.age(now, newest_age(&segments));
        let name = self.name(&segments, kind, age, records, &segment)?;
        disk::publish(&self.folder, &name.to_string(), &segment)?;
        let is_crowded = total > self.bytes_max || segments.len() >= SEGMENTS_MAX;
        if is_crowded || state.wants_a_look(now) {
            if let Ok(Some(turn)) = self.turn() {
                // What fails here is tried again with the next records.
                let _ = turn.tidy(now);
            }
        }
        Ok(())
    }

    /// A place among segments of one age that nobody had before, behind all that there are. Processes that append at the same moment see the same segments, and a
    /// name that two have is one record less: 40 random bits keep them apart.
    fn order(&self, segments: &[Found], age: u64) -> io::Result<u64> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let random = u64::from_le_bytes(random);
        let last =
            segments.iter().map(|found| &found.name).filter(|name| name.age == age).map(|name| name.order);
        Ok(last.max().map_or(random >> 1, |last| last.saturating_add(1 + (random >> 24))))
    }

    /// A name that nobody had before, behind all that there are of its age.
    fn name(
        &self,
        segments: &[Found],
        kind: Kind,
        age: u64,
        records: &[Record],
        segment: &[u8],
    ) -> io::Result<Name> {
        let order = self.order(segments, age)?;
        let destination = self.destinations.of(kind.signal());
        let (stands_for, len) =
            (segment::stands_for(records), u32::try_from(segment.len()).unwrap_or(u32::MAX));
        Ok(Name { age, order, fingerprint: self.fingerprint, destination, stands_for, len, kind })
    }

    /// Keeps a crash that could not be written when it happened, at `now`, in seconds since 1970.
    pub(crate) fn append_crash(&self, report: &CrashReport, now: u64) -> io::Result<()> {
        disk::make_folder(&self.folder)?;
        let (segments, encoded) = (self.segments()?, EncodedCrash::new(report));
        let name = self.crash_name(&segments, self.destinations.logs, &encoded, now)?;
        disk::publish(&self.folder, &name.to_string(), encoded.as_slice())
    }

    /// The name of a crash that is meant to go to `destination`: any version of the program tells it.
    fn crash_name(
        &self,
        segments: &[Found],
        destination: u64,
        encoded: &EncodedCrash,
        now: u64,
    ) -> io::Result<Name> {
        let age = self.state()?.age(now, newest_age(segments));
        let order = self.order(segments, age)?;
        let len = u32::try_from(encoded.as_slice().len()).unwrap_or(u32::MAX);
        Ok(Name { age, order, fingerprint: 0, destination, stands_for: 1, len, kind: Kind::Crash })
    }

    /// The turn, where no other process or thread has it.
    pub(crate) fn turn(&self) -> io::Result<Option<Turn<'_>>> {
        if !self.folder.is_dir() {
            return Ok(None);
        }
        let Some(right) = Exclusive::take(&self.folder.join(TURN))? else { return Ok(None) };
        Turn::begin(self, right).map(Some)
    }

    /// The right to be the process that is left behind, where no other has it.
    pub(crate) fn left_behind(&self) -> io::Result<Option<Exclusive>> {
        Exclusive::take(&self.folder.join(LEFT_BEHIND))
    }

    /// Notes losses that could not be appended, in room that was set aside; says whether it could.
    pub(crate) fn reserve(&self, losses: &Losses) -> bool {
        reserve::add(&self.folder, losses).is_ok()
    }

    /// Whether anything of this program waits, to go where it would go now.
    pub(crate) fn is_empty(&self) -> bool {
        self.mine().map_or(true, |segments| segments.is_empty()) && !self.has_fresh_crashes()
    }

    /// Whether more than losses waits, which are told beside it.
    pub(crate) fn has_events(&self) -> bool {
        let is_one = |found: &Found| found.name.kind != Kind::Losses;
        self.mine().is_ok_and(|segments| segments.iter().any(is_one)) || self.has_fresh_crashes()
    }

    fn has_fresh_crashes(&self) -> bool {
        crash::is_any_fresh(&self.folder, self.destinations.logs)
    }

    /// The segments of this program that would go where it sends now.
    fn mine(&self) -> io::Result<Vec<Found>> {
        let is_mine = |name: &Name| {
            (name.fingerprint == self.fingerprint || name.kind == Kind::Crash)
                && name.destination == self.destinations.of(name.kind.signal())
        };
        let mut segments = self.segments()?;
        segments.retain(|found| is_mine(&found.name));
        Ok(segments)
    }

    fn segments(&self) -> io::Result<Vec<Found>> {
        segments(&self.folder)
    }
}

/// What waits in a folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    /// Records of the schema, oldest first.
    pub(crate) records: Vec<Record>,
    /// How many of them are meant to go elsewhere than where they would go now.
    pub(crate) elsewhere: usize,
    /// How many records of other versions wait beside.
    pub(crate) others: usize,
    /// Crashes of all versions.
    pub(crate) crashes: Vec<CrashReport>,
}

impl Waiting {
    /// How many records and crashes wait.
    pub(crate) fn count(&self) -> usize {
        self.records.len() + self.others + self.crashes.len()
    }
}

/// What waits in `folder`: of `schema`, and of others. Changes nothing.
pub(crate) fn waiting(
    folder: &Path,
    schema: &SchemaDescriptor,
    destinations: Option<Destinations>,
) -> Waiting {
    let mut waiting = Waiting::default();
    let segments = segments(folder).unwrap_or_default();
    let crashes = segments.iter().filter(|found| found.name.kind == Kind::Crash);
    let crashes = crashes.map(|found| (found.name.to_string(), found.name.destination));
    for (report, destination) in crash::waiting(folder, crashes) {
        waiting.elsewhere += usize::from(destinations.is_none_or(|mine| mine.logs != destination));
        waiting.crashes.push(report);
    }
    for found in segments.into_iter().filter(|found| found.name.kind != Kind::Crash) {
        let Ok(Some(bytes)) = disk::read(&folder.join(found.name.to_string()), SEGMENT_READ_MAX) else {
            continue;
        };
        let records = segment_records(&bytes);
        if found.name.fingerprint != schema.fingerprint() {
            waiting.others += records.len();
            continue;
        }
        let known =
            records.into_iter().filter(|record| Record::decode(schema, record.encode().as_slice()).is_ok());
        let before = waiting.records.len();
        waiting.records.extend(known);
        let destination = destinations.map(|destinations| destinations.of(found.name.kind.signal()));
        if destination != Some(found.name.destination) {
            waiting.elsewhere += waiting.records.len() - before;
        }
    }
    waiting
}

/// Deletes what waits in `folder`, of all versions of the program, and says how many records that were.
pub(crate) fn clear(folder: &Path) -> io::Result<usize> {
    let mut count = crash::clear(folder)?;
    for found in segments(folder).unwrap_or_default() {
        // Without the turn: whoever has it finds that consent has ended before the next request.
        let path = folder.join(found.name.to_string());
        if found.name.kind == Kind::Crash {
            count += 1;
        } else if let Ok(Some(bytes)) = disk::read(&path, SEGMENT_READ_MAX) {
            count += segment_records(&bytes).len();
        }
        disk::remove(&path)?;
    }
    for name in [journal::FILE, state::FILE, reserve::FILE, reserve::LOCK, TURN, LEFT_BEHIND] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    // Where something is in it that is not ours, it stays.
    let _ = std::fs::remove_dir(folder);
    Ok(count)
}

/// The records of a segment that were not delivered, as far as they can be read.
fn segment_records(bytes: &[u8]) -> Vec<Record> {
    let (mut records, mut at) = (Vec::new(), segment::Progress::of(bytes).at);
    while let Some(frame) = segment::next_frame(bytes, at) {
        records.extend(frame.records);
        at = frame.end;
    }
    records
}

/// The segments of all versions of the program, oldest first. Other files are not ours to touch.
fn segments(folder: &Path) -> io::Result<Vec<Found>> {
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().and_then(Name::parse) else { continue };
        // A folder is none. What it is costs no call; its length is in its name.
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            segments.push(Found { len: u64::from(name.len), name });
        }
    }
    segments.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(segments)
}

/// What the spool's clock has shown at least.
fn newest_age(segments: &[Found]) -> Option<u64> {
    segments.last().map(|found| found.name.age)
}

#[cfg(test)]
mod tests;
