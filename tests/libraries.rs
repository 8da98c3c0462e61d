//! A library brings events and metrics of its own: one inventory, one consent, one request for the program that includes it.

use automagik_telemetry::{
    Counter, Environment, FeatureUsed, Histogram, Inventory, Label, LibraryTelemetry, Metrics, Milliseconds,
    Schema, Telemetry,
};
use automagik_telemetry_test_support::Receiver;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// As its author would write it: it knows nothing of the program.
mod parser {
    use automagik_telemetry::{Counter, Event, FeatureUsed, Label, Library, LibraryTelemetry, Metrics};

    #[derive(Label, Clone, Copy)]
    pub(crate) enum Syntax {
        Table,
        Footnote,
    }

    #[derive(Event)]
    #[event(name = "parser.failed", severity = "error")]
    pub(crate) struct Failed {
        pub(crate) syntax: Syntax,
    }

    #[derive(Metrics)]
    pub(crate) struct Counts {
        #[metric(name = "parser.documents")]
        pub(crate) documents: Counter<()>,
    }

    /// Named like an event that programs have, and with the same field.
    #[derive(Library)]
    #[library(metrics = Counts)]
    pub(crate) enum Events {
        Syntax(FeatureUsed<Syntax>),
        Failed(Failed),
    }

    pub(crate) struct Parser {
        pub(crate) telemetry: LibraryTelemetry<Events>,
    }

    impl Parser {
        pub(crate) fn parse(&self) {
            Counts::global().documents.add(());
            self.telemetry.record(FeatureUsed { feature: Syntax::Footnote });
            self.telemetry.record(Failed { syntax: Syntax::Table });
        }
    }
}

/// A second one.
mod network {
    use automagik_telemetry::{ErrorCategory, ErrorOccurred, Label, Library};

    #[derive(Label, Clone, Copy)]
    pub(crate) enum Code {
        #[label("NET-7")]
        Seven,
    }

    #[derive(Library)]
    pub(crate) enum Events {
        Error(ErrorOccurred<Code>),
    }

    pub(crate) const SEVEN: ErrorOccurred<Code> =
        ErrorOccurred { code: Code::Seven, category: ErrorCategory::Network };
}

#[derive(Label, Clone, Copy)]
enum Feature {
    Export,
}

#[derive(Metrics)]
struct OmniMetrics {
    #[metric(name = "omni.starts")]
    starts: Counter<()>,
    #[metric(name = "omni.export.duration", by = "feature")]
    export: Histogram<Feature, Milliseconds>,
}

#[derive(Schema)]
#[schema(
    organization = "automagik",
    project = "omni",
    metrics = OmniMetrics,
    include = parser::Events,
    include = network::Events,
)]
enum Omni {
    Feature(FeatureUsed<Feature>),
}

/// Counts are the process's: whoever takes them takes those of a test beside it.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn telemetry(home: &std::path::Path, collector: &Receiver, enabled: &str) -> Telemetry<Omni> {
    let environment = Environment::at(home)
        .with("AUTOMAGIK_TELEMETRY_ENABLED", enabled)
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
    Telemetry::<Omni>::builder()
        .environment(environment)
        .interval(Duration::from_millis(300))
        .build()
        .unwrap()
}

#[test]
fn the_program_and_its_libraries_have_one_request_and_one_inventory() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (home, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
    let telemetry = telemetry(home.path(), &collector, "true");
    let parser = parser::Parser { telemetry: telemetry.library() };
    telemetry.record(FeatureUsed { feature: Feature::Export });
    parser.parse();
    telemetry.library::<network::Events>().record(network::SEVEN);
    OmniMetrics::global().starts.add(());
    OmniMetrics::global().export.record(Feature::Export, Milliseconds::new(9));
    telemetry.flush(Duration::from_secs(30)).unwrap();

    let logs = collector.logs();
    let told: Vec<(String, String)> =
        logs.iter().map(|log| (log.event.clone(), format!("{:?}", log.attributes))).collect();
    assert_eq!(told.len(), 4, "{told:?}");
    for ((event, word), (found, attributes)) in [
        ("automagik.feature.used", "export"),
        ("automagik.feature.used", "footnote"),
        ("parser.failed", "table"),
        ("automagik.error", "NET-7"),
    ]
    .into_iter()
    .zip(&told)
    {
        assert!(found == event && attributes.contains(word), "{event} {word}: {told:?}");
    }
    let requests = collector.requests();
    assert_eq!(requests.iter().filter(|request| request.path.ends_with("/v1/logs")).count(), 1);
    assert_eq!(requests.iter().filter(|request| request.path.ends_with("/v1/metrics")).count(), 1);
    let metrics = requests.iter().find(|request| request.path.ends_with("/v1/metrics")).unwrap();
    for name in ["omni.starts", "omni.export.duration", "parser.documents"] {
        assert!(metrics.body.windows(name.len()).any(|part| part == name.as_bytes()), "{name}");
    }
    let inventory = Inventory::of::<Omni>().to_string();
    for text in ["export", "footnote", "parser.failed", "NET-7", "parser.documents", "omni.starts"] {
        assert!(inventory.contains(text), "{text}: {inventory}");
    }
}

#[test]
fn without_the_persons_yes_a_library_records_nothing_either() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (home, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
    for telemetry in [telemetry(home.path(), &collector, "false").library(), LibraryTelemetry::off()] {
        parser::Parser { telemetry }.parse();
    }
    assert_eq!(collector.connections(), 0);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_library_follows_the_person_as_the_program_does() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (home, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
    let environment = Environment::at(home.path()).with("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
    let telemetry = Telemetry::<Omni>::builder().environment(environment).start();
    let parser = parser::Parser { telemetry: telemetry.library() };
    parser.parse();
    telemetry.turn_on().unwrap();
    parser.parse();
    telemetry.flush(Duration::from_secs(30)).unwrap();
    assert_eq!(collector.logs().len(), 2);
    telemetry.turn_off().unwrap();
    parser.parse();
    assert_eq!(collector.logs().len(), 2);
}
