//! Crashes: one a file, whole from its first byte, written by a program that may be over in the next moment.
//!
//! | offset | size | what |
//! |---|---|---|
//! | 0 | 4 | CRC-32 (IEEE) of what follows, little-endian |
//! | 4 | up to 256 | the report in CBOR (`CrashReport::encode` of core) |
//!
//! The program that crashes writes it as `<destination>-<random>.panic` ([`CrashFile`]), with names that were made before, so that it needs neither memory nor
//! a look at what is there. Whoever has the turn next makes a segment of it, with a name like the others (see `spool::adopt`).

use crate::files::checksum::checksum;
use crate::files::disk;
use automagik_telemetry_core::CrashReport;
use automagik_telemetry_core::crashes::report::REPORT_LEN_MAX;
use std::io;
use std::path::Path;

/// Name ending of a crash that is no segment yet.
const ENDING: &str = ".panic";

const CHECKSUM_LEN: usize = 4;

/// Most bytes that are read of one.
const READ_MAX: u64 = 1 << 10;

/// A crash as it is kept.
pub(crate) struct EncodedCrash {
    bytes: [u8; CHECKSUM_LEN + REPORT_LEN_MAX],
    len: usize,
}

impl EncodedCrash {
    pub(crate) fn new(report: &CrashReport) -> Self {
        let mut bytes = [0; CHECKSUM_LEN + REPORT_LEN_MAX];
        let mut len = 0;
        if let Some((sum, body)) = bytes.split_first_chunk_mut::<CHECKSUM_LEN>() {
            len = body.first_chunk_mut().map_or(0, |body| report.encode(body));
            *sum = checksum(body.get(..len).unwrap_or(&[]), &[]).to_le_bytes();
        }
        Self { bytes, len: CHECKSUM_LEN + len }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

/// The report that `bytes` hold; `None` where they are damaged.
pub(crate) fn decode(bytes: &[u8]) -> Option<CrashReport> {
    let (sum, report) = bytes.split_first_chunk::<CHECKSUM_LEN>()?;
    (u32::from_le_bytes(*sum) == checksum(report, &[])).then(|| CrashReport::decode(report))?
}

/// The report in the file at `path`, if there is one.
pub(crate) fn read(path: &Path) -> io::Result<Option<CrashReport>> {
    Ok(disk::read(path, READ_MAX)?.as_deref().and_then(decode))
}

/// The names of crashes in `folder` that are no segments yet, and where they are meant to go.
pub(crate) fn fresh(folder: &Path) -> io::Result<Vec<(String, u64)>> {
    // A folder is none, as among segments.
    let files = std::fs::read_dir(folder)?
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let names = files.filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter_map(|name| destination(&name).map(|destination| (name, destination))).collect())
}

fn destination(name: &str) -> Option<u64> {
    let (destination, random) = name.strip_suffix(ENDING)?.split_once('-')?;
    let number = |digits: &str| u64::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 16);
    number(random).and(number(destination))
}

/// Whether a crash lies in `folder` that is no segment yet, and is meant to go to `to`.
pub(crate) fn is_any_fresh(folder: &Path, to: u64) -> bool {
    fresh(folder).is_ok_and(|names| names.iter().any(|(_, destination)| *destination == to))
}

/// All crashes in `folder`, and where each is meant to go: those of `segments`, and those that are none yet.
pub(crate) fn waiting(
    folder: &Path,
    segments: impl Iterator<Item = (String, u64)>,
) -> Vec<(CrashReport, u64)> {
    let names = segments.chain(fresh(folder).unwrap_or_default());
    names.filter_map(|(name, to)| Some((read(&folder.join(name)).ok()??, to))).collect()
}

/// Deletes those that are no segments yet, and says how many they were.
pub(crate) fn clear(folder: &Path) -> io::Result<usize> {
    let names = fresh(folder).unwrap_or_default();
    names.iter().try_for_each(|(name, _)| disk::remove(&folder.join(name)))?;
    Ok(names.len())
}

/// Where a program that crashes leaves its report.
#[cfg(feature = "panics")]
#[derive(Debug)]
pub(crate) struct CrashFile {
    temporary: std::path::PathBuf,
    path: std::path::PathBuf,
}

#[cfg(feature = "panics")]
impl CrashFile {
    /// So many places in `folder` for what is meant to go to `destination`, whose names nobody else has; `None` without random numbers.
    pub(crate) fn some(folder: &Path, destination: u64, count: u8) -> Option<Vec<Self>> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).ok()?;
        let mut files = Vec::new();
        for at in 0..count {
            let random = u64::from_le_bytes(random).wrapping_add(at.into());
            let path = folder.join(format!("{destination:016x}-{random:016x}{ENDING}"));
            let temporary = path.with_extension(disk::TEMPORARY.get(1..)?);
            files.push(Self { temporary, path });
        }
        Some(files)
    }

    /// Writes `report`, with no more memory than the stack's. It is whole, or not there.
    pub(crate) fn write(&self, report: &EncodedCrash) -> io::Result<()> {
        use std::io::{ErrorKind, Write};
        disk::check_size(report.as_slice().len() as u64)?;
        let create = || disk::private().create_new(true).open(&self.temporary);
        let mut file = match create() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.path.parent().map_or(Ok(()), disk::make_folder)?;
                create()
            }
            opened => opened,
        }?;
        // The umask may have taken the owner's rights away.
        let written = disk::set_mode(&self.temporary, 0o600).and_then(|()| file.write_all(report.as_slice()));
        drop(file);
        let done = written.and_then(|()| std::fs::rename(&self.temporary, &self.path));
        if done.is_err() {
            let _ = std::fs::remove_file(&self.temporary);
        }
        done
    }
}
