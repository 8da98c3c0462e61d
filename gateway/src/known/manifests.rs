//! All programs whose frames a gateway takes: a manifest a file, `*.cbor`. Those of old versions stay there: a device that was updated may still have
//! frames of the version before.

use super::vocabulary::Vocabulary;
use super::{Error, files};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Vocabularies by what frames say of them.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    by_mark: HashMap<u32, Vec<Arc<Vocabulary>>>,
}

/// A vocabulary for a version.
#[derive(Clone, Debug)]
pub struct Found {
    /// What can be said.
    pub vocabulary: Arc<Vocabulary>,
    /// Whether it is that of the very version: if not, all is as in the other but for the version's name.
    pub is_version: bool,
}

impl Manifests {
    /// Those of all files in `folder`.
    ///
    /// # Errors
    ///
    /// Where a file is no manifest, or two programs would be told apart by nothing that frames say.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let mut manifests = Self::default();
        for path in files(folder, "cbor")? {
            let fails = |why: String| Error { path: path.clone(), line: None, why };
            let bytes = std::fs::read(&path).map_err(|error| fails(format!("can't be read ({error})")))?;
            let vocabulary = Vocabulary::read(&bytes).map_err(|error| {
                fails(format!("{error}: a program writes its own with `manifest::encode`"))
            })?;
            manifests.add(vocabulary).map_err(|other| {
                fails(format!("its fingerprint can't be told from that of {other}: take one of them out"))
            })?;
        }
        Ok(manifests)
    }

    /// Adds one.
    ///
    /// # Errors
    ///
    /// The name of another program that has the same half of a fingerprint.
    pub fn add(&mut self, vocabulary: Vocabulary) -> Result<(), String> {
        let versions = self.by_mark.entry(vocabulary.mark()).or_default();
        if let Some(other) = versions.iter().find(|other| other.fingerprint != vocabulary.fingerprint) {
            return Err(other.project.clone());
        }
        if versions.iter().all(|other| other.version != vocabulary.version) {
            versions.push(Arc::new(vocabulary));
        }
        Ok(())
    }

    /// That of a program whose frames say this.
    #[must_use]
    pub fn find(&self, mark: u32, version: [u8; 3]) -> Option<Found> {
        let versions = self.by_mark.get(&mark)?;
        let exact = versions.iter().find(|vocabulary| vocabulary.version_mark == version);
        let vocabulary = exact.or_else(|| versions.last())?;
        Some(Found { vocabulary: Arc::clone(vocabulary), is_version: exact.is_some() })
    }

    /// That of the program of this name and version; of another version, if there is none of this one.
    #[must_use]
    pub fn named(&self, project: &str, version: &str) -> Option<Arc<Vocabulary>> {
        let of_project = || self.all().filter(|vocabulary| vocabulary.project == project);
        let exact = of_project().find(|vocabulary| vocabulary.version == version);
        exact.or_else(|| of_project().max_by_key(|vocabulary| vocabulary.fingerprint)).cloned()
    }

    /// All of them, in no order.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Vocabulary>> {
        self.by_mark.values().flatten()
    }
}
