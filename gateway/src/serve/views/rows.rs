//! Rows of SQLite as rows of an answer.

use super::question::{Filter, Table};
use crate::serve::database::Error;
use rusqlite::{Connection, Row, ToSql};
use serde_json::{Map, Value, json};

/// A JSON object as people read it: `command=status success=true`.
pub(super) fn labels(object: &str) -> String {
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

pub(super) fn any(row: &Row<'_>, at: usize) -> rusqlite::Result<Value> {
    Ok(match row.get::<_, rusqlite::types::Value>(at)? {
        rusqlite::types::Value::Integer(number) => json!(number),
        rusqlite::types::Value::Real(number) => json!(number),
        rusqlite::types::Value::Text(text) => json!(text),
        _ => Value::Null,
    })
}

/// Calls `look` with each row of `sql`, whose first five parameters are the filter.
pub(super) fn each(
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

pub(super) fn filtered(
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
