//! The installation's secret: made after consent, kept on the machine, never sent.
//!
//! A file of 32 random bytes, mode 0600. It is written to a temporary file and linked into place, so that of two
//! processes that start at once one wins and both use the same.

use crate::files::disk;
use automagik_telemetry_core::pseudonym::SECRET_LEN;
use automagik_telemetry_core::{Consent, Secret};
use std::io;
use std::path::{Path, PathBuf};

/// Name of the file in this library's folder.
const FILE: &str = "installation-secret";

/// Where the secret is kept.
pub(crate) fn path(state: &Path) -> PathBuf {
    state.join(FILE)
}

/// The installation's secret, made now where there is none. Where it can't be kept (no home, a read-only one) it lives as
/// long as the process: telemetry is never a reason for an error.
pub(crate) fn secret(state: Option<&Path>, consent: Consent) -> Option<Secret> {
    if let Some(bytes) = state.and_then(|state| kept(&path(state)).ok().flatten()) {
        return Some(Secret::new(bytes, consent));
    }
    let mut fresh = [0; SECRET_LEN];
    getrandom::fill(&mut fresh).ok()?;
    let bytes = state.and_then(|state| keep(state, &fresh).ok()).unwrap_or(fresh);
    Some(Secret::new(bytes, consent))
}

/// The bytes at `path`; `None` if there is no file, or one that is no secret.
fn kept(path: &Path) -> io::Result<Option<[u8; SECRET_LEN]>> {
    let bytes = disk::read(path, SECRET_LEN as u64 + 1)?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()))
}

/// Keeps `fresh`, or gives what another process kept meanwhile.
fn keep(state: &Path, fresh: &[u8; SECRET_LEN]) -> io::Result<[u8; SECRET_LEN]> {
    disk::make_folder(state)?;
    let path = path(state);
    // The file is mode 0600 from its first moment.
    let file = disk::temporary(state, fresh)?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(*fresh),
        Err(_) => match kept(&path) {
            Ok(Some(bytes)) => Ok(bytes),
            // What is there is no secret: it is ours to replace.
            Ok(None) => disk::publish(state, FILE, fresh).map(|()| *fresh),
            Err(other) => Err(other),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::consent;
    use automagik_telemetry_core::Pseudonym;

    fn pseudonym(state: Option<&Path>) -> Pseudonym {
        Pseudonym::new(&secret(state, consent()).unwrap(), "omni", 0)
    }

    #[test]
    fn an_installation_keeps_its_secret() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("not/yet/there");
        assert_eq!(pseudonym(Some(&folder)), pseudonym(Some(&folder)));
        assert_eq!(std::fs::read(path(&folder)).unwrap().len(), SECRET_LEN);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        pseudonym(Some(state.path()));
        let mode = std::fs::metadata(path(state.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn two_that_start_at_once_have_one_secret() {
        let state = tempfile::tempdir().unwrap();
        let pseudonyms: Vec<Pseudonym> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| pseudonym(Some(state.path())))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(pseudonyms.iter().all(|pseudonym| *pseudonym == pseudonyms[0]));
    }

    #[test]
    fn a_damaged_file_is_replaced() {
        let state = tempfile::tempdir().unwrap();
        std::fs::write(path(state.path()), "short").unwrap();
        assert_eq!(pseudonym(Some(state.path())), pseudonym(Some(state.path())));
    }

    #[test]
    fn without_a_place_to_keep_it_there_is_one_all_the_same() {
        assert_ne!(pseudonym(None), pseudonym(None));
        let state = tempfile::tempdir().unwrap();
        let blocked = state.path().join("file");
        std::fs::write(&blocked, "").unwrap();
        assert_ne!(pseudonym(Some(&blocked)), pseudonym(Some(&blocked)));
    }
}
