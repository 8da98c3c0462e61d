//! Files and folders of ours: only their owner may look into them, a file appears whole, and no write can end the host.
//!
//! A write beyond the process's limit on the size of files (`ulimit -f`) raises SIGXFSZ, which ends a program that does not
//! expect it. So the limit is asked for before each write, and what would be beyond it is an error like that of a full disk.
//!
//! Windows has no modes: there a file has the access list of the folder that it is made in, and those of the user's profile
//! (`%APPDATA%`, `%LOCALAPPDATA%`) are open to the user, the system and administrators.

use crate::files::busy;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// How often a file is written again that was taken for an abandoned one.
const PUBLISH_ATTEMPTS: usize = 3;

/// Name ending of files that are not whole yet.
pub(crate) const TEMPORARY: &str = ".tmp";

/// How files are opened: to read and to write, for their owner alone.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes `path` and what is missing above it, mode 0700 whatever the umask says.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        make_folder(above)?;
    }
    #[cfg_attr(not(unix), expect(unused_mut, reason = "its mode is set on Unix"))]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Ok(()) => set_mode(path, 0o700),
        // Somebody else was faster.
        Err(_) if path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// A file of `bytes` in `folder` that nobody looks for yet; it is removed unless it is kept.
pub(crate) fn temporary(folder: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    step()?;
    check_size(bytes.len() as u64)?;
    let create = |path: &Path| private().create_new(true).open(path);
    // Not opened by the crate: on Windows it marks a file as one that need not reach the disk.
    let mut file = tempfile::Builder::new().suffix(TEMPORARY).make_in(folder, create)?;
    // The umask may have taken the owner's rights away.
    set_mode(file.path(), 0o600)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// A file of `bytes` made in `folder` that nobody else can find, at its start.
pub(crate) fn unnamed(folder: &Path, bytes: &[u8]) -> io::Result<File> {
    step()?;
    check_size(bytes.len() as u64)?;
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

/// The file `name` in `folder` holds `bytes`, all of them, from one moment to the next.
pub(crate) fn publish(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    for _ in 0..PUBLISH_ATTEMPTS {
        let file = temporary(folder, bytes)?.into_temp_path();
        step()?;
        match busy::retry(|| std::fs::rename(&file, folder.join(name))) {
            Ok(()) => {
                // It is not there any more to be removed.
                let _ = file.keep();
                return Ok(());
            }
            // Somebody took it for one that a dead process left.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::NotFound.into())
}

/// The file at `from` is at `to` instead, where it is there.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step()?;
    match busy::retry(|| std::fs::rename(from, to)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes `bytes` over those at `offset` of the file at `path`, which is there.
pub(crate) fn overwrite(path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
    step()?;
    check_size(offset.saturating_add(bytes.len() as u64))?;
    let mut file = busy::retry(|| private().open(path))?;
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

/// Writes `bytes` in one piece behind the last of the file at `path`, which is made where there is none.
pub(crate) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let is_new = !path.exists();
    let mut file = busy::retry(|| private().append(true).create(true).open(path))?;
    if is_new {
        set_mode(path, 0o600)?;
    }
    check_size(file.metadata()?.len().saturating_add(bytes.len() as u64))?;
    file.write_all(bytes)
}

/// What the file at `path` holds, `most` bytes of it at most; `None` if there is no such file.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    read_from(path, 0, most)
}

/// The same, of what the file holds from an offset on.
pub(crate) fn read_from(path: &Path, offset: u64, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    match busy::retry(|| File::open(path)) {
        Ok(mut file) => {
            if offset > 0 {
                file.seek(SeekFrom::Start(offset))?;
            }
            file.take(most).read_to_end(&mut bytes).map(|_| Some(bytes))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes the file at `path`, if there is one.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    step()?;
    match busy::retry(|| std::fs::remove_file(path)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether files can be made in `folder`, or it could be made.
pub(crate) fn is_writable(folder: &Path) -> bool {
    let Some(exists) = folder.ancestors().find(|above| above.exists()).filter(|above| above.is_dir()) else {
        return false;
    };
    #[cfg(unix)]
    return rustix::fs::access(exists, rustix::fs::Access::WRITE_OK).is_ok();
    #[cfg(not(unix))]
    return exists.metadata().is_ok_and(|metadata| !metadata.permissions().readonly());
}

#[cfg(unix)]
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
pub(crate) fn set_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// Whether a file may be of `len` bytes.
#[cfg(unix)]
pub(crate) fn check_size(len: u64) -> io::Result<()> {
    match rustix::process::getrlimit(rustix::process::Resource::Fsize).current {
        Some(most) if len > most => Err(ErrorKind::FileTooLarge.into()),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
pub(crate) fn check_size(_: u64) -> io::Result<()> {
    Ok(())
}

/// Each step that changes the disk: tests make one fail, or all from one on, as if the process had been killed.
#[cfg(not(test))]
#[inline]
#[expect(clippy::unnecessary_wraps, reason = "in tests it fails")]
fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
use failing::step;

#[cfg(test)]
pub(crate) mod failing {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        /// Steps before one fails, and whether all fail from then on.
        static LEFT: Cell<Option<(u32, bool)>> = const { Cell::new(None) };
    }

    /// On this thread, `left` steps succeed, and then one fails, or all.
    pub(crate) fn after(left: u32, for_ever: bool) {
        LEFT.set(Some((left, for_ever)));
    }

    /// All succeed.
    pub(crate) fn never() {
        LEFT.set(None);
    }

    pub(super) fn step() -> io::Result<()> {
        match LEFT.get() {
            None => Ok(()),
            Some((0, for_ever)) => {
                LEFT.set(for_ever.then_some((0, true)));
                Err(io::Error::other("a step that fails in a test"))
            }
            Some((left, for_ever)) => {
                LEFT.set(Some((left - 1, for_ever)));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_and_in_place_of_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        publish(folder.path(), "state", b"one").unwrap();
        publish(folder.path(), "state", b"two").unwrap();
        let names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["state"]);
        assert_eq!(read(&folder.path().join("state"), 9).unwrap().unwrap(), b"two");
    }

    #[test]
    fn what_is_not_there_is_nothing_to_read_or_to_remove() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nothing");
        assert!(read(&path, 9).unwrap().is_none());
        remove(&path).unwrap();
    }

    #[cfg(windows)]
    mod in_use {
        use super::*;
        use std::os::windows::fs::OpenOptionsExt;
        use std::time::Duration;

        /// A file that is open to nobody else, as an antivirus opens one, until this is dropped.
        fn open_alone(path: &Path) -> File {
            File::options().read(true).share_mode(0).open(path).unwrap()
        }

        #[test]
        fn a_file_that_somebody_has_open_for_a_moment_is_replaced_read_and_removed() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file");
            publish(folder.path(), "file", b"first").unwrap();
            let work: [fn(&Path); 3] = [
                |path| publish(path.parent().unwrap(), "file", b"second").unwrap(),
                |path| assert_eq!(read(path, 99).unwrap().unwrap(), b"second"),
                |path| remove(path).unwrap(),
            ];
            for work in work {
                let held = open_alone(&path);
                std::thread::scope(|scope| {
                    scope.spawn(|| work(&path));
                    std::thread::sleep(Duration::from_millis(3));
                    drop(held);
                });
            }
            assert!(!path.exists());
        }

        #[test]
        fn a_file_that_stays_open_is_an_error() {
            let folder = tempfile::tempdir().unwrap();
            publish(folder.path(), "file", b"first").unwrap();
            let _held = open_alone(&folder.path().join("file"));
            publish(folder.path(), "file", b"second").unwrap_err();
        }
    }
}
