//! The person's answer, given once: one for all programs of an organization, and for nobody else's.
//!
//! | file | holds |
//! |---|---|
//! | `<config>/choice` | `yes` or `no`; lines that start with `#` are for people |
//! | `<runtime>/ask-me-no-more` | nothing: its being there ends with the session |
//!
//! Written to a temporary file and renamed into place, mode 0600: of two programs that ask at once the later answer counts,
//! and nobody reads half of one. A file that can't be read may hold a "no", and counts as one.

use crate::files::disk;
use crate::person::agreed;
use crate::person::environment::Environment;
use crate::person::organization::Organization;
use automagik_telemetry_core::consent::Answer;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Name of the file in the organization's folder.
const FILE: &str = "choice";

/// Most bytes that are read of the file.
const CHOICE_BYTES_MAX: u64 = 4096;

/// For whom somebody here was asked and gave no answer.
static ASKED: Mutex<Vec<Organization>> = Mutex::new(Vec::new());

/// Where the answer is kept.
pub(crate) fn path(environment: &Environment) -> Option<PathBuf> {
    environment.config().map(|config| config.join(FILE))
}

/// The answer that is kept.
pub(crate) fn stored(environment: &Environment) -> Answer {
    let Some(path) = path(environment) else { return Answer::Silent };
    match read(&path) {
        Ok(text) => match text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))
        {
            Some(line) => Answer::parse(line),
            None => Answer::Unintelligible,
        },
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Answer::Silent
        }
        Err(_) => Answer::Unintelligible,
    }
}

fn read(path: &Path) -> io::Result<String> {
    let bytes = disk::read(path, CHOICE_BYTES_MAX)?.ok_or(ErrorKind::NotFound)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// Keeps the answer, and says where.
pub(crate) fn store(environment: &Environment, yes: bool) -> io::Result<PathBuf> {
    let none = || io::Error::new(ErrorKind::NotFound, "there is no home folder to keep it in");
    let (folder, path) = environment.config().zip(path(environment)).ok_or_else(none)?;
    disk::make_folder(folder)?;
    let answer = if yes { "yes\n" } else { "no\n" };
    let organization = environment.organization();
    let text = format!(
        "# May programs of {organization} send usage data? yes or no. For all of them, of this person.\n{answer}"
    );
    disk::publish(folder, FILE, text.as_bytes())?;
    if !yes {
        // A yes that is given later is given to what there is then.
        agreed::clear(environment);
    }
    Ok(path)
}

/// Asks no more: for the rest of the session where the platform has a place for that, else of this process.
pub(crate) fn ask_no_more(environment: &Environment) {
    asked().push(environment.organization());
    if let Some(folder) = environment.runtime() {
        let _ = disk::make_folder(folder).and_then(|()| std::fs::write(mark(folder), ""));
    }
}

/// Whether the platform has a place that ends with the session.
pub(crate) fn remembers_session(environment: &Environment) -> bool {
    environment.runtime().is_some_and(disk::is_writable)
}

/// Whether somebody was asked, in this session or by this process, and gave no answer.
pub(crate) fn is_asked_no_more(environment: &Environment) -> bool {
    // Signals that were handed over are no session of this process.
    environment.is_of_process() && asked().contains(&environment.organization())
        || environment.runtime().is_some_and(|folder| mark(folder).exists())
}

fn asked() -> MutexGuard<'static, Vec<Organization>> {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn mark(folder: &Path) -> PathBuf {
    folder.join("ask-me-no-more")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(bytes: &[u8]) -> (tempfile::TempDir, Environment) {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::at(home.path());
        disk::make_folder(environment.config().unwrap()).unwrap();
        std::fs::write(path(&environment).unwrap(), bytes).unwrap();
        (home, environment)
    }

    #[test]
    fn an_answer_is_kept_and_can_be_changed() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::at(home.path());
        assert_eq!(stored(&environment), Answer::Silent);
        store(&environment, true).unwrap();
        assert_eq!(stored(&environment), Answer::Yes);
        store(&environment, false).unwrap();
        assert_eq!(stored(&environment), Answer::No);
    }

    #[test]
    fn what_a_person_writes_into_the_file_counts() {
        for (bytes, answer) in [
            (&b"YES"[..], Answer::Yes),
            (b"# a comment\n\n  no  \n", Answer::No),
            (b"", Answer::Unintelligible),
            (b"# only a comment", Answer::Unintelligible),
            (b"perhaps", Answer::Unintelligible),
            (b"yes\xFF", Answer::Unintelligible),
        ] {
            let (_home, environment) = holding(bytes);
            assert_eq!(stored(&environment), answer, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_folder_in_its_place_is_no_yes() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::at(home.path());
        disk::make_folder(&path(&environment).unwrap()).unwrap();
        assert_eq!(stored(&environment), Answer::Unintelligible);
    }

    #[test]
    fn a_home_that_is_a_file_says_nothing_and_keeps_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let environment = Environment::at(file.path());
        assert_eq!(stored(&environment), Answer::Silent);
        assert!(store(&environment, true).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = store(&Environment::at(home.path()), true).unwrap();
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn of_those_who_answer_at_once_the_file_holds_one() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::at(home.path());
        // Wine has no POSIX renames: each is in the way of all others, and calls are made again for an eighth of a second alone.
        let (times, looks) = if cfg!(windows) { (5, 50) } else { (50, 2_000) };
        std::thread::scope(|scope| {
            for n in 0..8 {
                let environment = &environment;
                scope.spawn(move || (0..times).for_each(|_| drop(store(environment, n % 2 == 0).unwrap())));
            }
            for _ in 0..looks {
                assert_ne!(stored(&environment), Answer::Unintelligible);
            }
        });
        assert_eq!(
            std::fs::read_dir(environment.config().unwrap()).unwrap().count(),
            1,
            "nothing is left over"
        );
    }
}
