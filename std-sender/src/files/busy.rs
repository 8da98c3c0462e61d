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
