//! A library is of no project.

use automagik_telemetry::{FeatureUsed, Label, Library};

#[derive(Label, Clone, Copy)]
enum Feature {
    ListContacts,
}

#[derive(Library)]
#[library(project = "parser")]
enum Parser {
    Used(FeatureUsed<Feature>),
}

fn main() {
    let _ = Parser::Used(FeatureUsed { feature: Feature::ListContacts });
}
