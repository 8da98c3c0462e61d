//! Return addresses as functions, files and lines, by debug information, or by the table of symbols where there is no other.

use crate::builds;
use crate::program::{self, Place, Program};
use crate::source;
use addr2line::Loader;
use addr2line::fallible_iterator::FallibleIterator;
use object::Object;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// One function that was being called; several have one address where they are inlined.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The function, demangled, without its hash.
    pub function: String,
    /// The source file, cut to its crate, and the line.
    pub line: Option<(String, u32)>,
}

/// The files of one build: what lies at its offsets and its places, each looked for once.
pub struct Symbols {
    paths: Vec<PathBuf>,
    loader: Option<(Loader, u64)>,
    frames: HashMap<u32, Vec<Frame>>,
    places: HashMap<u32, Result<Place, program::Error>>,
}

impl Symbols {
    /// Those in `files`, which are of one build.
    #[must_use]
    pub fn new(files: &[PathBuf]) -> Self {
        let mut paths = files.to_vec();
        paths.extend(files.iter().filter_map(|path| builds::debug_file(path)));
        // That with debug information says more than one with symbols.
        let loader = paths.iter().filter_map(|path| load(path)).max_by_key(|(richness, ..)| *richness);
        let loader = loader.map(|(_, loader, base)| (loader, base));
        Self { paths, loader, frames: HashMap::new(), places: HashMap::new() }
    }

    /// The functions at the return address `offset`, innermost first; none where nothing is known of it.
    pub fn frames(&mut self, offset: u32) -> &[Frame] {
        let loader = self.loader.as_ref();
        self.frames.entry(offset).or_insert_with(|| {
            loader.map_or_else(Vec::new, |(loader, base)| {
                // The call stands before the address that it returns to.
                look_up(loader, base.wrapping_add(u64::from(offset)).wrapping_sub(1))
            })
        })
    }

    /// The functions around the instruction of this number, as a firmware's crash has it, innermost first.
    ///
    /// # Errors
    ///
    /// Where no file of the build tells it.
    pub fn instruction(&self, number: u32, is_return: bool) -> Result<Vec<Frame>, program::Error> {
        let address = self.of_a_program(|program| program.instruction(number))?;
        let address = address.saturating_sub(u64::from(is_return));
        let frames = self.loader.as_ref().map(|(loader, _)| look_up(loader, address));
        frames.filter(|frames| !frames.is_empty()).ok_or(program::Error::NoLocation)
    }

    /// The place of this number.
    ///
    /// # Errors
    ///
    /// Where no file of the build tells it.
    pub fn place(&mut self, number: u32) -> Result<Place, program::Error> {
        if let Some(found) = self.places.get(&number) {
            return found.clone();
        }
        let found = self.of_a_program(|program| program.place(number));
        self.places.insert(number, found.clone());
        found
    }

    /// What the first file tells that can: a debug file has no data, and so no anchor.
    fn of_a_program<T>(
        &self,
        find: impl Fn(&Program<'_>) -> Result<T, program::Error>,
    ) -> Result<T, program::Error> {
        let mut failed = program::Error::Anchors(0);
        for path in &self.paths {
            let Ok(bytes) = std::fs::read(path) else { continue };
            match Program::read(&bytes).and_then(|program| find(&program)) {
                Ok(found) => return Ok(found),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}

/// How much a file tells, the file, and what an offset of 0 is in it.
fn load(path: &Path) -> Option<(u8, Loader, u64)> {
    let bytes = std::fs::read(path).ok()?;
    let file = object::File::parse(&*bytes).ok()?;
    let richness = u8::from(file.has_debug_symbols()) * 2 + u8::from(file.symbols().next().is_some());
    let base = file.relative_address_base();
    Some((richness, Loader::new(path).ok()?, base))
}

fn look_up(loader: &Loader, address: u64) -> Vec<Frame> {
    let mut frames = Vec::new();
    if let Ok(found) = loader.find_frames(address) {
        let each = found.for_each(|frame| {
            let function = frame.function.as_ref().and_then(|name| Some(name.raw_name().ok()?.into_owned()));
            let line = frame.location.as_ref().and_then(|at| Some((source::cut(at.file?), at.line?)));
            frames.push(Frame { function: demangled(&function.unwrap_or_default()), line });
            Ok(())
        });
        // What was found before an error is right.
        let _ = each;
    }
    // Debug information of lines alone has short names. The last function is the one that the others are inlined into, and has a symbol.
    if let Some(symbol) = loader.find_symbol(address).map(demangled) {
        match frames.last_mut() {
            None => frames.push(Frame { function: symbol, line: None }),
            // A symbol of several functions with the same code may be another's.
            Some(last) if bare(&symbol) == bare(&last.function) || last.function.is_empty() => {
                last.function = symbol
            }
            Some(_) => {}
        }
    }
    frames.retain(|frame| !frame.function.is_empty());
    frames
}

/// A function's own name: without its path and its types.
fn bare(name: &str) -> &str {
    let name = name.split_once("::<").map_or(name, |(name, _)| name);
    let name = if name.starts_with('<') { name } else { name.split_once('<').map_or(name, |(name, _)| name) };
    name.rsplit_once("::").map_or(name, |(_, name)| name)
}

/// `name` as in the source, without the hash of its build.
fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols").field("paths", &self.paths).finish_non_exhaustive()
    }
}
