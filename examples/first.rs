//! README's first example, as it stands there: `cargo run --example first`.

use automagik_telemetry::{FeatureUsed, Label, Schema, Telemetry};

/// The words that may be sent. There are no others.
#[derive(Label, Clone, Copy)]
enum Feature {
    ListContacts,
    #[label("export as CSV")]
    Export,
}

/// All that this program can ever send.
#[derive(Schema)]
#[schema(organization = "automagik", project = "omni")]
enum Omni {
    Feature(FeatureUsed<Feature>),
}

fn main() {
    // First in `main`: a run that is over at once leaves a process behind that delivers, and that ends here.
    // Off unless the person agreed: then there is no file, no thread, no socket and no process, and `record` is one branch.
    let telemetry = Telemetry::<Omni>::builder().upload_in_background(true).start();
    let feature = if std::env::args().len() > 1 { Feature::Export } else { Feature::ListContacts };
    telemetry.record(FeatureUsed { feature });
}
