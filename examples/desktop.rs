//! A desktop application with a dialog of its own and a settings page: `cargo run --example desktop`. Lines of standard input stand
//! for clicks: `yes`, `no` or `later` in the dialog; then `on`, `off`, `status`, `save` (what the application does), `quit`.

use automagik_telemetry::{Ask, FeatureUsed, Label, News, Question, Reply, Schema, Telemetry};

#[derive(Label, Clone, Copy)]
enum Feature {
    SaveDocument,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "editor")]
enum Editor {
    Feature(FeatureUsed<Feature>),
}

/// The dialog. It is shown once, where nothing is decided: not where a variable, a file or an administrator said no.
struct Dialog;

impl Ask for Dialog {
    fn ask(&mut self, question: &Question) -> Reply {
        println!("{question}\n[yes] [no] [later]");
        match click().as_deref() {
            Some("yes") => Reply::Yes,
            Some("no") => Reply::No,
            _ => Reply::NotNow, // a dialog that is closed is no answer
        }
    }

    /// A later version can send more than the person agreed to: they are told before it does.
    fn news(&mut self, news: &News) -> bool {
        println!("{news}");
        true
    }
}

fn click() -> Option<String> {
    let mut line = String::new();
    let len = std::io::stdin().read_line(&mut line).ok()?;
    (len > 0).then(|| line.trim().to_owned())
}

fn main() {
    // One handle, made once. It follows the person for as long as the application runs.
    let telemetry = Telemetry::<Editor>::builder().ask(Dialog).start();
    while let Some(click) = click() {
        match click.as_str() {
            "on" => match telemetry.turn_on() {
                Ok(_) if telemetry.is_on() => {
                    println!("Thank you. This is what may be sent:\n{}", telemetry.rights().inventory());
                }
                Ok(_) => println!("It stays off: {}.", telemetry.decision().because().sentence()),
                Err(error) => println!("Your answer counts until you quit; it could not be kept: {error}"),
            },
            "off" => match telemetry.turn_off() {
                Ok((_, deleted)) => {
                    println!("It is off. {deleted} waiting records were deleted; nothing was sent.");
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
