//! How often something goes wrong: the library's event of an error by its code, and whatever says `success` and means no.

use super::question::{Filter, Table};
use super::rows::{any, each};
use super::sql::{EVENTS, ROWS_MAX, counted};
use crate::serve::database::Error;
use automagik_telemetry_core::{ErrorOccurred, event::Event};
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeMap;

/// The event, whose code is a program's own: of no program here.
const ERROR: &str = <ErrorOccurred<automagik_telemetry_core::ErrorCategory> as Event>::DESCRIPTOR.name;

/// Errors by code in a thousand of all events; failures in a thousand events of their name.
pub(super) fn errors(sums: &Connection, filter: &Filter) -> Result<Table, Error> {
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    let sql = format!("SELECT w.name, d.count FROM {} WHERE {EVENTS}", counted("word"));
    each(sums, &sql, filter, &[], |row| {
        totals.insert(row.get(0)?, row.get(1)?);
        Ok(())
    })?;
    let all: u64 = totals.values().sum();
    let sql = format!(
        "SELECT w.name, w.key, w.value, d.count FROM {} WHERE w.kind = 0
           AND ((w.name = ?6 AND w.key = 'error_code') OR (w.key = 'success' AND w.value = 'false'))
         ORDER BY d.count DESC, w.name, w.value LIMIT {ROWS_MAX}",
        counted("word")
    );
    let mut rows = Vec::new();
    each(sums, &sql, filter, &[&ERROR], |row| {
        let (name, key): (String, String) = (row.get(0)?, row.get(1)?);
        let (value, count): (Value, u64) = (any(row, 2)?, row.get(3)?);
        let of = if name == ERROR { all } else { totals.get(&name).copied().unwrap_or(count) };
        // To a tenth.
        let in_a_thousand = (u128::from(count) * 10_000 / u128::from(of.max(1))) as f64 / 10.0;
        rows.push(vec![name.into(), key.into(), value, count.into(), of.into(), in_a_thousand.into()]);
        Ok(())
    })?;
    Ok(Table { columns: vec!["event", "attribute", "value", "count", "of events", "in a thousand"], rows })
}
