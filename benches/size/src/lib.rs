//! What the small program does, with telemetry or without.

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

/// Does what the arguments say.
pub fn work() {
    match Arguments::parse().noun {
        Noun::Instance(Instance::List) => println!("no instances"),
        Noun::Instance(Instance::Create { name }) => println!("{name}"),
    }
}
