//! A command line program with telemetry in it, as a user would write it:
//! `cargo run --example omni -- instance list`.

use automagik_telemetry::{CommandExecuted, Label, Milliseconds, Schema, Telemetry};
use clap::{Parser, Subcommand};
use std::time::Instant;

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
#[schema(project = "omni")]
enum Omni {
    Command(CommandExecuted<Command>),
}

#[derive(Parser)]
#[command(about = "Manages instances (an example of automagik-telemetry)")]
struct Arguments {
    #[command(subcommand)]
    noun: Noun,
    /// Show what telemetry sends
    #[arg(long, global = true)]
    telemetry_verbose: bool,
}

#[derive(Subcommand)]
enum Noun {
    /// Manage instances
    #[command(subcommand)]
    Instance(Instance),
}

#[derive(Subcommand)]
enum Instance {
    /// List instances
    List,
    /// Create an instance
    Create { name: String },
}

fn main() {
    let arguments = Arguments::parse();
    // Off unless the person at the keyboard has agreed. Nothing below can fail or wait because of it.
    let telemetry = Telemetry::<Omni>::builder()
        .verbose(arguments.telemetry_verbose)
        .upload_in_background(true) // this program is over before a request would be
        .start();
    let started = Instant::now();
    let Noun::Instance(instance) = arguments.noun;
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
    telemetry.record(CommandExecuted {
        command,
        success: true,
        duration: Milliseconds::from(started.elapsed()),
    });
}
