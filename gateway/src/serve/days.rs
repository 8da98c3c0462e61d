//! Days, and the file of one: what was said on it, one by one, with pseudonyms. Its file is deleted whole, so nothing of it is left behind.
//!
//! | table | column | what |
//! |---|---|---|
//! | `installations` | `program`, `pseudonym` | who spoke that day |
//! | `said` | `arrived` | seconds since the day began |
//! | | `age` | how many seconds earlier it was, as the program says; never less than 0, never more than details are kept |
//! | | `installation`, `tuple`, `count` | who said what, how often |

use super::database::{self, Error};
use crate::intake::placing::Now;
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds of a day.
pub const DAY: u64 = 86_400;

/// 9999-12-31.
const LAST: u64 = 2_932_896;

/// Most installations that are remembered in memory: others are looked up.
const REMEMBERED_MAX: usize = 200_000;

/// The folder of the files of days.
const FOLDER: &str = "details";

/// What SQLite puts beside a file.
const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

/// What the clock says, in seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    Now::from(SystemTime::now()).0
}

/// The date of `day`, counted from 1970: `2026-11-27`.
#[must_use]
pub fn date(day: u64) -> String {
    // Later days than the last one that has four digits of a year have its date.
    let time = UNIX_EPOCH + Duration::from_secs(day.min(LAST) * DAY);
    humantime::format_rfc3339_seconds(time).to_string().chars().take(10).collect()
}

/// The month that `day` lies in: `2026-11`.
#[must_use]
pub fn month(day: u64) -> String {
    date(day).chars().take(7).collect()
}

/// A time of day, in seconds since 1970: `2026-11-27T18:38:35Z`.
#[must_use]
pub fn time(seconds: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds.min(LAST * DAY))).to_string()
}

/// The day that `date` names.
#[must_use]
pub fn day(date: &str) -> Option<u64> {
    let time = humantime::parse_rfc3339(&format!("{date}T00:00:00Z")).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs() / DAY)
}

/// The file of `day` in `state`.
#[must_use]
pub fn path(state: &Path, day: u64) -> PathBuf {
    state.join(FOLDER).join(format!("{}.db", date(day)))
}

/// The days of which there are files in `state`.
///
/// # Errors
///
/// Where the folder can't be read.
pub fn kept(state: &Path) -> std::io::Result<Vec<u64>> {
    let names = std::fs::read_dir(state.join(FOLDER))?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let mut days: Vec<u64> = names.filter_map(|name| day(name.strip_suffix(".db")?)).collect();
    days.sort_unstable();
    Ok(days)
}

/// Deletes the file of `day`.
///
/// # Errors
///
/// Where it can't be.
pub fn delete(state: &Path, day: u64) -> std::io::Result<()> {
    let path = path(state, day);
    for ending in ENDINGS {
        match std::fs::remove_file(with(&path, ending)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The bytes of the database at `path`, with what stands beside it.
#[must_use]
pub fn size(path: &Path) -> u64 {
    let sizes = ENDINGS.into_iter().filter_map(|ending| std::fs::metadata(with(path, ending)).ok());
    sizes.map(|file| file.len()).sum()
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// One day's file, open for writing.
#[derive(Debug)]
pub struct Day {
    /// Which.
    pub number: u64,
    connection: Connection,
    installations: HashMap<(i64, [u8; 16]), i64>,
}

/// One row of `said`.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Who, by program and pseudonym.
    pub installation: (i64, [u8; 16]),
    /// Seconds since the day began.
    pub arrived: u64,
    /// Seconds before that.
    pub age: u64,
    /// What.
    pub tuple: i64,
    /// How often.
    pub count: u64,
}

impl Day {
    /// Opens the file of day `number` in `state`, and makes it where it is missing.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn open(state: &Path, number: u64) -> Result<Self, Error> {
        let path = path(state, number);
        database::make_folder(path.parent().unwrap_or(state))?;
        let connection = database::connect(&path)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS installations(id INTEGER PRIMARY KEY, program INTEGER NOT NULL, pseudonym BLOB NOT NULL,
               UNIQUE(program, pseudonym));
             CREATE TABLE IF NOT EXISTS said(arrived INTEGER NOT NULL, age INTEGER NOT NULL, installation INTEGER NOT NULL,
               tuple INTEGER NOT NULL, count INTEGER NOT NULL);",
        )?;
        Ok(Self { number, connection, installations: HashMap::new() })
    }

    /// Adds rows: all of them, or none. They are on disk when this returns.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn append(&mut self, rows: &[Row]) -> Result<(), Error> {
        if self.installations.len() > REMEMBERED_MAX {
            self.installations.clear();
        }
        let appended = self.insert(rows);
        if appended.is_err() {
            // What was not written has no number.
            self.installations.clear();
        }
        appended
    }

    fn insert(&mut self, rows: &[Row]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for row in rows {
            let id = match self.installations.get(&row.installation) {
                Some(id) => *id,
                None => {
                    let id = installation(&transaction, row.installation)?;
                    self.installations.insert(row.installation, id);
                    id
                }
            };
            transaction.prepare_cached("INSERT INTO said VALUES(?1, ?2, ?3, ?4, ?5)")?.execute(params![
                row.arrived,
                row.age,
                id,
                row.tuple,
                row.count
            ])?;
        }
        Ok(transaction.commit()?)
    }
}

/// The number of an installation: the one that it has, or a new one.
fn installation(connection: &Connection, (program, pseudonym): (i64, [u8; 16])) -> Result<i64, Error> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO installations(program, pseudonym) VALUES(?1, ?2)")?
        .execute(params![program, pseudonym])?;
    let mut number =
        connection.prepare_cached("SELECT id FROM installations WHERE program = ?1 AND pseudonym = ?2")?;
    Ok(number.query_row(params![program, pseudonym], |found| found.get(0))?)
}
