//! What a day adds up to: how often each combination of words was said, and by how many. No pseudonym gets in here.

use super::{CLOSED, REST, Store, months, numbers};
use crate::serve::database::Error;
use crate::serve::days;
use crate::serve::said::{Kind, Tuple};
use rusqlite::{Connection, OptionalExtension, params};

/// The note of counts whose words are shown nowhere.
const HIDDEN: &str = "said by too few to be shown";

impl Store {
    /// Writes what `day` adds up to, in the place of what was written before.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn sum_up(&mut self, day: u64) -> Result<(), Error> {
        let path = days::path(&self.folder, day);
        if !path.exists() {
            return Ok(());
        }
        self.sums.execute("ATTACH ?1 AS details", [path.to_string_lossy()])?;
        let summed = summed(&mut self.sums, day, self.rules.k);
        self.sums.execute_batch("DETACH details")?;
        summed
    }

    /// Sums up all days before `today` that have not been since their last event, or with another `k`, and closes yesterday's file.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn close_days(&mut self, today: u64) -> Result<(), Error> {
        if self.today.as_ref().is_some_and(|open| open.number < today) {
            self.today = None;
        }
        for day in days::kept(&self.folder).unwrap_or_default().into_iter().filter(|day| *day < today) {
            let is_closed: bool = self.sums.query_row(
                "SELECT EXISTS(SELECT 1 FROM notes WHERE day = ?1 AND what = ?2) AND EXISTS(SELECT 1 FROM summed WHERE day = ?1 AND k = ?3)",
                params![day, CLOSED, self.rules.k],
                |row| row.get(0),
            )?;
            if !is_closed {
                self.sum_up(day)?;
                self.note(day, CLOSED, 1)?;
            }
        }
        months::close(&self.sums, today)?;
        Ok(())
    }
}

/// Sums up the attached file `details` of `day`. A combination of words that fewer than `k` installations said becomes one of all such words of its event,
/// whatever the program's version and system; where these are too few as well, only their number is kept.
fn summed(sums: &mut Connection, day: u64, k: u64) -> Result<(), Error> {
    let transaction = sums.transaction()?;
    let summed: Option<(i64, u64)> = transaction
        .query_row("SELECT row, k FROM summed WHERE day = ?1", [day], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    // Who is too rare may not be so an hour later, so with a `k` a day is summed up anew each time.
    let from = match summed {
        Some((row, 1)) if k == 1 => row,
        _ => {
            transaction.execute("DELETE FROM daily WHERE day = ?1", [day])?;
            0
        }
    };
    let to: i64 =
        transaction.query_row("SELECT coalesce(max(rowid), 0) FROM details.said", [], |row| row.get(0))?;
    transaction.execute("INSERT OR REPLACE INTO summed VALUES(?1, ?2, ?3)", params![day, to, k])?;
    transaction.execute("DELETE FROM installations WHERE day = ?1", [day])?;
    transaction.execute("DELETE FROM notes WHERE day = ?1 AND what = ?2", params![day, HIDDEN])?;
    transaction.execute(
        "CREATE TEMP TABLE grouped AS SELECT i.program, s.tuple, sum(s.count) AS count, count(DISTINCT i.id) AS installations
           FROM details.said s JOIN details.installations i ON i.id = s.installation WHERE s.rowid > ?1 GROUP BY i.program, s.tuple",
        [from],
    )?;
    transaction.execute(
        "CREATE TEMP TABLE shown AS SELECT program, tuple, count FROM grouped WHERE installations >= ?1",
        [k],
    )?;
    if k > 1 {
        hide(&transaction, day, k)?;
    }
    transaction.execute(
        "INSERT INTO daily SELECT ?1, s.program, p.word, sum(s.count) FROM shown s JOIN parts p ON p.tuple = s.tuple WHERE true
           GROUP BY s.program, p.word ON CONFLICT DO UPDATE SET count = count + excluded.count",
        [day],
    )?;
    transaction.execute(
        "INSERT INTO installations SELECT ?1, p.project, 0, count(DISTINCT i.pseudonym) AS n
           FROM details.installations i JOIN programs p ON p.id = i.program GROUP BY p.project HAVING n >= ?2",
        params![day, k],
    )?;
    transaction.execute(
        "INSERT INTO installations SELECT ?1, p.project, p.id, count(*) AS n
           FROM details.installations i JOIN programs p ON p.id = i.program GROUP BY p.id HAVING n >= ?2",
        params![day, k],
    )?;
    transaction.execute_batch("DROP TABLE grouped; DROP TABLE shown;")?;
    months::add(&transaction, day)?;
    transaction.commit()?;
    Ok(())
}

/// Puts together what too few said.
fn hide(transaction: &Connection, day: u64, k: u64) -> Result<(), Error> {
    transaction.execute(
        "INSERT OR IGNORE INTO programs(project, version, system, day) SELECT DISTINCT p.project, ?1, ?1, ?2
           FROM grouped g JOIN programs p ON p.id = g.program WHERE g.installations < ?3",
        params![REST, day, k],
    )?;
    let rare: Vec<(u8, String)> = transaction
        .prepare(
            "SELECT DISTINCT t.kind, t.name FROM grouped g JOIN tuples t ON t.id = g.tuple WHERE g.installations < ?1",
        )?
        .query_map([k], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (kind, name) in rare {
        let known = transaction.execute(
            "UPDATE tuples SET day = ?1 WHERE kind = ?2 AND name = ?3 AND attributes = ?4",
            params![day, kind, name, REST],
        )?;
        let kind = [Kind::Event, Kind::Sum, Kind::Class].into_iter().find(|known| *known as u8 == kind);
        if let Some(kind) = kind.filter(|_| known == 0) {
            numbers::added(transaction, &Tuple { kind, name, attributes: REST.to_owned() }, day)?;
        }
    }
    transaction.execute(
        "INSERT INTO shown SELECT program, tuple, count FROM
           (SELECT rp.id AS program, rt.id AS tuple, sum(s.count) AS count, count(DISTINCT i.pseudonym) AS n
            FROM details.said s JOIN details.installations i ON i.id = s.installation
            JOIN grouped g ON g.program = i.program AND g.tuple = s.tuple AND g.installations < ?1
            JOIN programs p ON p.id = i.program JOIN programs rp ON rp.project = p.project AND rp.version = ?2 AND rp.system = ?2
            JOIN tuples t ON t.id = s.tuple JOIN tuples rt ON rt.kind = t.kind AND rt.name = t.name AND rt.attributes = ?2
            GROUP BY rp.id, rt.id) WHERE n >= ?1",
        params![k, REST],
    )?;
    let (said, shown): (u64, u64) = transaction.query_row(
        "SELECT (SELECT coalesce(sum(count), 0) FROM grouped), (SELECT coalesce(sum(count), 0) FROM shown)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if said > shown {
        transaction.execute("INSERT INTO notes VALUES(?1, ?2, ?3)", params![day, HIDDEN, said - shown])?;
    }
    Ok(())
}
