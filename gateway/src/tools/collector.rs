//! Manifests as a file of configuration for the OpenTelemetry Collector (contrib 0.151 or later): what a second `--config` adds to the operator's own.
//!
//! ```text
//!  transform/manifests: keeps the keys that a record can have ──► filter/manifests: drops what is in no manifest
//! ```
//!
//! Conditions are of the Collector's own language (OTTL). Values are compared with all that they can be; what is a number is in its range; what is made of digits
//! (a pseudonym, the stack of a crash) matches an expression that no text fits. A record for which a condition holds is dropped.

mod conditions;

use crate::intake::programs::crash::CRASH;
use crate::known::vocabulary::{RECORD_UID, Vocabulary};
use automagik_telemetry_core::manifest::{Error, Manifest};
use automagik_telemetry_core::resource::INSTALLATION_ID;
use conditions::{Path, all, any, text};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// What the resource of a program of this library says.
const RESOURCE: [&str; 8] = [
    "service.name",
    "service.version",
    "telemetry.sdk.name",
    "telemetry.sdk.language",
    "telemetry.sdk.version",
    "os.type",
    "host.arch",
    INSTALLATION_ID,
];

/// Versions of a program that can say the same.
struct Group<'a> {
    manifest: Manifest<'a>,
    /// That a resource is of one of them.
    is_of_it: String,
    /// All versions of the project: it is the next run that tells a crash, perhaps of a newer one.
    versions: Vec<&'a str>,
}

/// The file that keeps only what programs in `vocabularies` can say.
///
/// # Errors
///
/// [`Error`], where what was read as a manifest is none.
pub fn configuration<'a>(
    vocabularies: impl IntoIterator<Item = &'a Arc<Vocabulary>>,
) -> Result<String, Error> {
    let groups = groups(vocabularies)?;
    let mut file = "# Made by `telemetry-gateway manifest collector`. Give it to the Collector behind your own file: --config=collector.yaml --config=manifests.yaml\n\
         processors:\n"
        .to_owned();
    transform(&mut file, &groups);
    filter(&mut file, &groups);
    file.push_str("service:\n  pipelines:\n");
    for signal in ["logs", "metrics"] {
        let _ = writeln!(
            file,
            "    {signal}:\n      processors: [memory_limiter, transform/manifests, filter/manifests]"
        );
    }
    Ok(file)
}

fn groups<'a>(vocabularies: impl IntoIterator<Item = &'a Arc<Vocabulary>>) -> Result<Vec<Group<'a>>, Error> {
    let mut projects: BTreeMap<&str, Vec<&Vocabulary>> = BTreeMap::new();
    for vocabulary in vocabularies {
        projects.entry(&vocabulary.project).or_default().push(vocabulary);
    }
    let mut groups = Vec::new();
    for (project, mut of_project) in projects {
        of_project
            .sort_by(|one, other| (one.fingerprint, &one.version).cmp(&(other.fingerprint, &other.version)));
        let versions: Vec<&str> = of_project.iter().map(|of| of.version.as_str()).collect();
        for alike in of_project.chunk_by(|one, other| one.fingerprint == other.fingerprint) {
            let Some(first) = alike.first() else { continue };
            let version = Path::of("resource", "service.version");
            // A gateway that does not know the version says none.
            let names = alike.iter().map(|of| version.is(&of.version)).chain([version.is_absent()]);
            let is_of_it = all([Path::of("resource", "service.name").is(project), any(names)]);
            let manifest = Manifest::decode(&first.manifest)?;
            groups.push(Group { manifest, is_of_it, versions: versions.clone() });
        }
    }
    Ok(groups)
}

/// Keys that a record can't have are taken out.
fn transform(file: &mut String, groups: &[Group<'_>]) {
    let _ = writeln!(file, "  transform/manifests:\n    error_mode: propagate");
    let around = |file: &mut String| {
        list(file, "resource", "statements", [format!("keep_keys(resource.attributes, {})", keys(RESOURCE))]);
        list(file, "scope", "statements", ["keep_keys(scope.attributes, [])".to_owned()]);
    };
    file.push_str("    log_statements:\n");
    around(file);
    let events = groups.iter().flat_map(|of| {
        of.manifest.events().map(move |event| {
            let fields = event.fields().map(|field| field.name).chain([RECORD_UID]);
            let known = if event.name == CRASH { keys(conditions::crash_keys()) } else { keys(fields) };
            format!(
                "keep_keys(log.attributes, {known}) where {} and {}",
                of.is_of_it,
                Path("log.event_name".to_owned()).is(event.name)
            )
        })
    });
    list(file, "log", "statements", events);
    file.push_str("    metric_statements:\n");
    around(file);
    list(file, "metric", "statements", ["keep_keys(metric.metadata, [])".to_owned()]);
    let metrics = groups.iter().flat_map(|of| {
        of.manifest.metrics().map(move |metric| {
            let name = Path("metric.name".to_owned()).is(metric.name);
            let known = keys(metric.labels().map(|label| label.name));
            format!("keep_keys(datapoint.attributes, {known}) where {} and {name}", of.is_of_it)
        })
    });
    list(file, "datapoint", "statements", metrics);
}

/// What is left of a record is looked at, value by value.
fn filter(file: &mut String, groups: &[Group<'_>]) {
    // Where a condition fails, the request is refused and not let through.
    let _ = writeln!(file, "  filter/manifests:\n    error_mode: propagate");
    let is_known = || format!("not {}", any(groups.iter().map(|of| of.is_of_it.clone())));
    file.push_str("    log_conditions:\n");
    let mut dropped = vec![is_known()];
    dropped.extend(conditions::origin());
    dropped.extend(conditions::more_than_an_event());
    for of in groups {
        let name = Path("log.event_name".to_owned());
        let known = any(of.manifest.events().map(|event| name.is(event.name)));
        dropped.push(format!("{} and not {known}", of.is_of_it));
        dropped.extend(of.manifest.events().map(|event| {
            let said = all(conditions::event(&event, &of.versions));
            format!("{} and {} and not {said}", of.is_of_it, name.is(event.name))
        }));
    }
    list(file, "log", "conditions", dropped);
    file.push_str("    metric_conditions:\n");
    let mut dropped = vec![is_known()];
    dropped.extend(conditions::origin());
    dropped.push("metric.description != \"\"".to_owned());
    for of in groups {
        let known = any(of.manifest.metrics().map(|metric| all(conditions::metric(&metric))));
        dropped.push(format!("{} and not {known}", of.is_of_it));
    }
    list(file, "metric", "conditions", dropped);
    let points = groups.iter().flat_map(|of| {
        of.manifest.metrics().map(move |metric| {
            let name = Path("metric.name".to_owned()).is(metric.name);
            format!("{} and {name} and not {}", of.is_of_it, all(conditions::labels(&metric)))
        })
    });
    list(file, "datapoint", "conditions", points);
}

/// A list of strings.
fn keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    format!("[{}]", keys.into_iter().map(text).collect::<Vec<_>>().join(", "))
}

/// Lines of one context, each in quotes of YAML that escape nothing but themselves.
fn list(file: &mut String, context: &str, what: &str, lines: impl IntoIterator<Item = String>) {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_none() {
        return;
    }
    let _ = writeln!(file, "      - context: {context}\n        {what}:");
    for line in lines {
        let _ = writeln!(file, "          - '{}'", line.replace('\'', "''"));
    }
}
