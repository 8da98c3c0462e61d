//! Each question in SQL.

use super::question::{Filter, Table};
use super::rows::{any, each, filtered, labels, number, rows, text};
use crate::serve::database::Error;
use crate::serve::days::{self as calendar, DAY};
use crate::serve::said::Kind;
use crate::serve::store;
use automagik_telemetry_core::loss::EVENT_DROPPED;
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Most rows of an answer.
pub(super) const ROWS_MAX: usize = 1_000;

/// Most days that words are shown day by day: the last ones, if more are asked for.
const DAYS_MAX: usize = 366;

/// How far back `recent` looks, in seconds.
const RECENT: u64 = 3_600;

/// Most events that `recent` shows.
const RECENT_MAX: usize = 200;

/// Of programs that the filter lets through.
const PROGRAMS: &str = "p.project = ?1 AND (?2 = '' OR p.version = ?2) AND (?3 = '' OR p.system = ?3)";

/// Counts of the days and programs that the filter lets through, added up by `columns` of `shown`.
pub(super) fn counted(columns: &str) -> String {
    format!(
        "(SELECT {columns}, sum(count) AS count FROM shown WHERE day BETWEEN ?4 AND ?5
           AND program IN (SELECT id FROM programs p WHERE {PROGRAMS}) GROUP BY {columns}) d CROSS JOIN words w ON w.id = d.word"
    )
}

/// Of words: that they count an event, whatever its attributes.
pub(super) const EVENTS: &str = "w.kind = 0 AND w.key = ''";

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

/// Each attribute's values, where `which` is about the event: how often each was said, and how often on each day of the filter, the first day first.
pub(super) fn words(sums: &Connection, filter: &Filter, which: &str) -> Result<Table, Error> {
    let sql = format!(
        "SELECT w.id, w.name, w.key, w.value, d.day, d.count FROM {} WHERE w.kind = 0 AND w.key <> '' AND {which} ORDER BY w.id",
        counted("day, word")
    );
    let days = usize::try_from(filter.to.saturating_sub(filter.from))
        .map_or(DAYS_MAX, |days| days + 1)
        .min(DAYS_MAX);
    let from = (filter.to + 1).saturating_sub(days as u64);
    let mut words: Vec<Word> = Vec::new();
    each(sums, &sql, filter, &[&EVENT_DROPPED.name], |row| {
        let id = row.get(0)?;
        if words.last().is_none_or(|last| last.id != id) {
            let value = any(row, 3)?;
            words.push(Word {
                id,
                event: row.get(1)?,
                key: row.get(2)?,
                value,
                count: 0,
                days: vec![0; days],
            });
        }
        let (day, count): (u64, u64) = (row.get(4)?, row.get(5)?);
        if let Some(word) = words.last_mut() {
            word.count += count;
            let at = day.checked_sub(from).and_then(|at| usize::try_from(at).ok());
            if let Some(of_day) = at.and_then(|at| word.days.get_mut(at)) {
                *of_day += count;
            }
        }
        Ok(())
    })?;
    words.sort_by(|one, other| {
        (&one.event, &one.key)
            .cmp(&(&other.event, &other.key))
            .then(other.count.cmp(&one.count))
            .then(one.id.cmp(&other.id))
    });
    let rows = words.into_iter().take(ROWS_MAX);
    let rows = rows.map(|Word { event, key, value, count, days, .. }| {
        vec![event.into(), key.into(), value, count.into(), days.into()]
    });
    Ok(Table { columns: vec!["event", "attribute", "value", "count", "day by day"], rows: rows.collect() })
}

/// A value of an attribute.
struct Word {
    id: i64,
    event: String,
    key: String,
    value: Value,
    count: u64,
    /// How often it was said on each day.
    days: Vec<u64>,
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
