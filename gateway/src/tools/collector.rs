//! Manifests as a file of configuration for the OpenTelemetry Collector (contrib 0.151 or later): what a second `--config` adds to the operator's own.
//!
//! ```text
//!  transform/manifests: keeps the keys that a record can have ──► filter/manifests: drops what is in no manifest
//! ```
//!
//! Conditions are of the Collector's own language (OTTL). Values are compared with all that they can be; what is a number is in its range; what is made of digits
//! (a pseudonym, the stack of a crash) matches an expression that no text fits. A record for which a condition holds is dropped.

mod conditions;

use crate::known::system::{HOST_ARCH, OS_TYPE};
use crate::known::vocabulary::Vocabulary;
use automagik_telemetry_core::manifest::{Error, Manifest, ManifestEvent, ManifestField, ManifestMetric};
use automagik_telemetry_core::resource::INSTALLATION_ID;
use conditions::{Path, all, any, text};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// What the resource of a program of this library says.
const RESOURCE: [&str; 8] = [
    "service.name",
    "service.version",
    "telemetry.sdk.name",
    "telemetry.sdk.language",
    "telemetry.sdk.version",
    OS_TYPE,
    HOST_ARCH,
    INSTALLATION_ID,
];

/// What resources of one kind can say: those of versions with one manifest, and those that name no version, of which each manifest of the project may be.
struct Group<'a> {
    /// Events by their names, one or more of each.
    events: BTreeMap<&'a str, Vec<ManifestEvent<'a>>>,
    /// Metrics by theirs.
    metrics: BTreeMap<&'a str, Vec<ManifestMetric<'a>>>,
    /// That a resource is of this kind.
    is_of_it: String,
    /// All versions of the project: it is the next run that tells a crash, perhaps of a newer one.
    versions: Vec<&'a str>,
}

impl<'a> Group<'a> {
    fn new(manifests: &[Manifest<'a>], is_of_it: String, versions: Vec<&'a str>) -> Self {
        let events = by_name(manifests.iter().flat_map(Manifest::events), |event| event.name);
        let metrics = by_name(manifests.iter().flat_map(Manifest::metrics), |metric| metric.name);
        Self { events, metrics, is_of_it, versions }
    }
}

fn by_name<'a, T>(items: impl Iterator<Item = T>, name: impl Fn(&T) -> &'a str) -> BTreeMap<&'a str, Vec<T>> {
    let mut named: BTreeMap<_, Vec<T>> = BTreeMap::new();
    items.for_each(|item| named.entry(name(&item)).or_default().push(item));
    named
}

/// The names of all `fields`.
fn names<'a>(fields: impl IntoIterator<Item = ManifestField<'a>>) -> BTreeSet<&'a str> {
    fields.into_iter().map(|field| field.name).collect()
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
        let of_name = Path::of("resource", "service.name").is(project);
        let version = Path::of("resource", "service.version");
        let mut all_manifests = Vec::new();
        for alike in of_project.chunk_by(|one, other| one.fingerprint == other.fingerprint) {
            let Some(first) = alike.first() else { continue };
            let manifest = Manifest::decode(&first.manifest)?;
            all_manifests.push(manifest);
            let is_of_it = all([of_name.clone(), any(alike.iter().map(|of| version.is(&of.version)))]);
            groups.push(Group::new(&[manifest], is_of_it, versions.clone()));
        }
        // A gateway that does not know the version says none.
        let is_of_it = all([of_name, version.is_absent()]);
        groups.push(Group::new(&all_manifests, is_of_it, versions));
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
        of.events.iter().map(move |(name, events)| {
            let fields = names(events.iter().flat_map(ManifestEvent::fields));
            let known = keys(conditions::keys(name, fields));
            format!("keep_keys(log.attributes, {known}) where {} and {}", of.is_of_it, Path::EVENT.is(name))
        })
    });
    list(file, "log", "statements", events);
    file.push_str("    metric_statements:\n");
    around(file);
    list(file, "metric", "statements", ["keep_keys(metric.metadata, [])".to_owned()]);
    let metrics = groups.iter().flat_map(|of| {
        of.metrics.iter().map(move |(name, metrics)| {
            let known = keys(names(metrics.iter().flat_map(ManifestMetric::labels)));
            format!(
                "keep_keys(datapoint.attributes, {known}) where {} and {}",
                of.is_of_it,
                Path::METRIC.is(name)
            )
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
        let known = any(of.events.keys().map(|name| Path::EVENT.is(name)));
        dropped.push(format!("{} and not {known}", of.is_of_it));
        dropped.extend(of.events.iter().map(|(name, events)| {
            let fields = names(events.iter().flat_map(ManifestEvent::fields));
            let said = events.iter().map(|event| all(conditions::event(event, &of.versions, &fields)));
            format!("{} and {} and not {}", of.is_of_it, Path::EVENT.is(name), any(said))
        }));
    }
    list(file, "log", "conditions", dropped);
    file.push_str("    metric_conditions:\n");
    let mut dropped = vec![is_known()];
    dropped.extend(conditions::origin());
    dropped.push("metric.description != \"\"".to_owned());
    for of in groups {
        let forms = of.metrics.values().flatten().map(|metric| all(conditions::metric(metric)));
        dropped.push(format!("{} and not {}", of.is_of_it, any(forms.collect::<BTreeSet<_>>())));
    }
    list(file, "metric", "conditions", dropped);
    let points = groups.iter().flat_map(|of| {
        of.metrics.iter().map(move |(name, metrics)| {
            let labels = names(metrics.iter().flat_map(ManifestMetric::labels));
            let said = metrics.iter().map(|metric| all(conditions::labels(metric, &labels)));
            format!(
                "{} and {} and not {}",
                of.is_of_it,
                Path::METRIC.is(name),
                any(said.collect::<BTreeSet<_>>())
            )
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
