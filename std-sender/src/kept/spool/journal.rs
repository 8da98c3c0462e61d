//! Several changes of a folder as one: all of them happen, or none, wherever a process is killed.
//!
//! New files are written under temporary names. Then the journal appears, a file that lists what is to be done; from that
//! moment on it will be done, by this process or by the next that has the turn: each step can be done twice.
//!
//! ```text
//! publish <temporary name> <name>
//! remove <name>
//! progress <name> <32 hexadecimal digits>
//! ```

use super::segment::Progress;
use crate::files::disk;
use std::fmt::Write;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Its name in the folder.
pub(super) const FILE: &str = "journal";

/// Most bytes that are read of it.
const BYTES_MAX: u64 = 1 << 22;

/// One change.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// The file of this name holds these bytes.
    Write(String, Vec<u8>),
    /// There is no file of this name.
    Remove(String),
    /// So much of the segment of this name was delivered.
    Progress(String, Progress),
}

/// Makes all `changes`, or none.
pub(super) fn apply(folder: &Path, changes: Vec<Change>) -> io::Result<()> {
    if let Ok([change]) = <[Change; 1]>::try_from(changes.clone()) {
        return match change {
            Change::Write(name, bytes) => disk::publish(folder, &name, &bytes),
            Change::Remove(name) => disk::remove(&folder.join(name)),
            Change::Progress(name, progress) => write_progress(folder, &name, &progress.encode()),
        };
    }
    let (mut journal, mut files) = (String::new(), Vec::new());
    for change in changes {
        let _ = match change {
            Change::Write(name, bytes) => {
                let file = disk::temporary(folder, &bytes)?;
                let temporary = file.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
                files.push(file);
                writeln!(journal, "publish {temporary} {name}")
            }
            Change::Remove(name) => writeln!(journal, "remove {name}"),
            Change::Progress(name, progress) => {
                let bytes = u128::from_be_bytes(progress.encode());
                writeln!(journal, "progress {name} {bytes:032x}")
            }
        };
    }
    if journal.is_empty() {
        return Ok(());
    }
    disk::publish(folder, FILE, journal.as_bytes())?;
    // They are the journal's now.
    for file in files {
        let _ = file.into_temp_path().keep();
    }
    finish(folder)
}

/// Does what the journal lists, if there is one.
pub(super) fn finish(folder: &Path) -> io::Result<()> {
    let path = folder.join(FILE);
    let Some(bytes) = disk::read(&path, BYTES_MAX)? else { return Ok(()) };
    for line in String::from_utf8_lossy(&bytes).lines() {
        let words: Vec<&str> = line.split(' ').collect();
        // A journal that is damaged leads nowhere else.
        if words.iter().any(|word| word.contains(['/', '\\'])) {
            continue;
        }
        match words[..] {
            // Where it is not there any more, it was done before.
            ["publish", temporary, name] => disk::rename(&folder.join(temporary), &folder.join(name))?,
            ["remove", name] => disk::remove(&folder.join(name))?,
            ["progress", name, hexadecimal] => {
                if let Ok(bytes) = u128::from_str_radix(hexadecimal, 16) {
                    write_progress(folder, name, &bytes.to_be_bytes())?;
                }
            }
            _ => {}
        }
    }
    disk::remove(&path)
}

/// Where the segment is gone there is nothing to remember.
fn write_progress(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    match disk::overwrite(&folder.join(name), 0, bytes) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn all_changes_are_made_and_nothing_is_left_over() {
        let folder = tempfile::tempdir().unwrap();
        disk::publish(folder.path(), "old", b"1").unwrap();
        disk::publish(folder.path(), "older", b"2").unwrap();
        apply(
            folder.path(),
            vec![
                Change::Write("new".to_owned(), b"3".to_vec()),
                Change::Remove("old".to_owned()),
                Change::Remove("older".to_owned()),
            ],
        )
        .unwrap();
        assert_eq!(names(folder.path()), ["new"]);
    }

    #[test]
    fn what_a_killed_process_began_the_next_one_finishes() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in
            [("old", "1"), ("x.tmp", "3"), (FILE, "publish x.tmp new\nremove old\nremove ../y\n")]
        {
            disk::publish(folder.path(), name, bytes.as_bytes()).unwrap();
        }
        finish(folder.path()).unwrap();
        finish(folder.path()).unwrap();
        assert_eq!(names(folder.path()), ["new"]);
    }
}
