//! A library that would ask people for a consent of its own.

use automagik_telemetry::{FeatureUsed, Label, Library, Telemetry};

#[derive(Label, Clone, Copy)]
enum Feature {
    ListContacts,
}

#[derive(Library)]
enum Parser {
    Used(FeatureUsed<Feature>),
}

fn main() {
    let _ = Telemetry::<Parser>::builder();
}
