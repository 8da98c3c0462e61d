//! The transparency log: what was sent, as it was sent. Policy: "Transparency".
//!
//! ```text
//!  <state>/<project>/sent/<unix seconds of its first entry, 10 hexadecimal digits>.otlp
//! ```
//!
//! | of an entry | size | what |
//! |---|---|---|
//! | 0 | 4 | `SENT` |
//! | 4 | 4 | length of the body, little-endian |
//! | 8 | 4 | CRC-32 (IEEE) of all that follows, little-endian |
//! | 12 | 8 | seconds since 1970, little-endian |
//! | 20 | 1 | 0 logs, 1 metrics |
//! | 21 | 1 | 0 accepted, 1 refused, 2 no answer that counts |
//! | 22 | | the request's body, before gzip |
//!
//! An entry is written when the request is over. One that never left (nobody at the other end) is none. One that the end
//! of the program cut off is noted when it is repeated.

use crate::files::busy;
use crate::files::checksum::checksum;
use crate::files::disk;
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::{Consent, Outcome};
use std::io;
use std::path::{Path, PathBuf};

/// Most bytes of a program's log; the oldest go first.
pub const SENT_BYTES_MAX: u64 = 1 << 20;

/// Longest that an entry is kept, in seconds: 30 days.
pub const SENT_SECONDS_MAX: u64 = 30 * DAY;

const DAY: u64 = 24 * 3_600;

/// Most bytes of a file that is still appended to: files are dropped as a whole.
const FILE_BYTES_MAX: u64 = 1 << 16;

const MARK: &[u8; 4] = b"SENT";
const HEAD_LEN: usize = 12;
const META_LEN: usize = 10;

automagik_telemetry_core::interface!(became);

/// A request that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) unix_seconds: u64,
    pub(crate) signal: Signal,
    pub(crate) became: Became,
    pub(crate) body: Vec<u8>,
}

/// Writes down what is sent.
#[derive(Clone, Debug)]
pub(crate) struct SentLog {
    folder: PathBuf,
    bytes_max: u64,
    /// The last that was noted: a request that is repeated unanswered is noted once.
    last: Option<u32>,
}

/// Where the log of `project` is.
pub(crate) fn folder(state: &Path, project: impl AsRef<Path>) -> PathBuf {
    state.join(project).join("sent")
}

impl SentLog {
    pub(crate) fn new(state: &Path, project: &str, _: Consent) -> Self {
        Self { folder: folder(state, project), bytes_max: SENT_BYTES_MAX, last: None }
    }

    /// Notes that `body` was sent at `now`. Where that fails, sending goes on: a full disk is no reason to fail.
    pub(crate) fn note(&mut self, signal: Signal, body: &[u8], outcome: Outcome, now: u64) {
        let became = match outcome {
            Outcome::Accepted => Became::Accepted,
            Outcome::Refused | Outcome::TooLarge | Outcome::PartlyRefused(_) => Became::Refused,
            Outcome::Retry { .. } => Became::Unanswered,
        };
        let sum = crc32fast::hash(body);
        let is_repeated = self.last.replace(sum) == Some(sum);
        if !(is_repeated && became == Became::Unanswered) {
            let _ = self.append(&encode(signal, became, body, now), now);
        }
    }

    fn append(&self, entry: &[u8], now: u64) -> io::Result<()> {
        disk::make_folder(&self.folder)?;
        let mut files = files(&self.folder)?;
        let mut total: u64 = files.iter().map(|file| file.len).sum();
        files.retain(|file| {
            // A file's entries are of one day.
            let is_old = now.saturating_sub(file.start) > SENT_SECONDS_MAX - DAY;
            let goes = is_old || total + entry.len() as u64 > self.bytes_max;
            if goes && busy::retry(|| std::fs::remove_file(&file.path)).is_ok() {
                total -= file.len;
            }
            !goes
        });
        let has_room = |file: &&File| file.len < FILE_BYTES_MAX && now.saturating_sub(file.start) < DAY;
        let path = match files.last().filter(has_room) {
            Some(file) => file.path.clone(),
            None => self.folder.join(format!("{now:010x}.otlp")),
        };
        // In one piece, behind whatever another process wrote meanwhile.
        disk::append(&path, entry)
    }
}

/// Drops what is older than 30 days at `now`, and gives the rest, oldest first. A damaged entry is passed over.
pub(crate) fn entries(folder: &Path, now: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    for file in files(folder).unwrap_or_default() {
        if let Ok(Some(bytes)) = disk::read(&file.path, SENT_BYTES_MAX) {
            decode(&bytes, &mut entries);
        }
    }
    entries.retain(|entry| now.saturating_sub(entry.unix_seconds) <= SENT_SECONDS_MAX);
    entries.sort_by_key(|entry| entry.unix_seconds);
    entries
}

/// Deletes the log, and says how many requests it held.
pub(crate) fn clear(folder: &Path) -> io::Result<usize> {
    let count = entries(folder, 0).len();
    for file in files(folder).unwrap_or_default() {
        busy::retry(|| std::fs::remove_file(&file.path))?;
    }
    crate::send::health::clear(folder);
    // Where something is in it that is not ours, it stays.
    let _ = std::fs::remove_dir(folder);
    Ok(count)
}

struct File {
    start: u64,
    path: PathBuf,
    len: u64,
}

fn files(folder: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let start = name.to_str().and_then(|name| name.strip_suffix(".otlp")).filter(|name| name.len() == 10);
        let Some(start) = start.and_then(|start| u64::from_str_radix(start, 16).ok()) else { continue };
        let Ok(metadata) = entry.metadata() else { continue };
        files.push(File { start, path: entry.path(), len: metadata.len() });
    }
    files.sort_by_key(|file| file.start);
    Ok(files)
}

fn encode(signal: Signal, became: Became, body: &[u8], now: u64) -> Vec<u8> {
    let mut meta = now.to_le_bytes().to_vec();
    meta.push(match signal {
        Signal::Logs => 0,
        Signal::Metrics => 1,
    });
    meta.push(became as u8);
    let sum = checksum(&meta, body);
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [MARK, &len.to_le_bytes()[..], &sum.to_le_bytes(), &meta, body].concat()
}

fn decode(mut bytes: &[u8], entries: &mut Vec<Entry>) {
    while bytes.len() > HEAD_LEN {
        match entry(bytes) {
            Some((entry, rest)) => {
                entries.push(entry);
                bytes = rest;
            }
            None => bytes = &bytes[1..],
        }
    }
}

fn entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let (len, rest) = bytes.strip_prefix(MARK)?.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let (meta, rest) = rest.split_first_chunk::<META_LEN>()?;
    let (body, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
    if checksum(meta, body) != u32::from_le_bytes(*sum) {
        return None;
    }
    let (seconds, kinds) = meta.split_first_chunk::<8>()?;
    let signal = match kinds[0] {
        0 => Signal::Logs,
        1 => Signal::Metrics,
        _ => return None,
    };
    let became = match kinds[1] {
        0 => Became::Accepted,
        1 => Became::Refused,
        2 => Became::Unanswered,
        _ => return None,
    };
    let entry = Entry { unix_seconds: u64::from_le_bytes(*seconds), signal, became, body: body.to_vec() };
    Some((entry, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::consent;
    use proptest::prelude::*;

    const NOW: u64 = 1_761_048_000;

    fn log(state: &Path) -> SentLog {
        SentLog::new(state, "app", consent())
    }

    fn bodies(log: &SentLog, now: u64) -> Vec<Vec<u8>> {
        entries(&log.folder, now).into_iter().map(|entry| entry.body).collect()
    }

    #[test]
    fn what_was_noted_is_found_with_what_became_of_it() {
        let state = tempfile::tempdir().unwrap();
        let mut log = log(state.path());
        log.note(Signal::Logs, b"one", Outcome::Accepted, NOW);
        log.note(Signal::Metrics, b"two", Outcome::Refused, NOW + 1);
        log.note(Signal::Logs, b"", Outcome::Retry { after_seconds: None }, NOW + 2);
        let found = entries(&log.folder, NOW);
        let said: Vec<_> =
            found.iter().map(|entry| (entry.signal, entry.became, entry.body.as_slice())).collect();
        assert_eq!(
            said,
            [
                (Signal::Logs, Became::Accepted, &b"one"[..]),
                (Signal::Metrics, Became::Refused, b"two"),
                (Signal::Logs, Became::Unanswered, b""),
            ]
        );
    }

    #[test]
    fn a_request_that_is_repeated_in_vain_is_noted_once() {
        let state = tempfile::tempdir().unwrap();
        let mut log = log(state.path());
        for _ in 0..5 {
            log.note(Signal::Logs, b"one", Outcome::Retry { after_seconds: None }, NOW);
        }
        log.note(Signal::Logs, b"one", Outcome::Accepted, NOW);
        assert_eq!(bodies(&log, NOW).len(), 2);
    }

    #[test]
    fn it_is_bounded_in_size_and_the_oldest_go_first() {
        let state = tempfile::tempdir().unwrap();
        let mut log = SentLog { bytes_max: 300_000, ..log(state.path()) };
        for n in 0_u64..100 {
            log.note(Signal::Logs, &[n as u8; 13_000], Outcome::Accepted, NOW + n);
        }
        let on_disk: u64 = files(&log.folder).unwrap().iter().map(|file| file.len).sum();
        assert!((200_000..=300_000).contains(&on_disk), "{on_disk}");
        let kept = bodies(&log, NOW);
        let first = 100 - kept.len();
        assert!(kept.iter().zip(first..).all(|(body, n)| usize::from(body[0]) == n));
    }

    #[test]
    fn after_thirty_days_an_entry_is_gone() {
        let state = tempfile::tempdir().unwrap();
        let mut log = log(state.path());
        log.note(Signal::Logs, b"old", Outcome::Accepted, NOW);
        let later = NOW + SENT_SECONDS_MAX + 1;
        assert_eq!(bodies(&log, later).len(), 0, "not shown");
        log.note(Signal::Logs, b"new", Outcome::Accepted, later);
        assert_eq!(bodies(&log, NOW), [b"new"], "not kept");
    }

    #[test]
    fn what_is_cleared_is_gone_and_a_foreign_file_stays() {
        let state = tempfile::tempdir().unwrap();
        let mut log = log(state.path());
        log.note(Signal::Logs, b"one", Outcome::Accepted, NOW);
        std::fs::write(log.folder.join("notes.txt"), "not ours").unwrap();
        assert_eq!(clear(&log.folder).unwrap(), 1);
        assert_eq!(bodies(&log, NOW).len(), 0);
        assert!(log.folder.join("notes.txt").exists());
    }

    proptest! {
        #[test]
        fn damage_costs_the_entry_that_it_hits(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6),
            at: prop::sample::Index,
            bit in 0_u32..8,
        ) {
            let mut bytes: Vec<u8> =
                bodies.iter().flat_map(|body| encode(Signal::Logs, Became::Accepted, body, NOW)).collect();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let mut found = Vec::new();
            decode(&bytes, &mut found);
            prop_assert_eq!(found.len(), bodies.len() - 1);
        }

        #[test]
        fn any_bytes_are_walked_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            decode(&bytes, &mut Vec::new());
        }
    }
}
