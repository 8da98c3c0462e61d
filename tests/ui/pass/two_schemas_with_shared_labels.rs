//! Labels are shared between events and programs.

use automagik_telemetry::{CommandExecuted, FeatureUsed, Label, Milliseconds, Schema};

#[derive(Label, Clone, Copy)]
enum Thing {
    Contact,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "one")]
enum One {
    Used(FeatureUsed<Thing>),
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "two")]
enum Two {
    Used(FeatureUsed<Thing>),
    Ran(CommandExecuted<Thing>),
}

fn main() {
    let used = FeatureUsed { feature: Thing::Contact };
    let ran = CommandExecuted { command: Thing::Contact, success: true, duration: Milliseconds::new(1) };
    let _ = (One::Used(used), Two::Used(used), Two::Ran(ran));
}
