//! A file of SQLite, as it is opened here: what was answered for survives a crash, what is deleted is overwritten, and nobody else may read it.

use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long one waits for another.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why something can't be kept, or read.
#[derive(Debug)]
pub enum Error {
    /// SQLite says so.
    Database(rusqlite::Error),
    /// The system says so.
    Disk(std::io::Error),
    /// There are too many combinations of words, or too many programs.
    TooManyWords,
    /// A month's sketch is damaged.
    Sketch,
    /// Another server writes there.
    InUse,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(error) => write!(f, "the database: {error}"),
            Self::Disk(error) => write!(f, "the disk: {error}"),
            Self::InUse => {
                f.write_str("another server uses this folder: end it, or name another folder (--state)")
            }
            Self::Sketch => f.write_str("the sketch of a month is damaged: its number stays as it is"),
            Self::TooManyWords => f.write_str(
                "too many different combinations of words: give the programs' manifests (--manifests)",
            ),
        }
    }
}

impl std::error::Error for Error {}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Makes a folder that nobody else may look into.
pub(super) fn make_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens the database at `path` for writing, made where it is missing.
pub(super) fn connect(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    // Both have to stand before the first table.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Whoever was answered can lose the power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// Opens the database at `path` for reading.
pub(super) fn read(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}
