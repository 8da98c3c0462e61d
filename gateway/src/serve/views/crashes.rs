//! Crashes, grouped: by their functions where the programs' files were given, whatever build and version they are of, and else by what they say.

use super::question::{Filter, Table};
use super::rows::each;
use super::sql::{ROWS_MAX, counted};
use super::stacks::Stacks;
use crate::intake::programs::crash::{CRASH, key};
use crate::serve::database::Error;
use crate::serve::{days, store};
use rusqlite::Connection;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

/// What crashes have alike.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// Their functions.
    Functions(u64),
    /// All that they say.
    Attributes(String),
}

struct Group {
    count: u64,
    last_day: u64,
    versions: BTreeSet<String>,
    exception: Value,
    stack: Value,
}

pub(super) fn crashes(sums: &Connection, filter: &Filter, stacks: &Stacks) -> Result<Table, Error> {
    // The most frequent ones: files of programs are looked into for each.
    let sql = format!(
        "SELECT w.value, sum(d.count), max(d.day) FROM {} WHERE w.kind = 0 AND w.name = ?6 AND w.key = '*'
         GROUP BY w.id ORDER BY 2 DESC LIMIT {ROWS_MAX}",
        counted("day, word")
    );
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    each(sums, &sql, filter, &[&CRASH], |row| {
        let attributes: String = row.get(0)?;
        let (count, day) = (row.get(1)?, row.get(2)?);
        let words: Map<String, Value> = serde_json::from_str(&attributes).unwrap_or_default();
        let word = |key: &str| words.get(key).cloned().unwrap_or(Value::from(store::REST));
        let version = word(key::VERSION).as_str().unwrap_or_default().to_owned();
        let (key, stack) = match stacks.functions(&attributes) {
            Some((functions, text)) => (Key::Functions(functions), text.into()),
            None => (Key::Attributes(attributes), word(key::STACK)),
        };
        match groups.entry(key) {
            Entry::Occupied(group) => {
                let group = group.into_mut();
                group.count += count;
                group.last_day = group.last_day.max(day);
                group.versions.insert(version);
            }
            Entry::Vacant(place) => {
                let (versions, exception) = (BTreeSet::from([version]), word(key::TYPE));
                place.insert(Group { count, last_day: day, versions, exception, stack });
            }
        }
        Ok(())
    })?;
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.count, group.last_day)));
    let rows = groups.into_iter().map(|group| {
        let versions: Vec<String> = group.versions.into_iter().collect();
        let last_day = days::date(group.last_day);
        vec![group.count.into(), last_day.into(), versions.join(", ").into(), group.exception, group.stack]
    });
    Ok(Table { columns: vec!["count", "last day", "versions", "type", "stack"], rows: rows.collect() })
}
