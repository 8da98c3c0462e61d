//! A crash with its functions, as people read it.

use crate::builds::Builds;
use crate::crashes::Crash;
use crate::frames::{Frame, Symbols};
use crate::program::Place;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::{self, Write};

/// Functions of the language that stand between a panic and the function that panicked.
const MACHINERY: [&str; 10] = [
    "std::panicking::",
    "std::sys::backtrace::__rust_end_short_backtrace",
    "std::rt::begin_panic",
    "rust_begin_unwind",
    "__rustc::rust_begin_unwind",
    "__rustc[",
    "core::panicking::",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::result::unwrap_failed",
];

/// Where the language called the program: what stands behind says nothing of it.
const START: &str = "__rust_begin_short_backtrace";

/// One crash with functions, files and lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backtrace {
    /// What was sent.
    pub crash: Crash,
    /// Where it panicked; `None` where that is not known.
    pub place: Option<Place>,
    /// Each call: its offset, how often, and its functions, inlined ones first; none where they are not known.
    pub calls: Vec<(u32, u32, Vec<Frame>)>,
    /// Whether a file of the build is there.
    pub is_known: bool,
}

/// Turns crashes into backtraces; files are opened and addresses looked up once.
#[derive(Debug)]
pub struct Symbolizer {
    builds: Builds,
    symbols: HashMap<String, Option<Symbols>>,
}

impl Symbolizer {
    /// One that knows the files of `builds`.
    #[must_use]
    pub fn new(builds: Builds) -> Self {
        Self { builds, symbols: HashMap::new() }
    }

    /// `crash` with functions, files and lines, as far as they are known.
    pub fn backtrace(&mut self, crash: Crash) -> Backtrace {
        let builds = &self.builds;
        let symbols = self.symbols.entry(crash.build.clone()).or_insert_with(|| {
            let files = builds.files(&crash.build);
            (!files.is_empty()).then(|| Symbols::new(files))
        });
        let is_known = symbols.is_some();
        let place = symbols.as_mut().and_then(|symbols| symbols.place(crash.place).ok());
        let calls = crash.addresses.iter().map(|(offset, times)| {
            let frames = symbols.as_mut().map_or_else(Vec::new, |symbols| symbols.frames(*offset).to_vec());
            (*offset, *times, frames)
        });
        Backtrace { calls: calls.collect(), place, is_known, crash }
    }
}

impl Backtrace {
    /// The functions of the program, without those of the language around them, nearest to the panic first.
    pub fn functions(&self) -> impl Iterator<Item = (&Frame, u32)> {
        let is_start = |frames: &[Frame]| frames.iter().any(|frame| frame.function.contains(START));
        let calls = self.calls.iter().take_while(move |(.., frames)| !is_start(frames));
        let frames = calls.flat_map(|(_, times, frames)| frames.iter().map(|frame| (frame, *times)));
        let is_machinery = |frame: &Frame| MACHINERY.iter().any(|name| frame.function.starts_with(name));
        frames.skip_while(move |(frame, _)| is_machinery(frame))
    }

    /// A number that crashes have alike whose functions are the same, in whatever build: by it they are grouped.
    #[must_use]
    pub fn group(&self) -> u64 {
        let mut names: Vec<&str> = self.functions().map(|(frame, _)| frame.function.as_str()).collect();
        let addresses =
            self.crash.addresses.iter().map(|(offset, _)| format!("{} {offset}", self.crash.build));
        let addresses: Vec<String> = addresses.collect();
        if names.is_empty() {
            names.extend(addresses.iter().map(String::as_str));
        }
        // FNV-1a: it groups, and is no signature.
        let bytes =
            [self.crash.exception.as_str()].into_iter().chain(names).flat_map(|name| name.bytes().chain([0]));
        bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        })
    }

    /// The crash as JSON, with all functions.
    #[must_use]
    pub fn json(&self) -> Value {
        let calls = self.calls.iter().map(|(offset, times, frames)| {
            let frames = frames.iter().map(|frame| {
                let (file, line) = frame.line.as_ref().map_or((None, None), |(file, line)| (Some(file), Some(line)));
                json!({ "function": frame.function, "file": file, "line": line })
            });
            json!({ "offset": format!("{offset:#x}"), "times": times, "functions": frames.collect::<Value>() })
        });
        json!({
            "group": format!("{:016x}", self.group()),
            "exception.type": self.crash.exception,
            "service.version": self.crash.version,
            "build": self.crash.build,
            "known": self.is_known,
            "place": self.place.as_ref().map(ToString::to_string),
            "calls": calls.collect::<Value>(),
            "rest": self.crash.rest,
        })
    }

    /// The crash as text, with the functions of the language where `full`.
    #[must_use]
    pub fn text(&self, full: bool) -> String {
        let mut text = String::new();
        // A text takes everything.
        let _ = self.write(&mut text, full);
        text
    }

    fn write(&self, text: &mut String, full: bool) -> fmt::Result {
        let Crash { exception, version, build, rest, .. } = &self.crash;
        write!(text, "{exception} in version {version}")?;
        match &self.place {
            Some(place) => writeln!(text, " at {place}")?,
            None => writeln!(text)?,
        }
        if !self.is_known {
            writeln!(
                text,
                "  of build {build}, of which there is no file: the offsets are left as they are"
            )?;
        }
        let is_short = !full && self.functions().next().is_some();
        if is_short {
            for (at, (frame, times)) in self.functions().enumerate() {
                write_frame(text, Some(at), frame, times)?;
            }
        } else {
            for (at, (offset, times, frames)) in self.calls.iter().enumerate() {
                if frames.is_empty() {
                    writeln!(text, "{at:4}: {offset:#x}{}", often(*times))?;
                }
                for (inlined, frame) in frames.iter().enumerate() {
                    write_frame(text, (inlined == 0).then_some(at), frame, *times)?;
                }
            }
        }
        rest.iter().try_for_each(|line| writeln!(text, "      {line}"))
    }
}

fn write_frame(text: &mut String, at: Option<usize>, frame: &Frame, times: u32) -> fmt::Result {
    match at {
        Some(at) => write!(text, "{at:4}: ")?,
        None => write!(text, "      ")?,
    }
    writeln!(text, "{}{}", frame.function, often(times))?;
    frame.line.iter().try_for_each(|(file, line)| writeln!(text, "             at {file}:{line}"))
}

fn often(times: u32) -> String {
    if times > 1 { format!(" ({times} times)") } else { String::new() }
}
