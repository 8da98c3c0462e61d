//! Each question in SQL.

use super::question::{Filter, Table};
use crate::intake::programs::crash::CRASH;
use crate::serve::database::Error;
use crate::serve::days::{self as calendar, DAY};
use crate::serve::said::Kind;
use crate::serve::store;
use crate::serve::views::stacks::Stacks;
use automagik_telemetry_core::loss::EVENT_DROPPED;
use rusqlite::{Connection, Row, ToSql};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Most rows of an answer.
const ROWS_MAX: usize = 1_000;

/// How far back `recent` looks, in seconds.
const RECENT: u64 = 3_600;

/// Most events that `recent` shows.
const RECENT_MAX: usize = 200;

/// Of programs that the filter lets through.
const PROGRAMS: &str = "p.project = ?1 AND (?2 = '' OR p.version = ?2) AND (?3 = '' OR p.system = ?3)";

/// Counts of the days and programs that the filter lets through, added up by `columns` of `shown`.
fn counted(columns: &str) -> String {
    format!(
        "(SELECT {columns}, sum(count) AS count FROM shown WHERE day BETWEEN ?4 AND ?5
           AND program IN (SELECT id FROM programs p WHERE {PROGRAMS}) GROUP BY {columns}) d CROSS JOIN words w ON w.id = d.word"
    )
}

/// Of words: that they count an event, whatever its attributes.
const EVENTS: &str = "w.kind = 0 AND w.key = ''";

pub(super) fn days(sums: &Connection, filter: &Filter) -> Result<Table, Error> {
    // Whoever runs two versions in a day is one installation, where all are asked about.
    let one =
        if filter.version.is_empty() && filter.system.is_empty() { "i.program = 0" } else { "i.program > 0" };
    let mut days: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    let sql = format!(
        "SELECT i.day, sum(i.count) FROM seen i LEFT JOIN programs p ON p.id = i.program
         WHERE i.project = ?1 AND {one} AND (?2 = '' OR p.version = ?2) AND (?3 = '' OR p.system = ?3) AND i.day BETWEEN ?4 AND ?5 GROUP BY i.day"
    );
    each(sums, &sql, filter, &[], |row| {
        days.entry(row.get(0)?).or_default().0 = row.get(1)?;
        Ok(())
    })?;
    let sql =
        format!("SELECT d.day, sum(d.count) FROM {} WHERE {EVENTS} GROUP BY d.day", counted("day, word"));
    each(sums, &sql, filter, &[], |row| {
        days.entry(row.get(0)?).or_default().1 = row.get(1)?;
        Ok(())
    })?;
    let rows = days.into_iter().rev().take(ROWS_MAX);
    let rows = rows.map(|(day, (installations, events))| {
        vec![calendar::date(day).into(), installations.into(), events.into()]
    });
    Ok(Table { columns: vec!["day", "installations", "events"], rows: rows.collect() })
}

pub(super) fn months(sums: &Connection, filter: &Filter) -> Result<Table, Error> {
    rows(
        sums,
        &["month", "installations"],
        "SELECT month, count FROM estimated WHERE project = ?1 AND month BETWEEN ?2 AND ?3 ORDER BY 1 DESC",
        &[&filter.project, &calendar::month(filter.from), &calendar::month(filter.to)],
        |row| Ok(vec![text(row, 0)?, number(row, 1)?]),
    )
}

pub(super) fn programs(sums: &Connection, filter: &Filter, column: &'static str) -> Result<Table, Error> {
    let mut found: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let sql = format!(
        "SELECT p.{column}, sum(d.count) FROM {} CROSS JOIN programs p ON p.id = d.program WHERE {EVENTS} GROUP BY 1",
        counted("program, word")
    );
    each(sums, &sql, filter, &[], |row| {
        found.entry(row.get(0)?).or_default().0 = row.get(1)?;
        Ok(())
    })?;
    let sql = format!(
        "SELECT word, max(n) FROM (SELECT p.{column} AS word, sum(i.count) AS n FROM seen i JOIN programs p ON p.id = i.program
           WHERE {PROGRAMS} AND i.day BETWEEN ?4 AND ?5 GROUP BY 1, i.day) GROUP BY 1"
    );
    each(sums, &sql, filter, &[], |row| {
        found.entry(row.get(0)?).or_default().1 = row.get(1)?;
        Ok(())
    })?;
    let mut rows: Vec<_> = found.into_iter().collect();
    rows.sort_by_key(|(_, (events, _))| std::cmp::Reverse(*events));
    let rows = rows
        .into_iter()
        .take(ROWS_MAX)
        .map(|(word, (events, installations))| vec![Value::from(word), events.into(), installations.into()]);
    Ok(Table { columns: vec![column, "events", "most installations in a day"], rows: rows.collect() })
}

pub(super) fn events(sums: &Connection, filter: &Filter) -> Result<Table, Error> {
    let sql = format!(
        "SELECT w.name, sum(d.count), count(*) FROM {} WHERE {EVENTS} GROUP BY w.name ORDER BY 2 DESC LIMIT {ROWS_MAX}",
        counted("day, word")
    );
    filtered(sums, &["event", "count", "on days"], &sql, filter, &[], |row| {
        Ok(vec![text(row, 0)?, number(row, 1)?, number(row, 2)?])
    })
}

/// Each attribute's values, where `which` is about the event.
pub(super) fn words(sums: &Connection, filter: &Filter, which: &str) -> Result<Table, Error> {
    let sql = format!(
        "SELECT w.name, w.key, w.value, d.count FROM {} WHERE w.kind = 0 AND w.key <> '' AND {which}
         ORDER BY w.name, w.key, d.count DESC, w.value LIMIT {ROWS_MAX}",
        counted("word")
    );
    filtered(sums, &["event", "attribute", "value", "count"], &sql, filter, &[&EVENT_DROPPED.name], |row| {
        Ok(vec![text(row, 0)?, text(row, 1)?, any(row, 2)?, number(row, 3)?])
    })
}

pub(super) fn trend(sums: &Connection, filter: &Filter) -> Result<Table, Error> {
    let sql = format!(
        "SELECT d.day, w.name, d.count FROM {} WHERE {EVENTS} ORDER BY d.day DESC, d.count DESC LIMIT {ROWS_MAX}",
        counted("day, word")
    );
    filtered(sums, &["day", "event", "count"], &sql, filter, &[], |row| {
        Ok(vec![Value::from(calendar::date(row.get(0)?)), text(row, 1)?, number(row, 2)?])
    })
}

/// Quantiles of what is a number: of an event's attributes, and of a histogram's classes. A class is known by its lowest value, so that is what a quantile
/// says.
pub(super) fn values(sums: &Connection, filter: &Filter) -> Result<Table, Error> {
    let sql = format!(
        "SELECT w.name, w.kind, w.key, w.value, d.count FROM {}
         WHERE w.kind IN (0, 2) AND typeof(w.value) IN ('integer', 'real') AND w.key <> 'error_place' ORDER BY w.name, w.kind, w.key, w.value",
        counted("word")
    );
    let mut all: Vec<Classes> = Vec::new();
    each(sums, &sql, filter, &[], |row| {
        let key: String = row.get(2)?;
        let is_class = row.get::<_, u8>(1)? == Kind::Class as u8;
        let (attribute, labels) = if is_class { (String::new(), labels(&key)) } else { (key, String::new()) };
        let of = vec![text(row, 0)?, Value::from(attribute), Value::from(labels)];
        let class = (row.get(3)?, row.get(4)?);
        match all.last_mut().filter(|(last, _)| *last == of) {
            Some((_, classes)) => classes.push(class),
            None => all.push((of, vec![class])),
        }
        Ok(())
    })?;
    let rows = all.into_iter().take(ROWS_MAX).map(|(mut row, classes)| {
        let count: u64 = classes.iter().map(|(_, count)| count).sum();
        row.push(count.into());
        row.extend([50, 90, 99].map(|percent| quantile(&classes, count, percent)));
        row
    });
    let columns = vec![
        "event or metric",
        "attribute",
        "labels",
        "count",
        "half are at least",
        "a tenth is at least",
        "a hundredth is at least",
    ];
    Ok(Table { columns, rows: rows.collect() })
}

/// What classes are of, and how many values are in each, by its lowest value.
type Classes = (Vec<Value>, Vec<(f64, u64)>);

/// The class that holds the value at `percent` of all, which are in order.
fn quantile(classes: &[(f64, u64)], count: u64, percent: u64) -> Value {
    // The first value that at least so many are not above.
    let rank = (u128::from(count) * u128::from(percent)).div_ceil(100).max(1);
    let mut below = 0;
    for (lowest, here) in classes {
        below += u128::from(*here);
        if below >= rank {
            return if lowest.fract() == 0.0 { Value::from(*lowest as i64) } else { Value::from(*lowest) };
        }
    }
    Value::Null
}

pub(super) fn counters(sums: &Connection, filter: &Filter) -> Result<Table, Error> {
    let sql = format!(
        "SELECT w.name, w.value, d.count FROM {} WHERE w.kind = 1 ORDER BY w.name, d.count DESC LIMIT {ROWS_MAX}",
        counted("word")
    );
    filtered(sums, &["counter", "labels", "count"], &sql, filter, &[], |row| {
        Ok(vec![text(row, 0)?, Value::from(labels(&row.get::<_, String>(1)?)), number(row, 2)?])
    })
}

pub(super) fn crashes(sums: &Connection, filter: &Filter, stacks: &Stacks) -> Result<Table, Error> {
    let sql = format!(
        "SELECT w.value, sum(d.count), max(d.day) FROM {} WHERE w.kind = 0 AND w.name = ?6 AND w.key = '*'
         GROUP BY w.id ORDER BY 2 DESC LIMIT {ROWS_MAX}",
        counted("day, word")
    );
    filtered(sums, &["count", "last day", "version", "type", "stack"], &sql, filter, &[&CRASH], |row| {
        let attributes: String = row.get(0)?;
        let words: Map<String, Value> = serde_json::from_str(&attributes).unwrap_or_default();
        let word = |key: &str| words.get(key).cloned().unwrap_or(Value::from(store::REST));
        let last = calendar::date(row.get(2)?);
        Ok(vec![
            number(row, 1)?,
            last.into(),
            word("service.version"),
            word("exception.type"),
            stacks.text(&attributes).map_or_else(|| word("exception.stacktrace"), Value::from),
        ])
    })
}

pub(super) fn notes(sums: &Connection, filter: &Filter) -> Result<Table, Error> {
    rows(
        sums,
        &["day", "what", "count"],
        "SELECT day, what, count FROM notes WHERE day BETWEEN ?1 AND ?2 AND what <> ?3 ORDER BY 1 DESC, 3 DESC LIMIT 1000",
        &[&filter.from, &filter.to, &store::CLOSED],
        |row| Ok(vec![Value::from(calendar::date(row.get(0)?)), text(row, 1)?, number(row, 2)?]),
    )
}

/// Events of the last hour, the newest first. Pseudonyms are shown nowhere.
pub(super) fn recent(sums: &Connection, state: &Path, filter: &Filter, now: u64) -> Result<Table, Error> {
    let mut rows = Vec::new();
    let from = now.saturating_sub(RECENT);
    for day in (from / DAY..=now / DAY).rev() {
        let path = calendar::path(state, day);
        if !path.exists() || rows.len() >= RECENT_MAX {
            continue;
        }
        sums.execute("ATTACH ?1 AS details", [path.to_string_lossy()])?;
        let sql = format!(
            "SELECT ?6 + s.arrived, ?6 + s.arrived - s.age, t.name, t.attributes, p.version, p.system
             FROM details.said s JOIN details.installations i ON i.id = s.installation JOIN programs p ON p.id = i.program
             JOIN tuples t ON t.id = s.tuple
             WHERE {PROGRAMS} AND t.kind = 0 AND ?4 <= ?5 AND ?6 + s.arrived >= ?7 ORDER BY s.rowid DESC LIMIT {RECENT_MAX}"
        );
        let read = filtered(sums, &[], &sql, filter, &[&(day * DAY), &from], |row| {
            let time = |at| row.get(at).map(|seconds| Value::from(calendar::time(seconds)));
            Ok(vec![
                time(0)?,
                time(1)?,
                text(row, 2)?,
                Value::from(labels(&row.get::<_, String>(3)?)),
                text(row, 4)?,
                text(row, 5)?,
            ])
        });
        sums.execute_batch("DETACH details")?;
        rows.extend(read?.rows);
    }
    rows.truncate(RECENT_MAX);
    Ok(Table { columns: vec!["arrived", "time", "event", "attributes", "version", "system"], rows })
}

/// A JSON object as people read it: `command=status success=true`.
fn labels(object: &str) -> String {
    let Ok(words) = serde_json::from_str::<Map<String, Value>>(object) else { return object.to_owned() };
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    words.iter().map(|(key, value)| format!("{key}={}", word(value))).collect::<Vec<_>>().join(" ")
}

pub(super) fn text(row: &Row<'_>, at: usize) -> rusqlite::Result<Value> {
    Ok(Value::from(row.get::<_, String>(at)?))
}

pub(super) fn number(row: &Row<'_>, at: usize) -> rusqlite::Result<Value> {
    Ok(row.get::<_, Option<i64>>(at)?.map_or(Value::Null, Value::from))
}

fn any(row: &Row<'_>, at: usize) -> rusqlite::Result<Value> {
    Ok(match row.get::<_, rusqlite::types::Value>(at)? {
        rusqlite::types::Value::Integer(number) => json!(number),
        rusqlite::types::Value::Real(number) => json!(number),
        rusqlite::types::Value::Text(text) => json!(text),
        _ => Value::Null,
    })
}

/// Calls `look` with each row of `sql`, whose first five parameters are the filter.
fn each(
    sums: &Connection,
    sql: &str,
    filter: &Filter,
    more: &[&dyn ToSql],
    mut look: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> Result<(), Error> {
    let mut parameters: Vec<&dyn ToSql> =
        vec![&filter.project, &filter.version, &filter.system, &filter.from, &filter.to];
    parameters.extend(more);
    let mut statement = sums.prepare(sql)?;
    // Not each question has a parameter behind the filter.
    parameters.truncate(statement.parameter_count());
    let mut found = statement.query(parameters.as_slice())?;
    while let Some(row) = found.next()? {
        look(row)?;
    }
    Ok(())
}

fn filtered(
    sums: &Connection,
    columns: &[&'static str],
    sql: &str,
    filter: &Filter,
    more: &[&dyn ToSql],
    read: impl Fn(&Row<'_>) -> rusqlite::Result<Vec<Value>>,
) -> Result<Table, Error> {
    let mut rows = Vec::new();
    each(sums, sql, filter, more, |row| {
        rows.push(read(row)?);
        Ok(())
    })?;
    Ok(Table { columns: columns.to_vec(), rows })
}

pub(super) fn rows(
    sums: &Connection,
    columns: &[&'static str],
    sql: &str,
    parameters: &[&dyn ToSql],
    read: impl Fn(&Row<'_>) -> rusqlite::Result<Vec<Value>>,
) -> Result<Table, Error> {
    let mut statement = sums.prepare(sql)?;
    let mut found = statement.query(parameters)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(read(row)?);
    }
    Ok(Table { columns: columns.to_vec(), rows })
}
