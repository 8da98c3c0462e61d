//! One name for two kinds of thing.

use automagik_telemetry::{Event, FeatureUsed, Label, Library, Schema};

#[derive(Label, Clone, Copy)]
enum Feature {
    ListContacts,
}

#[derive(Event)]
#[event(name = "automagik.feature.used")]
struct Used {
    syntax: Feature,
}

#[derive(Library)]
enum Parser {
    Used(Used),
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app", include = Parser)]
enum App {
    Used(FeatureUsed<Feature>),
}

fn main() {
    let _ = FeatureUsed { feature: Feature::ListContacts };
}
