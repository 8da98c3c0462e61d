//! Keys, each a line of 32 hexadecimal digits in a file `*.key`. What stands behind a `#` is a comment.

use super::{Error, files};
use automagik_telemetry_core::frames::{Boot, Hint, KEY_LEN, Key};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

/// The keys that open frames.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    keys: Vec<Known>,
    by_id: HashMap<u64, usize>,
}

/// A key, and where it stands.
#[derive(Clone, Debug)]
pub struct Known {
    /// The key.
    pub key: Key,
    /// What names it in the store and in lists, and says nothing of it.
    pub id: u64,
    /// The comment behind it.
    pub comment: String,
}

impl Keys {
    /// Those of all files in `folder`.
    ///
    /// # Errors
    ///
    /// Where a file can't be read, or a line is no key.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let mut keys = Self::default();
        for path in files(folder, "key")? {
            let fails = |line, why: String| Error { path: path.clone(), line, why };
            let text = std::fs::read_to_string(&path)
                .map_err(|error| fails(None, format!("can't be read ({error})")))?;
            for (number, line) in text.lines().enumerate() {
                let (key, comment) = line.split_once('#').unwrap_or((line, ""));
                if key.trim().is_empty() {
                    continue;
                }
                let wrong = || {
                    let why =
                        "is no key: write 32 hexadecimal digits, as `telemetry-gateway key make` prints them";
                    fails(Some(number + 1), why.to_owned())
                };
                keys.put(Known::new(parse(key.trim()).ok_or_else(wrong)?, comment.trim()));
            }
        }
        Ok(keys)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Known] {
        &self.keys
    }

    /// Adds `key`.
    pub fn add(&mut self, key: Key) {
        self.put(Known::new(key, ""));
    }

    fn put(&mut self, known: Known) {
        let at = self.keys.len();
        if *self.by_id.entry(known.id).or_insert(at) == at {
            self.keys.push(known);
        }
    }

    /// The key that the store knows by `id`.
    #[must_use]
    pub fn by_id(&self, id: u64) -> Option<&Known> {
        self.keys.get(*self.by_id.get(&id)?)
    }

    /// Those that may have sealed a frame of `boot`: that which opened a frame of it `before`; then all, or those that say so by the hint, for which each is
    /// asked.
    pub fn candidates(
        &self,
        boot: Boot,
        hint: Option<Hint>,
        before: Option<u64>,
    ) -> impl Iterator<Item = &Known> {
        let fits = move |known: &&Known| hint.is_none_or(|hint| known.key.hint(boot) == hint);
        before.and_then(|id| self.by_id(id)).into_iter().chain(self.keys.iter().filter(fits))
    }
}

impl Known {
    fn new(key: Key, comment: &str) -> Self {
        let id = u64::from_le_bytes(key.id());
        Self { key, id, comment: comment.to_owned() }
    }
}

/// Bytes in hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The digits of a new key.
///
/// # Errors
///
/// Where the system has no random numbers.
pub fn random() -> Result<String, String> {
    let mut bytes = [0; KEY_LEN];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system has no random numbers ({error})"))?;
    Ok(hex(&bytes))
}

/// The key that 32 hexadecimal digits say.
#[must_use]
pub fn parse(text: &str) -> Option<Key> {
    Some(Key::new(bytes(text)?.try_into().ok().filter(|bytes: &[u8; KEY_LEN]| bytes != &[0; KEY_LEN])?))
}

/// The bytes that hexadecimal digits say.
#[must_use]
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_keys_and_comments_and_an_error_names_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.key");
        std::fs::write(&path, "# ours\n00112233445566778899aabbccddeeff # pumps\n\n").unwrap();
        let keys = Keys::load(folder.path()).unwrap();
        assert_eq!(keys.all().iter().map(|known| known.comment.as_str()).collect::<Vec<_>>(), ["pumps"]);
        for wrong in [
            "0011",
            "00112233445566778899aabbccddeefg",
            "+0112233445566778899aabbccddeeff",
            "00000000000000000000000000000000",
        ] {
            std::fs::write(&path, format!("\n{wrong}\n")).unwrap();
            let error = Keys::load(folder.path()).unwrap_err().to_string();
            assert!(error.contains("fleet.key, line 2: is no key") && !error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn a_hint_leads_to_the_key_of_one_device() {
        let mut keys = Keys::default();
        (1..=200).for_each(|number| keys.add(Key::new([number; KEY_LEN])));
        let boot = Boot::random([9; 8]);
        let hint = Key::new([77; KEY_LEN]).hint(boot);
        let found: Vec<u64> = keys.candidates(boot, Some(hint), None).map(|known| known.id).collect();
        assert!(found.contains(&u64::from_le_bytes(Key::new([77; KEY_LEN]).id())) && found.len() < 5);
        assert_eq!(keys.candidates(boot, None, None).count(), 200);
        // Whose boot it is may be known.
        let known = keys.all()[5].id;
        assert_eq!(keys.candidates(boot, Some(hint), Some(known)).next().unwrap().id, known);
    }
}
