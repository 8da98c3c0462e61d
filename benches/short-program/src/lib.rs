//! The example `omni` without any telemetry, shared by the programs that are measured.

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Manages instances")]
struct Arguments {
    #[command(subcommand)]
    noun: Noun,
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

/// Does the program's work, and says which command that was.
pub fn work() -> &'static str {
    let Noun::Instance(instance) = Arguments::parse().noun;
    match instance {
        Instance::List => {
            println!("no instances");
            "omni instance list"
        }
        Instance::Create { name } => {
            println!("created {name}");
            "omni instance create"
        }
    }
}
