//! The checksum of what is kept in files, CRC-32 (IEEE), and the hash that names what others know: SHA-256.

use sha2::{Digest, Sha256};

/// The checksum of `head`, followed by `rest`.
pub(crate) fn checksum(head: &[u8], rest: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(rest);
    hasher.finalize()
}

/// SHA-256. Of all that is hashed at once, so that its code is there once.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
