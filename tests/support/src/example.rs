//! Example programs, for tests of whole processes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Set where tests run on another machine than cargo, which has built the examples before: see `.ci/cross`.
const ARE_BUILT: &str = "EXAMPLES_ARE_BUILT";

/// The example of this name, built with all features.
///
/// # Panics
///
/// Where it can't be built.
pub fn example(name: &'static str) -> &'static Path {
    static BUILT: Mutex<BTreeMap<&str, &Path>> = Mutex::new(BTreeMap::new());
    BUILT.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_insert_with(|| {
        if std::env::var_os(ARE_BUILT).is_none() {
            let built = Command::new(env!("CARGO"))
                .args(["build", "--quiet", "--features", "clap", "--example", name])
                .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
                .status();
            assert!(built.unwrap().success());
        }
        // target/<profile>/deps/<this test>
        let test = std::env::current_exe().unwrap();
        let examples: PathBuf = test.ancestors().nth(3).unwrap().join("debug/examples");
        let path = examples.join(name).with_extension(std::env::consts::EXE_EXTENSION);
        Box::leak(path.into_boxed_path())
    })
}

/// `examples/omni.rs`, built.
pub fn omni() -> &'static Path {
    example("omni")
}

/// `program`, started by a person who has this home and nothing else. On all systems what is kept has the same place in it.
pub fn at_home(home: impl AsRef<Path>, program: impl AsRef<OsStr>) -> Command {
    let home = home.as_ref();
    let mut command = Command::new(program);
    command.env_clear();
    if cfg!(windows) {
        command.env("USERPROFILE", home);
        command.env("APPDATA", home.join(".config")).env("LOCALAPPDATA", home.join(".local/state"));
        // Without these no program starts there, or has a network. The last is Wine's.
        let needed = ["SystemRoot", "PATH", "WINEPATH"];
        command.envs(needed.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    } else {
        command.env("HOME", home);
    }
    command
}
