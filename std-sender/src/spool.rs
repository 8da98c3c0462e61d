//! The spool: records on disk, so that they survive the process. Recording is a local write; delivery is somebody
//! else's time: the next run's, or that of this one if it lives long enough.
//!
//! ```text
//!  <state>/<project>/spool/
//!      <unix seconds>-<random>-<fingerprint>.spool    segments (see `segment`), oldest first by name
//!      upload.lock                                    held by the one process that delivers
//!      upload.turn                                    touched when a run leaves a process behind to deliver
//! ```
//!
//! Any number of processes append at once: each locks the newest segment for the time of one write, and starts another
//! where it is locked. Nobody waits for anybody. All locks are the operating system's and end with the process, and with
//! those that it forked meanwhile: a segment that a neighbour seems to hold is left for later, never waited for. A segment's
//! fingerprint says which schema its records are of: an updated program leaves those of its older self to it, and to
//! their age.
//!
//! Nothing is synced to the disk: a killed process loses nothing, a power cut may cost the last seconds.

mod segment;
mod upload;

pub(crate) use upload::Upload;

use automagik_telemetry_core::loss::{Losses, Reason};
use automagik_telemetry_core::schema::SchemaDescriptor;
use automagik_telemetry_core::{Consent, Record};
use segment::Item;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Most bytes of the spool; the oldest segments go first, and what they held is counted.
pub const SPOOL_BYTES_MAX: u64 = 1 << 20;

/// Longest that a record is kept, in seconds: 30 days.
pub const SPOOL_SECONDS_MAX: u64 = 30 * 24 * 3_600;

/// Most bytes of a segment: small, since they are dropped as a whole.
const SEGMENT_BYTES_MAX: u64 = 1 << 16;

/// Longest that a segment is appended to, in seconds: a day, by which a record's age is known.
const SEGMENT_SECONDS_MAX: u64 = 24 * 3_600;

/// How often a new segment is made for one that somebody else took.
const NEW_SEGMENT_ATTEMPTS: usize = 8;

/// Held by the one process that delivers.
const LOCK: &str = "upload.lock";

/// Touched when a run leaves a process behind to deliver.
const TURN: &str = "upload.turn";

/// A program's folder of records.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    fingerprint: u64,
    bytes_max: u64,
}

/// A segment, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    seconds: u64,
    random: u32,
    fingerprint: u64,
}

/// A segment in the folder.
struct Found {
    name: Name,
    path: PathBuf,
    len: u64,
}

impl Found {
    fn read(&self) -> io::Result<Vec<u8>> {
        read(&mut File::open(&self.path)?)
    }
}

/// Where the spool of `project` is.
pub(crate) fn folder(state: &Path, project: impl AsRef<Path>) -> PathBuf {
    state.join(project).join("spool")
}

impl Spool {
    /// The spool of the program of `schema`. Nothing is made on disk before something is appended.
    pub(crate) fn new(state: &Path, schema: &SchemaDescriptor, _: Consent) -> Self {
        Self {
            folder: folder(state, schema.project()),
            fingerprint: schema.fingerprint(),
            bytes_max: SPOOL_BYTES_MAX,
        }
    }

    /// Where the segments are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends `records`, 100 at most, at `now` in seconds since 1970; says what had to go for it.
    pub(crate) fn append(&self, records: &[Record], now: u64) -> io::Result<Losses> {
        crate::folder::make(&self.folder)?;
        let frame = segment::frame(records);
        let mut segments = self.segments()?;
        let dropped = self.make_room(&mut segments, frame.len() as u64, now);
        let room_for = |found: &&Found| {
            found.name.fingerprint == self.fingerprint
                && found.len + frame.len() as u64 <= SEGMENT_BYTES_MAX
                && now.saturating_sub(found.name.seconds) < SEGMENT_SECONDS_MAX
        };
        if let Some(newest) = segments.iter().rev().find(room_for)
            && append_to(&newest.path, &frame)?
        {
            return Ok(dropped);
        }
        for _ in 0..NEW_SEGMENT_ATTEMPTS {
            let path = self.folder.join(self.next_name(&segments, now)?.to_string());
            drop(private().create_new(true).open(&path)?);
            // Somebody else may have found it and work on it already.
            if append_to(&path, &frame)? {
                return Ok(dropped);
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// A name that nobody had before, behind all that there are.
    fn next_name(&self, segments: &[Found], now: u64) -> io::Result<Name> {
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let random = u32::from_le_bytes(random);
        let last = segments.iter().map(|found| &found.name).filter(|name| name.seconds == now).max();
        let random = last.map_or(random >> 1, |last| last.random.saturating_add(1 + (random >> 16)));
        Ok(Name { seconds: now, random, fingerprint: self.fingerprint })
    }

    /// Whether something waits and nobody had a turn in the last `seconds`; if so, it is had now.
    pub(crate) fn take_turn(&self, seconds: u64) -> bool {
        if self.is_empty() {
            return false;
        }
        let had = |file: &File| {
            let age = file.metadata().and_then(|metadata| metadata.modified()).map(|time| time.elapsed());
            // A time in the future says nothing.
            matches!(age, Ok(Ok(age)) if age.as_secs() < seconds)
        };
        let path = self.folder.join(TURN);
        if File::open(&path).is_ok_and(|file| had(&file)) {
            return false;
        }
        let mut options = private();
        options.create(true).truncate(false);
        options.open(path).and_then(|file| file.set_modified(std::time::SystemTime::now())).is_ok()
    }

    /// The right to deliver, where no other process has it.
    pub(crate) fn upload(&self) -> io::Result<Option<Upload>> {
        if !self.folder.is_dir() {
            return Ok(None);
        }
        let lock = private().create(true).truncate(false).open(self.folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Upload::new(self.clone(), lock))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Drops what is too old at `now`, and says how much it was.
    pub(crate) fn expire(&self, now: u64) -> Losses {
        self.segments().map_or_else(|_| Losses::new(), |mut segments| self.make_room(&mut segments, 0, now))
    }

    /// Whether anything of this program may wait.
    pub(crate) fn is_empty(&self) -> bool {
        self.segments()
            .map_or(true, |segments| segments.iter().all(|found| found.name.fingerprint != self.fingerprint))
    }

    /// Drops segments that are too old, and the oldest until `more` bytes fit.
    fn make_room(&self, segments: &mut Vec<Found>, more: u64, now: u64) -> Losses {
        let mut dropped = Losses::new();
        let mut total: u64 = segments.iter().map(|found| found.len).sum();
        segments.retain(|found| {
            let reason = if now.saturating_sub(found.name.seconds) > SPOOL_SECONDS_MAX - SEGMENT_SECONDS_MAX {
                Reason::Expired
            } else if total + more > self.bytes_max {
                Reason::StoreFull
            } else {
                return true;
            };
            // One that somebody works on is left to them.
            let Ok(Some(count)) = remove(&found.path) else { return true };
            total -= found.len;
            dropped.add(reason, count);
            false
        });
        dropped
    }

    fn segments(&self) -> io::Result<Vec<Found>> {
        segments(&self.folder)
    }
}

/// What waits in `folder` and is of `schema`, oldest first, and how many records of other versions do. Changes nothing.
pub(crate) fn waiting(folder: &Path, schema: &SchemaDescriptor) -> (Vec<Record>, usize) {
    let (mut records, mut others) = (Vec::new(), 0);
    for found in segments(folder).unwrap_or_default() {
        let Ok(bytes) = found.read() else { continue };
        if found.name.fingerprint != schema.fingerprint() {
            others += segment::waiting(&bytes) as usize;
            continue;
        }
        let mut at = segment::committed(&bytes);
        while let Some(item) = segment::item(&bytes, at) {
            match item {
                Item::Frame { records: mut encoded, end, .. } => {
                    while let Ok((record, rest)) = Record::decode(schema, encoded) {
                        records.push(record);
                        encoded = rest;
                    }
                    at = end;
                }
                Item::Damaged { end, .. } => at = end,
                Item::Torn => break,
            }
        }
    }
    (records, others)
}

/// Deletes what waits in `folder`, of all versions of the program, and says how many records that were.
pub(crate) fn clear(folder: &Path) -> io::Result<usize> {
    let mut count = 0;
    for found in segments(folder).unwrap_or_default() {
        // Without its lock: whoever delivers from it finds that consent has ended before the next request.
        if let Ok(bytes) = found.read() {
            count += segment::waiting(&bytes) as usize;
        }
        std::fs::remove_file(&found.path)?;
    }
    for name in [LOCK, TURN] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    // Where something is in it that is not ours, it stays.
    let _ = std::fs::remove_dir(folder);
    Ok(count)
}

/// The segments of all versions of the program, oldest first. Other files are not ours to touch.
fn segments(folder: &Path) -> io::Result<Vec<Found>> {
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().and_then(Name::parse) else { continue };
        // One that was delivered meanwhile is none.
        let Ok(metadata) = entry.metadata() else { continue };
        segments.push(Found { name, path: entry.path(), len: metadata.len() });
    }
    segments.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(segments)
}

impl Name {
    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".spool")?.split('-');
        let mut number = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            u64::from_str_radix(part, 16).ok()
        };
        let (seconds, random, fingerprint) = (number(10)?, number(8)?, number(16)?);
        parts.next().is_none().then_some(Self { seconds, random: u32::try_from(random).ok()?, fingerprint })
    }
}

impl core::fmt::Display for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:010x}-{:08x}-{:016x}.spool", self.seconds, self.random, self.fingerprint)
    }
}

/// How files are opened: to read and to write, for their owner alone.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The file at `path`, locked; `None` where another process has locked or removed it.
fn locked(path: &Path) -> io::Result<Option<File>> {
    let file = match private().open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        // Names are used once, so what is still there is what was opened.
        Ok(()) => Ok(path.try_exists()?.then_some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// All of a file that may have been damaged: at most twice what a segment may hold.
fn read(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(2 * SEGMENT_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Appends `frame` to the segment at `path`; says whether it could, or somebody else works on it.
fn append_to(path: &Path, frame: &[u8]) -> io::Result<bool> {
    let Some(mut file) = locked(path)? else { return Ok(false) };
    let bytes = read(&mut file)?;
    let (end, head) = if bytes.len() < segment::HEAD_LEN {
        (0, segment::head(segment::HEAD_LEN).to_vec())
    } else {
        (segment::end(&bytes), Vec::new())
    };
    if end < bytes.len() {
        file.set_len(end as u64)?;
    }
    file.seek(SeekFrom::Start(end as u64))?;
    if let Err(error) = file.write_all(&[&head, frame].concat()) {
        // A full disk: a torn frame must not stand before the next one.
        let _ = file.set_len(end as u64);
        return Err(error);
    }
    Ok(true)
}

/// Removes the segment at `path` and says how many records it held; `None` where somebody else works on it.
fn remove(path: &Path) -> io::Result<Option<u32>> {
    let Some(mut file) = locked(path)? else { return Ok(None) };
    let count = segment::waiting(&read(&mut file)?);
    std::fs::remove_file(path)?;
    Ok(Some(count))
}

#[cfg(test)]
mod tests;
