//! Example programs, for tests of whole processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The example of this name, built with all features.
///
/// # Panics
///
/// Where it can't be built.
pub fn example(name: &'static str) -> &'static Path {
    static BUILT: Mutex<BTreeMap<&str, &Path>> = Mutex::new(BTreeMap::new());
    BUILT.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_insert_with(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--features", "clap", "--example", name])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .status();
        assert!(built.unwrap().success());
        // target/<profile>/deps/<this test>
        let test = std::env::current_exe().unwrap();
        let path: PathBuf = test.ancestors().nth(3).unwrap().join("debug/examples").join(name);
        Box::leak(path.into_boxed_path())
    })
}

/// `examples/omni.rs`, built.
pub fn omni() -> &'static Path {
    example("omni")
}
