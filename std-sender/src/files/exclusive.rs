//! A right that one process has at a time: to deliver, to be the one that was left behind.
//!
//! It is a lock of the operating system on a file of no content, which ends with the process, however it ends. On Unix it
//! is a record lock (`fcntl`): unlike one of `flock`, a child that the host forks does not have it. Such locks belong to
//! the process, so within one a table keeps its threads apart.
//!
//! Where the file system has no locks (some network homes), a second file stands for it, the lease: whoever makes it has
//! the right until it is removed, or for [`LEASE_SECONDS`] where its owner died. An owner that was suspended for longer finds
//! out by [`Exclusive::is_held`].

use crate::files::disk;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// How old a lease must be to be nobody's, in seconds: longer than its owner holds it, which is one request long.
const LEASE_SECONDS: u64 = 300;

/// The right. It ends when this is dropped, or the process ends.
#[derive(Debug)]
pub(crate) struct Exclusive(Held);

#[derive(Debug)]
enum Held {
    Lock {
        _file: File,
        #[cfg(unix)]
        _slot: threads::Slot,
    },
    Lease {
        path: PathBuf,
        token: String,
    },
}

/// What became of asking the operating system for a lock.
enum Locked {
    Mine(Held),
    Others,
    /// There are no locks here.
    Unsupported,
}

impl Exclusive {
    /// The right that the file at `path` stands for; `None` if another process or thread has it.
    pub(crate) fn take(path: &Path) -> io::Result<Option<Self>> {
        match lock(path)? {
            Locked::Mine(held) => Ok(Some(Self(held))),
            Locked::Others => Ok(None),
            Locked::Unsupported => lease(path),
        }
    }

    /// Whether this process has it still: a lease may have been taken away from one that was suspended.
    pub(crate) fn is_held(&self) -> bool {
        match &self.0 {
            Held::Lock { .. } => true,
            Held::Lease { path, token } => is_of(path, token),
        }
    }

    /// Whether it is a lease, since there are no locks here.
    #[cfg(test)]
    fn is_lease(&self) -> bool {
        matches!(self.0, Held::Lease { .. })
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        match &self.0 {
            Held::Lease { path, token } if is_of(path, token) => drop(std::fs::remove_file(path)),
            _ => {}
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    match disk::private().open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            disk::append(path, &[])?;
            disk::private().open(path)
        }
        other => other,
    }
}

#[cfg(unix)]
fn lock(path: &Path) -> io::Result<Locked> {
    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    // Before the file is opened: a process that closes any of its descriptors of a file loses its lock on it.
    let Some(mut slot) = threads::Slot::take(path) else { return Ok(Locked::Others) };
    let file = open(path)?;
    slot.identify(&file.metadata()?);
    // The whole file, from its start to its end.
    let whole = nix::libc::flock {
        l_type: nix::libc::F_WRLCK as nix::libc::c_short,
        l_whence: nix::libc::SEEK_SET as nix::libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    match fcntl(&file, FcntlArg::F_SETLK(&whole)) {
        Ok(_) => Ok(Locked::Mine(Held::Lock { _file: file, _slot: slot })),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(Locked::Others),
        Err(Errno::ENOLCK | Errno::ENOSYS | Errno::EOPNOTSUPP | Errno::EINVAL | Errno::EBADF) => {
            Ok(Locked::Unsupported)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(windows)]
fn lock(path: &Path) -> io::Result<Locked> {
    use fs4::{FileExt, TryLockError};
    let file = open(path)?;
    // A lock keeps readers from the bytes of the file, of which there are none.
    match FileExt::try_lock(&file) {
        Ok(()) => Ok(Locked::Mine(Held::Lock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(Locked::Others),
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(Locked::Unsupported),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(not(any(unix, windows)))]
fn lock(_: &Path) -> io::Result<Locked> {
    Ok(Locked::Unsupported)
}

/// The right without locks: whoever makes the file.
fn lease(path: &Path) -> io::Result<Option<Exclusive>> {
    let path = path.with_extension("lease");
    let mut token = [0; 16];
    getrandom::fill(&mut token).map_err(io::Error::other)?;
    let token = format!("{:032x}", u128::from_le_bytes(token));
    for _ in 0..2 {
        match disk::private().create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(token.as_bytes())?;
                return Ok(Some(Exclusive(Held::Lease { path, token })));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if !is_abandoned(&path) {
                    return Ok(None);
                }
                // Of all who see that it is abandoned, one renames it.
                let own = path.with_extension(&token);
                if std::fs::rename(&path, &own).is_err() {
                    return Ok(None);
                }
                disk::remove(&own)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn is_of(path: &Path, token: &str) -> bool {
    disk::read(path, 64).ok().flatten().is_some_and(|bytes| bytes == token.as_bytes())
}

fn is_abandoned(path: &Path) -> bool {
    let Ok(made) = std::fs::metadata(path).and_then(|metadata| metadata.modified()) else { return false };
    // A time in the future is no younger than one in the past: clocks jump.
    let age = made.elapsed().unwrap_or_else(|error| error.duration());
    age.as_secs() > LEASE_SECONDS
}

/// Which rights the threads of this process have.
#[cfg(unix)]
mod threads {
    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt;
    use std::path::{Path, PathBuf};
    use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

    /// A file, whatever it is called: process, device, inode; and its path for one that is not there yet. A forked child
    /// has its parent's table, and none of its locks.
    type Key = (u32, Option<(u64, u64)>, PathBuf);

    /// How often the table is looked for.
    const LOOKS: usize = 10_000;

    static HELD: Mutex<Vec<Key>> = Mutex::new(Vec::new());

    /// A place in the table.
    #[derive(Debug)]
    pub(super) struct Slot(Key);

    impl Slot {
        /// Where no thread of this process has the file at `path`.
        pub(super) fn take(path: &Path) -> Option<Self> {
            let file = std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
            let mut held = table()?;
            let process = std::process::id();
            let is_same = |(other, inode, name): &Key| {
                *other == process && (name == path || inode.is_some() && *inode == file)
            };
            if held.iter().any(is_same) {
                return None;
            }
            let key = (process, file, path.to_owned());
            held.push(key.clone());
            Some(Self(key))
        }
    }

    impl Slot {
        /// The file is this one: it may have been made just now.
        pub(super) fn identify(&mut self, file: &Metadata) {
            let Some(mut held) = table() else { return };
            if let Some(key) = held.iter_mut().find(|key| **key == self.0) {
                key.1 = Some((file.dev(), file.ino()));
                self.0 = key.clone();
            }
        }
    }

    /// The table. Each look is short; who waits in vain finds all taken: a child may have been forked while another thread of its
    /// parent looked.
    fn table() -> Option<MutexGuard<'static, Vec<Key>>> {
        for _ in 0..LOOKS {
            match HELD.try_lock() {
                Ok(held) => return Some(held),
                Err(TryLockError::Poisoned(held)) => return Some(held.into_inner()),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
        None
    }

    impl Drop for Slot {
        fn drop(&mut self) {
            let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = held.iter().position(|key| *key == self.0) {
                held.swap_remove(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("turn.lock");
        let mine = Exclusive::take(&path).unwrap().unwrap();
        assert!(mine.is_held() && !mine.is_lease());
        assert!(Exclusive::take(&path).unwrap().is_none());
        assert!(Exclusive::take(&folder.path().join(".").join("turn.lock")).unwrap().is_none());
        drop(mine);
        assert!(Exclusive::take(&path).unwrap().is_some());
    }

    #[test]
    fn a_lease_is_one_process_s_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("turn.lock");
        let mine = lease(&path).unwrap().unwrap();
        assert!(mine.is_held() && mine.is_lease());
        assert!(lease(&path).unwrap().is_none());
        drop(mine);
        assert!(lease(&path).unwrap().is_some());
    }

    #[test]
    fn an_abandoned_lease_goes_to_one_and_its_owner_finds_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("turn.lock");
        let suspended = lease(&path).unwrap().unwrap();
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(LEASE_SECONDS + 9);
        File::options().write(true).open(path.with_extension("lease")).unwrap().set_modified(old).unwrap();
        let next = lease(&path).unwrap().unwrap();
        assert!(!suspended.is_held() && next.is_held());
        drop(suspended);
        assert!(next.is_held(), "it is not the suspended one's to remove");
    }
}
