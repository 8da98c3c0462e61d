//! Crashes that programs left become segments like the others: with an age, counted, and dropped in their time.

use super::content::lose_many;
use super::journal::{self, Change};
use super::name::Kind;
use super::turn::{Batch, Turn};
use super::{CRASHES_MAX, Found};
use crate::kept::crash::{self, EncodedCrash};
use automagik_telemetry_core::loss::{Losses, Reason};
use std::io;

impl Turn<'_> {
    /// Makes segments of the crashes that programs left.
    pub(super) fn take_in_crashes(&self, now: u64) -> io::Result<()> {
        let folder = &self.spool.folder;
        for (name, destination) in crash::fresh(folder)? {
            let segments = self.spool.segments()?;
            let (mut losses, mut changes) = (Losses::new(), Vec::new());
            let count = segments.iter().filter(|found| found.name.kind == Kind::Crash).count();
            match crash::read(&folder.join(&name))? {
                Some(_) if count >= CRASHES_MAX => lose_many(&mut losses, Reason::StoreFull, 1),
                Some(report) => {
                    let encoded = EncodedCrash::new(&report);
                    let segment = self.spool.crash_name(&segments, destination, &encoded, now)?;
                    changes.push(Change::Write(segment.to_string(), encoded.as_slice().to_vec()));
                }
                None => lose_many(&mut losses, Reason::Corrupt, 1),
            }
            changes.extend(self.telling(&segments, &mut losses, now)?);
            changes.push(Change::Remove(name));
            journal::apply(folder, changes)?;
        }
        Ok(())
    }

    /// The crash in `found` as a batch of its own; where it is damaged it is dropped, and it is asked again.
    pub(super) fn crash_of(&self, found: &Found, now: u64) -> io::Result<Option<Batch>> {
        let name = found.name.to_string();
        let path = self.spool.folder.join(&name);
        if !path.exists() {
            return Ok(None);
        }
        let report = crash::read(&path)?;
        if report.is_none() {
            let mut losses = Losses::new();
            lose_many(&mut losses, Reason::Corrupt, 1);
            let mut changes = self.telling(&self.spool.segments()?, &mut losses, now)?;
            changes.push(Change::Remove(name));
            journal::apply(&self.spool.folder, changes)?;
        }
        Ok(report.map(|report| Batch::of_crash(report).of_segment(found.name.clone())))
    }
}
