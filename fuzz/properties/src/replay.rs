//! What was kept: a corpus, and what once failed.

use std::path::Path;

/// Runs `property` on every file of the corpus and of past failures that have this name.
///
/// # Panics
///
/// Where there is none, or the property does not hold.
pub fn replay(name: &str, property: fn(&[u8])) {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut replayed = 0;
    for folder in [fuzz.join("corpus").join(name), fuzz.join("regressions").join(name)] {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            property(&std::fs::read(entry.expect("it can be read").path()).expect("it can be read"));
            replayed += 1;
        }
    }
    assert!(replayed > 0, "there is no corpus for {name}");
}
