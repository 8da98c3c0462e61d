//! What files hold, wherever in them.

use std::path::Path;

/// Whether any file below `folder` holds `bytes`.
///
/// # Panics
///
/// Where one can't be read.
#[must_use]
pub fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        std::fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes)
    })
}
