//! What a person's yes was given to: the manifests of an organization's programs, beside the answer. A version that can say more is shown
//! once, before it records anything.
//!
//! ```text
//! <config>/agreed/<project>-<fingerprint>.cbor
//! ```
//!
//! A yes covers all programs of the organization, so the first version of a program that runs under it is taken as it is. A yes in a
//! variable is for whatever version it is set for.

use crate::files::disk;
use crate::person::environment::Environment;
use crate::person::inventory::Inventory;
use automagik_telemetry_core::manifest::{MANIFEST_LEN_MAX, Manifest, ManifestField, ManifestValues};
use automagik_telemetry_core::metric::Kind;
use automagik_telemetry_core::schema::SchemaDescriptor;
use std::fmt;
use std::path::{Path, PathBuf};

/// Most lines of [`News`] that a person is shown.
const LINES_MAX: usize = 12;

/// What a version of a program can send beyond what the person agreed to. `Display` is a few lines for a terminal; made where the stored
/// answer is a yes.
#[derive(Clone, Debug)]
pub struct News {
    project: &'static str,
    version: &'static str,
    lines: Vec<String>,
}

impl News {
    /// Returns the program's project.
    #[must_use]
    pub fn project(&self) -> &'static str {
        self.project
    }

    /// Returns what is new, a line for each event, field or metric.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (project, version) = (self.project, self.version);
        writeln!(f, "{project} {version} can send more than the version that you agreed to. New is:")?;
        self.lines.iter().take(LINES_MAX).try_for_each(|line| writeln!(f, "  {line}"))?;
        if let Some(more @ 1..) = self.lines.len().checked_sub(LINES_MAX) {
            writeln!(f, "  and {more} more: `{project} telemetry inventory` lists all")?;
        }
        writeln!(f, "You said yes, so this is sent from now on; `{project} telemetry off` ends it.")
    }
}

/// One thing that can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    /// The event or metric, and the field.
    of: String,
    said: Said,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Word(String),
    Range(u32, u32),
    /// A flag, a class, that it happened, how often.
    Kind(&'static str),
    /// Times in steps of so many seconds.
    Steps(u32),
}

impl Said {
    /// Whether what could be said is no less than this.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Range(first, last), Self::Range(other_first, other_last)) => {
                first <= other_first && last >= other_last
            }
            (Self::Steps(seconds), Self::Steps(other)) => seconds <= other,
            _ => self == other,
        }
    }
}

/// Whether the program of `schema` can say more than what was agreed to.
pub(crate) fn is_wider(environment: &Environment, schema: &'static SchemaDescriptor) -> bool {
    news(environment, schema).is_some()
}

/// What it can say beyond that; `None` if there is nothing, or where no version of it was there before.
pub(crate) fn news(environment: &Environment, schema: &'static SchemaDescriptor) -> Option<News> {
    let folder = folder(environment)?;
    if folder.join(name(schema)).exists() {
        return None;
    }
    let agreed: Vec<Inventory> =
        inventories(&folder, schema.project()).map(|(_, inventory)| inventory).collect();
    if agreed.is_empty() {
        return None;
    }
    let before: Vec<Item> = agreed.iter().flat_map(items).collect();
    let lines =
        lines(items(&Inventory::of_schema(schema)).into_iter().filter(|item| !is_covered(item, &before)));
    (!lines.is_empty()).then(|| News { project: schema.project(), version: schema.version(), lines })
}

/// The person agrees to what the program of `schema` can say, or it is not more than what they agreed to. Where that can't be
/// kept, the next run is as this one.
pub(crate) fn note(environment: &Environment, schema: &'static SchemaDescriptor) {
    let Some(folder) = folder(environment) else { return };
    if folder.join(name(schema)).exists() {
        return;
    }
    let now = Inventory::of_schema(schema);
    let kept = disk::make_folder(&folder).and_then(|()| disk::publish(&folder, &name(schema), now.cbor()));
    if kept.is_err() {
        return;
    }
    // What this one says as well needs no file.
    let now = items(&now);
    for (path, inventory) in inventories(&folder, schema.project()) {
        let is_said_now =
            path != folder.join(name(schema)) && items(&inventory).iter().all(|item| is_covered(item, &now));
        if is_said_now {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Nobody agrees to anything any more.
pub(crate) fn clear(environment: &Environment) {
    if let Some(folder) = folder(environment) {
        let _ = std::fs::remove_dir_all(folder);
    }
}

fn folder(environment: &Environment) -> Option<PathBuf> {
    environment.config().map(|config| config.join("agreed"))
}

fn name(schema: &SchemaDescriptor) -> String {
    format!("{}-{:016x}.cbor", schema.project(), schema.fingerprint())
}

/// The manifests of `project` in `folder`, and their files; what is none is passed over.
fn inventories(folder: &Path, project: &str) -> impl Iterator<Item = (PathBuf, Inventory)> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().filter_map(move |entry| {
        let name = entry.file_name().into_string().ok()?;
        let (of, _) = name.strip_suffix(".cbor")?.rsplit_once('-')?;
        if of != project {
            return None;
        }
        let cbor = disk::read(&entry.path(), MANIFEST_LEN_MAX as u64 + 1).ok()??;
        Some((entry.path(), Inventory::from_cbor(cbor).ok()?))
    })
}

fn is_covered(item: &Item, before: &[Item]) -> bool {
    before.iter().any(|earlier| earlier.of == item.of && earlier.said.covers(&item.said))
}

/// All that an inventory lists.
fn items(inventory: &Inventory) -> Vec<Item> {
    inventory.manifest().map(|manifest| items_of(&manifest)).unwrap_or_default()
}

fn items_of(manifest: &Manifest<'_>) -> Vec<Item> {
    let mut items = vec![Item { of: "times".to_owned(), said: Said::Steps(manifest.resolution().seconds()) }];
    for event in manifest.events() {
        items.push(Item { of: event.name.to_owned(), said: Said::Kind("that it happened") });
        event.fields().for_each(|field| push_field(&mut items, event.name, &field));
    }
    for metric in manifest.metrics() {
        let counted = match metric.kind {
            Kind::Counter => "how often",
            Kind::Histogram => "how often in each size class",
        };
        items.push(Item { of: metric.name.to_owned(), said: Said::Kind(counted) });
        metric.labels().for_each(|label| push_field(&mut items, metric.name, &label));
    }
    items
}

fn push_field(items: &mut Vec<Item>, of: &str, field: &ManifestField<'_>) {
    let of = format!("{of}, {}", field.name);
    let said: Vec<Said> = match field.values {
        ManifestValues::Words(words) => words.map(|word| Said::Word(word.to_owned())).collect(),
        ManifestValues::Bool => vec![Said::Kind("true or false")],
        ManifestValues::Range { first, last } => vec![Said::Range(first, last)],
        ManifestValues::Bucket => vec![Said::Kind("a size class")],
        ManifestValues::CodeLocation => vec![Said::Kind("a place in the program")],
        ManifestValues::Stack => vec![Said::Kind("the stack of a crash")],
    };
    items.extend(said.into_iter().map(|said| Item { of: of.clone(), said }));
}

/// A line for each event, field or metric: words of one field stand together.
fn lines(items: impl Iterator<Item = Item>) -> Vec<String> {
    let mut lines: Vec<(String, String)> = Vec::new();
    for Item { of, said } in items {
        let said = match said {
            Said::Word(word) => word,
            Said::Range(first, last) => format!("a whole number from {first} to {last}"),
            Said::Kind(text) => text.to_owned(),
            Said::Steps(seconds) => format!("in steps of {seconds} s"),
        };
        match lines.last_mut() {
            Some((last, text)) if *last == of => {
                text.push_str(", ");
                text.push_str(&said);
            }
            _ => lines.push((of, said)),
        }
    }
    lines.into_iter().map(|(of, said)| format!("{of}: {said}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use automagik_telemetry_core::event::{EventDescriptor, FieldDescriptor, Ordinals};
    use automagik_telemetry_core::field::{Domain, Values};
    use automagik_telemetry_core::schema::{Checked, Schema};
    use automagik_telemetry_core::time::Resolution;

    const fn field(name: &'static str, values: Values) -> FieldDescriptor {
        FieldDescriptor { name, domain: Domain::new(values), harmless: None }
    }

    const fn event(name: &'static str, fields: &'static [FieldDescriptor]) -> EventDescriptor {
        EventDescriptor { name, severity: automagik_telemetry_core::Severity::Info, fields }
    }

    macro_rules! version {
        ($name:ident, $resolution:ident, $($events:expr),+) => {
            struct $name;
            impl Schema for $name {
                const ORGANIZATION: &'static str = "automagik";
                const PROJECT: &'static str = "app";
                const VERSION: &'static str = "1.0.0";
                const RESOLUTION: Resolution = Resolution::$resolution;
                const EVENTS: &'static [EventDescriptor] = &[$($events),+];
                fn position(&self) -> (u16, Ordinals) {
                    (0, Ordinals::new([]))
                }
            }
        };
    }

    const RAN: EventDescriptor = event("app.ran", &[field("command", Values::Words(&["list", "create"]))]);
    version!(First, Minute, RAN);
    version!(Reordered, Hour, event("app.ran", &[field("command", Values::Words(&["create", "list"]))]));
    version!(
        Wider,
        Second,
        event(
            "app.ran",
            &[
                field("command", Values::Words(&["list", "create", "delete", "move"])),
                field("success", Values::Bool)
            ]
        ),
        event("app.seen", &[field("rows", Values::Range { first: 0, last: 9 })])
    );
    version!(Range, Second, event("app.seen", &[field("rows", Values::Range { first: 0, last: 8 })]));

    fn of<S: Schema>() -> &'static SchemaDescriptor {
        Checked::<S>::DESCRIPTOR
    }

    #[test]
    fn what_is_new_is_named_until_it_is_agreed_to() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::at(home.path());
        // The first version that runs under a yes.
        assert!(!is_wider(&environment, of::<First>()));
        note(&environment, of::<First>());
        assert!(!is_wider(&environment, of::<First>()) && !is_wider(&environment, of::<Reordered>()));
        let news = news(&environment, of::<Wider>()).unwrap();
        assert_eq!(
            news.lines(),
            [
                "times: in steps of 1 s",
                "app.ran, command: delete, move",
                "app.ran, success: true or false",
                "app.seen: that it happened",
                "app.seen, rows: a whole number from 0 to 9",
            ]
        );
        assert!(news.to_string().starts_with("app 1.0.0 can send more than the version that you agreed to."));
        note(&environment, of::<Wider>());
        assert!(!is_wider(&environment, of::<Wider>()) && !is_wider(&environment, of::<First>()));
        assert!(!is_wider(&environment, of::<Range>()), "less than what was agreed to");
        let files = std::fs::read_dir(folder(&environment).unwrap()).unwrap().count();
        assert_eq!(files, 1, "what a later version says as well needs no file");
    }

    #[test]
    fn another_project_and_another_organization_have_agreements_of_their_own() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::at(home.path());
        note(&environment, of::<First>());
        struct Other;
        impl Schema for Other {
            const ORGANIZATION: &'static str = "automagik";
            const PROJECT: &'static str = "app-two";
            const VERSION: &'static str = "1.0.0";
            const EVENTS: &'static [EventDescriptor] = Wider::EVENTS;
            fn position(&self) -> (u16, Ordinals) {
                (0, Ordinals::new([]))
            }
        }
        assert!(!is_wider(&environment, of::<Other>()));
        clear(&environment);
        assert!(!is_wider(&environment, of::<Wider>()));
    }

    #[test]
    fn noise_in_its_place_is_no_agreement() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::at(home.path());
        let folder = folder(&environment).unwrap();
        disk::make_folder(&folder).unwrap();
        std::fs::write(folder.join("app-0000000000000000.cbor"), b"noise").unwrap();
        assert!(!is_wider(&environment, of::<First>()));
    }
}
