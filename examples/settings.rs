//! A desktop application whose settings page has a switch for telemetry: `cargo run --example settings`. Lines of standard input
//! stand for clicks: `on`, `off`, `status`, `save` (what the application does), `quit`.

use automagik_telemetry::{FeatureUsed, Label, Schema, Telemetry};
use std::io::BufRead;

#[derive(Label, Clone, Copy)]
enum Feature {
    SaveDocument,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "editor")]
enum Editor {
    Feature(FeatureUsed<Feature>),
}

fn main() {
    // One handle, made once. It follows the person for as long as the application runs.
    let telemetry = Telemetry::<Editor>::builder().start();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match line.trim() {
            "on" => match telemetry.turn_on() {
                Ok(_) if telemetry.is_on() => {
                    println!("Thank you. This is what may be sent:\n{}", telemetry.rights().inventory())
                }
                Ok(_) => println!("It stays off: {}.", telemetry.decision().because().sentence()),
                Err(error) => println!("Your answer counts until you quit; it could not be kept: {error}"),
            },
            "off" => match telemetry.turn_off() {
                Ok((_, deleted)) => {
                    println!("It is off. {deleted} waiting records were deleted; nothing was sent.")
                }
                Err(error) => println!("It is off until you quit; that could not be kept: {error}"),
            },
            "status" => println!("{}", telemetry.rights().status()),
            "save" => telemetry.record(FeatureUsed { feature: Feature::SaveDocument }),
            "quit" => break,
            other => println!("on, off, status, save or quit, not {other:?}"),
        }
    }
}
