//! A folder of programs and their debug files, by the builds that crashes name.

use automagik_telemetry_core::crashes::Build;
use automagik_telemetry_core::crashes::build::HASHED_LEN;
use object::{Object, ReadCache};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The files of a folder and those below it, by the id that each has in crashes.
#[derive(Debug, Default)]
pub struct Builds {
    files: HashMap<String, Vec<PathBuf>>,
}

impl Builds {
    /// Those in `folder`, or the one file that `folder` is. Of each file the head, the tail and the notes are read; what is no program is passed over.
    ///
    /// # Errors
    ///
    /// Where the folder can't be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut builds = Self::default();
        if folder.is_dir() {
            builds.add_folder(folder)?;
        } else {
            builds.add(folder)?;
        }
        builds.files.values_mut().for_each(|files| files.sort());
        Ok(builds)
    }

    fn add_folder(&mut self, folder: &Path) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.is_symlink() {
                self.add_folder(&path)?;
            } else if path.is_file() {
                // One that can't be read is none.
                let _ = self.add(&path);
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path) -> io::Result<()> {
        for id in ids(path)? {
            self.files.entry(id).or_default().push(path.to_owned());
        }
        Ok(())
    }

    /// The files of the build of this id, in hexadecimal digits: the program, its debug file, or both.
    #[must_use]
    pub fn files(&self, id: &str) -> &[PathBuf] {
        self.files.get(id).map_or(&[], Vec::as_slice)
    }

    /// How many builds there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// What the file is called by in crashes: the linker's id, and the hash of its ends; none where it is no program.
fn ids(path: &Path) -> io::Result<Vec<String>> {
    let file = File::open(path)?;
    let cache = ReadCache::new(file);
    let Ok(program) = object::File::parse(&cache) else { return Ok(Vec::new()) };
    let linked = program.build_id().ok().flatten().and_then(Build::gnu);
    let hashed = hash(&mut File::open(path)?)?;
    let mut ids: Vec<String> = linked.into_iter().chain([hashed]).map(|build| build.to_string()).collect();
    ids.dedup();
    Ok(ids)
}

fn hash(file: &mut File) -> io::Result<Build> {
    let len = file.metadata()?.len();
    let most = HASHED_LEN as u64;
    let mut hashed = Vec::new();
    file.by_ref().take(most).read_to_end(&mut hashed)?;
    file.seek(SeekFrom::Start(len.saturating_sub(most)))?;
    file.take(most).read_to_end(&mut hashed)?;
    hashed.extend(len.to_be_bytes());
    Ok(Build::of_sha256(&Sha256::digest(hashed).into()))
}

/// The debug file beside `path` that it names (`.gnu_debuglink`), if it is there.
#[must_use]
pub fn debug_file(path: &Path) -> Option<PathBuf> {
    let cache = ReadCache::new(File::open(path).ok()?);
    let program = object::File::parse(&cache).ok()?;
    let (name, _) = program.gnu_debuglink().ok()??;
    // A name and no way elsewhere.
    let name = Path::new(std::str::from_utf8(name).ok()?).file_name()?;
    Some(path.with_file_name(name)).filter(|path| path.is_file())
}
