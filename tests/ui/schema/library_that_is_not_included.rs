//! Events that no inventory of the program would show.

use automagik_telemetry::{FeatureUsed, Label, Library, Schema, Telemetry};

#[derive(Label, Clone, Copy)]
enum Feature {
    ListContacts,
}

#[derive(Library)]
enum Parser {
    Used(FeatureUsed<Feature>),
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app")]
enum App {
    Used(FeatureUsed<Feature>),
}

fn main() {
    let telemetry = Telemetry::<App>::builder().start();
    let _ = telemetry.library::<Parser>();
}
