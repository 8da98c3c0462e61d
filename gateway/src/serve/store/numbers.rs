//! Numbers that stand for programs and for combinations of words, and which words a combination has. A combination is summed up word by word.
//!
//! | kind | its words: key and value |
//! |---|---|
//! | an event | nothing and nothing, which counts the event; each attribute and its value |
//! | a crash, a counter | `*` and all attributes: neither is looked at by one of them |
//! | a class of a histogram | all labels and the class |

use super::{REST, Store};
use crate::intake::programs::crash::CRASH;
use crate::serve::database::Error;
use crate::serve::said::{CLASS, Kind, Program, Tuple};
use rusqlite::types::Value as Word;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

/// Most different combinations of words: a program that makes more is told so.
const TUPLES_MAX: usize = 200_000;

/// Most different programs: projects in their versions on their systems.
const PROGRAMS_MAX: usize = 10_000;

impl Store {
    /// Forgets the numbers that it knows: some are no longer there.
    pub(super) fn forget(&mut self) {
        self.tuples.clear();
        self.programs.clear();
    }

    /// The number of `tuple`, which is said today.
    pub(super) fn tuple(&mut self, tuple: &Tuple, today: u64) -> Result<i64, Error> {
        if let Some((id, _)) = self.tuples.get(tuple).filter(|(_, day)| *day == today) {
            return Ok(*id);
        }
        let found = self
            .sums
            .prepare_cached("SELECT id FROM tuples WHERE kind = ?1 AND name = ?2 AND attributes = ?3")?
            .query_row(params![tuple.kind as u8, tuple.name, tuple.attributes], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => {
                self.sums
                    .prepare_cached("UPDATE tuples SET day = ?2 WHERE id = ?1")?
                    .execute(params![id, today])?;
                id
            }
            None => {
                self.has_room("tuples", TUPLES_MAX)?;
                added(&self.sums, tuple, today)?
            }
        };
        self.tuples.insert(tuple.clone(), (id, today));
        Ok(id)
    }

    /// The number of `program`, which speaks today.
    pub(super) fn program(&mut self, program: &Program, today: u64) -> Result<i64, Error> {
        if let Some((id, _)) = self.programs.get(program).filter(|(_, day)| *day == today) {
            return Ok(*id);
        }
        let Program { project, version, system } = program;
        let found = self
            .sums
            .prepare_cached("SELECT id FROM programs WHERE project = ?1 AND version = ?2 AND system = ?3")?
            .query_row(params![project, version, system], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => {
                self.sums
                    .prepare_cached("UPDATE programs SET day = ?2 WHERE id = ?1")?
                    .execute(params![id, today])?;
                id
            }
            None => {
                self.has_room("programs", PROGRAMS_MAX)?;
                let mut insert = self.sums.prepare_cached(
                    "INSERT INTO programs(project, version, system, day) VALUES(?1, ?2, ?3, ?4)",
                )?;
                insert.insert(params![project, version, system, today])?
            }
        };
        self.programs.insert(program.clone(), (id, today));
        Ok(id)
    }

    fn has_room(&self, table: &str, most: usize) -> Result<(), Error> {
        let count: usize = self
            .sums
            .prepare_cached(&format!("SELECT count(*) FROM {table}"))?
            .query_row([], |row| row.get(0))?;
        if count < most { Ok(()) } else { Err(Error::TooManyWords) }
    }
}

/// A new number for `tuple`, and its words.
pub(super) fn added(sums: &Connection, tuple: &Tuple, today: u64) -> Result<i64, Error> {
    let kind = tuple.kind as u8;
    let id = sums
        .prepare_cached("INSERT INTO tuples(kind, name, attributes, day) VALUES(?1, ?2, ?3, ?4)")?
        .insert(params![kind, tuple.name, tuple.attributes, today])?;
    for (key, word) in words(tuple) {
        let of = params![kind, tuple.name, key, word];
        sums.prepare_cached("INSERT OR IGNORE INTO words(kind, name, key, value) VALUES(?1, ?2, ?3, ?4)")?
            .execute(of)?;
        let number: i64 = sums
            .prepare_cached("SELECT id FROM words WHERE kind = ?1 AND name = ?2 AND key = ?3 AND value = ?4")?
            .query_row(of, |row| row.get(0))?;
        sums.prepare_cached("INSERT OR IGNORE INTO parts VALUES(?1, ?2)")?.execute(params![id, number])?;
    }
    Ok(id)
}

/// The words of `tuple`.
fn words(tuple: &Tuple) -> Vec<(String, Word)> {
    let text = |text: &str| Word::Text(text.to_owned());
    let Ok(mut attributes) = serde_json::from_str::<Map<String, Value>>(&tuple.attributes) else {
        // The rest of what too few said.
        let whole = (REST.to_owned(), text(REST));
        return if tuple.kind == Kind::Event { vec![(String::new(), text("")), whole] } else { vec![whole] };
    };
    match tuple.kind {
        Kind::Event if tuple.name == CRASH => {
            vec![(String::new(), text("")), (REST.to_owned(), text(&tuple.attributes))]
        }
        Kind::Event => {
            let words = attributes.into_iter().map(|(key, value)| (key, word(&value)));
            std::iter::once((String::new(), text(""))).chain(words).collect()
        }
        Kind::Sum => vec![(REST.to_owned(), text(&tuple.attributes))],
        Kind::Class => {
            let class = attributes.get(CLASS).map_or(Word::Integer(0), word);
            attributes.retain(|key, _| key != CLASS);
            vec![(Value::Object(attributes).to_string(), class)]
        }
    }
}

fn word(value: &Value) -> Word {
    match value {
        Value::String(text) => Word::Text(text.clone()),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Word::Real(number.as_f64().unwrap_or(0.0)), Word::Integer)
        }
        other => Word::Text(other.to_string()),
    }
}
