//! The example program, for tests of whole processes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// `examples/omni.rs`, built.
///
/// # Panics
///
/// Where it can't be built.
pub fn omni() -> &'static Path {
    static OMNI: OnceLock<PathBuf> = OnceLock::new();
    OMNI.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--features", "clap", "--example", "omni"])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .status();
        assert!(built.unwrap().success());
        // target/<profile>/deps/<this test>
        let test = std::env::current_exe().unwrap();
        test.ancestors().nth(3).unwrap().join("debug/examples/omni")
    })
}
