//! A command line program with telemetry in it, as a user would write it:
//! `cargo run --features clap --example omni -- instance list`.

use automagik_telemetry::{CommandExecuted, Label, Schema, Stopwatch, Telemetry, Terminal, cli};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Every command whose use may be told. Arguments have no place here.
#[derive(Label, Clone, Copy)]
enum Command {
    #[label("omni instance list")]
    InstanceList,
    #[label("omni instance create")]
    InstanceCreate,
}

/// All that this program can ever send.
#[derive(Schema)]
#[schema(organization = "automagik", project = "omni")]
enum Omni {
    Command(CommandExecuted<Command>),
}

#[derive(Parser)]
#[command(about = "Manages instances (an example of automagik-telemetry)")]
struct Arguments {
    #[command(subcommand)]
    noun: Noun,
    #[command(flatten)]
    telemetry: cli::Flags,
}

#[derive(Subcommand)]
enum Noun {
    /// Manage instances
    #[command(subcommand)]
    Instance(Instance),
    #[command(subcommand)]
    Telemetry(cli::Command),
}

#[derive(Subcommand)]
enum Instance {
    /// List instances
    List,
    /// Create an instance
    Create { name: String },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let telemetry = Telemetry::<Omni>::builder()
        .verbose(arguments.telemetry.telemetry_verbose)
        .upload_in_background(true) // this program is over before a request would be
        .ask(Terminal::new()); // once, and only where somebody sits at a terminal
    let instance = match arguments.noun {
        Noun::Telemetry(command) => return command.run(telemetry),
        Noun::Instance(instance) => instance,
    };
    // Off unless the person at the keyboard has agreed. Nothing below can fail or wait because of it.
    let telemetry = telemetry.start();
    let started = Stopwatch::start();
    let command = match instance {
        Instance::List => {
            println!("no instances");
            Command::InstanceList
        }
        Instance::Create { name } => {
            println!("created {name}");
            Command::InstanceCreate
        }
    };
    telemetry.record(CommandExecuted { command, success: true, duration: started.elapsed() });
    ExitCode::SUCCESS
}
