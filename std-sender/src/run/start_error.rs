//! Why telemetry could not start.

use crate::send::endpoint::{self, SetBy};
use crate::send::settings;
use std::{fmt, io};

/// Why telemetry could not start. The program runs without it.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The endpoint is not valid, so nothing is sent.
    Endpoint {
        /// What is wrong with it.
        error: endpoint::Error,
        /// Who set it.
        set_by: SetBy,
    },
    /// One of the user's settings is not valid, so nothing is sent.
    Setting {
        /// The variable.
        variable: String,
        /// What is wrong with it.
        error: settings::Error,
    },
    /// The platform returned no random numbers for the installation's secret.
    Random,
    /// The platform could not start a thread.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint { error, set_by: SetBy::Person(variable) } => write!(f, "{variable} {error}"),
            Self::Endpoint { error, set_by: _ } => write!(f, "the endpoint of the application {error}"),
            Self::Setting { variable, error } => write!(f, "{variable} {error}"),
            Self::Random => f.write_str("the platform gave no random numbers"),
            Self::Thread(_) => f.write_str("the platform gave no thread"),
        }
    }
}

impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Endpoint { error, .. } => Some(error),
            Self::Setting { error, .. } => Some(error),
            Self::Random => None,
            Self::Thread(error) => Some(error),
        }
    }
}
