//! What is kept: a file a day of what was said one by one (`days`), and one file, `sums.db`, of what the days add up to, without pseudonyms.
//!
//! ```text
//!  counts ──► numbers: one for each program and each combination of words ──► the day's file: on disk before anybody is answered
//!                                                                               │ summed up: once its day is over, and when somebody looks
//!                                                                               ▼
//!                               after `details_days`: the file is deleted     daily ── after `sums_days`: deleted, and overwritten with zeros
//! ```
//!
//! SQLite, since a day's file is one transaction at a time that survives a crash, is queried as it is, deletes by overwriting (`secure_delete`), and is
//! built with the program. Numbers are written before rows that name them: a crash between the two leaves a number that nobody uses.

mod expiry;
mod months;
mod numbers;
mod sums;

use super::database::{Error, connect, make_folder};
use super::days::{self, DAY, Day, Row};
use super::said::{Program, Said, Tuple};
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The note of a day that is over and summed up.
pub const CLOSED: &str = "summed up after its end";

/// What stands for words that too few said.
pub const REST: &str = "*";

/// How long things are kept, and what is shown of them.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Days of details.
    pub details_days: u64,
    /// Days of sums.
    pub sums_days: u64,
    /// Fewest installations of a combination of words in a day.
    pub k: u64,
}

/// All that is kept, open for writing: one at a time.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    rules: Rules,
    sums: Connection,
    today: Option<Day>,
    /// Numbers, and the day that each was last noted for.
    tuples: HashMap<Tuple, (i64, u64)>,
    programs: HashMap<Program, (i64, u64)>,
    /// Held as long as this is.
    _lock: File,
}

/// The file of sums in `state`.
#[must_use]
pub fn sums_path(state: &Path) -> PathBuf {
    state.join("sums.db")
}

impl Store {
    /// Opens what is kept in `folder`, and makes it where it is missing.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::InUse`] where another process has it open.
    pub fn open(folder: &Path, rules: Rules) -> Result<Self, Error> {
        make_folder(folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.try_lock().map_err(|_| Error::InUse)?;
        let sums = connect(&sums_path(folder))?;
        sums.execute_batch(
            "CREATE TABLE IF NOT EXISTS programs(id INTEGER PRIMARY KEY, project TEXT NOT NULL, version TEXT NOT NULL, system TEXT NOT NULL,
               day INTEGER NOT NULL, UNIQUE(project, version, system));
             CREATE TABLE IF NOT EXISTS tuples(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, attributes TEXT NOT NULL,
               day INTEGER NOT NULL, UNIQUE(kind, name, attributes));
             CREATE TABLE IF NOT EXISTS words(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,
               value NOT NULL, UNIQUE(kind, name, key, value));
             CREATE TABLE IF NOT EXISTS parts(tuple INTEGER NOT NULL, word INTEGER NOT NULL, PRIMARY KEY(tuple, word)) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS daily(day INTEGER NOT NULL, program INTEGER NOT NULL, word INTEGER NOT NULL, count INTEGER NOT NULL,
               PRIMARY KEY(day, program, word)) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS summed(day INTEGER PRIMARY KEY, row INTEGER NOT NULL, k INTEGER NOT NULL);
             CREATE TABLE IF NOT EXISTS installations(day INTEGER NOT NULL, project TEXT NOT NULL, program INTEGER NOT NULL,
               count INTEGER NOT NULL, PRIMARY KEY(day, project, program)) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS months(month TEXT NOT NULL, project TEXT NOT NULL, count INTEGER NOT NULL, sketch BLOB,
               PRIMARY KEY(month, project)) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS notes(day INTEGER NOT NULL, what TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY(day, what))
               WITHOUT ROWID;",
        )?;
        let folder = folder.to_owned();
        let (tuples, programs) = (HashMap::new(), HashMap::new());
        Ok(Self { folder, rules, sums, today: None, tuples, programs, _lock: lock })
    }

    /// The rules that it keeps.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        self.rules
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps what was said, all or nothing; it is on disk when this returns. `now` in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn append<'a>(&mut self, said: impl IntoIterator<Item = &'a Said>, now: u64) -> Result<(), Error> {
        let today = now / DAY;
        let mut rows = Vec::new();
        let mut moved = 0;
        let oldest = self.rules.details_days * DAY;
        // Before the rows: a row without its words could be given others.
        self.sums.execute_batch("BEGIN")?;
        let numbered = said.into_iter().try_for_each(|of| {
            let program = self.program(&of.program, today)?;
            for (tuple, time, count) in of.counts.iter().filter(|(_, _, count)| *count > 0) {
                let age = now.saturating_sub(*time).min(oldest);
                moved += u64::from(now.saturating_sub(age) != *time);
                let tuple = self.tuple(tuple, today)?;
                let installation = (program, of.pseudonym);
                rows.push(Row { installation, arrived: now % DAY, age, tuple, count: *count });
            }
            Ok(())
        });
        let noted = numbered.and_then(|()| self.note(today, "time moved to what is possible", moved));
        if let Err(error) = noted.and_then(|()| Ok(self.sums.execute_batch("COMMIT")?)) {
            let _ = self.sums.execute_batch("ROLLBACK");
            self.forget();
            return Err(error);
        }
        self.day(today)?.append(&rows)
    }

    /// Counts something that happened on `day`, by a name of ours.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn note(&self, day: u64, what: &str, count: u64) -> Result<(), Error> {
        if count > 0 {
            self.sums
                .prepare_cached(
                    "INSERT INTO notes VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET count = count + excluded.count",
                )?
                .execute(params![day, what, count])?;
        }
        Ok(())
    }

    /// The file of `day`, which is today.
    fn day(&mut self, day: u64) -> Result<&mut Day, Error> {
        if self.today.as_ref().is_some_and(|today| today.number != day) {
            self.today = None;
        }
        match &mut self.today {
            Some(today) => Ok(today),
            none => {
                let opened = none.insert(Day::open(&self.folder, day)?);
                // Where a clock went back, the day is not over after all.
                self.sums.execute("DELETE FROM notes WHERE day = ?1 AND what = ?2", params![day, CLOSED])?;
                Ok(opened)
            }
        }
    }

    /// The bytes on disk.
    #[must_use]
    pub fn size(&self) -> u64 {
        let days = days::kept(&self.folder).unwrap_or_default();
        let details: u64 = days.into_iter().map(|day| days::size(&days::path(&self.folder, day))).sum();
        details + days::size(&sums_path(&self.folder))
    }
}
