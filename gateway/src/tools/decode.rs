//! A captured frame, for people: what it says, opened with a key.

use crate::known::keys::{Keys, hex};
use crate::known::manifests::Manifests;
use crate::known::vocabulary::{Value, Vocabulary};
use automagik_telemetry_core::Record;
use automagik_telemetry_core::frames::{Boot, Clear, Kind, MTU_MAX, Reader, Statement};
use automagik_telemetry_core::manifest::Manifest;
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Decodes frames one after the other: a hello is needed for the data that follow it.
#[derive(Debug, Default)]
pub struct Decoder {
    keys: Keys,
    manifests: Manifests,
    boots: HashMap<Boot, (u64, Arc<Vocabulary>, u32)>,
}

impl Decoder {
    /// One that knows these.
    #[must_use]
    pub fn new(keys: Keys, manifests: Manifests) -> Self {
        Self { keys, manifests, boots: HashMap::new() }
    }

    /// What `frame` says.
    ///
    /// # Errors
    ///
    /// Why it says nothing, and what would help.
    pub fn decode(&mut self, frame: &[u8]) -> Result<Json, String> {
        let clear = Clear::parse(frame).map_err(|error| error.to_string())?;
        let kind = format!("{:?}", clear.kind()).to_lowercase();
        let mut plain = [0; MTU_MAX];
        let said = match (clear.kind(), clear.boot()) {
            (Kind::Ask, _) => json!({ "kind": kind, "session": hex(&clear.session().to_le_bytes()) }),
            (Kind::Ack, _) => {
                let found = self.boots.iter().find_map(|(boot, (key, _, next))| {
                    let key = &self.keys.by_id(*key)?.key;
                    let acknowledges = |sequence: &u32| key.is_acknowledged(*boot, *sequence, frame);
                    Some((*boot, clear.sequences(*next).find(acknowledges)?))
                });
                let (boot, sequence) = found.ok_or("no key and boot that are known made it")?;
                json!({ "kind": kind, "boot": hex(&boot.bytes()), "sequence": sequence })
            }
            (Kind::Data, _) => {
                let same = self.boots.iter().filter(|(boot, _)| boot.session() == clear.session());
                let found = same.into_iter().find_map(|(boot, (key, vocabulary, next))| {
                    let key = &self.keys.by_id(*key)?.key;
                    let mut sequences = clear.sequences(*next);
                    let opens = |sequence: &u32| key.open(&clear, *boot, *sequence, &mut plain).is_ok();
                    Some((*boot, sequences.find(opens)?, Arc::clone(vocabulary)))
                });
                let (boot, sequence, vocabulary) =
                    found.ok_or("it needs the hello of its boot before it, and the key of that")?;
                let records = records(&vocabulary, &plain[..clear.sealed_len()])?;
                self.seen(boot, sequence, records.len());
                json!({ "kind": kind, "boot": hex(&boot.bytes()), "sequence": sequence, "records": records })
            }
            (_, Some(boot)) => {
                let next = self.boots.get(&boot).map_or(0, |(_, _, next)| *next);
                let found = self.keys.candidates(boot, clear.hint(), None).find_map(|known| {
                    let opens = |sequence: &u32| known.key.open(&clear, boot, *sequence, &mut plain).is_ok();
                    Some((known.id, clear.sequences(next).find(opens)?))
                });
                let (key, sequence) = found.ok_or("no key opens it: is the device's key among them?")?;
                let read =
                    Statement::read(&plain[..clear.sealed_len()]).map_err(|error| error.to_string())?;
                let (statement, stream) = read;
                let known =
                    self.manifests.find(statement.fingerprint, statement.version).ok_or_else(|| {
                        format!(
                            "there is no manifest whose fingerprint ends in {:08x}",
                            statement.fingerprint
                        )
                    })?;
                let mut said = json!({
                    "kind": kind, "boot": hex(&boot.bytes()), "sequence": sequence, "project": known.vocabulary.project,
                    "version": known.is_version.then(|| known.vocabulary.version.clone()),
                    "pseudonym": hex(&statement.pseudonym), "start": statement.start,
                });
                self.boots.insert(boot, (key, Arc::clone(&known.vocabulary), next));
                let mut count = 1;
                if clear.kind() == Kind::Once {
                    let records = records(&known.vocabulary, stream)?;
                    count = records.len();
                    said["records"] = records.into();
                }
                self.seen(boot, sequence, count);
                said
            }
            _ => return Err("the bytes are not a frame".to_owned()),
        };
        Ok(said)
    }

    fn seen(&mut self, boot: Boot, sequence: u32, count: usize) {
        if let Some((_, _, next)) = self.boots.get_mut(&boot) {
            *next = (*next).max(sequence.saturating_add(u32::try_from(count).unwrap_or(u32::MAX)));
        }
    }
}

fn records(vocabulary: &Vocabulary, stream: &[u8]) -> Result<Vec<Json>, String> {
    let records: Result<Vec<Record>, _> = Reader::new(vocabulary, stream).collect();
    let records = records.map_err(|error| error.to_string())?;
    Ok(records.iter().map(|record| said(vocabulary, record)).collect())
}

/// What a record says, its time in steps since the boot began.
fn said(vocabulary: &Vocabulary, record: &Record) -> Json {
    let mut said = Map::new();
    said.insert("time".to_owned(), record.time().steps().into());
    if let Some((delta, metric)) =
        record.as_delta().and_then(|delta| Some((delta, vocabulary.metrics.get(delta.metric)?)))
    {
        said.insert("metric".to_owned(), metric.name.as_str().into());
        let classes = metric.kind.cells();
        if classes > 1 {
            said.insert("class".to_owned(), (delta.cell % classes).into());
        }
        for (name, word) in metric.words(delta.cell / classes) {
            said.insert(name.to_owned(), word.into());
        }
        said.insert("count".to_owned(), delta.count.into());
        said.insert("steps".to_owned(), delta.end.steps().saturating_sub(delta.start.steps()).into());
        return Json::Object(said);
    }
    // The manifest has the words: those of the vocabulary are bytes that leave.
    let Ok(manifest) = Manifest::decode(&vocabulary.manifest) else { return Json::Object(said) };
    let Some(event) = manifest.events().nth(usize::from(record.event())) else { return Json::Object(said) };
    said.insert("event".to_owned(), event.name.into());
    let mut rest = record.bits();
    for field in event.fields() {
        let ordinal = rest & ((1 << field.bits()) - 1);
        rest >>= field.bits();
        match Value::of(&field, ordinal) {
            None => {}
            Some(Value::Word(word)) => drop(said.insert(field.name.to_owned(), word.into())),
            Some(Value::Bool(flag)) => drop(said.insert(field.name.to_owned(), flag.into())),
            Some(Value::Number(number)) => drop(said.insert(field.name.to_owned(), number.into())),
        }
    }
    Json::Object(said)
}
