//! Which file of the program it was: an id that all who run that file have alike.

/// Longest id, in bytes: that of a linker's SHA-1.
pub const BUILD_LEN_MAX: usize = 20;

/// The bytes at each end of a file that its hash covers.
pub const HASHED_LEN: usize = 4_096;

/// How a build's id was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum BuildKind {
    /// The linker wrote it into the file: ELF's note `NT_GNU_BUILD_ID`. `process.executable.build_id.gnu`.
    Gnu = 0,
    /// The first 16 bytes of a SHA-256 over the file's first and last [`HASHED_LEN`] bytes and its length (64 bits, big-endian):
    /// `process.executable.build_id.htlhash`, where the linker wrote none.
    HeadTailLength = 1,
}

/// The id of the program's file. It says nothing of the machine that runs it.
///
/// ```
/// use automagik_telemetry_core::crashes::Build;
/// let build = Build::gnu(&[0xC8, 0x9B, 0x11, 0x20]).unwrap();
/// assert_eq!((build.key(), build.to_string().as_str()), ("process.executable.build_id.gnu", "c89b1120"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Build {
    kind: BuildKind,
    bytes: [u8; BUILD_LEN_MAX],
    len: u8,
}

impl Build {
    /// That of a file which the program could not read: nobody can say what lies at its offsets.
    pub const UNKNOWN: Self = Self { kind: BuildKind::HeadTailLength, bytes: [0; BUILD_LEN_MAX], len: 0 };

    /// One that the linker wrote; `None` where it is empty or longer than [`BUILD_LEN_MAX`].
    #[must_use]
    pub fn gnu(id: &[u8]) -> Option<Self> {
        Self::new(BuildKind::Gnu, id)
    }

    /// One of a file without an id: the first 16 bytes of the SHA-256 of its first [`HASHED_LEN`] bytes, its last ones, and its length as 8 bytes, the most significant first. A
    /// shorter file is both its first bytes and its last ones. See OpenTelemetry's [algorithm](https://opentelemetry.io/docs/specs/otel/profiles/mappings/).
    ///
    /// ```
    /// use automagik_telemetry_core::crashes::Build;
    /// use sha2::{Digest, Sha256};
    /// // An empty file.
    /// let build = Build::of_sha256(&Sha256::digest([0; 8]).into());
    /// assert_eq!(build.to_string(), "af5570f5a1810b7af78caf4bc70a660f");
    /// ```
    #[must_use]
    pub fn of_sha256(digest: &[u8; 32]) -> Self {
        let mut bytes = [0; BUILD_LEN_MAX];
        bytes.iter_mut().zip(digest.iter().take(16)).for_each(|(slot, byte)| *slot = *byte);
        Self { kind: BuildKind::HeadTailLength, bytes, len: 16 }
    }

    /// Any id, from anybody.
    #[must_use]
    pub fn new(kind: BuildKind, id: &[u8]) -> Option<Self> {
        let mut bytes = [0; BUILD_LEN_MAX];
        bytes.get_mut(..id.len()).filter(|slot| !slot.is_empty())?.copy_from_slice(id);
        Some(Self { kind, bytes, len: id.len() as u8 })
    }

    /// Returns how it was made.
    #[must_use]
    pub const fn kind(&self) -> BuildKind {
        self.kind
    }

    /// Returns the id, up to [`BUILD_LEN_MAX`] bytes; none where it is [unknown](Build::UNKNOWN).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// Returns the attribute that holds it, in hexadecimal digits.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self.kind {
            BuildKind::Gnu => "process.executable.build_id.gnu",
            BuildKind::HeadTailLength => "process.executable.build_id.htlhash",
        }
    }
}

impl core::fmt::Display for Build {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl core::fmt::Debug for Build {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Build({:?} {self})", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_no_bytes_or_too_many_is_none() {
        assert_eq!(Build::gnu(&[]), None);
        assert_eq!(Build::gnu(&[1; BUILD_LEN_MAX + 1]), None);
        assert_eq!(Build::gnu(&[1; BUILD_LEN_MAX]).unwrap().as_bytes(), [1; BUILD_LEN_MAX]);
    }
}
