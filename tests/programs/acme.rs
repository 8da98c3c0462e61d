//! A program of an organization of its own, in two versions: for tests of whole processes. `acme run`, `acme telemetry status`; with
//! `ACME_NEXT=1` it is its next version, which can say more.

use automagik_telemetry::{
    CommandExecuted, FeatureUsed, Includes, Label, Milliseconds, Schema, Telemetry, Terminal, cli,
};
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Label, Clone, Copy)]
enum Command {
    Run,
}

#[derive(Label, Clone, Copy)]
enum Feature {
    Schedule,
}

#[derive(Schema)]
#[schema(
    organization = "acme",
    project = "thermostat",
    version = "1.0.0",
    endpoint = "http://127.0.0.1:9",
    privacy_policy = "https://acme.example/privacy"
)]
enum First {
    Command(CommandExecuted<Command>),
}

#[derive(Schema)]
#[schema(organization = "acme", project = "thermostat", version = "2.0.0", endpoint = "http://127.0.0.1:9")]
enum Next {
    Command(CommandExecuted<Command>),
    Feature(FeatureUsed<Feature>),
}

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Choice,
}

#[derive(Subcommand)]
enum Choice {
    /// Does something
    Run,
    #[command(subcommand)]
    Telemetry(cli::Command),
}

fn run<S: Schema + Includes<CommandExecuted<Command>>>(arguments: Arguments) -> (ExitCode, Telemetry<S>) {
    let builder = Telemetry::<S>::builder().wait_at_exit(Duration::from_secs(5)).ask(Terminal::new());
    match arguments.command {
        Choice::Telemetry(command) => (command.run(builder), Telemetry::<S>::builder().opt_out(true).start()),
        Choice::Run => {
            let telemetry = builder.start();
            println!("warm");
            let duration = Milliseconds::new(1);
            telemetry.record(CommandExecuted { command: Command::Run, success: true, duration });
            (ExitCode::SUCCESS, telemetry)
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if std::env::var_os("ACME_NEXT").is_none() {
        return run::<First>(arguments).0;
    }
    let (code, telemetry) = run::<Next>(arguments);
    telemetry.record(FeatureUsed { feature: Feature::Schedule });
    code
}
