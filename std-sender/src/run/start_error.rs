//! Why telemetry could not start.

use crate::send::endpoint::{self, SetBy};
use crate::send::settings;
use std::{fmt, io};

automagik_telemetry_core::interface!(start_error);

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
