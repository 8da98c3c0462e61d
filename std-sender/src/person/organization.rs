//! Whose program it is: a person's answer, their variables, their files and folders are an organization's.
//!
//! | what | of `acme` |
//! |---|---|
//! | variables | `ACME_TELEMETRY_ENABLED`, `ACME_TELEMETRY_ENDPOINT`, ... |
//! | the person's file | `~/.acme-no-telemetry` |
//! | folders | `acme-telemetry`, in the platform's places |

use automagik_telemetry_core::Schema;
use automagik_telemetry_core::schema::{Checked, POLICY_ORGANIZATION};
use core::fmt;

/// The publisher of a program, and the names of variables, files and folders that contain it. `Display` writes the name for people.
///
/// ```
/// # use automagik_telemetry_core::{FeatureUsed, Label};
/// # use automagik_telemetry_derive::{Label, Schema};
/// # extern crate automagik_telemetry_core as automagik_telemetry;
/// # #[derive(Label, Clone, Copy)]
/// # enum Feature { ListContacts }
/// use automagik_telemetry_std::{Organization, signals};
/// #[derive(Schema)]
/// #[schema(organization = "home-base", project = "thermostat", endpoint = "https://telemetry.home-base.example")]
/// enum Thermostat { Feature(FeatureUsed<Feature>) }
///
/// let organization = Organization::of::<Thermostat>();
/// assert_eq!(organization.variable(signals::ENABLED), "HOME_BASE_TELEMETRY_ENABLED");
/// assert_eq!(organization.opt_out_file(), ".home-base-no-telemetry");
/// assert_eq!(organization.to_string(), "Home-base");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Organization(&'static str);

impl Organization {
    /// That of a program that has none yet. [`Builder`](crate::Builder) gives it its own.
    pub(crate) const POLICY: Self = Self(POLICY_ORGANIZATION);

    /// Returns the organization of a schema.
    #[must_use]
    pub const fn of<S: Schema>() -> Self {
        Self(Checked::<S>::DESCRIPTOR.organization())
    }

    /// Returns the name as it stands in the schema.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// Returns the user's variable for a `setting`, such as [`ENABLED`](crate::person::signals::ENABLED).
    #[must_use]
    pub fn variable(self, setting: &str) -> String {
        format!("{}_TELEMETRY_{setting}", shouted(self.0))
    }

    /// Returns the user's variable that says no to one `project`.
    pub(crate) fn project_variable(self, project: &str) -> String {
        format!("{}_{}_DISABLE_TELEMETRY", shouted(self.0), shouted(project))
    }

    /// Returns the name of the file in the user's home that says no to all of its programs.
    #[must_use]
    pub fn opt_out_file(self) -> String {
        format!(".{}-no-telemetry", self.0)
    }

    /// Returns the name of the file in the user's home that says no to one `project`.
    pub(crate) fn project_opt_out_file(self, project: &str) -> String {
        format!(".{}-{project}-no-telemetry", self.0)
    }

    /// The name of its folder among those of other programs.
    pub(crate) fn folder(self) -> String {
        format!("{}-telemetry", self.0)
    }

    /// `text`, with each `{SETTING}` in it as the variable's name.
    pub(crate) fn named(self, text: &str) -> String {
        let mut named = String::with_capacity(text.len() + 32);
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let Some((setting, after)) = behind.split_once('}') else { break };
            named.push_str(before);
            named.push_str(&self.variable(setting));
            rest = after;
        }
        named.push_str(rest);
        named
    }
}

impl fmt::Display for Organization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.0.chars();
        match letters.next() {
            Some(first) => write!(f, "{}{}", first.to_ascii_uppercase(), letters.as_str()),
            None => Ok(()),
        }
    }
}

fn shouted(name: &str) -> String {
    name.to_ascii_uppercase().replace(['-', '.'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policys_names_are_those_that_people_know() {
        let automagik = Organization::POLICY;
        assert_eq!(automagik.variable("ENABLED"), "AUTOMAGIK_TELEMETRY_ENABLED");
        assert_eq!(automagik.project_variable("omni-cli"), "AUTOMAGIK_OMNI_CLI_DISABLE_TELEMETRY");
        assert_eq!(automagik.opt_out_file(), ".automagik-no-telemetry");
        assert_eq!(automagik.project_opt_out_file("omni"), ".automagik-omni-no-telemetry");
        assert_eq!(
            (automagik.folder(), automagik.to_string()),
            ("automagik-telemetry".into(), "Automagik".into())
        );
    }

    #[test]
    fn a_text_has_the_names_of_variables() {
        let text = "set {HEADERS} and {CLIENT_KEY}.";
        assert_eq!(
            Organization("acme").named(text),
            "set ACME_TELEMETRY_HEADERS and ACME_TELEMETRY_CLIENT_KEY."
        );
        assert_eq!(Organization("acme").named("none {"), "none {");
    }
}
