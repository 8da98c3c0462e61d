//! The file that this library is linked into, as it is loaded: a program, or a library that a program loads.

use crate::files::checksum::sha256;
use crate::files::disk;
use automagik_telemetry_core::crashes::Build;
use automagik_telemetry_core::crashes::build::HASHED_LEN;
use findshlibs::{IterationControl, Segment, SharedLibrary, SharedLibraryId, TargetSharedLibrary};
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

/// Lies in the file that is looked for.
static INSIDE: u8 = 1;

/// Where the file is loaded, and which it is.
#[derive(Clone, Debug)]
pub(crate) struct Executable {
    /// The addresses of all its segments.
    addresses: Range<usize>,
    /// What an offset of 0 is.
    start: usize,
    /// `None` where the file can't be read and has no id of the linker's.
    build: Option<Build>,
}

impl Executable {
    /// The one that this function is in; `None` where the system does not tell. Looked for once.
    pub(crate) fn get() -> Option<&'static Self> {
        static FOUND: OnceLock<Option<Executable>> = OnceLock::new();
        FOUND.get_or_init(Self::find).as_ref()
    }

    fn find() -> Option<Self> {
        let inside = (&raw const INSIDE).addr();
        let mut found = None;
        TargetSharedLibrary::each(|file| {
            let Some(addresses) = addresses(file).filter(|addresses| addresses.contains(&inside)) else {
                return IterationControl::Continue;
            };
            // On ELF an offset is an address of the file; elsewhere files are made for an address that is none of theirs.
            let start = if cfg!(any(target_vendor = "apple", windows)) {
                addresses.start
            } else {
                file.virtual_memory_bias().0
            };
            let build = match file.id() {
                Some(SharedLibraryId::GnuBuildId(id)) => Build::gnu(&id),
                _ => None,
            };
            let build = build.or_else(|| hash(Path::new(file.name())));
            found = Some(Self { addresses, start, build });
            IterationControl::Break
        });
        found
    }

    /// The offset of an address in this file; `None` of one that lies in another.
    pub(crate) fn offset(&self, address: usize) -> Option<u32> {
        let is_inside = self.addresses.contains(&address);
        u32::try_from(address.wrapping_sub(self.start)).ok().filter(|_| is_inside)
    }

    pub(crate) fn build(&self) -> Option<Build> {
        self.build
    }
}

/// All that is loaded of a file.
fn addresses(file: &TargetSharedLibrary<'_>) -> Option<Range<usize>> {
    let mut all: Option<Range<usize>> = None;
    for segment in file.segments() {
        let start = segment.actual_virtual_memory_address(file).0;
        let end = start.saturating_add(segment.len());
        if cfg!(windows) || segment.is_load() {
            let before = all.unwrap_or(start..end);
            all = Some(before.start.min(start)..before.end.max(end));
        }
    }
    // The head of a PE file is in no section.
    let head = |all: Range<usize>| if cfg!(windows) { file.virtual_memory_bias().0..all.end } else { all };
    all.map(head)
}

/// What a file is called by that the linker gave no id; `None` where it can't be read.
fn hash(path: &Path) -> Option<Build> {
    let (most, len) = (HASHED_LEN as u64, std::fs::metadata(path).ok()?.len());
    let mut hashed = disk::read(path, most).ok()??;
    hashed.extend_from_slice(&disk::read_from(path, len.saturating_sub(most), most).ok()??);
    hashed.extend_from_slice(&len.to_be_bytes());
    Some(Build::of_sha256(&sha256(&hashed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_found_and_what_lies_elsewhere_is_not_of_it() {
        let executable = Executable::get().unwrap();
        let here = executable.offset(addresses as *const () as usize).unwrap();
        assert!(here > 0);
        let on_the_stack = 0_u8;
        assert_eq!(executable.offset((&raw const on_the_stack).addr()), None);
        assert!(executable.build().is_some());
    }

    #[test]
    fn a_file_is_hashed_at_its_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        let bytes: Vec<u8> = (0..10_000_u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(&path, &bytes).unwrap();
        let of = |parts: [&[u8]; 3]| Build::of_sha256(&sha256(&parts.concat()));
        let (head, tail) = (&bytes[..HASHED_LEN], &bytes[bytes.len() - HASHED_LEN..]);
        assert_eq!(hash(&path).unwrap(), of([head, tail, &40_000_u64.to_be_bytes()]));
        // A file that is shorter is both its head and its tail.
        std::fs::write(&path, b"short").unwrap();
        assert_eq!(hash(&path).unwrap(), of([b"short", b"short", &5_u64.to_be_bytes()]));
        std::fs::write(&path, b"").unwrap();
        assert_eq!(hash(&path).unwrap().to_string(), "af5570f5a1810b7af78caf4bc70a660f");
    }
}
