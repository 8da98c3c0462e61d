//! Where signals and files come from: variables, the home folder, the folder for state.
//!
//! Nothing else in this crate reads the process's variables, so a test or a demo can hand over its own.

use etcetera::BaseStrategy;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Name of this library's folder among those of other programs.
const FOLDER: &str = "automagik-telemetry";

/// Variables and folders that the decision and the files depend on.
///
/// ```
/// use automagik_telemetry_std::Environment;
/// let home = std::env::temp_dir();
/// let environment = Environment::at(&home).with("AUTOMAGIK_TELEMETRY_ENABLED", "true");
/// ```
#[derive(Clone, Debug)]
pub struct Environment {
    variables: Variables,
    home: Option<PathBuf>,
    config: Option<PathBuf>,
    state: Option<PathBuf>,
    runtime: Option<PathBuf>,
    test_binary: bool,
}

#[derive(Clone, Debug)]
enum Variables {
    Process,
    Given(BTreeMap<OsString, OsString>),
}

impl Environment {
    /// That of this process: its variables, the user's home, and the platform's places for
    ///
    /// | | Linux | macOS | Windows |
    /// |---|---|---|---|
    /// | the answer | `$XDG_CONFIG_HOME` or `~/.config` | `~/Library/Application Support` | `%APPDATA%` |
    /// | state | `$XDG_STATE_HOME` or `~/.local/state` | `~/Library/Application Support` | `%LOCALAPPDATA%` |
    /// | what ends with the session | `$XDG_RUNTIME_DIR` | none | none |
    #[must_use]
    pub fn of_process() -> Self {
        let folders = etcetera::base_strategy::choose_native_strategy().ok();
        let state = folders.as_ref().map(|folders| {
            folders
                .state_dir()
                .unwrap_or_else(|| if cfg!(windows) { folders.cache_dir() } else { folders.data_dir() })
        });
        // Apple keeps Library/Preferences, which is the crate's answer, for itself.
        let config = folders
            .as_ref()
            .map(|folders| if cfg!(target_os = "macos") { folders.data_dir() } else { folders.config_dir() });
        let runtime = folders.as_ref().and_then(BaseStrategy::runtime_dir);
        Self {
            variables: Variables::Process,
            config: config.map(|config| config.join(FOLDER)),
            runtime: runtime.map(|runtime| runtime.join(FOLDER)),
            home: folders
                .map(|folders| folders.home_dir().to_owned())
                .filter(|home| !home.as_os_str().is_empty()),
            state: state.map(|state| state.join(FOLDER)),
            test_binary: is_test_binary(),
        }
    }

    /// One with no variables at all, whose files are under `home`: for tests and demonstrations. It may say "yes" where
    /// the person says "no", so what it turns on sends to this machine alone.
    #[must_use]
    pub fn at(home: impl Into<PathBuf>) -> Self {
        let home = home.into();
        Self {
            variables: Variables::Given(BTreeMap::new()),
            config: Some(home.join(".config").join(FOLDER)),
            state: Some(home.join(".local/state").join(FOLDER)),
            runtime: Some(home.join(".runtime").join(FOLDER)),
            home: Some(home),
            test_binary: false,
        }
    }

    /// This one, with a variable set; it is not that of the process any more.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let mut variables = match self.variables {
            Variables::Process => std::env::vars_os().collect(),
            Variables::Given(variables) => variables,
        };
        variables.insert(name.into(), value.into());
        self.variables = Variables::Given(variables);
        self
    }

    /// Whether the signals are the person's own.
    pub(crate) fn is_of_process(&self) -> bool {
        matches!(self.variables, Variables::Process)
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: impl AsRef<OsStr>) -> Option<OsString> {
        match &self.variables {
            Variables::Process => std::env::var_os(name),
            Variables::Given(variables) => variables.get(name.as_ref()).cloned(),
        }
    }

    /// The value of a variable that is set to something, as text. Bytes that are not UTF-8 become U+FFFD, which no
    /// setting of ours takes for an answer.
    pub(crate) fn text(&self, name: impl AsRef<OsStr>) -> Option<String> {
        self.variable(name)
            .map(|value| value.to_string_lossy().trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// Whether this process is a test that `cargo test` built.
    pub(crate) fn is_test_binary(&self) -> bool {
        self.test_binary
    }

    /// The user's home.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// This library's folder for the person's answer; it need not exist.
    pub(crate) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// This library's folder for what ends with the session; it need not exist.
    pub(crate) fn runtime(&self) -> Option<&Path> {
        self.runtime.as_deref()
    }

    /// This library's own folder; it need not exist.
    pub(crate) fn state(&self) -> Option<&Path> {
        self.state.as_deref()
    }
}

/// Cargo puts tests, and them alone, into `target/<profile>/deps`, named `<crate>-<16 hexadecimal digits>`.
fn is_test_binary() -> bool {
    let Ok(program) = std::env::current_exe() else { return false };
    let in_deps = program.parent().and_then(Path::file_name).is_some_and(|folder| folder == "deps");
    let has_hash = program
        .file_stem()
        .and_then(OsStr::to_str)
        .and_then(|name| name.rsplit_once('-'))
        .is_some_and(|(_, hash)| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    in_deps && has_hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_is_a_test() {
        assert!(Environment::of_process().is_test_binary());
    }
}
