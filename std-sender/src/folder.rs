//! Folders that only their owner may look into.

use std::io;
use std::path::Path;

/// Makes `path` and what is missing above it, mode 0700.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
