//! Answers, from the files.

use super::crashes::crashes;
use super::errors::errors;
use super::question::{Filter, Table, View};
use super::rows::{number, rows, text};
use super::sql;
use crate::serve::database::{self, Error};
use crate::serve::days;
use crate::serve::store;
use crate::serve::views::stacks::Stacks;
use rusqlite::Connection;
use serde_json::Value;
use std::path::Path;

/// Opens the sums of `state` for reading, as far as at least `k` installations said the same: days that were summed up with a smaller one, and of which no details are
/// left, are not shown.
///
/// # Errors
///
/// [`Error`].
pub fn open(state: &Path, k: u64) -> Result<Connection, Error> {
    let sums = database::read(&store::sums_path(state))?;
    sums.execute_batch(&format!(
        "CREATE TEMP VIEW shown AS SELECT * FROM daily WHERE day IN (SELECT day FROM summed WHERE k >= {k});
         CREATE TEMP VIEW seen AS SELECT * FROM installations WHERE count >= {k};
         CREATE TEMP VIEW estimated AS SELECT * FROM months WHERE count >= {k};"
    ))?;
    Ok(sums)
}

/// The projects of which anything is kept, with the events of their last days and when the last was.
///
/// # Errors
///
/// [`Error`].
pub fn projects(sums: &Connection, from: u64, to: u64) -> Result<Table, Error> {
    rows(
        sums,
        &["project", "events", "installations of the last day", "last day"],
        "SELECT p.project, sum(d.count) FILTER (WHERE w.kind = 0 AND w.key = ''),
           (SELECT i.count FROM seen i WHERE i.project = p.project AND i.program = 0 ORDER BY i.day DESC LIMIT 1), max(d.day)
         FROM (SELECT program, word, sum(count) AS count, max(day) AS day FROM shown WHERE day BETWEEN ?1 AND ?2 GROUP BY program, word) d
         CROSS JOIN words w ON w.id = d.word CROSS JOIN programs p ON p.id = d.program GROUP BY p.project ORDER BY 2 DESC",
        &[&from, &to],
        |row| {
            Ok(vec![text(row, 0)?, number(row, 1)?, number(row, 2)?, Value::from(days::date(row.get(3)?))])
        },
    )
}

/// What the choices of a filter are: versions and systems of `project`.
///
/// # Errors
///
/// [`Error`].
pub fn choices(sums: &Connection, project: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    let of = |column: &str| -> Result<Vec<String>, Error> {
        let sql = format!(
            "SELECT DISTINCT {column} FROM programs WHERE project = ?1 AND {column} NOT IN ('', '*')
               AND id IN (SELECT program FROM seen WHERE project = ?1) ORDER BY 1 LIMIT 1000"
        );
        let mut statement = sums.prepare(&sql)?;
        let found = statement.query_map([project], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    };
    Ok((of("version")?, of("system")?))
}

/// What an answer depends on beside the question.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The folder of what is kept.
    pub state: &'a Path,
    /// Seconds since 1970.
    pub now: u64,
    /// Whether events are only shown of many, and none by itself.
    pub is_of_many: bool,
    /// What makes functions of stacks.
    pub stacks: &'a Stacks,
}

/// The answer of `view`.
///
/// # Errors
///
/// [`Error`].
pub fn answer(view: View, sums: &Connection, filter: &Filter, given: Given<'_>) -> Result<Table, Error> {
    match view {
        View::Days => sql::days(sums, filter),
        View::Months => sql::months(sums, filter),
        View::Versions => sql::programs(sums, filter, "version"),
        View::Systems => sql::programs(sums, filter, "system"),
        View::Events => sql::events(sums, filter),
        View::Words => sql::words(sums, filter, "w.name NOT IN ('app.crash', ?6)"),
        View::Trend => sql::trend(sums, filter),
        View::Values => sql::values(sums, filter),
        View::Counters => sql::counters(sums, filter),
        View::Errors => errors(sums, filter),
        View::Crashes => crashes(sums, filter, given.stacks),
        View::Lost => sql::words(sums, filter, "w.name = ?6"),
        View::Notes => sql::notes(sums, filter),
        View::Recent if given.is_of_many => Ok(Table::default()),
        View::Recent => sql::recent(sums, given.state, filter, given.now),
    }
}
