//! A program's file: where its anchor lies, and what stands at a distance from it.

use crate::fixups::Fixups;
use crate::source;
use automagik_telemetry_core::code_location::{self, address, anchor_bytes};
use object::{Object, ObjectSection, RelocationTarget, SectionFlags};
use std::collections::HashMap;

/// A program's file, read once.
pub struct Program<'a> {
    file: object::File<'a>,
    anchor: u64,
    /// What stands at an address once the file is loaded, where the file itself does not say it.
    relocated: HashMap<u64, u64>,
    fixups: Fixups,
}

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The source file, cut to its crate.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1.
    pub column: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a place can't be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The bytes are no program that this reads: ELF, PE, Mach-O.
    NoProgram(String),
    /// The anchor is not in it, or more than once: it records no places, or has two versions of the library.
    Anchors(usize),
    /// The program could not tell the place.
    Unknown,
    /// No location lies there: it is of another build.
    NoLocation,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoProgram(why) => write!(f, "is no program in ELF, PE or Mach-O ({why})"),
            Self::Anchors(0) => {
                f.write_str("has no anchor: it records no places, or is of another kind than was sent")
            }
            Self::Anchors(count) => {
                write!(f, "has {count} anchors: two versions of the library are linked into it")
            }
            Self::Unknown => f.write_str("is unknown: the place lay in another file, such as a plugin's"),
            Self::NoLocation => f.write_str("is no place of this program: it was sent by another build"),
        }
    }
}

impl std::error::Error for Error {}

/// The longest path of a source file that is believed.
const PATH_LEN_MAX: u64 = 4_096;

impl<'a> Program<'a> {
    /// The program whose file `bytes` are.
    ///
    /// # Errors
    ///
    /// [`Error::NoProgram`], [`Error::Anchors`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let file = object::File::parse(bytes).map_err(|error| Error::NoProgram(error.to_string()))?;
        let (mut anchors, bytes_of_anchor) = (Vec::new(), anchor_bytes());
        for section in file.sections().filter(is_loaded) {
            let data = section.data().unwrap_or(&[]);
            let found = data.windows(bytes_of_anchor.len()).enumerate();
            let found = found.filter(|(_, window)| *window == bytes_of_anchor);
            anchors.extend(found.map(|(at, _)| section.address() + at as u64));
        }
        let [anchor] = anchors.as_slice() else { return Err(Error::Anchors(anchors.len())) };
        let anchor = *anchor;
        let mut relocated = HashMap::new();
        for (at, relocation) in file.dynamic_relocations().into_iter().flatten() {
            if relocation.target() == RelocationTarget::Absolute && !relocation.has_implicit_addend() {
                relocated.insert(at, relocation.addend() as u64);
            }
        }
        let fixups = Fixups::read(&file);
        Ok(Self { file, anchor, relocated, fixups })
    }

    /// The place of this number.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`], [`Error::NoLocation`].
    pub fn place(&self, number: u32) -> Result<Place, Error> {
        let at = address(self.anchor, number).ok_or(Error::Unknown)?;
        self.location(at).ok_or(Error::NoLocation)
    }

    /// The address of the instruction of this number, in a firmware's file.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`].
    pub fn instruction(&self, number: u32) -> Result<u64, Error> {
        code_location::instruction(self.anchor, number).ok_or(Error::Unknown)
    }

    /// A `core::panic::Location`: a pointer to the file's name, its length, a line, a column.
    fn location(&self, at: u64) -> Option<Place> {
        let word = if self.file.is_64() { 8 } else { 4 };
        let name = self.pointer(at)?;
        let len = self.number(at + word, word)?;
        let line = self.number(at + 2 * word, 4)?;
        let column = self.number(at + 2 * word + 4, 4)?;
        let name = self.bytes(name, Some(len).filter(|len| (1..=PATH_LEN_MAX).contains(len))?)?;
        let name = std::str::from_utf8(name).ok()?.trim_end_matches('\0');
        let is_believed = line > 0 && column > 0 && !name.is_empty() && !name.contains(char::is_control);
        is_believed.then(|| Place { file: source::cut(name), line: line as u32, column: column as u32 })
    }

    /// A pointer, as it is once the file is loaded.
    fn pointer(&self, at: u64) -> Option<u64> {
        let width = if self.file.is_64() { 8 } else { 4 };
        match self.relocated.get(&at) {
            Some(address) => Some(*address),
            None => self.fixups.target(at, self.number(at, width)?),
        }
    }

    fn number(&self, at: u64, width: u64) -> Option<u64> {
        let bytes = self.bytes(at, width)?;
        let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.file.is_little_endian() {
            bytes.iter().rev().fold(0, fold)
        } else {
            bytes.iter().fold(0, fold)
        })
    }

    fn bytes(&self, at: u64, len: u64) -> Option<&'a [u8]> {
        self.file.sections().filter(is_loaded).find_map(|section| section.data_range(at, len).ok().flatten())
    }
}

/// Whether the section is there when the program runs.
fn is_loaded<'a>(section: &impl ObjectSection<'a>) -> bool {
    match section.flags() {
        SectionFlags::Elf { sh_flags } => sh_flags & u64::from(object::elf::SHF_ALLOC) != 0,
        _ => true,
    }
}

impl std::fmt::Debug for Program<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("anchor", &self.anchor).finish_non_exhaustive()
    }
}
