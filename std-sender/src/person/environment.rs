//! Where signals and files come from: variables, the home folder, the folder for state.
//!
//! Nothing else in this crate reads the process's variables, so a test or a demo can hand over its own.

use crate::person::organization::Organization;
use etcetera::BaseStrategy;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The folder for what holds for programs of all organizations: the administrator's.
const MACHINE_FOLDER: &str = "automagik-telemetry";

/// How users write their home, and what stands between it and a file.
pub(crate) const HOME: &str = if cfg!(windows) { r"%USERPROFILE%\" } else { "~/" };

/// The user's setting `ACME_TELEMETRY_STATE_DIR`: the absolute path of a folder for waiting events, the secret and the log of sent
/// requests, instead of the platform's. For a container whose home is read-only or new for each run, set it to a volume.
pub const STATE_DIR: &str = "STATE_DIR";

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
    machine: Option<PathBuf>,
    test_binary: bool,
    /// The platform's places, for programs of all organizations.
    places: Places,
    organization: Organization,
    /// The organization's own folders in them.
    folders: Places,
}

#[derive(Clone, Debug)]
struct Places {
    config: Option<PathBuf>,
    state: Option<PathBuf>,
    runtime: Option<PathBuf>,
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
    ///
    /// A home that is no absolute path, or is not there, is no home: nothing is kept in it, or made for it. [`STATE_DIR`] names
    /// another place for state, on all platforms.
    #[must_use]
    pub fn of_process() -> Self {
        let folders = etcetera::base_strategy::choose_native_strategy().ok();
        let home =
            folders.as_ref().map(BaseStrategy::home_dir).filter(|home| is_a_home(home)).map(Path::to_owned);
        // What a variable names outside of the home counts without one.
        let is_ours = |folder: &PathBuf| {
            folder.is_absolute()
                && (home.is_some() || !folders.as_ref().is_some_and(|all| folder.starts_with(all.home_dir())))
        };
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
        let places = Places { config: config.filter(is_ours), state: state.filter(is_ours), runtime };
        Self {
            variables: Variables::Process,
            machine: machine(),
            home,
            test_binary: is_test_binary(),
            folders: places.clone(),
            places,
            organization: Organization::POLICY,
        }
        .of(Organization::POLICY)
    }

    /// One with no variables at all, whose files are under `home`: for tests and demonstrations. It may say "yes" where
    /// the person says "no", so what it turns on sends to this machine alone.
    #[must_use]
    pub fn at(home: impl Into<PathBuf>) -> Self {
        let home = home.into();
        let place = |name| Some(home.join(name));
        let places =
            Places { config: place(".config"), state: place(".local/state"), runtime: place(".runtime") };
        Self {
            variables: Variables::Given(BTreeMap::new()),
            machine: Some(home.join("etc").join(MACHINE_FOLDER)),
            home: Some(home),
            test_binary: false,
            folders: places.clone(),
            places,
            organization: Organization::POLICY,
        }
        .of(Organization::POLICY)
    }

    /// This one, with the variables and folders of `organization`.
    pub(crate) fn of(mut self, organization: Organization) -> Self {
        self.organization = organization;
        let folder = organization.folder();
        let own = |place: &Option<PathBuf>| place.as_ref().map(|place| place.join(&folder));
        // One that is no absolute path is none: then nothing is kept.
        let given = self.setting(STATE_DIR).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state = given.map_or(self.places.state.clone(), |given| given.is_absolute().then_some(given));
        self.folders = Places {
            config: own(&self.places.config),
            state: own(&state),
            runtime: own(&self.places.runtime),
        };
        self
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
        let organization = self.organization;
        self.of(organization)
    }

    /// This one, with a setting of the organization.
    #[cfg(test)]
    pub(crate) fn set(self, setting: &str, value: impl Into<OsString>) -> Self {
        let name = self.organization.variable(setting);
        self.with(name, value)
    }

    /// Whose program it is.
    pub(crate) fn organization(&self) -> Organization {
        self.organization
    }

    /// The value of the organization's variable for `setting`.
    pub(crate) fn setting(&self, setting: &str) -> Option<OsString> {
        self.variable(self.organization.variable(setting))
    }

    /// The same as text: see [`text`](Environment::text).
    pub(crate) fn setting_text(&self, setting: &str) -> Option<String> {
        self.text(self.organization.variable(setting))
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

    /// The organization's folder for the person's answer; it need not exist.
    pub(crate) fn config(&self) -> Option<&Path> {
        self.folders.config.as_deref()
    }

    /// The organization's folder for what ends with the session; it need not exist.
    pub(crate) fn runtime(&self) -> Option<&Path> {
        self.folders.runtime.as_deref()
    }

    /// The administrator's folder for this library; it need not exist.
    pub(crate) fn machine(&self) -> Option<&Path> {
        self.machine.as_deref()
    }

    /// The organization's own folder; it need not exist.
    pub(crate) fn state(&self) -> Option<&Path> {
        self.folders.state.as_deref()
    }
}

/// Where the administrator of this machine says what holds for everybody.
fn machine() -> Option<PathBuf> {
    let folder = if cfg!(windows) {
        PathBuf::from(std::env::var_os("ProgramData")?)
    } else if cfg!(target_os = "macos") {
        PathBuf::from("/Library/Application Support")
    } else {
        PathBuf::from("/etc")
    };
    folder.is_absolute().then(|| folder.join(MACHINE_FOLDER))
}

fn is_a_home(home: &Path) -> bool {
    home.is_absolute() && home.is_dir()
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
