//! The `telemetry` command, which says that there is no telemetry.
//!
//! It takes whatever follows, and has no text of its own: one that describes it in the help makes a program 4 KiB larger, more than all the
//! rest. An option for it costs as much, so `--telemetry-verbose` is none of such a build.

use crate::Builder;
use automagik_telemetry_core::Schema;
use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use std::process::ExitCode;

/// Options of every command: none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags {
    /// It can't be given.
    pub telemetry_verbose: bool,
}

impl FromArgMatches for Flags {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self::default())
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Ok(())
    }
}

impl Args for Flags {
    fn augment_args(command: clap::Command) -> clap::Command {
        command
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        command
    }
}

/// Takes whatever `telemetry` is followed by, and says that this build has none.
#[derive(Clone, Copy, Debug)]
pub struct Command(());

impl FromArgMatches for Command {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(()))
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Ok(())
    }
}

impl Subcommand for Command {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        command.allow_external_subcommands(true)
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(_: &str) -> bool {
        true
    }
}

impl Command {
    /// Says that this build has no telemetry in it.
    pub fn run<S: Schema>(self, _builder: Builder<S>) -> ExitCode {
        println!("Telemetry is off: {}.", crate::LEFT_OUT);
        ExitCode::SUCCESS
    }
}
