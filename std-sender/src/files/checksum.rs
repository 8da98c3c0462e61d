//! The checksum of what is kept in files: CRC-32 (IEEE).

/// The checksum of `head`, followed by `rest`.
pub(crate) fn checksum(head: &[u8], rest: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(rest);
    hasher.finalize()
}
