//! Delivery's side of the spool: the oldest batch, and what becomes of it.

use super::{Spool, locked, read, segment};
use crate::BATCH_RECORDS_MAX;
use automagik_telemetry_core::Record;
use automagik_telemetry_core::loss::{Losses, Reason};
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::schema::SchemaDescriptor;
use segment::Item;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// The right to deliver. Ends when it is dropped, or when the process does.
#[derive(Debug)]
pub(crate) struct Upload {
    spool: Spool,
    current: Option<Current>,
    /// Whether a segment was passed over because another process works on it.
    passed_over: bool,
    _lock: File,
}

/// The segment that is being delivered, locked.
#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: File,
    bytes: Vec<u8>,
    at: usize,
}

/// Records to deliver.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Record>,
    /// What was found damaged on the way to them.
    pub(crate) losses: Losses,
    end: usize,
}

impl Upload {
    pub(super) fn new(spool: Spool, lock: File) -> Self {
        Self { spool, current: None, passed_over: false, _lock: lock }
    }

    /// Whether a segment was passed over because another process works on it.
    pub(crate) fn passed_over(&self) -> bool {
        self.passed_over
    }

    /// The oldest batch of `schema`, or `None` where there is nothing to deliver. It is given again until
    /// [`Upload::commit`].
    pub(crate) fn next(&mut self, schema: &SchemaDescriptor) -> io::Result<Option<Batch>> {
        loop {
            if let Some(current) = &self.current {
                let batch = current.batch(schema);
                if !batch.records.is_empty() || !batch.losses.is_empty() {
                    return Ok(Some(batch));
                }
                // Nothing is left but perhaps a torn tail.
                std::fs::remove_file(&current.path)?;
                self.current = None;
            }
            if !self.open_oldest()? {
                return Ok(None);
            }
        }
    }

    /// The batch was delivered, or never will be: it is not given again.
    pub(crate) fn commit(&mut self, batch: &Batch) -> io::Result<()> {
        let Some(current) = &mut self.current else { return Ok(()) };
        current.at = batch.end;
        // Even where the file is removed at once: should that fail, it must not be delivered again.
        current.file.seek(SeekFrom::Start(0))?;
        current.file.write_all(&segment::head(current.at))
    }

    /// Opens the oldest segment of this schema that nobody works on; says whether there is one.
    fn open_oldest(&mut self) -> io::Result<bool> {
        self.passed_over = false;
        for found in self.spool.segments()? {
            if found.name.fingerprint != self.spool.fingerprint {
                continue;
            }
            let Some(mut file) = locked(&found.path)? else {
                self.passed_over |= found.path.exists();
                continue;
            };
            let bytes = read(&mut file)?;
            let at = segment::committed(&bytes);
            self.current = Some(Current { path: found.path, file, bytes, at });
            return Ok(true);
        }
        Ok(false)
    }
}

impl Current {
    /// Whole frames from where delivery stands, up to 100 records.
    fn batch(&self, schema: &SchemaDescriptor) -> Batch {
        let mut batch = Batch { end: self.at, ..Batch::default() };
        while let Some(item) = segment::item(&self.bytes, batch.end) {
            match item {
                Item::Frame { mut records, count, end } => {
                    if batch.records.len() + count as usize > BATCH_RECORDS_MAX && !batch.records.is_empty() {
                        break;
                    }
                    // A frame is of one signal, and so is a batch.
                    let signal = Record::decode(schema, records).map(|(record, _)| Signal::of(&record));
                    let other = |first: &Record| signal.is_ok_and(|signal| signal != Signal::of(first));
                    if batch.records.first().is_some_and(other) {
                        break;
                    }
                    let before = batch.records.len();
                    while let Ok((record, rest)) = Record::decode(schema, records) {
                        batch.records.push(record);
                        records = rest;
                    }
                    let read = u32::try_from(batch.records.len() - before).unwrap_or(u32::MAX);
                    batch.losses.add(Reason::Corrupt, count.saturating_sub(read));
                    batch.end = end;
                }
                Item::Damaged { count, end } => {
                    batch.losses.add(Reason::Corrupt, count);
                    batch.end = end;
                }
                Item::Torn => break,
            }
        }
        batch
    }
}
