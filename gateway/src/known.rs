//! What a gateway knows before anything arrives: which programs there are and what they can say, and whose keys it holds. Both are folders, read
//! whole: where one file in them is wrong, what was known before stays.
//!
//! ```text
//!  manifests/*.cbor ──► Vocabulary: the shape of its records, and every word as the bytes that leave
//!  keys/*.key ────────► Keys
//! ```

pub mod system;
pub mod vocabulary;
pub mod manifests;
pub mod backward;
pub mod keys;

use std::path::PathBuf;

/// Why a folder could not be read.
#[derive(Debug)]
pub struct Error {
    /// The file or folder.
    pub path: PathBuf,
    /// The line, counted from 1, where it is one.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub why: String,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.why)
    }
}

impl std::error::Error for Error {}

/// The files of `folder` whose names end in `extension`, in the order of their names.
fn files(folder: &std::path::Path, extension: &str) -> Result<Vec<PathBuf>, Error> {
    let fails = |error: std::io::Error| Error {
        path: folder.to_owned(),
        line: None,
        why: format!("can't be read ({error}): make the folder, or name another one"),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fails)? {
        let path = entry.map_err(fails)?.path();
        if path.extension().is_some_and(|found| found == extension) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
