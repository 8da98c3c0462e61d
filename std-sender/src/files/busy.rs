//! Files that another program is in the way of for a moment.
//!
//! On Windows a file that somebody reads can't always be replaced or removed, one that is being removed can't be opened, and an
//! antivirus reads each new file. All of that is over in milliseconds, so such a call is made again for a short while. Elsewhere
//! an open file is in nobody's way, and a call is made once.

use std::io;
use std::time::Duration;

/// Pauses between the calls, in milliseconds: an eighth of a second together, since a file that really is forbidden says the same.
const PAUSES_MS: [u64; 8] = [1, 1, 2, 4, 8, 16, 32, 64];

/// `ERROR_ACCESS_DENIED`, `ERROR_SHARING_VIOLATION`, `ERROR_LOCK_VIOLATION` of Windows.
const BUSY: [i32; 3] = [5, 32, 33];

/// Makes `call`, and again where another program is in its way.
pub(crate) fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    if cfg!(windows) {
        for pause in PAUSES_MS {
            match call() {
                Err(error) if error.raw_os_error().is_some_and(|code| BUSY.contains(&code)) => {
                    std::thread::sleep(Duration::from_millis(pause));
                }
                other => return other,
            }
        }
    }
    call()
}

#[cfg(all(test, windows))]
mod tests {
    use super::*;
    use crate::files::disk;
    use std::os::windows::fs::OpenOptionsExt;

    /// A file that is open to nobody else, as an antivirus opens one, until this is dropped.
    fn open_alone(path: &std::path::Path) -> std::fs::File {
        std::fs::File::options().read(true).share_mode(0).open(path).unwrap()
    }

    #[test]
    fn a_file_that_somebody_has_open_for_a_moment_is_replaced_read_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        disk::publish(folder.path(), "file", b"first").unwrap();
        let work: [fn(&std::path::Path); 3] = [
            |path| disk::publish(path.parent().unwrap(), "file", b"second").unwrap(),
            |path| assert_eq!(disk::read(path, 99).unwrap().unwrap(), b"second"),
            |path| disk::remove(path).unwrap(),
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
        disk::publish(folder.path(), "file", b"first").unwrap();
        let _held = open_alone(&folder.path().join("file"));
        disk::publish(folder.path(), "file", b"second").unwrap_err();
    }
}
